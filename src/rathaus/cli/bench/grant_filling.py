"""Ten thousand grants with a million postings, written by PostgreSQL in sets, as ten thousand lives would have left them.

Cases are copies of real ones (see `filling`); what belongs to grants is computed. A grant has `rates` monthly rates over
three years. By the last digit of its number: 0 to 4 run and have drawn 0, 20, 40, 60, 80 percent (every other one of the
4s has a rate waiting to be paid); 5 waits for its proof, 6 is late with it, 7 has handed it in, 8 must pay a rate
back, 9 is closed. Balances are the sums of the postings; `check_invariants` must find nothing to say.

Leaner than life: a drawdown has its case, application, process and decision, but no tasks and events of its own, and the
case of a claim is a copy of a proof's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from django.db import models
from psycopg import sql

from rathaus.casework.cases.models import Application, Case, CaseProcess, Decision
from rathaus.cli.bench import filling, grant_rows
from rathaus.cli.bench.grant_place import IBAN, GrantPlace
from rathaus.core import clock
from rathaus.core.files import actions as files
from rathaus.core.identity.models import Party
from rathaus.domains.grants.models import (
    Award,
    AwardYear,
    Balance,
    BudgetLine,
    Claim,
    Drawdown,
    Grant,
    Movement,
    Payment,
    PaymentRun,
    Posting,
    Proof,
)

FRESH, LIVED = "FRISCH", "GELEBT"  # prefixes of the references
COST = Decimal("1.25")  # planned expenditure for a euro of the grant
_LEAN: tuple[type[models.Model], ...] = (Case, Application, CaseProcess, Decision)
_FIRST_LIVED = 10_000  # the numbers of fresh ones lie before
_GIVEN = ("party_id", "applicant_id", "party_name", "about_id", "amount")
_APART_SECONDS, _LAST = 5, 4_000_000
_FILLED: tuple[type[models.Model], ...] = (
    *filling.COPIED, Grant, Award, AwardYear, Movement, Posting, Balance, Drawdown, PaymentRun, Payment, Proof, Claim,
)  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """What there is now."""

    grants: int
    postings: int
    payments: int


def fill_fresh(grants: GrantPlace, *, count: int) -> None:
    """So many grants of the place's party, with a final notice, all money in this year and nothing drawn."""
    template = grants.begin()
    _fill(grants, FRESH, 1, count, [grants.place.party], 3, {"award": str(template.case_id)})


def fill_lived(grants: GrantPlace, *, count: int, rates: int, parties: Sequence[Party]) -> Filled:
    """So many grants in all stages, spread over these parties in turn."""
    _fill(grants, LIVED, _FIRST_LIVED + 1, _FIRST_LIVED + count, parties, rates, _templates(grants))
    with psycopg.connect(grants.place.urls.superuser) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM grants_grant), (SELECT count(*) FROM grants_posting), "
            "(SELECT count(*) FROM grants_payment)"
        ).fetchone()
    assert row is not None
    return Filled(*row)


def reference(number: int, rates: int) -> str:
    """The reference of the award of a lived grant, by its number from 1 on."""
    return f"{LIVED}-{(_FIRST_LIVED + number) * _slots(rates):07d}"


def _slots(rates: int) -> int:
    """Keys of a grant: award, proof, claim, then its rates."""
    return rates + 3


def _templates(grants: GrantPlace) -> dict[str, str]:
    """Cases that were lived: an award, a rate that is paid, one that waits for it, a proof in check and an accepted one."""
    from rathaus.domains.grants.actions.payments import mark_paid, prepare_run
    from rathaus.domains.grants.models import Payment
    from rathaus.integrations.bank.actions import release_run

    place = grants.place
    found: dict[str, str] = {}
    for proof in ("checking", "accepted"):
        grant = grants.begin()
        rate = grants.ask_for(grant.case, grant.amount)
        grants.decide(rate, grant.amount)
        with place.clerk.acting():
            payment = Payment.objects.get(drawdown__case=rate)
        run = prepare_run(
            by=place.clerk, programme=grants.programme, executes_on=clock.today(), payments=[payment.id]
        )
        release_run(by=place.approver, run=run.id)
        mark_paid(by=place.clerk, payment=payment.id, on=clock.today())
        case = grants.prove(grant.case, grant.amount)
        if proof == "accepted":
            grants.do(case, place.clerk, {"vollstaendig": True})
            grants.decide(case, grant.amount)
        found |= {"award": str(grant.case_id), "paid": str(rate.id), proof: str(case.id)}
    waiting = grants.begin()
    rate = grants.ask_for(waiting.case, Decimal("1000.00"))
    grants.decide(rate, Decimal("1000.00"))
    return found | {"ordered": str(rate.id)}


