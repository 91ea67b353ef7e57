"""What a call asks of an application: pure checks that advise, each with its value, limit and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.law.days import add_months
from rathaus.law.money import format_amount, format_number

MET, HINT, FAILED = "met", "hint", "failed"


@dataclass(frozen=True)
class Check:
    """One rule with its outcome; amounts in euros."""

    rule: str
    title: str
    source: str
    result: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class EarlyBeginning:
    """An early start that was allowed: from which day on, decided in which case."""

    begins_on: date
    reference: str


@dataclass(frozen=True)
class Overlap:
    """Another project of the applicant or one of its partners in the same time."""

    reference: str
    title: str
    is_same_field: bool


@dataclass(frozen=True)
class Request:
    """What is asked for. `cost` is the eligible expenditure; zero where the call asks for no plan.

    `overlapping` is None where nobody looked: the call knows no period. `confirmed` says how many partners agreed so far,
    where they are asked. `sketch` is the reference of the sketch that was invited.
    """

    applicant_kind: str
    applicant_label: str
    amount: Decimal
    cost: Decimal
    begins_on: date | None
    ends_on: date | None
    partners: int
    has_not_begun: bool
    submitted_on: date
    funding_object: str = ""
    early_start: EarlyBeginning | None = None
    overlapping: tuple[Overlap, ...] | None = None
    confirmed: int | None = None
    sketch: str = ""


def check(
    request: Request, limits: Mapping[str, Any], *, free: Decimal, allotment: Decimal | None
) -> Iterator[Check]:
    """All rules of a call. `limits` are the offer's parameters; a limit that is not set is not checked."""
    guideline = str(limits.get("richtlinie", "Richtlinie"))
    yield _eligible(request, limits, guideline)
    if allotment is not None:
        yield _at_most("zuteilung", "Zuteilung", "Aufruf, Anlage", request.amount, allotment)
    if (least := _money(limits, "mindestbetrag")) is not None:
        yield _at_least(request.amount, least, guideline)
    if (most := _money(limits, "hoechstbetrag")) is not None:
        yield _at_most("hoechstbetrag", "Höchstbetrag", f"{guideline} Nr. 5.3", request.amount, most)
    if limits.get("foerdergegenstaende"):
        yield _object(request.funding_object, limits["foerdergegenstaende"], guideline)
    if request.cost and "foerdersatz" in limits:
        yield from _rate(request, rate_for(limits, request.partners), guideline)
    if request.begins_on and request.ends_on and "laufzeit_monate" in limits:
        yield _duration(request.begins_on, request.ends_on, int(limits["laufzeit_monate"]), guideline)
    if limits.get("vorzeitiger_beginn_verboten"):
        yield not_begun(request.has_not_begun, request.early_start)
    if request.partners:
        partners = "einem Partner" if request.partners == 1 else f"{request.partners} Partnern"
        agreed = "" if request.confirmed is None else f", {request.confirmed} bestätigt"
        yield Check("kooperation", "Zusammenarbeit", f"{guideline} Nr. 3", MET, f"mit {partners}{agreed}")
    if limits.get("skizze_erforderlich"):
        yield Check(
            "skizze",
            "Zum Antrag eingeladen" if request.sketch else "Keine Einladung zum Antrag",
            f"{guideline}: Skizze vor dem Antrag",
            MET if request.sketch else FAILED,
            request.sketch or "ohne Skizze, oder nicht eingeladen",
        )
    if request.overlapping is not None:
        yield _double_funding(request.overlapping, guideline)
    yield Check(
        "mittel",
        "Mittel verfügbar",
        "Haushalt",
        MET if request.amount <= free else FAILED,
        f"frei: {format_amount(free)}",
    )


def rate_for(limits: Mapping[str, Any], partners: int) -> Decimal:
    """The funding rate in percent, which a call may raise for those who work together."""
    raised = limits.get("foerdersatz_kooperation")
    if raised not in (None, "", 0) and partners >= int(limits.get("kooperation_ab", 1)):
        return Decimal(str(raised))
    return Decimal(str(limits["foerdersatz"]))


def not_begun(is_declared: bool, early: EarlyBeginning | None) -> Check:
    """A project that has begun is not funded, unless an early start was allowed before (VV Nr. 1.3)."""
    value = "erklärt" if is_declared else "nicht erklärt"
    if early is not None:
        value = f"vorzeitiger Beginn ab {early.begins_on:%d.%m.%Y} zugelassen ({early.reference})"
    return Check(
        "nicht_begonnen",
        "Noch nicht begonnen",
        "VV Nr. 1.3 zu § 44 LHO",
        MET if is_declared or early is not None else FAILED,
        value,
    )


