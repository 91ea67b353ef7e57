from importlib import import_module

from django.db import migrations

# The day is told by the caller, since a preview may live in another year. What an authority held passes to its successor
# on the day after its end: whoever works or acts for the successor may work or act for it, and nobody else any more.
# A party of an authority is read in that authority's context: parties are not public.
ENTER = """
CREATE FUNCTION identity_enter(who uuid, wanted uuid, today date) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  membership record;
  mandates jsonb;
  former record;
  party record;
  party_ids text;
BEGIN
  PERFORM set_config('rathaus.account', who::text, true),
          set_config('rathaus.authority', '', true), set_config('rathaus.parties', '', true);
  SELECT h.authority_id, m.roles, m.function INTO membership
    FROM identity_membership m CROSS JOIN LATERAL authorities_held_by(m.authority_id, today) h
    WHERE m.account_id = who
    ORDER BY (h.authority_id = wanted) DESC NULLS LAST, (h.authority_id = m.authority_id) DESC, m.id LIMIT 1;
  SELECT string_agg(d.party_id::text, ',' ORDER BY d.id) INTO party_ids FROM identity_mandate d
    WHERE d.account_id = who AND d.valid_from <= today AND (d.valid_until IS NULL OR d.valid_until >= today);
  PERFORM set_config('rathaus.parties', coalesce(party_ids, ''), true);
  SELECT jsonb_agg(jsonb_build_object('party', p.id, 'name', p.name, 'function', d.function,
      'authority', p.authority_id, 'former', false) ORDER BY d.id)
    INTO mandates FROM identity_mandate d JOIN identity_party p ON p.id = d.party_id
    LEFT JOIN authorities_authority a ON a.id = p.authority_id
    WHERE d.account_id = who AND p.id = ANY (string_to_array(coalesce(party_ids, ''), ',')::uuid[])
      AND (a.valid_until IS NULL OR a.valid_until >= today);
  mandates := coalesce(mandates, '[]'::jsonb);
  FOR former IN
    SELECT h.authority_id, m ->> 'name' AS holder, m ->> 'function' AS function
      FROM jsonb_array_elements(mandates) m
      CROSS JOIN LATERAL authorities_held_by((m ->> 'authority')::uuid, today) h
      WHERE h.authority_id <> (m ->> 'authority')::uuid ORDER BY h.authority_id
  LOOP
    PERFORM set_config('rathaus.authority', former.authority_id::text, true);
    SELECT p.id, p.name INTO party FROM identity_party p WHERE p.authority_id = former.authority_id;
    IF FOUND THEN
      mandates := mandates || jsonb_build_object('party', party.id, 'function', former.function,
        'name', party.name || ' (jetzt ' || former.holder || ')', 'authority', former.authority_id, 'former', true);
    END IF;
  END LOOP;
  SELECT string_agg(m ->> 'party', ',' ORDER BY n) INTO party_ids
    FROM jsonb_array_elements(mandates) WITH ORDINALITY AS e (m, n);
  PERFORM set_config('rathaus.parties', coalesce(party_ids, ''), true),
          set_config('rathaus.authority', coalesce(membership.authority_id::text, ''), true);
  RETURN jsonb_build_object(
    'authority', membership.authority_id, 'roles', coalesce(to_jsonb(membership.roles), '[]'::jsonb),
    'function', coalesce(membership.function, ''), 'mandates', mandates);
END $$;
COMMENT ON FUNCTION identity_enter(uuid, uuid, date) IS
  'Puts the transaction into the context of an account, and says what it may do on a day. Runs with the rights of the caller.';
"""
BEFORE = import_module("rathaus.core.identity.migrations.0003_mandates_by_german_days").ENTER


class Migration(migrations.Migration):
    dependencies = [("identity", "0004_clock"), ("authorities", "0002_successors")]
    operations = [
        migrations.RunSQL("DROP FUNCTION identity_enter(uuid, uuid)", BEFORE),
        migrations.RunSQL(ENTER, "DROP FUNCTION identity_enter(uuid, uuid, date)"),
    ]
