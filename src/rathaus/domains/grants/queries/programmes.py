"""A programme as a whole: where its money is, who got what, how its applications stand, what must be done.

Each read is one statement. Sums come from balances, which the database keeps, never from postings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import Account, LineKind
from rathaus.domains.grants.models import Balance, Call, Measure, Programme
from rathaus.domains.grants.queries.books import NOTHING, Money

OVERDUE_CAP = 100
SOON = timedelta(days=14)
NAMED_APPROVALS = 3


@dataclass(frozen=True)
class ProgrammeFile:
    """A programme of the actor's authority with its calls, newest first."""

    programme: Programme
    calls: tuple[Call, ...]


def programme_file(by: Actor, key: str) -> ProgrammeFile:
    """Raises Programme.DoesNotExist for what the actor's authority does not have, whatever others have."""
    own = {"authority_id": by.staff_of, "measure__programme__key": key}
    calls = tuple(
        Call.objects.filter(**own)
        .select_related("measure__programme__authority", "offer__terms")
        .order_by("-offer__opens_at", "-id")
    )
    if calls:
        return ProgrammeFile(calls[0].measure.programme, calls)
    return ProgrammeFile(
        Programme.objects.select_related("authority").get(authority_id=by.staff_of, key=key), ()
    )


@dataclass(frozen=True)
class LineMoney:
    """Where the money of a budget line is; `undrawn` grants have something there that they may still draw."""

    measure: str
    measure_title: str
    year: int
    kind: LineKind
    money: Money
    undrawn: int = 0


@dataclass(frozen=True)
class ProgrammeRow:
    """A programme in the list of all: its budget lines with their money (without `undrawn`), how many calls."""

    programme: Programme
    lines: tuple[LineMoney, ...]
    calls: int


def programmes(by: Actor) -> list[ProgrammeRow]:
    """The programmes of the actor's authority, by title, in two statements."""
    found = list(
        Programme.objects.filter(authority_id=by.staff_of)
        .annotate(calls=Count("measures__calls"))
        .order_by("title", "id")
    )
    sums = (
        Balance.objects.filter(authority_id=by.staff_of)
        .values_list(
            "line__measure__programme_id",
            "line__measure__key",
            "line__measure__title",
            "line__year",
            "line__kind",
            "account",
        )
        .annotate(sum=Sum("amount"))
        .order_by()
    )
    of: dict[Any, dict[tuple[str, str, int, str], list[tuple[str, Decimal]]]] = {}
    for programme, measure, title, year, kind, account, amount in sums:
        lines = of.setdefault(programme, {})
        lines.setdefault((measure, title, year, kind), []).append((account, amount))
    return [
        ProgrammeRow(
            row,
            tuple(
                LineMoney(*line[:3], LineKind(line[3]), Money.of(amounts))
                for line, amounts in sorted(of.get(row.id, {}).items())
            ),
            row.calls,
        )
        for row in found
    ]


def lines_of_programme(programme: Programme) -> list[LineMoney]:
    """The budget lines of a programme with their money, by year, then measure."""
    with connection.cursor() as cursor:
        cursor.execute(_LINES, {"programme": programme.id})
        rows = cursor.fetchall()
    found: dict[tuple[str, str, int, str], list[tuple[str, Decimal]]] = {}
    undrawn: dict[tuple[str, str, int, str], int] = {}
    for measure, title, year, kind, account, amount, grants in rows:
        line = (measure, title, year, kind)
        entries = found.setdefault(line, [])
        if account:
            entries.append((account, amount))
        if account == Account.OPEN:
            undrawn[line] = grants
    return [
        LineMoney(*line[:3], LineKind(line[3]), Money.of(amounts), undrawn.get(line, 0))
        for line, amounts in found.items()
    ]


