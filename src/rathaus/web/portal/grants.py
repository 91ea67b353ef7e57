"""What a municipality sees of its grants and open applications: one line each, the money, the deadlines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Message
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.core.authorities.queries import by_ags
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.duties import Duty, DutyKind, Left, duties_of, left_to_draw, next_of
from rathaus.domains.grants.enums import GrantState
from rathaus.domains.grants.queries import Standing, own_standings
from rathaus.law.money import NO_BREAK_SPACE, format_amount
from rathaus.law.text import format_date, span_of_days
from rathaus.web.charts import GlancePart, MoneyGlance, money_glance
from rathaus.web.parts import Link
from rathaus.web.portal.catalogue import manifests_of

NOTHING = Decimal("0.00")
WARN_DAYS = 14
SHOWN_DEADLINES = 8
Offers = dict[tuple[UUID, str], str]


@dataclass(frozen=True)
class Row:
    """A grant or an open application in one line. `rank` is the day by which it is sorted."""

    title: str
    url: str
    about: str
    reference: str
    who: str
    step: str
    note: str
    rank: date
    is_to_do: bool
    due_on: date | None = None
    due_note: str = ""
    tone: str = ""
    action: Link | None = None
    others: tuple[Link, ...] = ()
    left: str = "–"
    left_notes: tuple[str, ...] = ()
    awarded: str = "–"
    paid: str = "–"


@dataclass(frozen=True)
class Deadline:
    """A day of the list of all deadlines."""

    day: date
    title: str
    about: str
    url: str
    tone: str
    key: str
    note: str
    is_to_do: bool


@dataclass(frozen=True)
class Overview:
    """Everything on the page: `rows` most urgent first, `closed` grants, the money of those that run."""

    rows: tuple[Row, ...]
    closed: tuple[Row, ...]
    deadlines: tuple[Deadline, ...]
    glance: MoneyGlance | None
    owed: Decimal
    names: tuple[str, ...]


def overview(by: Actor, today: date, *, only: frozenset[UUID] | None = None) -> Overview:
    """What the page, the calendar and the sheet for the board tell, of all whom the actor acts for or some of them."""
    parties = by.bodies if only is None else by.bodies & only
    standings = own_standings(by, parties)
    cases = _open_applications(parties)
    offers = follow_ups_offered({standing.grant.authority_id for standing in standings})
    names = _names_of_partners(standings)
    several = len(parties) > 1
    rows: list[Row] = []
    closed: list[Row] = []
    deadlines: list[Deadline] = []
    for standing in standings:
        duties = duties_of(standing, today)
        row = _row(standing, duties, offers, names, today, several=several)
        (closed if standing.grant.state == GrantState.CLOSED and not row.is_to_do else rows).append(row)
        deadlines += deadlines_of(standing, duties, today, several=several)
    rows += [_application(case, today, several=several) for case in cases]
    deadlines += [_asked(case, today) for case in cases if case.answer_until]  # type: ignore[attr-defined]  # annotated
    return Overview(
        tuple(sorted(rows, key=lambda row: (not row.is_to_do, row.rank, row.reference))),
        tuple(closed),
        tuple(sorted(deadlines, key=lambda deadline: (deadline.day, deadline.title))),
        glance_of([standing for standing in standings if standing.grant.state == GrantState.RUNNING], today),
        sum((claim.owed for standing in standings for claim in standing.claims), NOTHING),
        tuple(name for party, name in by.names.items() if party in parties - by.former),
    )


def follow_ups_offered(authorities: Iterable[UUID]) -> Offers:
    """Addresses of the services with which a case goes on: by authority and key of the package."""
    found = Offer.objects.filter(authority_id__in=list(authorities), opening=Opening.FOLLOW_UP, is_open=True)
    return {
        (authority, service): slug
        for authority, service, slug in found.order_by("-id").values_list(
            "authority_id", "service_id", "slug"
        )
    }


def action_of(duty: Duty, standing: Standing, offers: Offers) -> Link | None:
    """The button of a duty; None where there is nothing to press, also since the authority does not offer it here."""
    grant = standing.grant
    if duty.is_waiver and standing.notice:
        return Link(duty.action, reverse("portal:waive", args=[grant.case_id, standing.notice.id]))
    if duty.case:
        return Link(duty.action, reverse("portal:case", args=[duty.case]))
    slug = offers.get((grant.authority_id, duty.service))
    return Link(duty.action, begin_url(slug, grant.case_id)) if slug else None


def begin_url(slug: str, case: UUID) -> str:
    return f"{reverse('portal:begin', args=[slug])}?{urlencode({'vorgang': str(case)})}"


def tone_of(day: date | None, today: date) -> str:
    """ "bad" for what is overdue, "warn" for what is due within two weeks."""
    if day is None or day > today + timedelta(days=WARN_DAYS):
        return ""
    return "bad" if day < today else "warn"


def days_until(day: date, today: date) -> str:
    """How far a day is: „in 14 Tagen“, „in 11 Monaten“, „in 4 Jahren“, „seit 3 Tagen überfällig“."""
    left = (day - today).days
    if left < 0:
        return f"seit {span_of_days(-left)} überfällig"
    return "heute" if left == 0 else "morgen" if left == 1 else f"in {span_of_days(left)}"


def deadlines_of(
    standing: Standing, duties: Sequence[Duty], today: date, *, several: bool = False
) -> list[Deadline]:
    """The days of a grant, whatever they ask for."""
    grant = standing.grant
    about = f"{grant.title}, {grant.recipient_name}" if several else grant.title
    return [
        Deadline(
            duty.due_on,
            duty.title,
            ", ".join(filter(None, [about, format_amount(duty.amount) if duty.amount else ""])),
            reverse("portal:grant", args=[grant.id]),
            tone_of(duty.due_on, today) if duty.kind == DutyKind.DO else "",
            f"{grant.id}/{duty.key}",
            duty.note,
            duty.kind == DutyKind.DO,
        )
        for duty in duties
        if duty.due_on
    ]


def glance_of(standings: Sequence[Standing], today: date) -> MoneyGlance | None:
    """The awarded money by what became of it; None where there is none."""
    awarded = sum((standing.money.awarded for standing in standings), NOTHING)
    if not awarded:
        return None
    lefts = [left_to_draw(standing, today) for standing in standings]
    ordered = sum((standing.money.ordered for standing in standings), NOTHING)
    now, later = sum((left.now for left in lefts), NOTHING), sum((left.later for left in lefts), NOTHING)
    last, lapsed = sum((left.last for left in lefts), NOTHING), sum((left.lapsed for left in lefts), NOTHING)
    asked = sum((left.asked for left in lefts), NOTHING)
    days = {left.until for left in lefts if left.now}
    day = days.pop() if len(days) == 1 else None
    gone = awarded - now - later - last - lapsed
    parts = [GlancePart("ausgezahlt oder unterwegs" if ordered or asked else "ausgezahlt", gone)]
    if now:
        parts.append(GlancePart(f"abrufbar bis {format_date(day)}" if day else "jetzt abrufbar", now))
    if later:
        parts.append(GlancePart(f"abrufbar {_years(lefts)}", later))
    if last or lapsed:
        both = "nach dem Nachweis, oder nicht abgerufen"
        parts.append(
            GlancePart(
                "nach dem Nachweis" if not lapsed else both if last else "nicht abgerufen", last + lapsed
            )
        )
    return money_glance(parts)


def _years(lefts: Iterable[Left]) -> str:
    years = sorted({year for left in lefts for year in left.years})
    return (
        " und ".join([", ".join(map(str, years[:-1])), str(years[-1])]) if len(years) > 1 else str(years[0])
    )


def left_notes(left: Left, today: date) -> list[str]:
    """What stands below the amount that can be drawn."""
    notes = []
    if left.now and left.until:
        notes.append(f"bis {format_date(left.until)}")
    elif left.now:
        notes.append("als Schlussrate")
    if left.asked:
        notes.append(f"beantragt sind {format_amount(left.asked)}")
    if left.later:
        notes.append(f"{'danach' if left.until else _years([left])} noch {format_amount(left.later)}")
    if left.last:
        notes.append(f"nach dem Nachweis {format_amount(left.last)}")
    if left.lapsed:
        notes.append(f"nicht abgerufen {format_amount(left.lapsed)}")
    return notes


def with_partners(standing: Standing, names: dict[str, str]) -> str:
    """„mit Aßlar und Leun“; empty for who does it alone."""
    found = [names.get(str(key), str(key)) for key in standing.grant.partners]
    if not found:
        return ""
    if len(found) > 3:
        return f"mit {found[0]} und {len(found) - 1} weiteren"
    return "mit " + " und ".join(filter(None, [", ".join(found[:-1]), found[-1]]))


def _names_of_partners(standings: Sequence[Standing]) -> dict[str, str]:
    keys = {str(key) for standing in standings for key in standing.grant.partners}
    return {ags: place.name for ags, place in by_ags(keys).items()} if keys else {}


def _row(
    standing: Standing,
    duties: Sequence[Duty],
    offers: Offers,
    names: dict[str, str],
    today: date,
    *,
    several: bool,
) -> Row:
    grant, duty = standing.grant, next_of(duties, today)
    left = left_to_draw(standing, today)
    is_to_do = duty is not None and duty.kind == DutyKind.DO
    steps = [found for found in duties if found.kind == DutyKind.DO and found != duty]
    links = [link for found in steps if (link := action_of(found, standing, offers))]
    action = action_of(duty, standing, offers) if duty else None
    due_on = duty.due_on if duty else None
    return Row(
        title=grant.title,
        url=reverse("portal:grant", args=[grant.id]),
        about=", ".join(filter(None, [grant.call.title, with_partners(standing, names)])),
        reference=grant.reference,
        who=grant.recipient_name if several else "",
        step=duty.title if duty else "Abgeschlossen" if grant.closed_on else "Nichts zu tun",
        note=_note(duty) if duty else "",
        rank=due_on or today + timedelta(days=30),
        is_to_do=is_to_do,
        due_on=due_on,
        due_note=days_until(due_on, today) if due_on else "jederzeit" if is_to_do else "",
        tone=tone_of(due_on, today) if is_to_do else "",
        action=action,
        others=tuple(link for link in links if action is None or link.url != action.url)[:1],
        left=format_amount(left.now),
        left_notes=tuple(left_notes(left, today)) or (_all_paid(standing),),
        awarded=format_amount(grant.amount),
        paid=format_amount(standing.money.paid_out),
    )


def _note(duty: Duty) -> str:
    return format_amount(duty.amount) if duty.amount and not duty.note else duty.note


def _all_paid(standing: Standing) -> str:
    if standing.money.ordered:
        return f"{format_amount(standing.money.ordered)} unterwegs"
    return "ganz ausgezahlt" if standing.money.awarded else "nichts mehr zugesagt"


# --- open applications -------------------------------------------------------------------------------------------


def _open_applications(parties: Collection[UUID]) -> list[Case]:
    """Applications of authorities for grants that are not decided, with what is asked of them; follow-ups of grants are
    told at their grant."""
    asked = Message.objects.filter(case=OuterRef("pk"), answer_until__isnull=False).order_by("-id")
    cases = list(
        Case.objects.filter(party_id__in=list(parties), is_for_applicant=True, about__grant=None)
        .exclude(state=CaseState.COMPLETED)
        .exclude(grant__notified_on__isnull=False)
        .select_related("offer", "application", "authority")
        .annotate(answer_until=Subquery(asked.values("answer_until")[:1]))
        .order_by("id")
    )
    manifests = manifests_of(case.application.version_id for case in cases)
    found: list[Case] = []
    for case in cases:
        manifest = manifests[case.application.version_id]
        if manifest.fuer_behoerden and (manifest.betrag or manifest.opening == Opening.APPLICATION):
            expected = timezone.localdate(case.opened_at) + timedelta(days=manifest.bearbeitung_tage)
            case.expected_on = expected  # type: ignore[attr-defined]  # read by `_application`
            found.append(case)
    return found


def _application(case: Case, today: date, *, several: bool) -> Row:
    is_asked = case.state == CaseState.ACTION_REQUIRED
    url = reverse("portal:case", args=[case.id])
    due_on: date | None = case.answer_until if is_asked else case.expected_on  # type: ignore[attr-defined]  # annotated
    if not is_asked and due_on and due_on < today:
        due_on = None
    return Row(
        title=case.title,
        url=url,
        about=case.offer.title,
        reference=case.reference,
        who=case.party_name if several else "",
        step="Rückfrage beantworten" if is_asked else "Nichts zu tun",
        note="" if is_asked else f"{case.authority.label} prüft.",
        rank=due_on or today + timedelta(days=30),
        is_to_do=is_asked,
        due_on=due_on,
        due_note=(days_until(due_on, today) if is_asked else "voraussichtlich") if due_on else "",
        tone=tone_of(due_on, today) if is_asked else "",
        action=Link("Antworten", url) if is_asked else None,
        left_notes=(f"beantragt {format_amount(case.amount)}" if case.amount else "noch nicht bewilligt",),
    )


def _asked(case: Case, today: date) -> Deadline:
    day: date = case.answer_until  # type: ignore[attr-defined]  # annotated
    return Deadline(
        day,
        "Rückfrage beantworten",
        case.title,
        reverse("portal:case", args=[case.id]),
        tone_of(day, today),
        f"{case.id}/frage",
        "",
        True,
    )


def plain_spaces(text: str) -> str:
    """For what is no page: calendars show a no-break space as they please."""
    return text.replace(NO_BREAK_SPACE, " ")
