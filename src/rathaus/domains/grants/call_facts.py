"""What grants know before there is a grant: `vorhaben`, the application that a case is about, `skizze`, what came before it,
and `aufruf`, its call."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.timezone import localtime

from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.facts import facts
from rathaus.casework.cases.models import Case
from rathaus.casework.services.packages import package_of
from rathaus.domains.grants.rules import open_objects

AWARD, APPLICATION = "grants.award", "vorhaben"
SKETCHED = ("titel", "beschreibung", "ziel")


@facts(APPLICATION, names=("nummer", "titel", "eingang", "betrag"))
def application_facts(case: Case) -> Mapping[str, Any] | None:
    """The application for a grant that a case is about, decided or not; None where the earlier case is something else."""
    about = case.about
    if about is None or not may_become_grant(about):
        return None
    return {
        "nummer": about.reference,
        "titel": about.title,
        "eingang": localtime(about.opened_at).date(),
        "betrag": about.amount,
    }


def may_become_grant(case: Case) -> bool:
    """Whether a case is an application for a grant: its process can award one."""
    nodes = package_of(case.offer.version_id).definition.nodes.values()
    return any(node.operation == AWARD for node in nodes)


@facts("skizze", names=("nummer", "eingeladen", *SKETCHED))
def sketch_facts(case: Case) -> Mapping[str, Any] | None:
    """The sketch that an application follows, with the answers that both ask for; None without one."""
    about = case.about
    if about is None or may_become_grant(about) or not hasattr(about, "application"):
        return None
    answers = about.application.answers
    return {
        "nummer": about.reference,
        "eingeladen": about.outcome == Outcome.GRANTED,
        **{name: str(answers.get(name) or "") for name in SKETCHED},
    }


@facts(
    "aufruf",
    names=("gegenstaende", "foerdersatz", "foerdersatz_kooperation", "mindestbetrag", "hoechstbetrag"),
)
def call_facts(case: Case) -> Mapping[str, Any]:
    """What the terms of the offer say that an applicant must know: which objects are funded now, rate and limits."""
    is_open = getattr(case, "application", None) is not None  # else it is only being begun
    terms = case.parameters if is_open else case.offer.parameters
    amounts = {name: terms.get(name) for name in ("mindestbetrag", "hoechstbetrag")}
    return {
        "gegenstaende": ", ".join(open_objects(terms.get("foerdergegenstaende") or ())),
        "foerdersatz": terms.get("foerdersatz"),
        "foerdersatz_kooperation": terms.get("foerdersatz_kooperation") or terms.get("foerdersatz"),
        **{name: Decimal(value) if value not in (None, "") else None for name, value in amounts.items()},
    }
