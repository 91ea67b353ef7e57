from django.db import migrations, models
from django.db.models import F, Q

# Whose rights an authority holds on a day: its own while it exists, and those of all that were merged into it before.
HELD = """
CREATE FUNCTION authorities_held_by(holder uuid, today date) RETURNS TABLE (authority_id uuid)
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE held AS (
    SELECT a.id FROM authorities_authority a
      WHERE a.id = holder AND (a.valid_until IS NULL OR a.valid_until >= today)
    UNION
    SELECT p.id FROM held JOIN authorities_authority p ON p.successor_id = held.id WHERE p.valid_until < today
  )
  SELECT id FROM held
$$;
COMMENT ON FUNCTION authorities_held_by(uuid, date) IS
  'The authority and all whose successor it is, directly or in turn; nothing once it exists no more.';
"""


class Migration(migrations.Migration):
    dependencies = [("authorities", "0001_initial")]
    operations = [
        migrations.AddConstraint(
            model_name="authority",
            constraint=models.CheckConstraint(
                condition=Q(successor=None) | ~Q(successor=F("id")), name="authority_successor_is_another"
            ),
        ),
        migrations.RunSQL(HELD, "DROP FUNCTION authorities_held_by(uuid, date)"),
    ]
