"""What may be begun from a case that is no grant (yet): the application after a sketch, an early start before the award."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from rathaus.casework.cases.enums import CaseState, Outcome
from rathaus.casework.cases.models import Case
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import package_of
from rathaus.domains.grants.call_facts import APPLICATION, may_become_grant
from rathaus.web.parts import Link


def next_steps(case: Case) -> list[Link]:
    """Links to begin what follows a case, by title. One statement where there may be any, else none.

    What goes on with a grant stands on the page of the grant.
    """
    if case.state == CaseState.COMPLETED and case.outcome == Outcome.GRANTED and not may_become_grant(case):
        return [_link(offer, case) for offer in _offers(case) if case.offer.service_id in _follows(offer)]
    if case.state != CaseState.COMPLETED and may_become_grant(case):
        offers = [offer for offer in _offers(case) if offer.opening == Opening.FOLLOW_UP]
        return [_link(offer, case) for offer in offers if APPLICATION in package_of(offer.version_id).facts]
    return []


def _offers(case: Case) -> list[Offer]:
    found = Offer.objects.filter(authority_id=case.authority_id, is_open=True).exclude(opening=Opening.OFFICE)
    return list(found.order_by("title", "id"))


def _follows(offer: Offer) -> tuple[str, ...]:
    return package_of(offer.version_id).manifest.nach


def _link(offer: Offer, case: Case) -> Link:
    return Link(
        offer.title, f"{reverse('portal:begin', args=[offer.slug])}?{urlencode({'vorgang': str(case.id)})}"
    )
