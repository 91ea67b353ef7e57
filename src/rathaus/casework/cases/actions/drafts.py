"""Filling in an application: drafts can be left and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from rathaus.casework.cases.facts import check_fits
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.manifest import Manifest
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import Package, package_of
from rathaus.core import clock
from rathaus.core.authorities.queries import why_ended
from rathaus.core.files import actions as files
from rathaus.core.files.models import Blob
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.claims import LEVEL_NAMES
from rathaus.core.identity.models import Party

KEPT_DAYS = 30  # OZG § 8a (3): thirty days after the last edit


def check_open(offer: Offer) -> None:
    """Raises Refused with the reason while the offer takes no applications."""
    now = clock.now()
    if not offer.is_open:
        raise Refused("Diese Leistung wird zurzeit nicht angeboten.")
    if reason := why_ended(offer.authority, clock.today()):
        raise Refused(reason)
    if offer.opens_at and now < offer.opens_at:
        raise Refused("Der Antragszeitraum hat noch nicht begonnen.")
    if offer.closes_at and now >= offer.closes_at:
        raise Refused("Der Antragszeitraum ist abgelaufen.")


def check_about(manifest: Manifest, offer: Offer, party: UUID, about: Case | None) -> None:
    """Whether a case of this offer may refer to `about`, or to none. Raises Refused or NotAllowed.

    A follow-up and what the office opens go on with an earlier case of the same authority and party. An application stands
    for itself, but may follow a case of a service that its manifest names (`nach`), such as a sketch.
    """
    if manifest.opening == Opening.APPLICATION:
        if about is None:
            return
        if about.offer.service_id not in manifest.nach:
            raise Refused("Dieser Antrag steht für sich. Er bezieht sich auf keinen früheren Vorgang.")
    if about is None:
        raise Refused("Dieser Antrag gehört zu einem früheren Vorgang. Nennen Sie, zu welchem.")
    if about.authority_id != offer.authority_id or about.party_id != party:
        raise NotAllowed("Der frühere Vorgang gehört jemand anderem oder liegt bei einer anderen Behörde.")


def check_trust(by: Actor, package: Package) -> None:
    """Raises NotAllowed if whoever applies logged in with less certainty about who they are than the service demands."""
    needed = package.manifest.vertrauensniveau
    if by.trust_level < needed:
        raise NotAllowed(
            f"Für diese Leistung müssen Sie sich mit dem Vertrauensniveau „{LEVEL_NAMES[needed]}“ anmelden."
        )


def begin_draft(
    *,
    by: Actor,
    offer: Offer,
    party: UUID,
    profile: Mapping[str, Any] | None = None,
    about: Case | None = None,
) -> Draft:
    """Begin an application for a party that `by` may act for; what is known of the party is filled in.

    `about` is the earlier case, for a service whose manifest says `bezug`; what domains know of it is filled in, too.

    For an authority that was merged, its successor begins nothing new; it goes on with earlier cases, and hands in
    what was begun.
    """
    if party not in by.parties or by.account is None:
        raise NotAllowed("Für diese Antragstellerin oder diesen Antragsteller dürfen Sie nicht handeln.")
    check_open(offer)
    package = package_of(offer.version_id)
    if package.manifest.opening == Opening.OFFICE:
        raise NotAllowed("Diesen Vorgang eröffnet nur die Behörde.")
    check_about(package.manifest, offer, party, about)
    check_trust(by, package)
    with by.acting():
        applicant = Party.objects.select_related("authority__successor").get(id=party)
        ended = why_ended(applicant.authority, clock.today()) if applicant.authority and not about else ""
        if ended:
            raise Refused(ended)
        if package.manifest.fuer_behoerden and applicant.authority_id is None:
            raise NotAllowed("Diesen Antrag können nur Kommunen stellen.")
        draft = Draft(
            authority_id=offer.authority_id,
            offer=offer,
            version_id=offer.version_id,
            party=applicant,
            account_id=by.account,
            about=about,
            expires_on=clock.today() + timedelta(days=KEPT_DAYS),
        )
        with by.on_behalf_of(offer.authority_id):
            known = check_fits(
                Case(authority_id=offer.authority_id, offer=offer, party=applicant, about=about), package
            )
        draft.answers = package.form.prefill({**(profile or {}), **known})
        draft.save(force_insert=True)
        return draft


def save_draft(
    *,
    by: Actor,
    draft: Draft,
    answers: Mapping[str, Any],
    raw: Mapping[str, str] | None = None,
    pages_done: Sequence[str] | None = None,
) -> Draft:
    """Keep what was typed so far; errors or not, nothing is lost. `raw` are texts that no answer could be read from.

    Raises Draft.DoesNotExist if it was handed in or thrown away meanwhile.
    """
    if draft.party_id not in by.parties:
        raise NotAllowed("Dieser Entwurf gehört jemand anderem.")
    with by.acting():
        draft.answers = dict(answers)
        if raw is not None:
            draft.raw = dict(raw)
        if pages_done is not None:
            draft.pages_done = list(pages_done)
        draft.saved_at = clock.now()
        draft.expires_on = clock.today() + timedelta(days=KEPT_DAYS)
        kept = ("answers", "raw", "pages_done", "saved_at", "expires_on")
        if not Draft.objects.filter(id=draft.id).update(**{name: getattr(draft, name) for name in kept}):
            raise Draft.DoesNotExist
        return draft


def attach_file(*, by: Actor, draft: Draft, name: str, content: bytes) -> Blob:
    """Take an upload into the draft's keeping. Raises FileRefused with a sentence for the applicant."""
    if draft.party_id not in by.parties:
        raise NotAllowed("Dieser Entwurf gehört jemand anderem.")
    media_type = files.media_type_of(name, content)
    with by.acting():
        return files.keep(
            authority=draft.authority_id, content=content, media_type=media_type, party=draft.party_id
        )


def discard_draft(*, by: Actor, draft: Draft) -> None:
    """Throw an application away that was not handed in. Raises Draft.DoesNotExist if it is gone already."""
    if draft.party_id not in by.parties:
        raise NotAllowed("Dieser Entwurf gehört jemand anderem.")
    with by.acting():
        if not Draft.objects.filter(id=draft.id).delete()[0]:
            raise Draft.DoesNotExist
