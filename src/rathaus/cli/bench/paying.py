"""A payment run to the bank and back, and a round of proofs: through the actions, one after the other, one connection.

The grants are copies of one that was lived through the kernel; each drawdown and proof goes through the kernel itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TypeVar

import psycopg

from rathaus.casework.cases.models import Case
from rathaus.cli.bench import grant_filling
from rathaus.cli.bench.figures import Figure, Sizes, median, ms, number, quantile
from rathaus.cli.bench.grant_place import GrantPlace, furnish_grants
from rathaus.cli.bench.place import Place
from rathaus.core import clock
from rathaus.core.files import actions as files
from rathaus.domains.grants.actions.payments import prepare_run
from rathaus.domains.grants.enums import Account, PaymentState, RunState
from rathaus.domains.grants.models import Balance, Grant, Payment, PaymentRun, Proof
from rathaus.domains.grants.queries import check_invariants
from rathaus.integrations.bank.actions import release_run, take_return_file
from rathaus.integrations.bank.demo_bank import answer

RUN_SECONDS, PROOF_SECONDS = 30, 0.150
Found = TypeVar("Found")
_ACCEPTED = Decimal("0.9")  # of the planned expenditure, so that every proof reduces its grant


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """Everybody draws all their money, one run pays it, everybody proves nine tenths of it. Then the books are checked."""
    grants = furnish_grants(place)
    cases = _drawn(sizes, grants)
    yield _payment_run(grants, cases)
    yield from _proofs(grants, cases)
    if faults := check_invariants(place.clerk).faults:
        raise RuntimeError(f"the books are wrong: {faults[:3]}")
    with psycopg.connect(place.urls.superuser, autocommit=True) as cleaner:
        cleaner.execute("TRUNCATE procrastinate_jobs CASCADE")  # letters that nobody waits for


def _drawn(sizes: Sizes, grants: GrantPlace) -> list[tuple[Case, Decimal]]:
    """Cases of awards, each with a payment of the whole amount that waits for its run."""
    place = grants.place
    grant_filling.fill_fresh(grants, count=sizes.applicants)
    with place.clerk.acting():
        found = list(
            Grant.objects.filter(reference__startswith=f"{grant_filling.FRESH}-")
            .select_related("case")
            .order_by("id")
        )
    for grant in found:
        grants.decide(grants.ask_for(grant.case, grant.amount), grant.amount)
    return [(grant.case, grant.amount) for grant in found]


def _payment_run(grants: GrantPlace, drawn: list[tuple[Case, Decimal]]) -> Figure:
    place, payments = grants.place, len(drawn)
    with place.clerk.acting():
        waiting = list(
            Payment.objects.filter(
                grant__case__in=[case for case, _ in drawn], state=PaymentState.ORDERED
            ).values_list("id", flat=True)
        )
    run, preparing = _timed(
        lambda: prepare_run(
            by=place.clerk, programme=grants.programme, executes_on=clock.today(), payments=waiting
        )
    )
    run, releasing = _timed(lambda: release_run(by=place.approver, run=run.id))
    assert run.blob
    with place.clerk.acting():
        order = files.read(run.blob)
    (notification,) = answer(order, at=clock.now())
    _, booking = _timed(lambda: take_return_file(by=place.clerk, name="camt054.xml", content=notification))
    with place.clerk.acting():
        paid = Payment.objects.filter(run=run, state=PaymentState.PAID).count()
        is_done = PaymentRun.objects.get(id=run.id).state == RunState.DONE
    if paid != payments or not is_done:
        raise RuntimeError(f"{paid} of {payments} payments were booked")
    whole = preparing + releasing + booking
    return Figure(
        "payment_run",
        f"Zahlungslauf mit {payments} Raten",
        f"≤ {RUN_SECONDS} s",
        f"{number(whole)} s; vorbereiten {ms(preparing)}, freigeben mit Datei {ms(releasing)}, "
        f"Antwort der Bank buchen {number(booking)} s = {ms(booking / payments)} je Zahlung",
        is_reached=whole <= RUN_SECONDS,
        values={
            "payments": payments,
            "prepare_seconds": preparing,
            "release_seconds": releasing,
            "book_seconds": booking,
            "prepare_seconds_a_payment": preparing / payments,
            "release_seconds_a_payment": releasing / payments,
            "book_seconds_a_payment": booking / payments,
            "file_bytes": len(order),
        },
    )


def _proofs(grants: GrantPlace, drawn: list[tuple[Case, Decimal]]) -> Iterator[Figure]:
    place = grants.place
    submitting, accepting = [], []
    proofs: list[tuple[Case, Decimal]] = []
    for about, amount in drawn:
        spent = (amount * grant_filling.COST * _ACCEPTED).quantize(Decimal("0.01"))
        case, seconds = _timed(lambda about=about, spent=spent: grants.prove(about, spent))  # type: ignore[misc]
        submitting.append(seconds)
        proofs.append((case, spent))
    for case, spent in proofs:
        grants.do(case, place.clerk, {"vollstaendig": True})
        grants.propose(case, spent)
        _, seconds = _timed(lambda case=case: grants.release(case))  # type: ignore[misc]
        accepting.append(seconds)
    with place.clerk.acting():
        settled = list(
            Proof.objects.filter(case__in=[case for case, _ in proofs], state="accepted", to_repay__gt=0)
        )
        proven = Balance.objects.filter(
            account=Account.PROVEN, amount__gt=0, grant_id__in=[proof.grant_id for proof in settled]
        ).count()
    if not len(settled) == proven == len(drawn):
        raise RuntimeError(f"{len(settled)} of {len(drawn)} proofs are settled, {proven} proven")
    for name, title, taken in (
        ("proof_submitted", "einreichen, bis das Ergebnis berechnet ist", submitting),
        ("proof_accepted", "anerkennen, bis gebucht ist", accepting),
    ):
        yield Figure(
            name,
            f"{len(taken)} Verwendungsnachweise {title}",
            f"p95 ≤ {ms(PROOF_SECONDS)}",
            f"{ms(sum(taken) / len(taken))} je Nachweis, p50 {ms(median(taken))}, p95 {ms(quantile(taken, 0.95))}",
            is_reached=quantile(taken, 0.95) <= PROOF_SECONDS,
            values={
                "proofs": len(taken),
                "mean": sum(taken) / len(taken),
                "p50": median(taken),
                "p95": quantile(taken, 0.95),
                "all_seconds": sum(taken),
            },
        )


def _timed(work: Callable[[], Found]) -> tuple[Found, float]:
    begun = time.perf_counter()
    found = work()
    return found, time.perf_counter() - begun
