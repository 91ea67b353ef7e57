"""Tags and filters of all pages. They are built in (see settings), no template loads them."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from rathaus.core import clock
from rathaus.engine.forms import format_bytes
from rathaus.engine.forms.importing import FILE_PLACE
from rathaus.engine.forms.model import FieldError, SummaryTable, Text
from rathaus.engine.forms.views import ElementView, FieldView, GroupView, TableView
from rathaus.law.iban import format_iban
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import MONTHS, format_date, format_day, format_day_short, format_weekday, span_of_days
from rathaus.web.fields import context_of_field, context_of_table, media_name, template_of
from rathaus.web.parts import Fact, Finding, HistoryEntry, MessageView, PlainTable, Step

register = template.Library()

BERLIN = ZoneInfo("Europe/Berlin")
SPACE = "\u00a0"
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=[^\W\d])|(?<=§) ")
_NUMBERS = (
    "null",
    "eine",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
)
# look.md, "States": federal code → what the applicant reads, what the desk reads, colour.
_STATES = {
    "INITIATED": ("Begonnen", "Begonnen", "neutral"),
    "SUBMITTED": ("Abgesendet", "Abgesendet", "neutral"),
    "RECEIVED": ("Eingegangen", "Eingegangen", "info"),
    "PROCESSING": ("In Bearbeitung", "In Bearbeitung", "neutral"),
    "ACTION_REQUIRED": ("Rückfrage an Sie", "Rückfrage", "warning"),
    "COMPLETED": ("Abgeschlossen", "Abgeschlossen", "success"),
}
# Level of a finding: icon, its tone, class of the row, and the word that goes with the colour.
_FINDINGS = {
    "ok": ("success", "ok", "", "erfüllt"),
    "hint": ("info", "info", "is-hint kern-level-1", "Hinweis"),
    "over": ("warning", "warn", "is-over kern-level-1", "Ausnahme zugelassen"),
    "bad": ("danger", "bad", "is-bad", "nicht erfüllt"),
}
_ALERT_ROLES = {"danger": "alert", "warning": "", "info": "", "success": "status"}


# --- filters: amounts, days, instants ---


@register.filter
def euro(amount: Decimal | int | None) -> str:
    """483.660,00 € with no-break spaces; nothing for None."""
    return "" if amount is None else format_amount(Decimal(amount))


@register.filter
def fest(text: str) -> str:
    """A sentence from a package with no-break spaces between a number and what it counts, and after §."""
    return _NUMBER_AND_UNIT.sub(SPACE, text)


@register.filter
def zahl(number: Decimal | int | None) -> str:
    """8.181"""
    return "" if number is None else format_number(number)


@register.filter
def datum(day: date | datetime | None) -> str:
    """25. Mai 2021; an instant is taken in Berlin."""
    return "" if day is None else format_date(_day_of(day))


@register.filter
def tag(day: date | datetime | None) -> str:
    """25.05.2021, for tables."""
    return "" if day is None else format_day(_day_of(day))


@register.filter
def kurztag(day: date | None) -> str:
    """Mo, 22.11.2021."""
    return "" if day is None else format_day_short(day)


@register.filter
def wochentag(day: date | None) -> str:
    """Montag, 18. Oktober 2021."""
    return "" if day is None else format_weekday(day)


@register.filter
def zeitpunkt(instant: datetime | None) -> str:
    """Mo, 22.11.2021, 10:42 Uhr, in Berlin."""
    if instant is None:
        return ""
    local = instant.astimezone(BERLIN)
    return f"{format_day_short(local.date())}, {_clock(local)}"


@register.filter
def moment(instant: datetime | None) -> str:
    """14. Juni 2021, 11:20 Uhr, for messages and history."""
    if instant is None:
        return ""
    local = instant.astimezone(BERLIN)
    return f"{format_date(local.date())}, {_clock(local)}"


def _clock(local: datetime) -> str:
    return f"{local.hour}:{local:%M}{SPACE}Uhr"


@register.filter
def betrag(amount: Decimal) -> str:
    """483.660,00 without the sign, where it stands in a column of its own."""
    return format_amount(amount).removesuffix(f"{SPACE}€")


@register.filter
def iban(number: str) -> str:
    """DE02 1203 0000 0000 2020 51, with no-break spaces."""
    return format_iban(number).replace(" ", SPACE)


@register.filter
def dateiart(media_type: str) -> str:
    """PDF for application/pdf."""
    return media_name(media_type)


@register.filter
def groesse(size: int | None) -> str:
    """1,2 MB"""
    return "" if size is None else format_bytes(size)


@register.filter
def due(day: date | None, today: date | None = None) -> SafeString:
    """überfällig (red, with icon), heute (orange), morgen, in 4 Tagen, the date below (its year, if it is another); "–" for
    None.

    `today` is the day in Berlin unless given.
    """
    if day is None:
        return mark_safe("–")  # a constant
    now = today or _today()
    left = (day - now).days
    written = format_day_short(day)
    below = format_html('<small class="rh-num">{}</small>', written[:-4] if day.year == now.year else written)
    if left < 0:
        return format_html(
            '<span class="rh-due rh-due--bad">{}überfällig</span>{}', icon("danger", "small", "bad"), below
        )
    if left == 0:
        return format_html('<span class="rh-due rh-due--warn">heute</span>{}', below)
    words = "morgen" if left == 1 else f"in {left} Tagen"
    return format_html('<span class="rh-due">{}</span>{}', words, below)


@register.filter
def frist(day: date | None, today: date | None = None) -> str:
    """For residents, in one line: 30. Juni 2021 (noch 15 Tage)."""
    if day is None:
        return ""
    left = (day - (today or _today())).days
    if left < 0:
        words = f"seit {span_of_days(-left)} überfällig"
    elif left == 0:
        words = "heute"
    else:
        words = f"noch {'ein Tag' if left == 1 else f'{left} Tage'}"
    return f"{format_day_short(day)[:2]}, {format_date(day)} ({words})"


def _day_of(day: date | datetime) -> date:
    return day.astimezone(BERLIN).date() if isinstance(day, datetime) else day


def _today() -> date:
    return clock.now().astimezone(BERLIN).date()


# --- small things ---


@register.simple_tag
def icon(name: str, size: str = "default", tone: str = "") -> SafeString:
    """A KERN icon as decoration; size small to x-large; tone ok, warn, bad, info, action, muted."""
    tinted = f" rh-i-{tone}" if tone else ""
    return format_html(
        '<span class="kern-icon kern-icon--{} kern-icon--{}{}" aria-hidden="true"></span>', name, size, tinted
    )


@register.simple_tag
def badge(label: str, tone: str = "neutral", icon_name: str = "", size: str = "small") -> SafeString:
    """A word on a ground: tone neutral, info, success, warning, danger; size small or large."""
    kind = "rh-badge--neutral" if tone == "neutral" else f"kern-badge--{tone}"
    small = " kern-badge--small" if size == "small" else ""
    mark = icon(icon_name, "small" if small else "default") if icon_name else ""
    return format_html(
        '<span class="kern-badge {}{}">{}<span class="kern-label kern-label--small">{}</span></span>',
        kind, small, mark, label,
    )  # fmt: skip


@register.simple_tag
def state(code: str, for_staff: bool = False, size: str = "small") -> SafeString:
    """The badge of a case's state by its federal code ("RECEIVED", any case). KeyError for an unknown one."""
    applicant, staff, tone = _STATES[str(code).upper()]
    mark = "warning" if tone == "warning" and not for_staff else ""
    return badge(staff if for_staff else applicant, tone, mark, size)


