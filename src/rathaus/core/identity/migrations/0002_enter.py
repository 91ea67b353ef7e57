from django.db import migrations

ENTER = """
CREATE FUNCTION identity_enter(who uuid, wanted uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  membership record;
  mandates jsonb;
  party_ids text;
BEGIN
  PERFORM set_config('rathaus.account', who::text, true),
          set_config('rathaus.authority', '', true), set_config('rathaus.parties', '', true);
  SELECT m.authority_id, m.roles, m.function INTO membership FROM identity_membership m
    WHERE m.account_id = who ORDER BY (m.authority_id = wanted) DESC NULLS LAST, m.id LIMIT 1;
  SELECT string_agg(d.party_id::text, ',' ORDER BY d.id) INTO party_ids FROM identity_mandate d
    WHERE d.account_id = who AND d.valid_from <= current_date
      AND (d.valid_until IS NULL OR d.valid_until >= current_date);
  PERFORM set_config('rathaus.parties', coalesce(party_ids, ''), true);
  SELECT jsonb_agg(jsonb_build_object('party', p.id, 'name', p.name, 'function', d.function) ORDER BY d.id)
    INTO mandates FROM identity_mandate d JOIN identity_party p ON p.id = d.party_id
    WHERE d.account_id = who AND p.id = ANY (string_to_array(coalesce(party_ids, ''), ',')::uuid[]);
  PERFORM set_config('rathaus.authority', coalesce(membership.authority_id::text, ''), true);
  RETURN jsonb_build_object(
    'authority', membership.authority_id, 'roles', coalesce(to_jsonb(membership.roles), '[]'::jsonb),
    'function', coalesce(membership.function, ''), 'mandates', coalesce(mandates, '[]'::jsonb));
END $$;
COMMENT ON FUNCTION identity_enter(uuid, uuid) IS
  'Puts the transaction into the context of an account, and says what the account may do. Runs with the rights of the caller.';
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]
    operations = [migrations.RunSQL(ENTER, "DROP FUNCTION identity_enter(uuid, uuid)")]
