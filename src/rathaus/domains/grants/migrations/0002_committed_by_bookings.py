from django.db import migrations

# The app role may not update a budget; the trigger may, as the owner, inside the row-level policies of the transaction.
BOOK = """
CREATE FUNCTION grants_book() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  UPDATE grants_budget SET committed = committed + NEW.amount
    WHERE id = NEW.budget_id AND authority_id = NEW.authority_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'booking without a budget of its authority';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_booking_commits AFTER INSERT ON grants_booking FOR EACH ROW EXECUTE FUNCTION grants_book();
CREATE FUNCTION grants_budget_begins_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.committed := 0;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_budget_free BEFORE INSERT ON grants_budget FOR EACH ROW EXECUTE FUNCTION grants_budget_begins_free();
"""
UNDO = """
DROP TRIGGER grants_booking_commits ON grants_booking;
DROP FUNCTION grants_book();
DROP TRIGGER grants_budget_free ON grants_budget;
DROP FUNCTION grants_budget_begins_free();
"""


class Migration(migrations.Migration):
    dependencies = [("grants", "0001_initial")]
    operations = [migrations.RunSQL(BOOK, UNDO)]