@register.simple_tag
def day(when: date) -> SafeString:
    """A leaf of a calendar (weekday, day, month), read out as a date."""
    name = MONTHS[when.month - 1]
    month = name if len(name) < 5 else name[:3]
    return format_html(
        '<span class="rh-day" aria-hidden="true"><span class="rh-day__wd">{}</span>'
        '<span class="rh-day__d">{}</span><span class="rh-day__m">{}</span></span>'
        '<span class="kern-sr-only">{}, </span>',
        format_day_short(when)[:2], when.day, month, format_date(when),
    )  # fmt: skip


@register.simple_block_tag
def alert(content: str, level: str, title: str, heading: str = "h2") -> SafeString:
    """A message about the page: {% alert "warning" "Noch nicht beginnen" %}…{% endalert %}, one a page."""
    role = _ALERT_ROLES[level]
    return format_html(
        '<div class="kern-alert kern-alert--{}"{}>'
        '<div class="kern-alert__header">{}<{} class="kern-title">{}</{}></div>'
        '<div class="kern-alert__body">{}</div></div>',
        level, format_html(' role="{}"', role) if role else "",
        icon(level, "large"), heading, title, heading, content,
    )  # fmt: skip


@register.simple_block_tag
def empty(content: str, title: str, heading: str = "h2") -> SafeString:
    """Nothing there: what is, why, what now. {% empty "Alles erledigt" %}<p>…</p>{% endempty %}"""
    return format_html(
        '<div class="rh-empty"><{} class="kern-heading-small">{}</{}>{}</div>',
        heading,
        title,
        heading,
        content,
    )