def open_objects(given: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the funding objects that are switched on."""
    return [str(row["name"]) for row in given if row.get("offen")]


def _object(chosen: str, given: Iterable[Mapping[str, Any]], guideline: str) -> Check:
    """Whether what is asked for is funded now. One that is switched off is no reason not to take an application."""
    known = {str(row["schluessel"]): row for row in given}
    row = known.get(chosen, {})
    is_open = bool(row.get("offen"))
    return Check(
        "foerdergegenstand",
        "Fördergegenstand" if is_open else "Wird zurzeit nicht gefördert",
        f"{guideline} Nr. 2",
        MET if is_open else FAILED,
        str(row.get("name", chosen or "nicht genannt")),
        "" if is_open else f"Gefördert: {', '.join(open_objects(known.values()))}"[:200],
    )


def _double_funding(found: tuple[Overlap, ...], guideline: str) -> Check:
    """Other projects in the same time are shown; whether they have the same purpose, a person judges."""
    names = ", ".join(f"{row.reference} „{row.title}“" for row in found[:3])
    more = f" und {len(found) - 3} weitere" if len(found) > 3 else ""
    same = [row.reference for row in found if row.is_same_field]
    return Check(
        "doppelfoerderung",
        "Vorhaben im selben Zeitraum" if found else "Keine Doppelförderung erkennbar",
        f"{guideline} Nr. 1; VV Nr. 1.1 zu § 44 LHO",
        HINT if found else MET,
        f"{names}{more}" if found else "keine Überschneidung",
        f"Gleicher Gegenstand: {', '.join(same)}"[:200] if same else "",
    )


def _eligible(request: Request, limits: Mapping[str, Any], guideline: str) -> Check:
    kinds = limits.get("antragsberechtigt", ["municipality", "county"])
    return Check(
        "antragsberechtigt",
        "Antragsberechtigt",
        f"{guideline} Nr. 3",
        MET if request.applicant_kind in kinds else FAILED,
        request.applicant_label,
    )


def _at_least(amount: Decimal, least: Decimal, guideline: str) -> Check:
    missing = least - amount
    return Check(
        "mindestbetrag",
        "Mindestbetrag" if missing <= 0 else "Mindestbetrag nicht erreicht",
        f"{guideline} Nr. 5.3: mindestens {format_amount(least)}",
        MET if missing <= 0 else FAILED,
        format_amount(amount),
        "" if missing <= 0 else f"es fehlen {format_amount(missing)}",
    )


def _at_most(rule: str, title: str, source: str, amount: Decimal, most: Decimal) -> Check:
    return Check(
        rule,
        title if amount <= most else f"{title} überschritten",
        f"{source}: höchstens {format_amount(most)}",
        MET if amount <= most else FAILED,
        format_amount(amount),
    )


def _rate(request: Request, rate: Decimal, guideline: str) -> Iterator[Check]:
    share = request.amount * 100 / request.cost
    allowed = round(request.cost * rate / 100, 2)
    yield Check(
        "foerdersatz",
        "Fördersatz" if request.amount <= allowed else "Fördersatz überschritten",
        f"{guideline} Nr. 5.2: höchstens {format_number(rate)} %",
        MET if request.amount <= allowed else FAILED,
        f"{format_number(round(share, 2))} %",
    )
    own = request.cost - request.amount
    needed = request.cost - allowed
    yield Check(
        "eigenanteil",
        "Eigenanteil" if own >= needed else "Eigenanteil zu klein",
        f"{guideline} Nr. 5.2: mindestens {format_number(100 - rate)} %",
        MET if own >= needed else FAILED,
        format_amount(own),
    )


def _duration(begins_on: date, ends_on: date, most: int, guideline: str) -> Check:
    """Within `most` months: the project ends before the day that many months after it begins."""
    fits = begins_on <= ends_on < add_months(begins_on, most)
    return Check(
        "laufzeit",
        "Laufzeit" if fits else "Laufzeit zu lang",
        f"{guideline} Nr. 4.4: höchstens {most} Monate",
        MET if fits else FAILED,
        f"{begins_on:%d.%m.%Y} bis {ends_on:%d.%m.%Y}",
    )


def _money(limits: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(str(limits[name])) if limits.get(name) not in (None, "") else None
