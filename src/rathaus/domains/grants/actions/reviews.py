"""Review of applications by experts, and the vote of a jury. All of it advises; what is decided, the kernel decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from rathaus.casework.cases.actions.messages import deliver
from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.models import Case, CaseProcess, Decision, Subscription
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Membership
from rathaus.domains.grants import events
from rathaus.domains.grants.enums import Conflict, Verdict
from rathaus.domains.grants.models import JuryVote, Review
from rathaus.domains.grants.permissions import EXPERT, HEAD_ONLY, WORK, check_role
from rathaus.domains.grants.terms import ReviewTerms, review_terms_of
from rathaus.law.text import format_date, format_day

REVIEWED = "begutachtet"  # the message that a process waits for


@operation("grants.review.open")
def open_reviews(step: Run) -> dict[str, Any]:
    """Operation: from now on experts may be asked. The process then waits for the message `begutachtet`, which comes when
    enough reviews and, if the terms want it, the jury's vote are there."""
    terms = review_terms_of(step.case)
    if not terms.criteria:
        raise ValueError("The parameter „begutachtung“ names no criteria.")
    step.record(events.REVIEW_OPENED, criteria=len(terms.criteria), wanted=terms.wanted)
    return {"kriterien": len(terms.criteria)}


def assign_experts(
    *, by: Actor, assignments: Sequence[tuple[UUID, UUID]], due_on: date | None = None
) -> list[Review]:
    """Ask experts for reviews: pairs of case and account. Answers the new ones; what was asked already stays. Each expert
    gets one mail about all of theirs.

    `due_on` asks for them until a day and binds nobody. All or nothing: Refused where a case is not under review, an account
    is no expert of the authority, or it is one's own, and for a day that is over.
    """
    from rathaus.domains.grants.jobs import send_review_request  # jobs call actions

    check_role(by, by.staff_of, WORK)
    if due_on and due_on < clock.today():
        raise Refused(f"Der {format_date(due_on)} ist vorbei. Nennen Sie einen späteren Tag, oder keinen.")
    with by.acting():
        functions = dict(
            Membership.objects.filter(
                authority_id=by.staff_of, roles__contains=[EXPERT], account__is_active=True
            ).values_list("account_id", "function")
        )
        found = []
        wanted: dict[UUID, list[UUID]] = {}
        for which, account in assignments:
            wanted.setdefault(which, []).append(account)
        for key in sorted(wanted):  # one order of locks
            case = _under_review(by, key)
            check_is_unbiased(by, case)
            asked = set(Review.objects.filter(case=case).values_list("expert_id", flat=True))
            for account in dict.fromkeys(wanted[key]):
                if account in asked:
                    continue
                if account not in functions:
                    raise Refused("Gutachten erstellen nur Personen mit der Rolle „Gutachten“ Ihrer Behörde.")
                if account == by.account:
                    raise Refused(
                        "Sich selbst können Sie kein Gutachten zuweisen. Das tut eine andere Person."
                    )
                review = Review.objects.create(
                    authority_id=case.authority_id,
                    case=case,
                    expert_id=account,
                    function=functions[account],
                    assigned_by_id=_person(by),
                    due_on=due_on,
                )
                _record(events.REVIEW_ASSIGNED, by, review)
                found.append(review)
        for expert in dict.fromkeys(review.expert_id for review in found):
            own = [str(review.id) for review in found if review.expert_id == expert]
            send_review_request.defer(authority=str(by.staff_of), expert=str(expert), reviews=own)
        return found


def unassign_expert(*, by: Actor, review: UUID) -> None:
    """Take an assignment back, as long as the expert declared nothing; the process goes on if that was all it lacked."""
    check_role(by, by.staff_of, WORK)
    with by.acting():
        found = _locked(by, review)
        check_is_unbiased(by, found.case)
        if found.declared_at:
            raise Refused("Diese Person hat sich schon erklärt. Die Zuweisung bleibt stehen.")
        found.delete()
        _record(events.REVIEW_UNASSIGNED, by, found)
        _go_on_if_done(by, found.case)


def declare_conflict(*, by: Actor, review: UUID, is_conflicted: bool, reason: str = "") -> Review:
    """The expert says whether they have ties to an applicant (§§ 20, 21 VwVfG), before scoring.

    Whoever has, is out for good. Having denied it, an expert may still declare it until the review is handed in.
    """
    text = (
        written(reason, most=LONGEST_NOTE, missing="Schreiben Sie, worin die Befangenheit liegt.")
        if is_conflicted
        else ""
    )
    with by.acting():
        found = _own(by, review)
        if found.submitted_at:
            raise Refused(
                "Ihr Gutachten ist abgegeben. Wenn Sie erst jetzt eine Befangenheit bemerken, "
                "sagen Sie es der Leitung: Sie kann das Gutachten ausnehmen."
            )
        if found.conflict == Conflict.DECLARED:
            raise Refused("Sie haben schon erklärt, befangen zu sein. Damit sind Sie ausgeschlossen.")
        if found.conflict == Conflict.NONE and not is_conflicted:
            return found
        found.conflict = Conflict.DECLARED if is_conflicted else Conflict.NONE
        found.conflict_reason, found.declared_at = text, clock.now()
        found.save(update_fields=["conflict", "conflict_reason", "declared_at"])
        _record(events.CONFLICT_DECLARED if is_conflicted else events.CONFLICT_DENIED, by, found)
        if is_conflicted:
            _go_on_if_done(by, found.case)
        return found