@register.simple_block_tag
def more(content: str, title: str) -> SafeString:
    """What need not be read at once, as KERN's accordion."""
    return format_html(
        '<details class="kern-accordion"><summary class="kern-accordion__header">'
        '<span class="kern-title kern-title--small">{}</span></summary>'
        '<div class="kern-accordion__body">{}</div></details>',
        title, content,
    )  # fmt: skip


# --- forms ---


@register.simple_tag
def element(view: ElementView) -> SafeString:
    """A field, table, group or paragraph of a form's page, with label, hint, value and error."""
    match view:
        case FieldView():
            return render_to_string(template_of(view), context_of_field(view))
        case TableView():
            return render_to_string("web/fields/table.html", context_of_table(view))
        case GroupView():
            return render_to_string("web/fields/group.html", {"group": view.group, "elements": view.elements})
        case Text():
            return format_html('<p class="kern-body">{}</p>', view.text)
    raise TypeError(f"not an element of a form: {view!r}")


@register.simple_tag
def elements(views: Iterable[ElementView]) -> SafeString:
    """All elements of a page, in order."""
    return format_html_join("\n", "{}", ((element(view),) for view in views))


@register.simple_tag
def control(view: FieldView) -> SafeString:
    """The bare control of a field in a table's cell."""
    return render_to_string("web/fields/cell.html", context_of_field(view))


@register.inclusion_tag("web/parts/errors.html")
def error_summary(errors: Sequence[FieldError | str], views: Iterable[ElementView] = ()) -> dict[str, Any]:
    """All errors of a page above its title, each with a link to its field; nothing if there are none."""
    ids = dict(_ids(views))
    items = [
        {"text": error, "id": ""}
        if isinstance(error, str)
        else {"text": _error_text(error), "id": ids.get(error.name, "")}
        for error in errors
    ]
    number = _NUMBERS[len(items)] if len(items) < len(_NUMBERS) else str(len(items))
    return {"items": items, "title": f"Bitte prüfen Sie {number} Angabe{'n' if len(items) != 1 else ''}"}


def _error_text(error: FieldError) -> str:
    """The message, with the name of its field before it unless it names the field itself; of several lines the first."""
    if error.name.endswith(f".{FILE_PLACE}"):
        return f"{error.label}: {error.message.partition(chr(10))[0]}"
    is_named = not error.label or f"„{error.label}“" in error.message
    return error.message if is_named else f"{error.label}: {error.message}"


