"""A municipality is merged while its money is on the way: its successor draws, proves and pays back, under the old name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.casework.conftest import World, make_world
from tests.domains.claim_world import Place, on

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.models import Case
from rathaus.casework.services.models import Offer
from rathaus.core import clock
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.payments import mark_paid, prepare_run, release_run
from rathaus.domains.grants.models import Payment
from rathaus.domains.grants.queries import own_standings


@pytest.fixture
def world(db: None) -> World:
    """As of 2023: mandates hold from the day on which they are given."""
    with on("2023-01-02"):
        return make_world()


def test_the_successor_goes_on_where_the_other_was(world: World) -> None:
    w = world
    with on("2023-03-01"):
        place = Place.make(w)
        case = place.granted(amount="18000.00", cost="20000.00", years={"2023": "18000.00"})
        place.drawn(case, amount="9000.00", year=2023)
        asked = place.follow(
            place.draw, case, betrag="5000.00", jahr=2023, verwendet="9000.00", verwendet_am="2023-03-01"
        )
        merge_authority(
            by=Actor.system(w.waldsolms.id), predecessor=w.lahnau, successor=w.waldsolms, on=date(2023, 4, 1)
        )
    with on("2023-03-31"):
        place.decide(asked, amount="5000.00")  # ordered for the old, paid after the change
        with w.clerk.acting():
            payment = Payment.objects.select_related("grant__call__measure__programme").get(
                drawdown__case=asked
            )
    with on("2023-04-03"):
        run = prepare_run(
            by=w.clerk, programme=payment.grant.call.measure.programme, executes_on=clock.today()
        )
        release_run(by=w.approver, run=run.id, make_file=lambda *_: b"x")
        mark_paid(by=w.clerk, payment=payment.id, on=clock.today())
        old, heir = (
            replace(actor_of(officer.account), trust_level=3)  # type: ignore[arg-type]  # an officer has an account
            for officer in (w.lahnau_officer, w.waldsolms_officer)
        )

        def follow(offer: Offer, by: Actor, **answers: object) -> Case:
            return submit_application(
                by=by, offer=offer, party=w.lahnau_party, answers=answers, submission=new_id(), about=case
            )

        last: dict[str, object] = {
            "betrag": "4000.00", "jahr": 2023, "verwendet": "14000.00", "verwendet_am": "2023-04-03",
        }  # fmt: skip
        with pytest.raises(NotAllowed):
            follow(place.draw, old, **last)
        with heir.acting():
            (standing,) = own_standings(heir, heir.bodies)
        assert (standing.money.open, standing.money.paid) == (Decimal("4000.00"), Decimal("14000.00"))
        rate = follow(place.draw, heir, **last)
        place.decide(rate, amount="4000.00")
        proof = follow(
            place.prove, heir, betrag="10000.00", zeilen=[{"wofuer": "Software", "betrag": "10000.00"}]
        )
        place.decide(proof, amount="10000.00")  # 9,000 are due; 14,000 are paid and 4,000 on their way
        money = place.money(case)
        assert (money.ordered, money.paid, money.proven) == (
            Decimal("4000.00"),
            Decimal("5000.00"),
            Decimal("9000.00"),
        )
        assert place.grant(case).recipient_name == "Gemeinde Lahnau"
        place.sound()
