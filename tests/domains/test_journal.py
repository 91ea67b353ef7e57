"""The books hold in the database itself, without any of our Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.casework.conftest import World, committed_world, money_on
from tests.casework.test_races import at_once

from rathaus.casework.services.operations import Refused
from rathaus.core.embedded import DatabaseUrls
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.journal import AlreadyBooked, NotEnough, Shift, balance, post
from rathaus.domains.grants.actions.programme import provide
from rathaus.domains.grants.enums import Account, LineKind, MovementKind
from rathaus.domains.grants.models import (
    Award,
    AwardYear,
    Balance,
    BudgetLine,
    Call,
    Grant,
    Measure,
    Movement,
    Posting,
)
from rathaus.domains.grants.queries import check_invariants

__all__ = ["committed_world"]

CENT = Decimal("0.01")


def line_of(w: World) -> BudgetLine:
    return BudgetLine.objects.get(measure__calls__offer=w.offer, year=2025)


def begin_grant(w: World, amount: Decimal = Decimal("100.00"), *, book: bool = True) -> Grant:
    """A grant with its award, booked or not; inside the ministry's context."""
    case = w.submit(betrag=str(amount))
    grant = Grant.objects.create(
        authority=w.ministry, case=case, call=Call.objects.get(offer=w.offer), party_id=case.party_id,
        recipient_name="Lahnau", reference=case.reference, title=case.title, amount=amount, awarded_on="2026-01-01",
    )  # fmt: skip
    award = Award.objects.create(
        authority=w.ministry, grant=grant, party_id=case.party_id, number=1, case=case, financing="anteil",
        amount=amount, cost=amount,
    )  # fmt: skip
    AwardYear.objects.create(
        authority=w.ministry, award=award, party_id=case.party_id, year=2025, amount=amount
    )
    if book:
        post_one(w, grant, Account.FREE, Account.OPEN, amount)
    return grant


def post_one(
    w: World, grant: Grant | None, source: Account, target: Account, amount: Decimal, **options: Any
) -> None:
    given: dict[str, Any] = {"kind": MovementKind.AWARDED, "key": str(uuid4()), **options}
    post(
        by=Actor.system(w.ministry.id), authority=w.ministry.id, grant=grant.id if grant else None,
        shifts=[Shift(line_of(w).id, source, target, amount)], **given,
    )  # fmt: skip


