from django.db import migrations

# Balances are kept by the owner, inside the row-level policies of the transaction; the app role only reads them.
# Postings of a statement must add up to nothing for each movement and line. Rows are taken in one order, so that two
# transactions never wait for each other in a circle. An update comes before an insert, because a check constraint is
# asked before a conflict is found.
POST = """
CREATE FUNCTION grants_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  r record;
BEGIN
  IF EXISTS (SELECT 1 FROM added GROUP BY movement_id, line_id HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'postings of a movement do not balance'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_balanced', TABLE = 'grants_posting';
  END IF;
  IF EXISTS (
    SELECT 1 FROM added a
      LEFT JOIN grants_movement m ON m.id = a.movement_id AND m.authority_id = a.authority_id
      LEFT JOIN grants_budgetline l ON l.id = a.line_id AND l.authority_id = a.authority_id
    WHERE m.id IS NULL OR l.id IS NULL OR (a.grant_id IS NOT NULL AND a.grant_id IS DISTINCT FROM m.grant_id)
  ) THEN
    RAISE EXCEPTION 'a posting belongs to a movement and a line of its authority, and to the grant of its movement'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_of_its_movement', TABLE = 'grants_posting';
  END IF;
  FOR r IN
    SELECT authority_id, line_id, grant_id, account, sum(amount) AS amount FROM added
    GROUP BY authority_id, line_id, grant_id, account HAVING sum(amount) <> 0
    ORDER BY line_id, grant_id NULLS FIRST, account
  LOOP
    IF r.grant_id IS NULL THEN
      UPDATE grants_balance SET amount = amount + r.amount
        WHERE line_id = r.line_id AND grant_id IS NULL AND account = r.account;
    ELSE
      UPDATE grants_balance SET amount = amount + r.amount
        WHERE line_id = r.line_id AND grant_id = r.grant_id AND account = r.account;
    END IF;
    IF NOT FOUND THEN
      INSERT INTO grants_balance (id, authority_id, line_id, grant_id, account, amount)
        VALUES (gen_random_uuid(), r.authority_id, r.line_id, r.grant_id, r.account, r.amount)
        ON CONFLICT (line_id, grant_id, account) DO UPDATE SET amount = grants_balance.amount + excluded.amount;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER grants_posting_posts AFTER INSERT ON grants_posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION grants_post();

CREATE FUNCTION grants_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is written once' USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_written_once';
END $$;
CREATE TRIGGER grants_posting_stays BEFORE UPDATE OR DELETE ON grants_posting
  FOR EACH ROW EXECUTE FUNCTION grants_never_changes();
CREATE TRIGGER grants_movement_stays BEFORE UPDATE OR DELETE ON grants_movement
  FOR EACH ROW EXECUTE FUNCTION grants_never_changes();
"""

# award = paid - repaid + open, for each grant and year, when the transaction ends. Whoever acts last in a transaction
# may be somebody else than the authority that keeps the grant, so the check looks with the eyes of that authority.
AWARD = """
CREATE FUNCTION grants_award_is_booked(which uuid, keeper uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  before text := current_setting('rathaus.authority', true);
  fault record;
BEGIN
  PERFORM set_config('rathaus.authority', keeper::text, true);
  SELECT coalesce(w.year, j.year) AS year, coalesce(w.amount, 0) AS awarded, coalesce(j.amount, 0) AS booked INTO fault
  FROM (
    SELECT y.year, y.amount FROM grants_awardyear y JOIN grants_award a ON a.id = y.award_id
    WHERE a.grant_id = which AND a.number = (SELECT max(number) FROM grants_award WHERE grant_id = which)
  ) w FULL JOIN (
    SELECT l.year, sum(b.amount) AS amount FROM grants_balance b JOIN grants_budgetline l ON l.id = b.line_id
    WHERE b.grant_id = which AND b.account IN ('open', 'ordered', 'paid', 'proven') GROUP BY l.year
  ) j ON j.year = w.year
  WHERE coalesce(w.amount, 0) <> coalesce(j.amount, 0) LIMIT 1;
  IF NOT FOUND THEN
    SELECT 0::smallint AS year, g.amount AS awarded, coalesce(sum(b.amount), 0) AS booked INTO fault
    FROM grants_grant g LEFT JOIN grants_balance b
      ON b.grant_id = g.id AND b.account IN ('open', 'ordered', 'paid', 'proven')
    WHERE g.id = which GROUP BY g.id, g.amount HAVING g.amount <> coalesce(sum(b.amount), 0);
  END IF;
  PERFORM set_config('rathaus.authority', coalesce(before, ''), true);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'grant %, year %: % awarded, % booked', which, fault.year, fault.awarded, fault.booked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'award_is_booked';
  END IF;
END $$;
CREATE FUNCTION grants_check_award() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'grants_grant' THEN
    PERFORM grants_award_is_booked(NEW.id, NEW.authority_id);
  ELSIF NEW.grant_id IS NOT NULL THEN
    PERFORM grants_award_is_booked(NEW.grant_id, NEW.authority_id);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER grants_movement_awarded AFTER INSERT ON grants_movement DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION grants_check_award();
CREATE CONSTRAINT TRIGGER grants_award_awarded AFTER INSERT OR UPDATE OF amount ON grants_award DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION grants_check_award();
CREATE CONSTRAINT TRIGGER grants_grant_awarded AFTER INSERT OR UPDATE OF amount ON grants_grant DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION grants_check_award();
"""
UNDO = """
DROP TRIGGER grants_grant_awarded ON grants_grant;
DROP TRIGGER grants_award_awarded ON grants_award;
DROP TRIGGER grants_movement_awarded ON grants_movement;
DROP FUNCTION grants_check_award();
DROP FUNCTION grants_award_is_booked(uuid, uuid);
DROP TRIGGER grants_movement_stays ON grants_movement;
DROP TRIGGER grants_posting_stays ON grants_posting;
DROP FUNCTION grants_never_changes();
DROP TRIGGER grants_posting_posts ON grants_posting;
DROP FUNCTION grants_post();
"""


class Migration(migrations.Migration):
    dependencies = [("grants", "0004_journal")]
    operations = [migrations.RunSQL(POST + AWARD, UNDO)]
