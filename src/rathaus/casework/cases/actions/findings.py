"""Keeping what a check of rules found, also when it is made again."""

from __future__ import annotations

from collections.abc import Sequence

from rathaus.casework.cases.enums import FindingResult
from rathaus.casework.cases.models import Finding
from rathaus.casework.cases.steps import Run

_SAME = ("rule", "title", "source", "result", "value", "note", "position")
_EXCEPTION = ("excepted_at", "excepted_by_id", "excepted_function", "excepted_reason")


def keep_findings(run: Run, found: Sequence[Finding]) -> list[Finding]:
    """Keep the findings of a check (instances with rule, title, source, result, value, note), in this order.

    A check that is made again, after a correction, is another round: the earlier findings stay readable and no longer
    count. An exception goes on where the same rule fails with the same value; otherwise somebody must allow it anew.
    Where nothing changed, no round is written. Answers the findings that count now.
    """
    earlier: list[Finding] = []
    if run.application is None:  # else the case is being opened, and nothing can be there
        earlier = list(Finding.objects.filter(case=run.case, is_current=True).order_by("position"))
    for position, finding in enumerate(found):
        finding.authority_id, finding.case, finding.position = run.case.authority_id, run.case, position
    if earlier and [_words(finding) for finding in earlier] == [_words(finding) for finding in found]:
        return earlier
    if earlier:
        Finding.objects.filter(case=run.case, is_current=True).update(is_current=False)
        _carry_over(earlier, found)
    return Finding.objects.bulk_create(found)


def _words(finding: Finding) -> tuple[object, ...]:
    return tuple(getattr(finding, name) for name in _SAME)


def _carry_over(earlier: Sequence[Finding], found: Sequence[Finding]) -> None:
    excepted = {(old.rule, old.value): old for old in earlier if old.excepted_at}
    for finding in found:
        finding.round = earlier[0].round + 1
        old = excepted.get((finding.rule, finding.value))
        if old and finding.result == FindingResult.FAILED:
            for name in _EXCEPTION:
                setattr(finding, name, getattr(old, name))
