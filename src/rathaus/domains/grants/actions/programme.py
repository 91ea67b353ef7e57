"""Setting up programmes: measures with money by year, calls, allotments, the account that pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.actions import record
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.drawdown import checked_iban
from rathaus.domains.grants.actions.journal import NOTHING, NotEnough, Shift, balance, post, take_turns
from rathaus.domains.grants.enums import Account, LineKind, MovementKind
from rathaus.domains.grants.models import Allotment, Balance, BudgetLine, Call, Measure, Posting, Programme
from rathaus.domains.grants.permissions import check_may_set_up
from rathaus.law.money import format_amount, share_largest_remainder


def set_up_programme(
    *,
    by: Actor,
    authority: UUID,
    key: str,
    title: str,
    summary: str = "",
    legal_basis: str = "",
    payer_name: str = "",
    payer_iban: str = "",
    only_new: bool = False,
) -> Programme:
    """Make a programme, or bring its description and paying account up to date; what is empty stays as it was.

    `only_new` refuses a key that is taken. An account that cannot be one is refused.
    """
    check_may_set_up(by, authority)
    if payer_iban:
        payer_iban = checked_iban(payer_iban)
    given = {
        "title": title,
        "summary": summary,
        "legal_basis": legal_basis,
        "payer_name": payer_name,
        "payer_iban": payer_iban,
    }
    with by.acting():
        programme, is_new = Programme.objects.get_or_create(authority_id=authority, key=key, defaults=given)
        if only_new and not is_new:
            raise Refused(f"Ein Programm „{key}“ gibt es schon: {programme.title}.")
        changed = [name for name, value in given.items() if value and getattr(programme, name) != value]
        for name in changed:
            setattr(programme, name, given[name])
        if changed:
            programme.save(update_fields=changed)
        if is_new or changed:
            record(events.PROGRAMME_SET, by=by, authority=authority, title=title)
        return programme


def set_up_measure(*, by: Actor, programme: Programme, key: str, title: str) -> Measure:
    """Make a measure of a programme; one that exists stays as it is. Refused if the key is another programme's."""
    check_may_set_up(by, programme.authority_id)
    with by.acting():
        measure, is_new = Measure.objects.get_or_create(
            authority_id=programme.authority_id, key=key, defaults={"programme": programme, "title": title}
        )
        if measure.programme_id != programme.id:
            raise Refused(f"Eine Maßnahme „{key}“ gehört schon zu einem anderen Programm.")
        if is_new:
            record(events.MEASURE_ADDED, by=by, authority=programme.authority_id, title=title)
        return measure


def provide(
    *, by: Actor, measure: Measure, year: int, amount: Decimal, kind: LineKind = LineKind.CASH
) -> BudgetLine:
    """Set what a measure has in a year to `amount` euros; what is promised already cannot be taken away (Refused)."""
    check_may_set_up(by, measure.authority_id)
    if amount < 0 or amount != round(amount, 2):
        raise Refused("Mittel sind ein Betrag in Euro und Cent, nicht unter null.")
    with by.acting():
        line, _ = BudgetLine.objects.get_or_create(
            authority_id=measure.authority_id, measure=measure, year=year, kind=kind
        )
        take_turns(line.id)
        before = -balance(line.id, Account.BUDGET)
        if change := amount - before:
            forth = change > 0
            shift = Shift(
                line.id,
                Account.BUDGET if forth else Account.FREE,
                Account.FREE if forth else Account.BUDGET,
                abs(change),
            )
            number = Posting.objects.filter(line=line, account=Account.BUDGET).count()
            try:
                post(
                    by=by,
                    authority=line.authority_id,
                    kind=MovementKind.BUDGETED,
                    key=f"budget:{line.id}:{number}",
                    shifts=[shift],
                    text=f"{measure.title} {year}",
                )
            except NotEnough as wrong:
                raise Refused(
                    f"Von den Mitteln {year} sind nur {format_amount(wrong.available)} frei. "
                    "Was zugesagt ist, lässt sich nicht kürzen."
                ) from wrong
            record(
                events.BUDGET_ADDED,
                by=by,
                authority=line.authority_id,
                title=measure.title,
                year=year,
                amount=format_amount(amount),
                of=kind.label,
            )
        return line


def set_up_call(
    *,
    by: Actor,
    programme: str,
    programme_title: str,
    key: str,
    title: str,
    offer: Offer,
    budgets: Mapping[int, Decimal],
    commitments: Mapping[int, Decimal] | None = None,
    measure: str = "",
    measure_title: str = "",
) -> Call:
    """Make a call of a programme's measure with its money by year; what exists stays, new years are added.

    `budgets` is cash, `commitments` what may be promised for later years. Without `measure` the call has one of its own.
    """
    check_may_set_up(by, offer.authority_id)
    with by.acting():
        if Call.objects.filter(offer=offer).exclude(key=key).exists():
            raise Refused(f"Zu „{offer.title}“ gibt es schon einen Aufruf.")
        kept = Programme.objects.filter(authority_id=by.staff_of, key=programme).first()
        if kept is None:
            kept = set_up_programme(by=by, authority=offer.authority_id, key=programme, title=programme_title)
        of = set_up_measure(by=by, programme=kept, key=measure or key, title=measure_title or title)
        call, is_new = Call.objects.get_or_create(
            authority_id=by.authority, key=key, defaults={"measure": of, "offer": offer, "title": title}
        )
        if is_new:
            record(events.CALL_SET_UP, by=by, authority=call.authority_id, title=title)
        for kind, amounts in ((LineKind.CASH, budgets), (LineKind.COMMITMENT, commitments or {})):
            for year, amount in amounts.items():
                if not BudgetLine.objects.filter(measure_id=call.measure_id, year=year, kind=kind).exists():
                    provide(by=by, measure=call.measure, year=year, amount=amount, kind=kind)
        return call


def allot(
    *, by: Actor, call: Call, total: Decimal, base: Decimal, among: Sequence[Authority]
) -> list[Allotment]:
    """Share `total` among municipalities: `base` euros each, the rest by population, to the cent (largest remainder).

    Who has no population in the register gets the base amount only. Replaces nothing: a second time is refused, as is
    more than the call's measure has. Raises ValueError where the bases alone exceed the total.
    """
    check_may_set_up(by, call.authority_id)
    weights = [authority.population or 0 for authority in among]
    shares = share_largest_remainder(total, weights, base=base)
    with by.acting():
        if Allotment.objects.filter(call=call).exists():
            raise Refused("Die Mittel dieses Aufrufs sind schon zugeteilt.")
        money = -sum(
            Balance.objects.filter(line__measure_id=call.measure_id, account=Account.BUDGET).values_list(
                "amount", flat=True
            ),
            NOTHING,
        )
        if total > money:
            raise Refused(
                f"Dieser Aufruf hat nur {format_amount(money)}, zugeteilt werden sollen {format_amount(total)}."
            )
        rows = Allotment.objects.bulk_create(
            Allotment(authority_id=call.authority_id, call=call, recipient=recipient, amount=share)
            for recipient, share in zip(among, shares, strict=True)
        )
        record(
            events.ALLOTTED, by=by, authority=call.authority_id, count=len(rows), total=format_amount(total)
        )
        return rows