def _fill(
    grants: GrantPlace,
    prefix: str,
    first: int,
    last: int,
    parties: Sequence[Party],
    rates: int,
    templates: Mapping[str, str],
) -> None:
    place = grants.place
    with place.clerk.acting():
        lines = dict(BudgetLine.objects.filter(measure_id=grants.call.measure_id).values_list("year", "id"))
    values: dict[str, Any] = {
        "first": first,
        "last": last,
        "slots": _slots(rates),
        "rates": rates,
        "a_year": rates // 3,
        "is_fresh": prefix == FRESH,
        "prefix": f"{prefix}-",
        "today": clock.today(),
        "apart": f"{_APART_SECONDS} seconds",
        "latest": _LAST,
        "authority": str(place.ministry.id),
        "call": str(grants.call.id),
        "programme": str(grants.programme.id),
        "clerk": str(place.clerk.account),
        "approver": str(place.approver.account),
        "iban": IBAN,
        "cost": COST,
        "towns": len(parties),
        "blob": None if prefix == FRESH else str(_blob(grants)),
        "tail_award": templates["award"][18:],
        **{f"line{number}": str(lines[year]) for number, year in enumerate(grants.years, 1)},
        **{f"year{number}": year for number, year in enumerate(grants.years, 1)},
        **{
            f"tail_{name}": templates.get(name, "")[18:]
            for name in ("paid", "ordered", "checking", "accepted")
        },
    }
    literals: dict[str, sql.Composable] = {name: sql.Literal(value) for name, value in values.items()}
    literals |= {"own": sql.SQL(grant_rows.OWN), "of": sql.SQL(grant_rows.OF)}
    with psycopg.connect(place.urls.superuser, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: keys fit by construction
        with connection.transaction():
            connection.execute(
                "CREATE TEMP TABLE towns (number int, party_id uuid, recipient_id uuid, name text) ON COMMIT DROP"
            )
            with connection.cursor().copy("COPY towns FROM STDIN") as copy:
                for number, party in enumerate(parties):
                    copy.write_row((number, str(party.id), str(party.authority_id), party.name))
            connection.execute(sql.SQL(grant_rows.LIVES).format(**literals))
            connection.execute("ANALYZE lives; ANALYZE heads")
            for name, (models_of, slot) in _CASES.items():
                if template := templates.get("accepted" if name == "claim" else name):
                    given = {"template": template, "slot": slot, "where": _WHICH[name]}
                    _copy_cases(connection, prefix, models_of, literals, **given)
            for statement in grant_rows.BOOKS + (grant_rows.DRAWN if prefix == LIVED else ()):
                connection.execute(sql.SQL(statement).format(**literals))
        for model in _FILLED:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(model._meta.db_table)))


def _blob(grants: GrantPlace) -> Any:
    """A file that stands for those of all runs."""
    with grants.place.clerk.acting():
        return files.keep(
            authority=grants.place.ministry.id, content=b"<x/>", media_type="application/xml"
        ).id


def _copy_cases(
    connection: psycopg.Connection,
    prefix: str,
    copied: Sequence[type[models.Model]],
    literals: Mapping[str, sql.Composable],
    *,
    template: str,
    slot: str,
    where: str,
) -> None:
    connection.execute("DROP TABLE IF EXISTS copies")
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE copies ON COMMIT DROP AS SELECT l.slot + {slot} AS n, h.head, h.shift, "
            "{template} AS template, l.party_id, l.recipient_id AS applicant_id, l.name AS party_name, "
            "CASE WHEN {slot_text} = '0' THEN NULL ELSE a.head || {tail_award} END::uuid AS about_id, "
            "CASE WHEN {slot_text} = '0' THEN l.amount ELSE l.rate END AS amount "
            "FROM {lives} JOIN heads h ON h.k = l.slot + {slot} JOIN heads a ON a.k = l.slot WHERE {where}"
        ).format(
            slot=sql.SQL(slot),
            slot_text=sql.Literal(slot),
            template=sql.Literal(template),
            lives=sql.SQL(
                "lives l" if "r.r" not in slot else "lives l CROSS JOIN generate_series(1, {rates}) r(r)"
            ).format(**literals),
            where=sql.SQL(where),
            tail_award=literals["tail_award"],
        )
    )
    connection.execute("ANALYZE copies")
    for model in copied:
        given = _GIVEN if model is Case else ("party_id",)
        connection.execute(filling.insert(model, prefix, given), [[template]])


# Which models of a case are copied, and into which slots of its grant.
_CASES: dict[str, tuple[tuple[type[models.Model], ...], str]] = {
    "award": (filling.COPIED, "0"),
    "paid": (_LEAN, "2 + r.r"),
    "ordered": (filling.COPIED, "2 + r.r"),
    "checking": (filling.COPIED, "1"),
    "accepted": (filling.COPIED, "1"),
    "claim": (filling.COPIED, "2"),
}
_WHICH = {
    "award": "true",
    "paid": "r.r <= l.paid",
    "ordered": "r.r = l.paid + 1 AND l.is_ordered",
    "checking": "l.stage = 7",
    "accepted": "l.stage >= 8",
    "claim": "l.stage = 8",
}
