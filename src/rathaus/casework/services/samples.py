"""Playing a package's sample applications through the real engine to their letters, without a database.

A sample says what is handed in (`antrag`), what people answer and which timers fire (`schritte`: element → result, in
order), what operations return (`operationen`: name → result), what domains know (`fakten`: name → values; amounts and days
as text), and what must come out: `pfad` (elements reached, in any
order) and `entscheidung` (outcome and amount). `eingang` is the day on which it came in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rathaus.casework.services import facts, operations
from rathaus.casework.services.letters import problems_of_letters
from rathaus.casework.services.packages import Package, Problem
from rathaus.engine import workflow
from rathaus.engine.expressions import EvaluationError
from rathaus.engine.workflow import CallOperation, Ended, OpenTask, SetTimer, Subscribe, WorkflowError

_KINDS: Mapping[str, type] = {
    "titel": str,
    "eingang": str,
    "antrag": dict,
    "schritte": list,
    "operationen": dict,
    "fakten": dict,
    "parameter": dict,
    "pfad": list,
    "entscheidung": dict,
}
_TURNS = 200
_RECEIVED = "2025-03-03"


def play(package: Package) -> list[Problem]:
    """Play every sample; the problems say which sample expected what and got what. A package needs one at least."""
    if not package.samples:
        return [Problem("beispiele/", None, "Ein Paket braucht mindestens ein Beispiel.")]
    found: list[Problem] = []
    for name, sample in package.samples.items():
        found += [Problem(name, None, reason) for reason in _play_one(package, sample)]
    return found


def _play_one(package: Package, sample: Mapping[str, Any]) -> list[str]:
    if unknown := sample.keys() - _KINDS.keys():
        return [f"Unbekannte Einträge: {sorted(unknown)}."]
    if wrong_kinds := [name for name, value in sample.items() if not isinstance(value, _KINDS[name])]:
        return [f"„{name}“ hat die falsche Art." for name in wrong_kinds]
    if not all(
        isinstance(step, dict) and isinstance(step.get("ergebnis", {}), dict)
        for step in sample.get("schritte", [])
    ):
        return ["Jeder der „schritte“ nennt „element“ und „ergebnis“."]
    answers = sample.get("antrag", {})
    errors = package.form.check(answers)
    if errors:
        return [f"{error.path}: {error.message}" for error in errors]
    typed = package.form.typed(answers)
    try:
        known = facts_of_sample(package, sample)
    except ValueError as wrong:
        return [str(wrong)]
    data = {
        "antrag": typed,
        "parameter": {**package.manifest.parameter, **sample.get("parameter", {})},
        **known,
    }
    try:
        received = date.fromisoformat(str(sample.get("eingang", _RECEIVED)))
    except ValueError:
        return [f"„eingang“ ist kein Tag: {sample['eingang']}. Schreiben Sie zum Beispiel „{_RECEIVED}“."]
    case = {"nummer": f"{package.manifest.kuerzel}-{received.year}-00001", "eingang": received}
    try:
        # A case is named before it has a number.
        package.title.evaluate(data)
        if package.amount:
            package.amount.evaluate(data)
        state, decision, letters = _run(package, sample, {**data, "fall": case}, received)
    except (WorkflowError, EvaluationError, operations.Refused) as wrong:
        return [str(wrong)]
    except _Unexpected as wrong:
        return [str(wrong)]
    return _compare(package, sample, state, decision) + problems_of_letters(
        package, letters, data, decision or {}, received
    )


def facts_of_sample(package: Package, sample: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that the package reads, as a domain would tell them; None for what the sample does not tell.

    Raises ValueError with a German sentence for facts that the package does not read, or that no domain knows.
    """
    given = sample.get("fakten", {})
    for name, values in given.items():
        if name not in package.facts:
            raise ValueError(f"„fakten“: Das Paket liest „{name}“ nicht.")
        if not isinstance(values, dict):
            raise ValueError(f"„fakten“: „{name}“ ist eine Gruppe von Werten.")
        if unknown := sorted(values.keys() - facts.find(name).names):
            raise ValueError(f"„fakten“: „{name}“ kennt {unknown} nicht.")
    return {name: _typed(given[name]) if name in given else None for name in package.facts}


