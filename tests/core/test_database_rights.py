"""The app's role may only work: it owns nothing, makes nothing, and cannot change what must stay."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.apps import apps
from django.db import models
from tests.casework.conftest import World

from rathaus.core import tenancy
from rathaus.core.embedded import APP_ROLE, OWNER_ROLE
from rathaus.core.tenancy import LIBRARY_TABLES, Shared, models_with_tenancy, tenancy_of

DENIED = psycopg.errors.InsufficientPrivilege


def test_the_role_is_neither_owner_nor_superuser(
    app_role: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    assert app_role.execute("SELECT current_user, session_user").fetchone() == (APP_ROLE, APP_ROLE)
    for role in (APP_ROLE, OWNER_ROLE):
        query = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = %s"
        assert superuser.execute(query, [role]).fetchone() == (False,) * 5
    query = "SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole"
    assert superuser.execute(query, [APP_ROLE]).fetchone() == (0,)
    query = "SELECT count(*) FROM pg_class WHERE relowner = %s::regrole"
    assert superuser.execute(query, [APP_ROLE]).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY cases_case TO '/tmp/out'",
        "COPY cases_case FROM PROGRAM 'id'",
        f"SET ROLE {OWNER_ROLE}",
        "SET ROLE postgres",
        f"SET SESSION AUTHORIZATION {OWNER_ROLE}",
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE TEMP TABLE grants_balance (x int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION audit_stamp()",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "ALTER TABLE cases_case DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE cases_case NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE cases_case ADD COLUMN mine int",
        "ALTER TABLE cases_task DISABLE TRIGGER ALL",
        "ALTER TABLE audit_event DISABLE TRIGGER audit_event_stamp",
        "CREATE POLICY mine ON cases_case USING (true)",
        "DROP POLICY own_authority ON cases_case",
        "DROP TABLE cases_case",
        f"ALTER ROLE {APP_ROLE} BYPASSRLS",
        "SET session_replication_role = replica",
        "TRUNCATE cases_case",
        "TRUNCATE audit_event",
        "BEGIN; LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE",
        "DELETE FROM django_migrations",
    ],
)
def test_the_role_may_not(statement: str, app_role: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error) as refused:
        app_role.execute(statement)
    assert isinstance(refused.value, DENIED), refused.value


def test_the_role_may_not_switch_policies_off(peopled: World, app_role: psycopg.Connection) -> None:
    """`row_security = off` asks to be told instead of filtered; it never shows a row."""
    app_role.execute("SET row_security = off")
    with pytest.raises(DENIED):
        app_role.execute("SELECT * FROM cases_case")


@pytest.mark.parametrize(
    "table",
    [
        "audit_event",
        "audit_block",
        "cases_application",
        "records_document",
        "files_blob",
        "grants_movement",
        "grants_posting",
        "grants_balance",
        "grants_budgetline",
        "grants_awardyear",
        "grants_receipt",
        "services_serviceversion",
    ],
)
def test_what_is_written_once_stays(
    table: str, app_role: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    columns = superuser.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    ).fetchall()
    for (column,) in columns:
        with pytest.raises(DENIED):
            app_role.execute(f'UPDATE {table} SET "{column}" = "{column}"')
    with pytest.raises(DENIED):
        app_role.execute(f"DELETE FROM {table}")
    with pytest.raises(DENIED):
        app_role.execute(f"TRUNCATE {table}")


def test_the_least_rights_are_given(superuser: psycopg.Connection) -> None:
    """What the role may do is what the model says, no more; nobody else may anything."""
    for model in models_with_tenancy():
        query = "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = %s AND table_name = %s"
        table = model._meta.db_table
        given = {row[0] for row in superuser.execute(query, [APP_ROLE, table])}
        assert given == {right.strip() for right in tenancy_of(model).rights.split(",")}, table
        assert not superuser.execute(query, ["PUBLIC", table]).fetchall(), table
        columns = superuser.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND has_column_privilege(%s, attrelid, attnum, 'UPDATE')",
            [table, APP_ROLE],
        )
        tenancy = tenancy_of(model)
        if "UPDATE" not in given:
            assert {row[0] for row in columns} == set(getattr(tenancy, "changes", ())), table


def test_no_table_is_forgotten(superuser: psycopg.Connection) -> None:
    """Every table has forced policies, or is named as holding no authority's data, with the reason."""
    tables = superuser.execute(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
        "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) "
        "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'f', 'v')"
    ).fetchall()
    assert len(tables) > 30
    shared = {m._meta.db_table for m in models_with_tenancy() if isinstance(tenancy_of(m), Shared)}
    for name, is_forced, policies in tables:
        if name in shared or name in tables_of_libraries() or name == "django_migrations":
            continue
        assert is_forced, f"{name}: row-level security is not forced"
        assert policies, f"{name} has no policies"
    for model in models_with_tenancy():
        declared = tenancy_of(model)
        assert not isinstance(declared, Shared) or len(declared.reason) > 10, model


def tables_of_libraries() -> set[str]:
    models_of = (m for label in LIBRARY_TABLES if label in apps.app_configs for m in of_app(label))
    return {model._meta.db_table for model in models_of}


