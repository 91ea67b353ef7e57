"""The postings of a movement are written in one statement; later nothing joins them, not even what balances.

An award is compared with its bookings when a movement is written: postings that join an older one would pass unseen.
"""

from django.db import migrations

WHOLE = """
CREATE FUNCTION grants_movement_is_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM grants_posting p
    WHERE p.movement_id IN (SELECT movement_id FROM added) AND p.id NOT IN (SELECT id FROM added)
  ) THEN
    RAISE EXCEPTION 'a movement is booked whole, and nothing is added to it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_whole', TABLE = 'grants_posting';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER grants_posting_whole AFTER INSERT ON grants_posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION grants_movement_is_whole();
"""
UNDO = """
DROP TRIGGER grants_posting_whole ON grants_posting;
DROP FUNCTION grants_movement_is_whole();
"""


class Migration(migrations.Migration):
    dependencies = [("grants", "0010_reviews")]
    operations = [migrations.RunSQL(WHOLE, UNDO)]