@contextmanager
def refused(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


def raw(
    w: World, *postings: tuple[str, Decimal, Grant | None], line: BudgetLine | None = None, **of: Any
) -> None:
    moved = Movement.objects.create(authority=w.ministry, key=str(uuid4()), kind="awarded", **of)
    Posting.objects.bulk_create(
        Posting(
            authority=w.ministry,
            movement=moved,
            line=line or line_of(w),
            grant=grant,
            account=account,
            amount=amount,
        )
        for account, amount, grant in postings
    )


def test_what_does_not_balance_is_not_booked(world: World) -> None:
    with Actor.system(world.ministry.id).acting():
        with refused("balance"):
            raw(world, ("free", -CENT, None))
        with refused("balance"):
            raw(world, ("free", Decimal(-2), None), ("budget", Decimal(1), None))
        other = provide(by=world.approver, measure=Measure.objects.get(), year=2026, amount=Decimal(5))
        moved = Movement.objects.create(authority=world.ministry, key="x", kind="awarded")
        with refused("balance"):  # over two lines: each balances by itself
            Posting.objects.bulk_create(
                Posting(authority=world.ministry, movement=moved, line=line, account="free", amount=amount)
                for line, amount in ((line_of(world), Decimal(-1)), (other, Decimal(1)))
            )
        assert money_on("free") == Decimal("10005.00")


def test_no_account_falls_below_zero_and_no_source_rises_above(world: World) -> None:
    with Actor.system(world.ministry.id).acting():
        with refused("balance_not_overdrawn"):
            raw(world, ("free", Decimal("-10000.01"), None), ("budget", Decimal("10000.01"), None))
        grant = begin_grant(world)
        with refused("balance_not_overdrawn"):
            raw(world, ("paid", -CENT, grant), ("open", CENT, grant), grant=grant)
        with pytest.raises(NotEnough, match=r"100,00.€ sind gebunden, 100,01.€ werden gebraucht"):
            post_one(world, grant, Account.OPEN, Account.ORDERED, Decimal("100.01"))


def test_a_posting_belongs_to_its_movement_and_its_authority(world: World) -> None:
    with Actor.system(world.ministry.id).acting():
        grant = begin_grant(world)
        with refused("movement and a line"):  # postings of a grant in a movement of none
            raw(world, ("open", -CENT, grant), ("free", CENT, None))
        with pytest.raises(DatabaseError), transaction.atomic():  # somebody else's rows: the policies say no
            Movement.objects.create(authority=world.lahnau, key="y", kind="awarded")


def test_what_is_written_stays_also_for_the_owner(
    committed_world: World, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner, autocommit=True) as owner:
        owner.execute("SELECT set_config('rathaus.authority', %s, false)", [str(committed_world.ministry.id)])
        assert owner.execute("SELECT count(*) FROM grants_posting").fetchone() == (2,)
        for table in ("grants_posting", "grants_movement"):
            with pytest.raises(psycopg.errors.CheckViolation, match="written once"):
                owner.execute(f"DELETE FROM {table}")
        with pytest.raises(psycopg.errors.CheckViolation, match="written once"):
            owner.execute("UPDATE grants_posting SET amount = amount * 2")


def test_a_business_event_is_booked_once(world: World) -> None:
    with Actor.system(world.ministry.id).acting():
        grant = begin_grant(world)
        post_one(world, grant, Account.OPEN, Account.ORDERED, Decimal(10), key="order:1")
        with pytest.raises(AlreadyBooked):
            post_one(world, grant, Account.OPEN, Account.ORDERED, Decimal(10), key="order:1")
        assert balance(line_of(world).id, Account.ORDERED, grant.id) == Decimal(10)


@pytest.mark.parametrize("amount", [Decimal(0), Decimal(-1)])
def test_a_movement_moves_something_forwards(world: World, amount: Decimal) -> None:
    with Actor.system(world.ministry.id).acting(), pytest.raises(ValueError, match="forwards"):
        post_one(world, None, Account.BUDGET, Account.FREE, amount)


def test_an_award_that_is_not_booked_does_not_commit(committed_world: World) -> None:
    w = committed_world
    system = Actor.system(w.ministry.id)
    with pytest.raises(IntegrityError, match=r"100\.00 awarded, 0 booked"), system.acting():
        begin_grant(w, book=False)
    with system.acting():
        assert not Grant.objects.exists()
        grant = begin_grant(w)
    with pytest.raises(IntegrityError, match="awarded"), system.acting():  # booked without a new award
        post_one(w, grant, Account.OPEN, Account.RELEASED, Decimal(1))
    with pytest.raises(IntegrityError, match="awarded"), system.acting():  # the grant says something else
        Grant.objects.filter(id=grant.id).update(amount=Decimal("99.99"))
    with system.acting():
        post_one(w, grant, Account.OPEN, Account.ORDERED, Decimal(1))  # paying changes no award


def test_the_check_looks_with_the_eyes_of_the_authority(committed_world: World) -> None:
    """Whoever else acts last in the transaction: an applicant, or nobody."""
    w = committed_world
    system = Actor.system(w.ministry.id)
    with pytest.raises(IntegrityError, match="awarded"), w.lahnau_officer.acting(), system.acting():
        begin_grant(w, book=False)
    with w.lahnau_officer.acting(), system.acting():
        grant = begin_grant(w)
    with system.acting():
        assert Grant.objects.get(id=grant.id).amount == Decimal("100.00")
    with w.lahnau_officer.acting(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('rathaus.authority', true)")
        assert cursor.fetchone()[0] == ""


def test_many_at_once_and_not_a_cent_too_much(committed_world: World) -> None:
    """Eight transactions move the same grants and the same line: none waits in a circle, none is lost."""
    w = committed_world
    system = Actor.system(w.ministry.id)
    with system.acting():
        grants = [begin_grant(w, CENT) for _ in range(2)]

    def move(number: int) -> None:
        with system.acting():
            shifts = [Shift(line_of(w).id, Account.BUDGET, Account.FREE, CENT)]
            if number % 2:
                shifts.append(Shift(line_of(w).id, Account.FREE, Account.BUDGET, Decimal(1000)))
            for grant in grants:  # always in one order: the grant is locked first
                post_one(w, grant, Account.OPEN, Account.ORDERED, CENT, key=f"turn:{grant.id}:{number}")
                post_one(w, grant, Account.ORDERED, Account.OPEN, CENT, key=f"back:{grant.id}:{number}")
            post(
                by=system,
                authority=w.ministry.id,
                kind=MovementKind.BUDGETED,
                key=f"n:{number}",
                shifts=shifts,
            )

    answers = at_once(*(lambda number=number: move(number) for number in range(8)))
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    with system.acting():
        assert money_on("free") == Decimal("6000.06")
        assert money_on("open") == 2 * CENT
    assert check_invariants(system).faults == ()


def test_budget_lines_grow_and_shrink_but_not_below_what_is_promised(world: World) -> None:
    w = world
    with w.approver.acting():
        measure = Measure.objects.get()
        begin_grant(w, Decimal("4000.00"))
    provide(by=w.approver, measure=measure, year=2025, amount=Decimal("5000.00"))
    with w.clerk.acting():
        assert money_on("free") == Decimal("1000.00")
    with pytest.raises(Refused, match=r"nur 1\.000,00"):
        provide(by=w.approver, measure=measure, year=2025, amount=Decimal("3999.99"))
    with pytest.raises(Refused, match="Euro und Cent"):
        provide(by=w.approver, measure=measure, year=2025, amount=Decimal("5000.005"))
    provide(by=w.approver, measure=measure, year=2026, amount=Decimal("7.00"), kind=LineKind.COMMITMENT)
    found = check_invariants(w.approver)
    assert (found.lines, found.grants, found.faults) == (2, 1, ())


def test_the_check_finds_what_somebody_changed_by_hand(
    committed_world: World, database_urls: DatabaseUrls
) -> None:
    w = committed_world
    with Actor.system(w.ministry.id).acting():
        begin_grant(w)
    with psycopg.connect(database_urls.superuser, autocommit=True) as superuser:
        superuser.execute("UPDATE grants_balance SET amount = amount - 1 WHERE account = 'open'")
    found = check_invariants(w.clerk)
    assert any("Saldo" in fault for fault in found.faults)
    assert any("bewilligt 100.00, gebucht 99.00" in fault for fault in found.faults)
    with w.clerk.acting():
        assert Balance.objects.get(account="open").amount == Decimal("99.00")