def of_app(label: str) -> list[type[models.Model]]:
    return list(apps.get_app_config(label).get_models(include_auto_created=True))


def test_a_model_without_a_declaration_is_an_error() -> None:
    class Nameless(models.Model):
        class Meta:
            app_label = "cases"
            managed = False

    try:
        with pytest.raises(TypeError, match="declare `tenancy`"):
            tenancy_of(Nameless)
    finally:
        del apps.all_models["cases"]["nameless"]
        apps.clear_cache()


def test_policies_are_for_the_declared_conditions_only(
    committed: None, superuser: psycopg.Connection
) -> None:
    """A policy that somebody added by hand goes with the next migrate."""
    superuser.execute("CREATE POLICY by_hand ON cases_task USING (true)")
    from django.db import connections

    tenancy.apply_tenancy(connections["owner"])
    connections["owner"].close()
    names = superuser.execute("SELECT policyname FROM pg_policies WHERE tablename = 'cases_task'").fetchall()
    assert names == [("own_authority",)]


# --- functions that run as their owner -----------------------------------------------------------------------------


def test_functions_of_the_owner_cannot_be_turned(superuser: psycopg.Connection) -> None:
    """A SECURITY DEFINER function pins its search path with pg_temp last, and a trigger's is nobody's to attach."""
    functions = superuser.execute(
        "SELECT p.proname, coalesce(array_to_string(p.proconfig, ';'), ''), p.prorettype = 'trigger'::regtype, "
        "has_function_privilege(%s, p.oid, 'EXECUTE') "
        "FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace",
        [APP_ROLE],
    ).fetchall()
    assert functions
    for name, config, is_trigger, may_execute in functions:
        assert re.fullmatch(r"search_path=.*, pg_temp", config), f"{name}: {config}"
        assert not (is_trigger and may_execute), name


def test_the_budget_cannot_be_turned_by_a_table_of_ones_own(
    peopled: World, app_role: psycopg.Connection
) -> None:
    """The booking's trigger runs as the owner: a temporary table would shadow the budget, or fire it at will."""
    app_role.execute("SELECT set_config('rathaus.authority', %s, false)", [str(peopled.ministry.id)])
    assert app_role.execute("SELECT count(*) FROM grants_balance WHERE account = 'open'").fetchone() == (2,)
    for statement in (
        "CREATE TEMP TABLE grants_balance (id uuid, authority_id uuid, amount numeric)",
        "CREATE TEMP TABLE mine (line_id uuid, authority_id uuid, amount numeric)",
        "SELECT * INTO TEMP mine FROM grants_posting",
    ):
        with pytest.raises(DENIED):
            app_role.execute(statement)


# --- pairs of who and when -----------------------------------------------------------------------------------------


# `*_by` may be empty beside a set `*_at` where a machine or an applicant without account acts.
MACHINE_MAY = {
    "services.ServiceVersion.published": "the system publishes what the demo brings",
    "services.Terms.set": "the system offers what the demo brings",
    "cases.Application.submitted": "a file of applications is handed in by the system",
    "cases.Message.sent": "a message may come from the system",
    "cases.Incident.resolved": "an incident may settle itself",
    "cases.Decision.decided": "an automatic decision has no person (decision_decided_by_someone)",
    "bulk.BulkRun.requested": "always a person, so there is no pair to keep",
    "grants.PaymentRun.prepared": "always a person, so there is no pair to keep",
    "grants.Review.assigned": "always a person, so there is no pair to keep",
    "grants.JuryVote.recorded": "always a person, so there is no pair to keep",
    "grants.Movement.booked": "an automatic decision books without a person",
    "grants.Receipt.booked": "the cash system's file may be booked by the machine",
    "grants.ReturnFile.taken": "the bank's answer may be taken by the machine",
    "grants.BaseRate.entered": "the system may bring rates",
}


def test_who_and_when_stand_together() -> None:
    """Each pair `x_at`, `x_by` has a constraint that names both, or stands above with its reason."""
    seen: set[str] = set()
    for model in models_with_tenancy():
        names = {field.name for field in model._meta.concrete_fields}
        for name in sorted(names):
            stem = name.removesuffix("_at")
            if name == stem or f"{stem}_by" not in names:
                continue
            pair = f"{model._meta.label}.{stem}"
            seen.add(pair)
            checks = [c for c in model._meta.constraints if isinstance(c, models.CheckConstraint)]
            together = [c for c in checks if {f"{stem}_at", f"{stem}_by"} <= fields_of(c.condition)]
            assert together or pair in MACHINE_MAY, f"{pair}: add a constraint for the pair"
    assert {"cases.Task.claimed", "cases.Finding.excepted", "cases.Decision.proposed"} <= seen
    assert set(MACHINE_MAY) <= seen


def fields_of(condition: object) -> set[str]:
    if isinstance(condition, models.Q):
        return {name for child in condition.children for name in fields_of(child)}
    if isinstance(condition, tuple):
        return {str(condition[0]).split("__")[0]}
    return set()
