"""Setting up in the browser: programmes, their money by year, and calls for what the authority offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.domains.grants.actions.programme import provide, set_up_call, set_up_measure, set_up_programme
from rathaus.domains.grants.enums import LineKind
from rathaus.domains.grants.models import Call, Measure, Programme
from rathaus.domains.grants.permissions import check_may_set_up
from rathaus.domains.grants.queries import lines_of_programme, measures_of
from rathaus.engine.forms import Answers, ElementView, FieldError, Form, Reading
from rathaus.law.money import format_amount
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.programmes.views import around, file_of
from rathaus.web.parts import Link

NEW = "neu"  # of a measure; no programme may have this key, since it is an address of its own
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass(frozen=True)
class Filled:
    """A form as it is shown or as it was posted."""

    views: tuple[ElementView, ...]
    errors: tuple[FieldError | str, ...]
    answers: Answers

    def refused(self, reason: str) -> Filled:
        """The same with a reason why it was not saved."""
        return replace(self, errors=(*self.errors, reason))


@require_http_methods(["GET", "POST"])
@for_staff
def new(request: HttpRequest) -> HttpResponse:
    """A new programme."""
    actor = actor_of(request)
    check_may_set_up(actor, actor.staff_of)
    saved: list[Programme] = []

    def save(answers: Answers) -> None:
        key = _key(answers["titel"])
        if key == NEW:
            raise Refused("Dieser Name ist nicht möglich. Nennen Sie das Programm genauer.")
        given = _described(answers)
        saved.append(set_up_programme(by=actor, authority=actor.staff_of, key=key, only_new=True, **given))

    filled = _fill(request, _programme_form(), {}, save)
    if saved:
        messages.success(request, f"„{saved[0].title}“ ist angelegt. Als Nächstes geben Sie ihm Mittel.")
        return redirect("desk:programme_money", saved[0].key)
    context = {
        "frame": frame_of(request, current="programmes"),
        "crumbs": (Link("Programme", reverse("desk:programmes")), Link("Neues Programm", "")),
        "title": "Neues Programm",
        "lead": "Ein Programm hat Maßnahmen, jede Maßnahme hat Mittel nach Jahren. Ein Aufruf nimmt Anträge an.",
        "button": "Programm anlegen",
        "back": reverse("desk:programmes"),
    }
    return _page(request, filled, context)


@require_http_methods(["GET", "POST"])
@for_staff
def describe(request: HttpRequest, key: str) -> HttpResponse:
    """What a programme is called, what it stands on, and from which account it pays."""
    actor = actor_of(request)
    file = file_of(actor, key)
    check_may_set_up(actor, actor.staff_of)
    programme, saved = file.programme, []

    def save(answers: Answers) -> None:
        saved.append(set_up_programme(by=actor, authority=actor.staff_of, key=key, **_described(answers)))

    before = {
        "titel": programme.title,
        "kurz": programme.summary,
        "grundlage": programme.legal_basis,
        "inhaber": programme.payer_name,
        "iban": programme.payer_iban,
    }
    filled = _fill(request, _programme_form(), {name: text for name, text in before.items() if text}, save)
    if saved:
        messages.success(request, "Die Beschreibung ist gespeichert.")
        return redirect("desk:programme", key)
    context = around(request, file, "", None, Link("Beschreibung", "")) | {
        "title": "Beschreibung und Konto",
        "lead": f"{programme.title}. Was Sie leeren, bleibt wie es war.",
        "button": "Beschreibung speichern",
        "back": reverse("desk:programme", args=[key]),
    }
    return _page(request, filled, context)


@require_http_methods(["GET", "POST"])
@for_staff
def money(request: HttpRequest, key: str) -> HttpResponse:
    """Money of a measure in a year."""
    actor = actor_of(request)
    file = file_of(actor, key)
    check_may_set_up(actor, actor.staff_of)
    measures, said = measures_of(file.programme), []

    def save(answers: Answers) -> None:
        with actor.acting():  # a measure without its money would be half a step
            measure = _measure(actor, file.programme, measures, answers)
            line = provide(
                by=actor,
                measure=measure,
                year=answers["jahr"],
                amount=Decimal(answers["betrag"]),
                kind=LineKind(answers["art"]),
            )
        amount = format_amount(Decimal(answers["betrag"]))
        said.append(f"„{measure.title}“ hat {line.year} jetzt {amount} ({LineKind(line.kind).label}).")

    first: Answers = {"art": LineKind.CASH.value, "jahr": clock.today().year}
    if not measures:
        first["massnahme"] = NEW
    filled = _fill(request, _money_form(measures), first, save)
    if said:
        messages.success(request, said[0])
        return redirect("desk:programme_money", key)
    context = around(request, file, "", None, Link("Mittel", "")) | {
        "title": "Mittel",
        "lead": f"{file.programme.title}. Sie legen fest, wie viel eine Maßnahme in einem Jahr hat. "
        "Was zugesagt ist, lässt sich nicht mehr kürzen.",
        "button": "Mittel festlegen",
        "back": reverse("desk:programme", args=[key]),
        "lines": lines_of_programme(file.programme),
    }
    return _page(request, filled, context)


@require_http_methods(["GET", "POST"])
@for_staff
def call(request: HttpRequest, key: str) -> HttpResponse:
    """A call: the applications to an offer of the authority are paid from a measure."""
    actor = actor_of(request)
    file = file_of(actor, key)
    check_may_set_up(actor, actor.staff_of)
    measures = measures_of(file.programme)
    offers = list(Offer.objects.filter(authority_id=actor.staff_of, call=None).order_by("title", "id"))
    saved: list[Call] = []

    def save(answers: Answers) -> None:
        offer = next(found for found in offers if found.slug == answers["leistung"])
        name = _key(answers["titel"])
        if Call.objects.filter(authority_id=actor.staff_of, key=name).exists():
            raise Refused(
                f"Einen Aufruf „{answers['titel']}“ gibt es schon. Nennen Sie ihn anders, zum Beispiel mit dem Jahr."
            )
        with actor.acting():
            measure = _measure(actor, file.programme, measures, answers)
            saved.append(
                set_up_call(
                    by=actor,
                    programme=key,
                    programme_title=file.programme.title,
                    key=name,
                    title=answers["titel"],
                    offer=offer,
                    budgets={},
                    measure=measure.key,
                    measure_title=measure.title,
                )
            )

    first: Answers = {} if measures else {"massnahme": NEW}
    context = {
        "title": "Neuer Aufruf",
        "lead": f"{file.programme.title}. Ein Aufruf verbindet eine Leistung, über die Anträge kommen, "
        "mit den Mitteln einer Maßnahme.",
        "button": "Aufruf anlegen",
        "back": reverse("desk:programme_calls", args=[key]),
        "no_offers": not offers,
    }
    filled = _fill(request, _call_form(measures, offers), first, save) if offers else Filled((), (), {})
    if saved:
        messages.success(
            request,
            f"Der Aufruf „{saved[0].title}“ ist angelegt. Zeitraum und Regeln legen Sie bei der Leistung fest.",
        )
        return redirect("desk:programme_calls", key)
    return _page(request, filled, around(request, file, "", None, Link("Neuer Aufruf", "")) | context)


def _page(request: HttpRequest, filled: Filled, context: Mapping[str, Any]) -> HttpResponse:
    found = {
        "lines": [],
        "no_offers": False,
        "filled": filled,
        "kept_field": kept.FIELD,
        "kept_for": kept.owner_token(request, request.path),
        **context,
    }
    return render(
        request, "desk/programmes/setup.html", found, status=422 if request.method == "POST" else 200
    )


def _fill(request: HttpRequest, form: Form, first: Answers, save: Callable[[Answers], None]) -> Filled:
    """The form as it stands; a complete post is saved, and what was refused comes back with the reason."""
    page = form.pages[0]
    typed: QueryDict | None = request.POST if request.method == "POST" else kept.take(request, request.path)
    if typed is None:
        return Filled(form.view(page, first), (), first)
    data = {name: [str(text) for text in texts] for name, texts in typed.lists()}
    reading: Reading = form.read(page, data, {}, first)
    filled = Filled(form.view(page, reading.answers, reading), reading.errors, reading.answers)
    if request.method == "POST" and not filled.errors and not reading.revealed:
        try:
            save(form.clean(reading.answers))
        except Refused as wrong:
            return filled.refused(str(wrong))
    return filled


def _described(answers: Answers) -> dict[str, Any]:
    return {
        "title": answers["titel"],
        "summary": answers.get("kurz", ""),
        "legal_basis": answers.get("grundlage", ""),
        "payer_name": answers.get("inhaber", ""),
        "payer_iban": answers.get("iban", ""),
    }


def _measure(actor: Any, programme: Programme, measures: list[Measure], answers: Answers) -> Measure:
    """The one that was chosen, or a new one. Refused where there is one of that name."""
    if answers["massnahme"] != NEW:
        return next(found for found in measures if found.key == answers["massnahme"])
    key = _key(f"{programme.key} {answers['neue']}")
    if any(found.key == key for found in measures):
        raise Refused(f"Eine Maßnahme „{answers['neue']}“ hat das Programm schon. Wählen Sie sie aus.")
    return set_up_measure(by=actor, programme=programme, key=key, title=answers["neue"])


def _key(title: str) -> str:
    """A name for addresses: lower case, no umlauts, hyphens, at most 80 characters."""
    key = slugify(title.lower().translate(UMLAUTS))[:80].strip("-")
    if not key:
        raise Refused("Der Name braucht mindestens einen Buchstaben.")
    return key


# --- the forms ---


def _programme_form() -> Form:
    properties = {
        "titel": {"type": "string", "minLength": 3, "maxLength": 200},
        "kurz": {"type": "string", "maxLength": 2000},
        "grundlage": {"type": "string", "maxLength": 200},
        "inhaber": {"type": "string", "maxLength": 70},
        "iban": {"type": "string", "format": "iban"},
    }
    controls = [
        _control(
            "titel",
            "Name des Programms",
            beispiel="Starke Heimat Hessen",
            fehlt="Geben Sie dem Programm einen Namen.",
        ),
        _control("kurz", "Wofür ist es da?", multi=True, hinweis="Ein, zwei Sätze. Alle können sie lesen."),
        _control("grundlage", "Grundlage", hinweis="Gesetz oder Richtlinie mit Fundstelle."),
        {
            "type": "Group",
            "label": "Konto, von dem gezahlt wird",
            "options": {
                "hinweis": "Sie können es später nachtragen. Ohne Konto gibt es keinen Zahlungslauf."
            },
            "elements": [_control("inhaber", "Kontoinhaber"), _control("iban", "IBAN")],
        },
    ]
    return _form(properties, ["titel"], controls)


def _money_form(measures: list[Measure]) -> Form:
    properties = {
        **_measure_fields(measures),
        "jahr": {"type": "integer", "minimum": 2000, "maximum": 2100},
        "art": {"type": "string", "oneOf": [{"const": kind.value, "title": kind.label} for kind in LineKind]},
        "betrag": {"type": "string", "format": "betrag"},
    }
    controls = [
        *_measure_controls(),
        _control("jahr", "Haushaltsjahr", fehlt="Nennen Sie das Haushaltsjahr."),
        _control(
            "art",
            "Art der Mittel",
            format="radio",
            hinweis="Barmittel werden in ihrem Jahr ausgezahlt. Eine Verpflichtungsermächtigung erlaubt, Geld eines "
            "späteren Jahres zuzusagen.",
        ),
        _control(
            "betrag",
            "Mittel in diesem Jahr",
            hinweis="Der ganze Betrag, nicht nur, was dazukommt.",
            fehlt="Schreiben Sie, wie viel Geld die Maßnahme in diesem Jahr hat.",
        ),
    ]
    return _form(properties, ["massnahme", "neue", "jahr", "art", "betrag"], controls)


def _call_form(measures: list[Measure], offers: list[Offer]) -> Form:
    properties = {
        "leistung": {
            "type": "string",
            "oneOf": [{"const": offer.slug, "title": f"{offer.title} ({offer.prefix})"} for offer in offers],
        },
        "titel": {"type": "string", "minLength": 3, "maxLength": 200},
        **_measure_fields(measures),
    }
    controls = [
        _control(
            "leistung",
            "Leistung, über die Anträge kommen",
            format="select",
            fehlt="Wählen Sie eine Leistung.",
        ),
        _control(
            "titel",
            "Name des Aufrufs",
            beispiel="Smarte Kommunen und Regionen 2021",
            fehlt="Geben Sie dem Aufruf einen Namen.",
        ),
        *_measure_controls(),
    ]
    return _form(properties, ["leistung", "titel", "massnahme", "neue"], controls)


def _measure_fields(measures: list[Measure]) -> dict[str, Any]:
    known = [{"const": measure.key, "title": measure.title} for measure in measures]
    return {
        "massnahme": {"type": "string", "oneOf": [*known, {"const": NEW, "title": "Eine neue Maßnahme"}]},
        "neue": {"type": "string", "minLength": 3, "maxLength": 120},
    }


def _measure_controls() -> list[dict[str, Any]]:
    shown = {
        "effect": "SHOW",
        "condition": {"scope": "#/properties/massnahme", "schema": {"const": NEW}},
    }
    return [
        _control(
            "massnahme", "Maßnahme", format="radio", fehlt="Wählen Sie, zu welcher Maßnahme das gehört."
        ),
        _control("neue", "Name der neuen Maßnahme", fehlt="Geben Sie der neuen Maßnahme einen Namen.")
        | {"rule": shown},
    ]


def _control(name: str, label: str, **options: Any) -> dict[str, Any]:
    return {"type": "Control", "scope": f"#/properties/{name}", "label": label, "options": options}


def _form(properties: Mapping[str, Any], required: list[str], controls: list[dict[str, Any]]) -> Form:
    schema = {"type": "object", "required": required, "properties": dict(properties)}
    page = {"type": "Category", "label": "Angaben", "elements": controls}
    return Form.load(schema, {"type": "Categorization", "elements": [page]})
