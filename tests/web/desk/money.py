"""Grants on the desk: lives up to payments waiting to be paid, lived at given days."""

from __future__ import annotations

from tests.casework.conftest import World
from tests.domains.claim_world import IBAN, Place, on

from rathaus.casework.cases.models import Case
from rathaus.domains.grants.models import Payment

__all__ = ["IBAN", "Place", "on", "ordered"]


def ordered(place: Place, amount: str = "300.00", *, grants: int = 1, year: int = 2023) -> list[Case]:
    """Grants with one rate each, decided and waiting for a payment run; answers the drawdowns' cases."""
    found = []
    for _ in range(grants):
        case = place.granted(amount="900.00")
        rate = place.follow(place.draw, case, betrag=amount, jahr=year)
        place.decide(rate, amount=amount)
        found.append(rate)
    return found


def payment_of(w: World, rate: Case) -> Payment:
    """The newest payment of a drawdown's case."""
    with w.clerk.acting():
        found = Payment.objects.filter(drawdown__case=rate).order_by("-id").first()
    assert found
    return found