def submit_review(*, by: Actor, review: UUID, scores: Mapping[str, int], comment: str) -> Review:
    """Hand a review in, once: whole points for every criterion of the case's terms, and reasons."""
    text = written(comment, most=LONGEST_NOTE, missing="Begründen Sie Ihre Punkte in einigen Sätzen.")
    with by.acting():
        found = _own(by, review)
        if found.submitted_at:
            raise Refused("Ihr Gutachten ist schon abgegeben und lässt sich nicht mehr ändern.")
        if found.conflict == Conflict.DECLARED:
            raise Refused("Sie haben erklärt, befangen zu sein. Damit sind Sie ausgeschlossen.")
        if found.conflict != Conflict.NONE:
            raise Refused("Erklären Sie zuerst, ob Sie befangen sind.")
        if not _waits(found.case):
            raise Refused("Die Begutachtung dieses Antrags ist abgeschlossen.")
        found.scores = _checked(scores, review_terms_of(found.case))
        found.comment, found.submitted_at = text, clock.now()
        found.save(update_fields=["scores", "comment", "submitted_at"])
        _record(events.REVIEW_SUBMITTED, by, found)
        _go_on_if_done(by, found.case)
        return found


def set_aside_review(*, by: Actor, review: UUID, reason: str) -> Review:
    """A review that was handed in counts no more, e.g. because of ties that turned up later. It stays readable."""
    check_role(by, by.staff_of, HEAD_ONLY)
    text = written(reason, most=LONGEST_NOTE, missing="Schreiben Sie, warum das Gutachten nicht mehr zählt.")
    with by.acting():
        found = _locked(by, review)
        if found.expert_id == by.account:
            raise NotAllowed("Über das eigene Gutachten entscheiden Sie nicht selbst.")
        check_is_unbiased(by, found.case)
        if not found.is_valid:
            raise Refused("Dieses Gutachten zählt ohnehin nicht.")
        _check_undecided(found.case)
        found.set_aside_at, found.set_aside_by_id = clock.now(), _person(by)
        found.set_aside_reason = text
        found.save(update_fields=["set_aside_at", "set_aside_by", "set_aside_reason"])
        _record(events.REVIEW_SET_ASIDE, by, found, reason=text)
        return found


def record_jury_vote(
    *,
    by: Actor,
    case: UUID,
    verdict: str,
    session_on: date,
    rank: int | None = None,
    amount: Decimal | None = None,
    note: str = "",
) -> JuryVote:
    """What the jury advises on an application, from the minutes of its session; once. `amount` in euros."""
    check_role(by, by.staff_of, WORK)
    if verdict not in Verdict.values:
        raise Refused("Wählen Sie, wie die Jury gestimmt hat.")
    text = note.replace("\0", "").strip()
    if verdict == Verdict.CONDITIONS:
        text = written(note, most=LONGEST_NOTE, missing="Nennen Sie die Auflagen der Jury.")
    if len(text) > LONGEST_NOTE:
        raise Refused(f"Der Text hat {len(text)} Zeichen. Kürzen Sie ihn auf höchstens {LONGEST_NOTE}.")
    if rank is not None and not 1 <= rank <= 9_999:
        raise Refused("Der Rang ist eine Zahl ab 1.")
    with by.acting():
        found = _case(by, case)
        check_is_unbiased(by, found)
        terms = review_terms_of(found)
        if not terms.criteria:
            raise Refused("Über diesen Antrag stimmt keine Jury ab.")
        _check_undecided(found)
        if JuryVote.objects.filter(case=found).exists():
            raise Refused("Das Votum der Jury steht schon fest.")
        opened_on = timezone.localtime(found.opened_at).date()
        if not opened_on <= session_on <= clock.today():
            raise Refused("Die Sitzung war zwischen dem Eingang des Antrags und heute.")
        if amount is not None:
            _check_amount(found, verdict, amount)
        vote = JuryVote.objects.create(
            authority_id=found.authority_id,
            case=found,
            verdict=verdict,
            rank=rank,
            amount=amount,
            note=text,
            session_on=session_on,
            recorded_by_id=_person(by),
        )
        record(
            events.JURY_VOTED,
            by=by,
            authority=found.authority_id,
            case=found.id,
            on=format_day(session_on),
            verdict=vote.get_verdict_display(),
        )
        _go_on_if_done(by, found)
        return vote


