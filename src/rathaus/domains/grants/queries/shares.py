"""Who got what and how far it is: all grants of a programme, in one pass over them by stage and by municipality."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Count

from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.models import Grant, Programme
from rathaus.domains.grants.queries.scope import of_programme
from rathaus.domains.grants.queries.stages import with_stage

#: Of several grants of a municipality the one counts that needs somebody most.
URGENT = (
    Stage.OVERDUE, Stage.CLAIMED, Stage.CHECKING, Stage.EXPECTED, Stage.PAYING, Stage.AWARDED, Stage.CHECKED,
    Stage.CLOSED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StageSum:
    """The grants of a call at a stage; `oldest` is the earliest day a proof of them is due. Amount in euros."""

    call: str
    stage: Stage
    count: int
    amount: Decimal
    oldest: date | None


@dataclass(frozen=True, slots=True)
class Share:
    """What a municipality got in a call, in euros. `stage` is the most urgent of its grants (`URGENT`), `reference`
    the case of one of them, `partners` the AGS of all partners."""

    call: str
    ags: str
    name: str
    region: str
    population: int | None
    count: int
    amount: Decimal
    stage: Stage
    reference: str
    partners: frozenset[str]


@dataclass(frozen=True)
class Shares:
    """All grants of a programme, twice: by stage, and by municipality in the order of their names."""

    by_stage: tuple[StageSum, ...]
    by_place: tuple[Share, ...]


def shares(programme: Programme, today: date) -> Shares:
    """For counts by stage, map, table and report. One statement."""
    grants = with_stage(Grant.objects.filter(of_programme(programme, "call_id")), today)
    staged, given = grants.values_list(*_COLUMNS).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_SHARES.format(staged=staged), [*given, [stage.value for stage in URGENT]])
        rows = cursor.fetchall()
    stages, places = [], []
    for call, stage, count, amount, oldest, urgency, reference, name, ags, region, population, groups in rows:
        if stage:
            stages.append(StageSum(call, Stage(stage), count, amount, oldest))
            continue
        partners = frozenset(ags for group in json.loads(groups) for ags in group) if groups else frozenset()
        stage = URGENT[urgency - 1]
        places.append(
            Share(call, ags or "", name, region or "", population, count, amount, stage, reference, partners)
        )
    return Shares(tuple(stages), tuple(places))


_COLUMNS = (
    "call_id",
    "recipient_id",
    "recipient_name",
    "amount",
    "proof_due_on",
    "reference",
    "partners",
    "stage",
)
# Grants to persons and clubs have no municipality: their name stands for it. Summed before anything is joined.
_SHARES = """
WITH staged AS MATERIALIZED ({staged})
SELECT c.key, s.stage, s.count, s.amount, s.oldest, s.urgency, s.reference, s.name, a.ags, a.region, a.population, s.partners
FROM (
    SELECT call_id, stage, recipient_id, count(*) AS count, sum(amount) AS amount, min(proof_due_on) AS oldest,
      min(array_position(%s::text[], stage)) AS urgency, min(reference) AS reference, min(recipient_name) AS name,
      jsonb_agg(partners) FILTER (WHERE partners <> '[]') AS partners
    FROM staged GROUP BY GROUPING SETS (
      (call_id, stage), (call_id, recipient_id, CASE WHEN recipient_id IS NULL THEN recipient_name END))
  ) s JOIN grants_call c ON c.id = s.call_id LEFT JOIN authorities_authority a ON a.id = s.recipient_id
ORDER BY s.name, a.ags, c.key, s.stage
"""


def counts_by_stage(programme: Programme, today: date) -> dict[Stage, int]:
    """The same as `stage_counts` of all shares, for pages that show nothing else of them."""
    grants = Grant.objects.filter(of_programme(programme, "call_id"))
    rows = with_stage(grants, today).values_list("stage").annotate(count=Count("id")).order_by()
    return dict.fromkeys(Stage, 0) | {Stage(stage): count for stage, count in rows}


def stage_counts(found: Iterable[StageSum]) -> dict[Stage, int]:
    """How many grants stand where, in the order of a grant's life."""
    counts = dict.fromkeys(Stage, 0)
    for entry in found:
        counts[entry.stage] += entry.count
    return counts
