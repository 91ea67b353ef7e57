"""Parameters of an offer become terms: numbered versions that never change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rathaus.core.clock
import rathaus.core.tenancy

# The owner sees rows only where row-level security is not forced; `apply_tenancy` forces it again after the migration.
FILL = """
ALTER TABLE services_offer NO FORCE ROW LEVEL SECURITY;
INSERT INTO services_terms (id, authority_id, offer_id, number, parameters, note, set_at, set_by_id, set_function)
  SELECT gen_random_uuid(), authority_id, id, 1, parameters, 'Aus dem Angebot übernommen.', now(), NULL, ''
  FROM services_offer;
UPDATE services_offer o SET terms_id = t.id FROM services_terms t WHERE t.offer_id = o.id;
"""
UNFILL = """
ALTER TABLE services_offer NO FORCE ROW LEVEL SECURITY;
ALTER TABLE services_terms NO FORCE ROW LEVEL SECURITY;
UPDATE services_offer o SET parameters = t.parameters FROM services_terms t WHERE t.id = o.terms_id;
"""
SETTLE = "SET CONSTRAINTS ALL IMMEDIATE"  # a table with checks still to come cannot be altered
# Terms in force are terms of that offer. Checked at commit, since each of the two names the other.
OWN = """
ALTER TABLE services_offer ADD CONSTRAINT offer_has_own_terms FOREIGN KEY (terms_id, id)
  REFERENCES services_terms (id, offer_id) DEFERRABLE INITIALLY DEFERRED
"""
NOT_OWN = "ALTER TABLE services_offer DROP CONSTRAINT offer_has_own_terms"


class Migration(migrations.Migration):
    dependencies = [
        ("authorities", "0001_initial"),
        ("services", "0003_opening"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Terms",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rathaus.core.tenancy.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "authority",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="authorities.authority",
                        verbose_name="Behörde",
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="all_terms",
                        to="services.offer",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="Nummer")),
                ("parameters", models.JSONField(verbose_name="Parameter")),
                ("note", models.CharField(max_length=500, verbose_name="Grund")),
                ("set_at", models.DateTimeField(default=rathaus.core.clock.now)),
                (
                    "set_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("set_function", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "verbose_name": "Bedingungen",
                "constraints": [
                    models.UniqueConstraint(fields=("offer", "number"), name="terms_number_once"),
                    models.UniqueConstraint(fields=("id", "offer"), name="terms_of_offer"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="terms_number_from_one"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="offer",
            name="terms",
            field=models.ForeignKey(
                null=True,
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="services.terms",
                verbose_name="Bedingungen",
            ),
        ),
        migrations.RunSQL(FILL, UNFILL),
        migrations.RunSQL(SETTLE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="offer",
            name="terms",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="services.terms",
                verbose_name="Bedingungen",
            ),
        ),
        migrations.RemoveField(model_name="offer", name="parameters"),
        migrations.RunSQL(OWN, NOT_OWN),
    ]
