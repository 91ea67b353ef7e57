"""Arguments of operations arrive in the declared type, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rathaus.casework.services import operations
from rathaus.casework.services.operations import Operation, Refused, find, operation


@pytest.fixture
def probe() -> Iterator[Operation]:
    @operation("tests.probe")
    def run(
        step: Any, *, betrag: Decimal, anzahl: int = 0, tag: date | None = None, ja: bool = False
    ) -> None: ...

    yield find("tests.probe")
    del operations._operations["tests.probe"]


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ({"betrag": Decimal("1.50")}, {"betrag": Decimal("1.50")}),
        ({"betrag": "1.50", "anzahl": Decimal(2)}, {"betrag": Decimal("1.50"), "anzahl": 2}),
        ({"betrag": 3, "tag": "2025-03-01", "ja": True}, {"betrag": 3, "tag": date(2025, 3, 1), "ja": True}),
        ({"betrag": 3, "tag": None}, {"betrag": 3, "tag": None}),
    ],
)
def test_what_fits_is_converted(probe: Operation, given: dict[str, Any], arrives: dict[str, Any]) -> None:
    assert probe.convert(given) == arrives


@pytest.mark.parametrize(
    "given",
    [
        {}, {"betrag": 1, "mehr": 1}, {"betrag": "NaN"}, {"betrag": "Infinity"}, {"betrag": True},
        {"betrag": None}, {"betrag": "viel"}, {"betrag": 1, "anzahl": Decimal("1.5")}, {"betrag": 1, "anzahl": True},
        {"betrag": 1, "tag": "morgen"}, {"betrag": 1, "ja": 1}, {"betrag": [1]},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(probe: Operation, given: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"tests\.probe|passt nicht"):
        probe.convert(given)
