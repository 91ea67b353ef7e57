"""A block's hash covers its events by the root of their hashes, so that a part of the history can be verified outside."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_set_by_database"),
    ]

    operations = [
        migrations.AddField(
            model_name="block",
            name="root",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="hash over the events; empty in the first blocks of old",
                max_length=64,
            ),
        ),
    ]