def _ids(views: Iterable[ElementView]) -> Iterable[tuple[str, str]]:
    for view in views:
        match view:
            case FieldView():
                yield view.name, view.id
                yield from ((part.name, part.id) for part in view.inputs)
            case TableView():
                yield view.table.path, view.id
                yield f"{view.table.path}.{FILE_PLACE}", view.import_id
                for row in view.rows:
                    yield from _ids(row.cells)
            case GroupView():
                yield from _ids(view.elements)


# --- parts of pages ---


@register.inclusion_tag("web/parts/steps.html")
def steps(items: Sequence[Step], title: str) -> dict[str, Any]:
    """The steps of a form beside it; on a phone a bar with all steps to open."""
    now = next((number for number, step in enumerate(items, 1) if step.state == "now"), len(items))
    return {"items": items, "title": title, "now": now, "total": len(items)}


@register.inclusion_tag("web/parts/line.html")
def line(items: Sequence[Step], label: str = "Stand des Antrags") -> dict[str, Any]:
    """Where a case stands; on a phone dots, and the words of the current station."""
    now = next((step for step in items if step.state in {"now", "wait"}), None)
    return {"items": items, "label": label, "now": now}


@register.inclusion_tag("web/parts/facts.html")
def facts(items: Sequence[Fact]) -> dict[str, Any]:
    """Two to four facts of a service."""
    return {"items": items}


@register.inclusion_tag("web/parts/glance.html")
def glance(items: Sequence[Fact]) -> dict[str, Any]:
    """Who, what, since when, what is missing, what next: the strip of a case."""
    return {"items": items}


@register.inclusion_tag("web/parts/description.html")
def description(items: Sequence[Fact], narrow: bool = False) -> dict[str, Any]:
    """Words with their values beside them; `narrow` puts each value below its word, for the column at the side."""
    return {"items": items, "narrow": narrow}


@register.inclusion_tag("web/parts/summary.html")
def summary(section: Any, number: int, edit_url: str = "") -> dict[str, Any]:
    """A page of a form in words (`SummarySection`), with "Ändern" if an address is given."""
    parts = [
        {"table": item, "item": None} if isinstance(item, SummaryTable) else {"table": None, "item": item}
        for item in section.items
    ]
    return {"section": section, "parts": parts, "number": number, "edit_url": edit_url}


@register.inclusion_tag("web/parts/table.html")
def plain_table(table: PlainTable | SummaryTable, dense: bool = False) -> dict[str, Any]:
    """A table to read, amounts on the right, sum below; `dense` for the desk, which shows its name above it."""
    if isinstance(table, SummaryTable):
        columns = list(zip(table.columns, table.numeric, strict=True))
        total = ["Summe", *[""] * (len(columns) - 2), table.total] if table.total else []
        caption = table.label
    else:
        columns = [(column.label, column.is_numeric) for column in table.columns]
        total = list(table.total)
        caption = table.caption
    labels, numeric = [label for label, _ in columns], [is_numeric for _, is_numeric in columns]
    return {
        "caption": caption,
        "columns": columns,
        "rows": [list(zip(row, labels, numeric, strict=True)) for row in table.rows],
        "total": list(zip(total, numeric, strict=True)) if total else [],
        "css": "rh-grid" if dense else "rh-dl-table",
        "dense": dense,
    }


@register.inclusion_tag("web/parts/messages.html")
def talk(messages: Sequence[MessageView]) -> dict[str, Any]:
    """Messages between authority and applicant, newest first as given."""
    return {"items": messages}


@register.inclusion_tag("web/parts/history.html")
def history(entries: Sequence[HistoryEntry]) -> dict[str, Any]:
    """What happened, newest first as given."""
    return {"items": entries}


@register.inclusion_tag("web/parts/findings.html")
def findings(items: Sequence[Finding]) -> dict[str, Any]:
    """Rules with value, limit and source; exceptions first, as given."""
    return {"items": [{"it": item, "look": _FINDINGS[item.level]} for item in items]}
