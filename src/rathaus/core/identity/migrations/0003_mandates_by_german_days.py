from importlib import import_module

from django.db import migrations

# The connection counts in UTC; a mandate begins and ends with a day in Germany.
BEFORE = import_module("rathaus.core.identity.migrations.0002_enter").ENTER
ENTER = BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    "current_date", "(now() AT TIME ZONE 'Europe/Berlin')::date"
)


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_enter")]
    operations = [migrations.RunSQL(ENTER, BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))]
