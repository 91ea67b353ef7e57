"""Who sees and writes which row, table by table, against the real policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, ProgrammingError, connection, models
from psycopg import sql
from psycopg.types.json import Jsonb
from tests.casework.conftest import World

from rathaus.core.identity.models import Party
from rathaus.core.tenancy import Context, Tenancy, acting, models_with_tenancy, new_id, tenancy_of

Row = dict[str, Any]
Sees = Callable[[Context, Row], bool]


def nothing(context: Context, row: Row) -> bool:
    return False


def everything(context: Context, row: Row) -> bool:
    return True


def own(context: Context, row: Row) -> bool:
    """Rows of the authority acting."""
    return context.authority is not None and row["authority_id"] == str(context.authority)


def of_party(context: Context, row: Row) -> bool:
    return row["party_id"] in map(str, context.parties)


def own_or_of_party(context: Context, row: Row) -> bool:
    return own(context, row) or of_party(context, row)


# What each table shows, in words of its own and not of the policies. A table that is missing here fails below.
SEEN: dict[str, Sees] = {
    "identity.Membership": lambda c, r: own(c, r) or r["account_id"] == str(c.account),
    "identity.Party": lambda c, r: own(c, r) or r["id"] in map(str, c.parties),
    "identity.Mandate": lambda c, r: of_party(c, r) or r["account_id"] == str(c.account),
    "audit.Event": own,
    "audit.Block": own,
    "files.Blob": own_or_of_party,
    "services.Offer": everything,
    "services.Terms": everything,
    "cases.Draft": of_party,
    "cases.ReferenceCounter": own,
    "cases.Case": lambda c, r: own(c, r) or (of_party(c, r) and r["is_for_applicant"]),
    "cases.Application": lambda c, r: own(c, r) or (of_party(c, r) and not r["is_ex_officio"]),
    "cases.CaseProcess": own,
    "cases.Task": own,
    "cases.Timer": own,
    "cases.Subscription": own,
    "cases.Incident": own,
    "cases.Finding": own,
    "cases.Message": own_or_of_party,
    "cases.Decision": lambda c, r: own(c, r) or (of_party(c, r) and r["notified_at"] is not None),
    "cases.Notice": own_or_of_party,
    "cases.Remedy": own_or_of_party,
    "cases.Confirmation": lambda c, r: (
        own_or_of_party(c, r) or r["applicant_party_id"] in map(str, c.parties)
    ),
    "bulk.BulkRun": own,
    "bulk.BulkItem": own,
    "records.Document": lambda c, r: own(c, r) or (of_party(c, r) and r["is_for_applicant"]),
    "grants.Programme": everything,
    "grants.Call": everything,
    "grants.Allotment": everything,
    "grants.Measure": everything,
    "grants.BudgetLine": own,
    "grants.Movement": own,
    "grants.Posting": own,
    "grants.Balance": own,
    "grants.Grant": lambda c, r: (
        own_or_of_party(c, r) or (r["notified_on"] is not None and r["recipient_id"] is not None)
    ),
    "grants.Award": own_or_of_party,
    "grants.AwardYear": own_or_of_party,
    "grants.Drawdown": own_or_of_party,
    "grants.Payment": own_or_of_party,
    "grants.PaymentRun": own,
    "grants.ReturnFile": own,
    "grants.Proof": own_or_of_party,
    "grants.Item": own_or_of_party,
    "grants.Claim": own_or_of_party,
    "grants.Instalment": own_or_of_party,
    "grants.Receipt": own_or_of_party,
    "grants.Reminder": own,
    "grants.DeadlineChoice": lambda c, r: of_party(c, r) or r["account_id"] == str(c.account),
    "grants.Project": own,
    "grants.EarlyStart": own,
    "grants.Review": own,
    "grants.JuryVote": own,
}
# What an applicant may write without the kernel: only what belongs to its own party.
APPLICANT_WRITES = {
    "identity.Party",
    "identity.Mandate",
    "files.Blob",
    "cases.Draft",
    "grants.DeadlineChoice",
}


def tenant_models() -> list[type[models.Model]]:
    return [model for model in models_with_tenancy() if isinstance(tenancy_of(model), Tenancy)]


def contexts(w: World) -> dict[str, Context]:
    return {
        "nobody": Context(),
        "ministry": Context(authority=w.ministry.id),
        "waldsolms": Context(authority=w.waldsolms.id),
        "lahnau": Context(authority=w.lahnau.id),
        "applicant lahnau": Context(account=w.lahnau_officer.account, parties=(w.lahnau_party.id,)),
        "applicant waldsolms": Context(account=w.waldsolms_officer.account, parties=(w.waldsolms_party.id,)),
        "stranger": Context(authority=uuid4(), account=uuid4(), parties=(uuid4(), uuid4())),
    }


def rows(of: psycopg.Connection, model: type[models.Model]) -> list[Row]:
    """All rows as JSON, read by the superuser."""
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(model._meta.db_table))
    return [row[0] for row in of.execute(query)]


def key_of(model: type[models.Model]) -> str:
    assert model._meta.pk is not None
    return str(model._meta.pk.column)


@contextmanager
def speaking(context: Context) -> Iterator[None]:
    with acting(authority=context.authority, account=context.account, parties=context.parties):
        yield


def test_every_tenant_table_says_who_sees_it() -> None:
    assert {model._meta.label for model in tenant_models()} == SEEN.keys()


def test_each_context_sees_its_rows_and_no_others(peopled: World, superuser: psycopg.Connection) -> None:
    wrong: list[str] = []
    for model in tenant_models():
        label, table, key = model._meta.label, model._meta.db_table, key_of(model)
        all_rows = rows(superuser, model)
        assert len(all_rows) >= 2, f"{label}: the test needs rows"
        if "authority_id" in all_rows[0] and label != "identity.Party":
            assert len({row["authority_id"] for row in all_rows}) >= 2, f"{label}: rows of two authorities"
        for name, context in contexts(peopled).items():
            expected = {row[key] for row in all_rows if SEEN[label](context, row)}
            with speaking(context), connection.cursor() as cursor:
                cursor.execute(f'SELECT "{key}"::text FROM "{table}"')
                seen = {row[0] for row in cursor.fetchall()}
            if seen != expected:
                wrong.append(f"{label} as {name}: too many {seen - expected}, too few {expected - seen}")
    assert not wrong, "\n".join(wrong)


def test_the_expectations_tell_the_contexts_apart(peopled: World, superuser: psycopg.Connection) -> None:
    """Lahnau the applicant sees its case at the ministry, but of each internal table nothing at all."""
    lahnau = contexts(peopled)["applicant lahnau"]
    internal = ("Task", "Finding", "CaseProcess", "Timer", "Subscription", "Incident", "ReferenceCounter")
    with speaking(lahnau), connection.cursor() as cursor:
        for name in internal:
            cursor.execute(f"SELECT count(*) FROM cases_{name.lower()}")
            assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(DISTINCT authority_id), count(DISTINCT party_id) FROM cases_case")
        assert cursor.fetchone() == (2, 1)
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE state = 'decided') FROM cases_decision")
        assert cursor.fetchone() == (2, 2)  # what was sent back stays inside


def test_what_the_office_opened_is_hidden_until_it_says_so(peopled: World) -> None:
    lahnau = contexts(peopled)["applicant lahnau"]
    counted = "SELECT count(*) FROM cases_case c WHERE c.reference LIKE 'RF-%'"
    noted = "SELECT count(*) FROM cases_application WHERE is_ex_officio"
    for context, seen in ((lahnau, (1, 0)), (contexts(peopled)["ministry"], (2, 2))):
        with speaking(context), connection.cursor() as cursor:
            cursor.execute(f"SELECT ({counted}), ({noted})")
            assert cursor.fetchone() == seen


def test_raw_sql_without_context_sees_what_is_public(
    peopled: World, app_role: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    for model in tenant_models():
        if SEEN[model._meta.label] is not everything:
            table = sql.Identifier(model._meta.db_table)
            found = app_role.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
            public = [row for row in rows(superuser, model) if SEEN[model._meta.label](Context(), row)]
            assert found == (len(public),), model._meta.label
            assert not public or model._meta.label == "grants.Grant"


# --- writing -----------------------------------------------------------------------------------------------------


def forged(row: Row, key: str, **changes: Any) -> Row:
    """A copy under a new key."""
    return {**row, key: str(uuid4()), **changes}


@contextmanager
def perhaps_denied() -> Iterator[None]:
    """What follows may find no row or be refused for want of rights; any other refusal would be luck."""
    try:
        yield
    except DatabaseError as wrong:
        if not isinstance(wrong.__cause__, psycopg.errors.InsufficientPrivilege):
            raise


def insert(cursor: Any, table: str, row: Row) -> None:
    cursor.execute(
        f'INSERT INTO "{table}" SELECT (jsonb_populate_record(NULL::"{table}", %s)).*', [Jsonb(row)]
    )


def refused(context: Context, table: str, row: Row) -> bool:
    """Whether the database refuses the row for want of rights (policies are asked before constraints)."""
    try:
        with speaking(context), connection.cursor() as cursor:
            insert(cursor, table, row)
    except DatabaseError as wrong:
        if isinstance(wrong.__cause__, psycopg.errors.InsufficientPrivilege):
            return True
        raise
    return False


def test_rows_of_another_authority_cannot_be_inserted(peopled: World, superuser: psycopg.Connection) -> None:
    at = contexts(peopled)
    for model in tenant_models():
        table, key = model._meta.db_table, key_of(model)
        for row in rows(superuser, model)[:3]:
            if row.get("authority_id") is None:
                continue
            for name in ("nobody", "waldsolms", "lahnau", "stranger"):
                if row["authority_id"] != str(at[name].authority):
                    assert refused(at[name], table, forged(row, key)), f"{model._meta.label} as {name}"


def test_an_applicant_inserts_only_what_belongs_to_its_party(
    peopled: World, superuser: psycopg.Connection
) -> None:
    waldsolms = contexts(peopled)["applicant waldsolms"]
    for model in tenant_models():
        label, table, key = model._meta.label, model._meta.db_table, key_of(model)
        for row in rows(superuser, model):
            if label in APPLICANT_WRITES and of_party(
                waldsolms, {"party_id": row.get("party_id", row["id"])}
            ):
                continue
            assert refused(waldsolms, table, forged(row, key)), label


def test_rows_cannot_be_moved_changed_or_deleted_from_outside(
    peopled: World, superuser: psycopg.Connection
) -> None:
    before = {model: rows(superuser, model) for model in tenant_models()}
    at = contexts(peopled)
    for model in tenant_models():
        table = model._meta.db_table
        for name in ("nobody", "lahnau", "stranger", "applicant waldsolms"):
            foreign = (
                ""
                if name != "applicant waldsolms" or model._meta.label not in APPLICANT_WRITES
                else " WHERE false"
            )
            for statement in (
                f'DELETE FROM "{table}"{foreign}',
                *_updates(model, foreign, at["stranger"].authority),
            ):
                with perhaps_denied(), speaking(at[name]), connection.cursor() as cursor:
                    cursor.execute(statement)
    # Lahnau, the authority, owns nothing here but its own party
    for model, kept in before.items():
        assert sorted(rows(superuser, model), key=str) == sorted(kept, key=str), model._meta.label


def _updates(model: type[models.Model], where: str, to: UUID | None) -> Iterator[str]:
    table, key = model._meta.db_table, key_of(model)
    yield f'UPDATE "{table}" SET "{key}" = "{key}"{where}'
    if any(field.column == "authority_id" for field in model._meta.concrete_fields):
        yield f"UPDATE \"{table}\" SET authority_id = '{to}'{where}"


def test_an_authority_cannot_give_its_rows_away(peopled: World, superuser: psycopg.Connection) -> None:
    ministry = Context(authority=peopled.ministry.id)
    for model in tenant_models():
        if not any(field.column == "authority_id" for field in model._meta.concrete_fields):
            continue
        before = sorted(map(str, rows(superuser, model)))
        query = f'UPDATE "{model._meta.db_table}" SET authority_id = %s WHERE authority_id IS NOT NULL'
        with perhaps_denied(), speaking(ministry), connection.cursor() as cursor:
            cursor.execute(query, [peopled.waldsolms.id])
        assert sorted(map(str, rows(superuser, model))) == before, model._meta.label


def test_nobody_makes_themselves_an_authority(world: World) -> None:
    """A person may keep their own party, but an authority's name is the authority's."""
    mine = new_id()
    with speaking(Context(parties=(mine,))), connection.cursor() as cursor:
        insert(cursor, "identity_party", party_row(mine, kind="person", authority_id=None))
    context = Context(parties=(mine, world.lahnau_party.id))
    assert refused(
        context, "identity_party", party_row(mine, kind="authority", authority_id=str(world.ministry.id))
    )
    with pytest.raises(ProgrammingError, match="row-level security"), speaking(context):
        Party.objects.filter(id=mine).update(kind="authority", authority=world.ministry)
    with speaking(context):
        assert Party.objects.filter(id=world.lahnau_party.id).update(name="Gemeinde Wetzlar") == 0
        assert Party.objects.filter(id=mine).update(name="Anna Muster") == 1


def party_row(key: UUID, *, kind: str, authority_id: str | None) -> Row:
    texts = dict.fromkeys(("street", "postal_code", "city", "email"), "")
    return {"id": str(key), "kind": kind, "authority_id": authority_id, "name": "Anna Muster", **texts}
