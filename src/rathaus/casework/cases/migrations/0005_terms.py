"""A case keeps the terms under which its application was handed in."""

import django.db.models.deletion
from django.db import migrations, models

# Until now each offer had one set of parameters: its first terms. The owner sees rows only where row-level security is
# not forced; `apply_tenancy` forces it again after the migration.
FILL = """
ALTER TABLE cases_case NO FORCE ROW LEVEL SECURITY;
ALTER TABLE services_offer NO FORCE ROW LEVEL SECURITY;
UPDATE cases_case c SET terms_id = o.terms_id FROM services_offer o WHERE o.id = c.offer_id;
"""
SETTLE = "SET CONSTRAINTS ALL IMMEDIATE"  # a table with checks still to come cannot be altered
OWN = """
ALTER TABLE cases_case ADD CONSTRAINT case_terms_of_offer FOREIGN KEY (terms_id, offer_id)
  REFERENCES services_terms (id, offer_id) DEFERRABLE INITIALLY DEFERRED
"""
NOT_OWN = "ALTER TABLE cases_case DROP CONSTRAINT case_terms_of_offer"


def terms(*, null: bool = False) -> models.ForeignKey:
    return models.ForeignKey(
        null=null,
        db_constraint=False,
        help_text="in force when the application was handed in; later ones do not touch the case",
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="services.terms",
        verbose_name="Bedingungen",
    )


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_about"), ("services", "0004_terms")]

    operations = [
        migrations.AddField(model_name="case", name="terms", field=terms(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(SETTLE, migrations.RunSQL.noop),
        migrations.AlterField(model_name="case", name="terms", field=terms()),
        migrations.RunSQL(OWN, NOT_OWN),
    ]