def finish_reviews(*, by: Actor, case: UUID, reason: str) -> None:
    """Go on without the reviews or the vote that are still missing; the reason stays in the history."""
    check_role(by, by.staff_of, HEAD_ONLY)
    text = written(reason, most=LONGEST_NOTE, missing="Schreiben Sie, warum es ohne das Fehlende weitergeht.")
    with by.acting():
        found = _under_review(by, case)
        check_is_unbiased(by, found)
        record(events.REVIEW_FINISHED, by=by, authority=found.authority_id, case=found.id, reason=text)
        deliver(by=by, case=found.id, message=REVIEWED)


def check_is_unbiased(by: Actor, case: Case) -> None:
    """Whoever declared ties to this applicant does nothing more in the case (§ 20 VwVfG). Raises NotAllowed."""
    if Review.objects.filter(case=case, expert_id=by.account, conflict=Conflict.DECLARED).exists():
        raise NotAllowed(
            "Sie haben in diesem Vorgang erklärt, befangen zu sein. Das muss eine andere Person tun."
        )


def _go_on_if_done(by: Actor, case: Case) -> None:
    """Tell the process once nothing is missing: nobody is being waited for, enough reviews count, the jury has voted."""
    terms, reviews = review_terms_of(case), list(Review.objects.filter(case=case))
    if any(review.is_open for review in reviews):
        return
    if sum(1 for review in reviews if review.is_valid) < terms.wanted:
        return
    if terms.has_jury and not JuryVote.objects.filter(case=case).exists():
        return
    deliver(by=by, case=case.id, message=REVIEWED)


def _checked(scores: Mapping[str, int], terms: ReviewTerms) -> dict[str, int]:
    names = [criterion.name for criterion in terms.criteria]
    missing = [name for name in names if scores.get(name) is None]
    if missing:
        raise Refused(f"Es fehlen Punkte für: {', '.join(f'„{name}“' for name in missing)}.")
    if unknown := [name for name in scores if name not in names]:
        raise Refused(f"Diese Kriterien gibt es hier nicht: {', '.join(sorted(unknown))}.")
    for name in names:
        score = scores[name]
        if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= terms.top:
            raise Refused(f"„{name}“ bekommt ganze Punkte von 0 bis {terms.top}.")
    return {name: scores[name] for name in names}


def _check_amount(case: Case, verdict: str, amount: Decimal) -> None:
    if verdict == Verdict.NO:
        raise Refused("Wo die Jury nicht fördern will, empfiehlt sie keinen Betrag.")
    if not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise Refused("Der empfohlene Betrag ist ein Betrag in Euro und Cent.")
    if case.amount is not None and amount > case.amount:
        raise Refused("Die Jury kann nicht mehr empfehlen, als beantragt ist.")


def _case(by: Actor, case: UUID) -> Case:
    """A case of the authority. Its process is locked first, so that of two last steps the second sees the first."""
    try:
        CaseProcess.objects.select_for_update().only("case_id").get(case_id=case, authority_id=by.staff_of)
    except CaseProcess.DoesNotExist as missing:
        raise Refused("Diesen Vorgang gibt es nicht.") from missing
    return Case.objects.select_related("terms", "application").get(id=case)


def _under_review(by: Actor, case: UUID) -> Case:
    found = _case(by, case)
    if not _waits(found):
        raise Refused(f"{found.reference} wird gerade nicht begutachtet.")
    return found


def _waits(case: Case) -> bool:
    return Subscription.objects.filter(case=case, message=REVIEWED).exists()


def _check_undecided(case: Case) -> None:
    if case.closed_at or Decision.objects.filter(case=case, state=DecisionState.DECIDED).exists():
        raise Refused("Über diesen Antrag ist schon entschieden.")


def _locked(by: Actor, review: UUID) -> Review:
    """A review of the authority, its case locked before it. Raises Review.DoesNotExist."""
    key = Review.objects.only("case_id").get(id=review, authority_id=by.staff_of).case_id
    case = _case(by, key)
    found = Review.objects.select_for_update(of=("self",)).get(id=review)
    found.case = case
    return found


def _own(by: Actor, review: UUID) -> Review:
    """The same for one's own. Raises Review.DoesNotExist for another's: whoever guesses learns nothing."""
    if EXPERT not in by.roles:
        raise NotAllowed(f"Das darf nur die Rolle „{EXPERT}“.")
    found = _locked(by, review)
    if found.expert_id != by.account:
        raise Review.DoesNotExist
    return found


def _person(by: Actor) -> UUID:
    if by.account is None:
        raise NotAllowed("Das tut ein Mensch.")
    return by.account


def _record(kind: Any, by: Actor, review: Review, **data: Any) -> None:
    record(kind, by=by, authority=review.authority_id, case=review.case_id, expert=review.function, **data)
