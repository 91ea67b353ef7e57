"""Places of a competitive round: pure arithmetic that advises. Points are exact fractions until they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from uuid import UUID

from rathaus.domains.grants.terms import Criterion

RULES = (
    "Punkte: Jedes Kriterium zählt mit seinem Gewicht; über alle gültigen Gutachten wird gemittelt.",
    "Bei gleichen Punkten geht vor, wer im Kriterium mit dem größten Gewicht mehr hat. Sonst teilen sich Anträge den Platz.",
    "Die Linie liegt dort, wo der nächste Antrag nicht mehr ganz in die freien Mittel passt. Kleinere Anträge rücken "
    "nicht vor, und Anträge auf demselben Platz stehen auf derselben Seite.",
)  # what places and the line follow, in words


def points(scores: Mapping[str, int], criteria: Sequence[Criterion]) -> Fraction:
    """The weighted mean of a review on its scale."""
    total = sum(criterion.weight * scores[criterion.name] for criterion in criteria)
    return Fraction(total, sum(criterion.weight for criterion in criteria))


def heaviest(scores: Mapping[str, int], criteria: Sequence[Criterion]) -> Fraction:
    """What a review gives the criterion with the greatest weight; the mean where several weigh the same."""
    most = max(criterion.weight for criterion in criteria)
    found = [scores[criterion.name] for criterion in criteria if criterion.weight == most]
    return Fraction(sum(found), len(found))


def mean(values: Sequence[Fraction]) -> Fraction:
    """The mean of at least one."""
    return sum(values, Fraction(0)) / len(values)


def shown(value: Fraction) -> Decimal:
    """A number for people: two places, rounded commercially."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Place:
    """A place and where the money ends. `running` is the sum up to and with this row, in euros."""

    key: UUID
    place: int
    is_shared: bool
    running: Decimal
    is_within: bool


def places(entries: Sequence[tuple[UUID, Sequence[Fraction], Decimal]], money: Decimal) -> list[Place]:
    """Places from (key, marks, amount in euros): greater marks first, compared one after the other; equal ones share.

    `money` is what may be given. The first group that does not fit whole and all after it are outside.
    """
    found: list[Place] = []
    running, is_within = Decimal("0.00"), True
    ordered = sorted(entries, key=lambda entry: tuple(-mark for mark in entry[1]))
    for _, group in groupby(ordered, key=lambda entry: tuple(entry[1])):
        members = list(group)
        is_within = is_within and running + sum(amount for _, _, amount in members) <= money
        place = len(found) + 1
        for key, _, amount in members:
            running += amount
            found.append(Place(key, place, len(members) > 1, running, is_within))
    return found