_AMOUNT = re.compile(r"-?\d{1,12}\.\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _typed(value: Any) -> Any:
    match value:
        case dict():
            return {key: _typed(inner) for key, inner in value.items()}
        case list():
            return [_typed(inner) for inner in value]
        case str() if _AMOUNT.fullmatch(value):
            return Decimal(value)
        case str() if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    return value


class _Unexpected(Exception):
    """The process wants something that the sample does not answer."""


def _run(
    package: Package, sample: Mapping[str, Any], data: Mapping[str, Any], received: date
) -> tuple[dict[str, Any], dict[str, Any] | None, list[str]]:
    """The state at the end, the decision, and the letters that were issued on the way."""
    letters: list[str] = []
    steps = list(sample.get("schritte", []))
    returns = sample.get("operationen", {})
    decision: dict[str, Any] | None = None
    now = datetime.combine(received, time(9), UTC)
    step = workflow.start(package.definition, data=data, now=now)
    waiting = list(step.effects)
    for _ in range(_TURNS):
        if any(isinstance(effect, Ended) for effect in waiting):
            if steps:
                raise _Unexpected(f"Der Ablauf ist zu Ende, aber {len(steps)} Schritte sind übrig.")
            return step.state, decision, letters
        event: workflow.Event | None = None
        for effect in waiting:
            if isinstance(effect, CallOperation):
                called = operations.find(effect.operation)
                arguments = called.convert(effect.arguments)
                if called.decides:
                    decision = {**arguments, "automatisch": True}
                if effect.operation == "letters.issue":
                    letters.append(arguments.get("vorlage", "bescheid.typ"))
                answered = returns.get(effect.operation, _usual(effect.operation, arguments, now))
                event = workflow.OperationDone(effect.token, answered)
            elif isinstance(effect, OpenTask | Subscribe | SetTimer):
                if not steps or steps[0].get("element") != effect.element:
                    continue
                answer = steps.pop(0)
                result = answer.get("ergebnis", {})
                if isinstance(effect, Subscribe):
                    event = workflow.MessageReceived(effect.token, result)
                elif isinstance(effect, SetTimer):
                    event = workflow.TimerFired(effect.token)
                    now = max(now, effect.due_at)
                else:
                    if effect.form == "kern:vorschlag":
                        decision = result
                    event = workflow.TaskCompleted(effect.token, result)
            if event is not None:
                waiting.remove(effect)
                break
        if event is None:
            open_elements = [
                effect.element for effect in waiting if isinstance(effect, OpenTask | Subscribe | SetTimer)
            ]
            raise _Unexpected(f"Der Ablauf wartet auf {open_elements}, das Beispiel sagt dazu nichts.")
        step = workflow.advance(package.definition, step.state, event, data=data, now=now)
        over = {effect.token for effect in step.effects if isinstance(effect, _OVER)}
        waiting = [effect for effect in [*waiting, *step.effects] if getattr(effect, "token", "") not in over]
    raise _Unexpected(f"Nach {_TURNS} Schritten war der Ablauf nicht zu Ende.")


_OVER = (workflow.CloseTask, workflow.ClearTimer, workflow.Unsubscribe, workflow.CancelOperation)


def _usual(operation: str, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What an operation gives back where the sample does not say: a question its deadline, all others nothing."""
    if operation == "messages.ask":
        return {"frist": now.date() + timedelta(days=arguments["tage"])}
    return {}


def _compare(
    package: Package, sample: Mapping[str, Any], state: dict[str, Any], decision: dict[str, Any] | None
) -> list[str]:
    problems = []
    passed = set(package.definition.passed(state))
    wanted = set(sample.get("pfad", []))
    if wanted - passed:
        problems.append(f"Nicht erreicht: {', '.join(sorted(wanted - passed))}.")
    if expected := sample.get("entscheidung"):
        got = decision or {}
        if expected.get("ergebnis") != got.get("ergebnis"):
            problems.append(f"Erwartet „{expected.get('ergebnis')}“, entschieden „{got.get('ergebnis')}“.")
        if "betrag" in expected and _amount(expected["betrag"]) != _amount(got.get("betrag")):
            problems.append(f"Erwartet {expected['betrag']} €, entschieden {got.get('betrag')} €.")
    return problems


def _amount(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
