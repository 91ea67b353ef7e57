"""What the app role cannot write, and what the check of the books finds if somebody writes it past the database."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from tests.casework.conftest import World, committed_world
from tests.domains.test_order_of_events import Life
from tests.domains.test_random_lives import BEGIN, Place, on, place

from rathaus.core import clock
from rathaus.core.embedded import DatabaseUrls
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.receipts import open_interest, record_receipt
from rathaus.domains.grants.models import Award, Claim, Movement, Posting
from rathaus.domains.grants.queries.books import check_invariants

__all__ = ["committed_world", "place"]

TRICKS = (
    ("grants_grant", "amount = amount + 1", "TRUE", "Zuwendung"),
    ("grants_awardyear", "amount = amount + 1", "TRUE", "bewilligt"),
    ("grants_payment", "amount = amount + 1", "state = 'paid'", "Zahlungen"),
    ("grants_payment", "state = 'returned'", "state = 'paid'", "Zahlungen"),
    ("grants_drawdown", "amount = amount + 1", "state = 'ordered'", "angeordnete Abrufe"),
    ("grants_claim", "amount = amount + 1", "TRUE", "Rückforderungen"),
    ("grants_claim", "interest = interest + 1", "TRUE", "Zinsen"),
    ("grants_balance", "amount = amount - 1", "account = 'paid'", "Saldo"),
    ("grants_posting", "amount = amount + 1", "account = 'interest_due'", "Bewegung"),
)


def test_the_check_finds_each_row_that_was_changed_by_hand(
    committed_world: World, database_urls: DatabaseUrls
) -> None:
    with on(BEGIN):
        place = Place(committed_world)
        life = Life(place)
        life.drawn("500.00")
        life.repay(life.claim("300.00", reason="widerruf", offenes=False), "300.00")
    with on(BEGIN.replace(month=12)):
        claim = life.claim("100.00", reason="widerruf", offenes=False, zinsen_ab=BEGIN)
        life.repay(claim, "100.00")
        with place.system.acting():
            rest = open_interest(Claim.objects.get(id=claim.id))
        record_receipt(by=place.w.clerk, claim=claim.id, amount=rest, on=clock.today(), reference="Zinsen")
        life.draw("100.00", used="200.00")
    assert check_invariants(place.system).faults == ()
    with psycopg.connect(database_urls.superuser, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")  # no trigger and no constraint trigger
        for table, change, where, said in TRICKS:
            name, _, _ = change.partition(" ")
            rows = superuser.execute(f"SELECT id, {name} FROM {table} WHERE {where}").fetchall()
            assert rows, (table, where)
            superuser.execute(f"UPDATE {table} SET {change} WHERE {where}")
            faults = check_invariants(place.system).faults
            assert any(fault.startswith(said) or said in fault for fault in faults), (table, change, faults)
            for key, value in rows:
                superuser.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [value, key])
        assert check_invariants(place.system).faults == ()
        superuser.execute("DELETE FROM grants_posting WHERE account = 'proven' OR account = 'paid'")
        assert any(fault.startswith("Bewegung") for fault in check_invariants(place.system).faults)


def test_nothing_is_added_to_what_was_booked_before(place: Place) -> None:
    """Not even what balances: no award and no business event would stand behind it."""
    with on(BEGIN):
        life = Life(place)
    with place.system.acting():
        movement = Movement.objects.filter(grant=life.grant).latest("id")
        line = Posting.objects.filter(movement=movement).first()
        assert line is not None
        with pytest.raises(IntegrityError, match="movement is booked whole"), transaction.atomic():
            Posting.objects.bulk_create(
                Posting(
                    authority_id=movement.authority_id, movement=movement, line_id=line.line_id, grant=life.grant,
                    account=account, amount=amount,
                )
                for account, amount in (("open", Decimal(-1)), ("released", Decimal(1)))
            )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE grants_posting SET amount = 0.01",
        "DELETE FROM grants_posting",
        "TRUNCATE grants_posting CASCADE",
        "DELETE FROM grants_movement",
        "UPDATE grants_balance SET amount = 1",
        "INSERT INTO grants_balance (id, authority_id, line_id, account, amount) "
        "SELECT gen_random_uuid(), authority_id, line_id, 'waived', 1 FROM grants_balance LIMIT 1",
        "DELETE FROM grants_balance",
        "DELETE FROM grants_payment",
        "DELETE FROM grants_claim",
        "UPDATE grants_receipt SET amount = 1",
        "DELETE FROM grants_receipt",
        "UPDATE grants_awardyear SET amount = 1",
        "UPDATE grants_award SET cost = 1",
        "UPDATE grants_award SET plan = '[]'",
        "DELETE FROM grants_award",
        "DELETE FROM grants_returnfile",
        "UPDATE grants_baserate SET rate = 99",
        "ALTER TABLE grants_posting DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SELECT grants_post()",
    ],
)
def test_the_app_role_may_not(place: Place, statement: str) -> None:
    with on(BEGIN):
        Life(place).drawn("500.00")
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with place.system.acting(), connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(statement)


def test_nobody_books_on_a_line_of_another_authority(place: Place) -> None:
    with on(BEGIN):
        life = Life(place)
    with place.system.acting():
        line: UUID = Posting.objects.filter(grant=life.grant).values_list("line_id", flat=True)[0]
    lahnau = place.w.lahnau.id
    with Actor.system(lahnau).acting():
        movement = Movement.objects.create(authority_id=lahnau, key="fremd", kind="paid")
        with pytest.raises(IntegrityError, match="of its authority"), transaction.atomic():
            Posting.objects.bulk_create(
                Posting(authority_id=lahnau, movement=movement, line_id=line, account=account, amount=amount)
                for account, amount in (("free", Decimal(-1)), ("budget", Decimal(1)))
            )
        assert not Award.objects.exists()