# Summed by line before anything is joined, and the lines looked up first (see `scope`): no sorting of all balances.
# What is empty, more than half of them, is not summed; `open` is never below zero, so what is left there may be drawn.
_LINES = """
SELECT m.key, m.title, l.year, l.kind, b.account, b.sum, b.grants
FROM grants_budgetline l JOIN grants_measure m ON m.id = l.measure_id LEFT JOIN (
    SELECT line_id, account, sum(amount) AS sum, count(grant_id) AS grants
    FROM grants_balance WHERE amount <> 0 AND line_id = ANY(ARRAY(
      SELECT o.id FROM grants_budgetline o JOIN grants_measure n ON n.id = o.measure_id WHERE n.programme_id = %(programme)s
    )) GROUP BY line_id, account
  ) b ON b.line_id = l.id
WHERE m.programme_id = %(programme)s ORDER BY l.year, m.title, m.key, l.kind, b.account
"""


def measures_of(programme: Programme) -> list[Measure]:
    """By title."""
    return list(Measure.objects.filter(programme=programme).order_by("title", "id"))


@dataclass(frozen=True)
class Applications:
    """Applications of a call that stand alike; `days` from their receipt to the notice, None before it.

    Awarded ones have a grant (`is_awarded`) a little before their notice is out and their case is completed.
    """

    call: str
    state: str
    outcome: str
    is_awarded: bool
    days: int | None
    count: int


def applications(programme: Programme) -> list[Applications]:
    """How the applications of a programme stand, and how long they took (calendar days in Germany)."""
    with connection.cursor() as cursor:
        cursor.execute(_APPLICATIONS, {"authority": programme.authority_id, "programme": programme.id})
        return [Applications(*row) for row in cursor.fetchall()]


# The offers as an array that is looked up first (see `scope`), and counted before the calls are named.
_APPLICATIONS = """
SELECT a.key, f.state, f.outcome, f.is_awarded, f.days, f.count FROM (
    SELECT c.offer_id, c.state, c.outcome, g.id IS NOT NULL AS is_awarded,
      n.issued_on - (c.opened_at AT TIME ZONE 'Europe/Berlin')::date AS days, count(*) AS count
    FROM cases_case c LEFT JOIN grants_grant g ON g.case_id = c.id LEFT JOIN (
        SELECT case_id, min(issued_on) AS issued_on FROM cases_notice WHERE authority_id = %(authority)s GROUP BY case_id
      ) n ON n.case_id = c.id
    WHERE c.authority_id = %(authority)s AND c.offer_id = ANY(ARRAY(
      SELECT o.offer_id FROM grants_call o JOIN grants_measure m ON m.id = o.measure_id WHERE m.programme_id = %(programme)s
    )) GROUP BY 1, 2, 3, 4, 5
  ) f JOIN grants_call a ON a.offer_id = f.offer_id ORDER BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True)
class Errand:
    """Something to do: `approval` (one, named), `approvals` (all of them), `checking` (proofs), `run`, `ordered`,
    `returned` (payments), `claims`. `day` is when it is due, or since when it lies; amounts in euros."""

    kind: str
    count: int
    amount: Decimal | None
    day: date | None
    reference: str
    title: str
    name: str


def errands(programme: Programme, today: date) -> list[Errand]:
    """What waits for somebody, in one statement; overdue proofs are in `shares`, money of the year in the lines."""
    given: dict[str, Any] = {
        "authority": programme.authority_id,
        "programme": programme.id,
        "today": today,
        "soon": today + SOON,
        "named": NAMED_APPROVALS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ERRANDS, given)
        return [Errand(*row) for row in cursor.fetchall()]


# Only constants are joined; every value is a parameter. Grants are found once for all, by calls that are looked up first
# (see `scope`). IS TRUE keeps PostgreSQL from walking through all that was ever released for the few that wait.
_OF_PROGRAMME = "JOIN own ON own.id = x.grant_id WHERE x.authority_id = %(authority)s"
_ERRANDS = f"""
WITH own AS MATERIALIZED (
  SELECT id FROM grants_grant WHERE call_id = ANY(ARRAY(
    SELECT a.id FROM grants_call a JOIN grants_measure m ON m.id = a.measure_id WHERE m.programme_id = %(programme)s))
), approval AS (
  SELECT t.title, t.due_on, t.id, c.reference, c.party_name, d.amount
  FROM cases_task t JOIN cases_case c ON c.id = t.case_id
    LEFT JOIN cases_decision d ON d.case_id = c.id AND d.state = 'proposed'
    LEFT JOIN grants_grant g ON g.case_id = c.about_id LEFT JOIN grants_call ga ON ga.id = g.call_id
    LEFT JOIN grants_call a ON a.offer_id = c.offer_id
    JOIN grants_measure m ON m.id = coalesce(ga.measure_id, a.measure_id) AND m.programme_id = %(programme)s
  WHERE t.authority_id = %(authority)s AND t.state = 'open' AND (t.excluded_id IS NOT NULL) IS TRUE
), owed AS (
  SELECT x.due_on, x.amount + x.interest
    - coalesce((SELECT sum(r.amount) FROM grants_receipt r WHERE r.claim_id = x.id), 0) AS amount
  FROM grants_claim x {_OF_PROGRAMME} AND x.settled_on IS NULL AND x.waived_at IS NULL AND x.due_on <= %(soon)s
)
(SELECT 'approval', 1, amount, due_on, reference, title, party_name FROM approval ORDER BY due_on, id LIMIT %(named)s)
UNION ALL SELECT 'approvals', count(*), sum(amount), min(due_on), '', '', '' FROM approval HAVING count(*) > 0
UNION ALL SELECT 'checking', count(*), NULL, min(x.submitted_on), '', '', '' FROM grants_proof x {_OF_PROGRAMME}
  AND x.state = 'submitted' HAVING count(*) > 0
