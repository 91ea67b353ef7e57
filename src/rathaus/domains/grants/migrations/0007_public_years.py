"""What everybody may read of a grant stands in its own row, with the amounts by year of the newest award."""

from django.db import migrations, models
from django.db.models import Q

# A new award begins with no year; its years follow in one statement. Runs with the rights of whoever awards.
YEARS = """
CREATE FUNCTION grants_years_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE grants_grant SET years = '{}' WHERE id IN (SELECT grant_id FROM added) AND years <> '{}';
  RETURN NULL;
END $$;
CREATE FUNCTION grants_years_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE grants_grant g SET years = w.years FROM (
    SELECT a.grant_id, jsonb_object_agg(y.year::text, y.amount::text) AS years
    FROM grants_award a JOIN grants_awardyear y ON y.award_id = a.id
    WHERE a.id IN (SELECT award_id FROM added)
      AND a.number = (SELECT max(number) FROM grants_award n WHERE n.grant_id = a.grant_id)
    GROUP BY a.grant_id
  ) w WHERE w.grant_id = g.id;
  RETURN NULL;
END $$;
CREATE TRIGGER grants_award_has_years AFTER INSERT ON grants_award REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION grants_years_begin();
CREATE TRIGGER grants_awardyear_is_public AFTER INSERT ON grants_awardyear REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION grants_years_follow();
"""
NO_YEARS = """
DROP TRIGGER grants_award_has_years ON grants_award;
DROP TRIGGER grants_awardyear_is_public ON grants_awardyear;
DROP FUNCTION grants_years_begin();
DROP FUNCTION grants_years_follow();
"""
# The owner sees rows only where row-level security is not forced; `apply_tenancy` forces it again after the migration.
FILL = """
ALTER TABLE grants_grant NO FORCE ROW LEVEL SECURITY;
ALTER TABLE grants_award NO FORCE ROW LEVEL SECURITY;
ALTER TABLE grants_awardyear NO FORCE ROW LEVEL SECURITY;
UPDATE grants_grant g SET years = w.years FROM (
  SELECT a.grant_id, jsonb_object_agg(y.year::text, y.amount::text) AS years
  FROM grants_award a JOIN grants_awardyear y ON y.award_id = a.id
  WHERE a.number = (SELECT max(number) FROM grants_award n WHERE n.grant_id = a.grant_id)
  GROUP BY a.grant_id
) w WHERE w.grant_id = g.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("grants", "0006_skipped_bookings"),
    ]

    operations = [
        migrations.AddField(
            model_name="grant",
            name="years",
            field=models.JSONField(
                default=dict,
                help_text="euros by year, written by the database",
                verbose_name="Jahresbeträge",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(YEARS, NO_YEARS),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(
                condition=Q(notified_on__isnull=False, recipient__isnull=False),
                fields=["-notified_on", "-id"],
                name="grant_public",
            ),
        ),
    ]