UNION ALL SELECT 'run', r.count, r.total, r.executes_on, r.number::text, '', '' FROM grants_paymentrun r
  WHERE r.authority_id = %(authority)s AND r.programme_id = %(programme)s AND r.state = 'prepared' AND r.count > 0
UNION ALL SELECT 'ordered', count(*), sum(x.amount), min(x.ordered_on), '', '', '' FROM grants_payment x {_OF_PROGRAMME}
  AND x.state = 'ordered' HAVING count(*) > 0
UNION ALL SELECT 'returned', count(*), sum(x.amount), min(x.ordered_on), '', '', '' FROM grants_payment x {_OF_PROGRAMME}
  AND x.state = 'returned' AND NOT EXISTS (
    SELECT 1 FROM grants_payment y WHERE y.drawdown_id = x.drawdown_id AND y.state <> 'returned'
  ) HAVING count(*) > 0
UNION ALL SELECT 'claims', count(*), sum(amount), min(due_on), '', '', '' FROM owed WHERE due_on < %(today)s
  HAVING count(*) > 0
UNION ALL SELECT 'claims', count(*), sum(amount), min(due_on), '', '', '' FROM owed WHERE due_on >= %(today)s
  HAVING count(*) > 0
"""  # noqa: S608


@dataclass(frozen=True)
class Desk:
    """What the side bar of the desk says about grants; `overdue` proofs are counted up to 100."""

    has_programmes: bool
    overdue: int


def desk_figures(by: Actor, today: date) -> Desk:
    """In one statement, for every page of the desk."""
    given: dict[str, Any] = {"authority": by.staff_of, "today": today, "cap": OVERDUE_CAP}
    with connection.cursor() as cursor:
        cursor.execute(_DESK, given)
        return Desk(*cursor.fetchone())


_DESK = """
SELECT EXISTS (SELECT 1 FROM grants_programme WHERE authority_id = %(authority)s), (SELECT count(*) FROM (
  SELECT 1 FROM grants_call a JOIN grants_grant g ON g.call_id = a.id
  WHERE a.authority_id = %(authority)s AND g.state = 'running' AND g.proof_due_on < %(today)s
    AND NOT EXISTS (SELECT 1 FROM grants_proof p WHERE p.grant_id = g.id
      AND (p.state = 'submitted' OR (p.kind = 'verwendung' AND p.state = 'accepted')))
    AND NOT EXISTS (SELECT 1 FROM grants_claim c WHERE c.grant_id = g.id AND c.settled_on IS NULL AND c.waived_at IS NULL)
  LIMIT %(cap)s) AS late)
"""


def total_of(lines: Sequence[LineMoney], kind: LineKind = LineKind.CASH) -> Money:
    """The money of several lines of a kind together."""
    fields = Money.__dataclass_fields__
    return Money(
        **{
            name: sum((getattr(line.money, name) for line in lines if line.kind == kind), NOTHING)
            for name in fields
        }
    )
