"""When a notice counts as notified, and what can be done against it until when.

The rules are dated tables with their source; an authority with other rules hands in its own table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rathaus.law.days import Land, end_of_period, next_working_day


class Channel(StrEnum):
    """How a notice is handed over."""

    POST = "post"
    ELECTRONIC = "electronic"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class FictionRule:
    """From ``valid_from``, a notice sent in the Land (None: all) counts as notified ``days`` days after it
    was sent."""

    channel: Channel
    land: Land | None
    days: int
    valid_from: date
    source: str


_BEFORE = "VwVfG § 41(2) in der Fassung bis 31.12.2024"
_SINCE = "VwVfG § 41(2) in der Fassung seit 01.01.2025 (Postrechtsmodernisierungsgesetz)"
_HESSEN = "HVwVfG § 41(2); vier Tage für Hessen nicht am Gesetzestext geprüft"
_THUERINGEN = "ThürVwVfG § 41(2), Gesetz vom 02.07.2024, in Kraft 01.01.2025; nur der Titel geprüft"

FICTION_RULES: tuple[FictionRule, ...] = (
    FictionRule(Channel.POST, None, 3, date(1977, 1, 1), _BEFORE),
    FictionRule(Channel.POST, None, 4, date(2025, 1, 1), _SINCE),
    FictionRule(Channel.POST, Land.HESSEN, 4, date(2025, 1, 1), _HESSEN),
    FictionRule(Channel.POST, Land.THUERINGEN, 4, date(2025, 1, 1), _THUERINGEN),
    FictionRule(Channel.ELECTRONIC, None, 3, date(2003, 2, 1), _BEFORE),
    FictionRule(Channel.ELECTRONIC, None, 4, date(2025, 1, 1), _SINCE),
    FictionRule(Channel.ELECTRONIC, Land.HESSEN, 4, date(2025, 1, 1), _HESSEN),
    FictionRule(Channel.ELECTRONIC, Land.THUERINGEN, 4, date(2025, 1, 1), _THUERINGEN),
    FictionRule(Channel.MAILBOX, None, 3, date(2003, 2, 1), f"{_BEFORE}: elektronische Übermittlung"),
    FictionRule(
        Channel.MAILBOX, None, 3, date(2020, 12, 10), "OZG § 9 in der Fassung bis 2024; nicht geprüft"
    ),
    FictionRule(Channel.MAILBOX, None, 4, date(2025, 1, 1), "OZG § 9: vierter Tag nach der Bereitstellung"),
)


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """What an authority may set. ``shift_fiction_day`` moves a fiction day that is no working day to the
    next one.

    Default is not to move it: the days until the fiction are no period (HessVGH, OS IV 97/65; the BFH sees it
    differently for tax law).
    """

    rules: Sequence[FictionRule] = FICTION_RULES
    shift_fiction_day: bool = False


DEFAULT_SETTINGS = NotificationSettings()


def fiction_rule(
    sent_on: date, *, land: Land, channel: Channel, rules: Sequence[FictionRule] = FICTION_RULES
) -> FictionRule:
    """The rule for a notice sent on that day: the newest that is valid; the Land's own goes before the
    general one.

    LookupError if the table has none.
    """
    valid = [rule for rule in rules if rule.channel == channel and rule.valid_from <= sent_on]
    own = [rule for rule in valid if rule.land == land]
    candidates = own or [rule for rule in valid if rule.land is None]
    if not candidates:
        raise LookupError(
            f"no rule says when a notice sent on {sent_on} by {channel} counts as notified in {land}"
        )
    return max(candidates, key=lambda rule: rule.valid_from)


def deemed_notification(
    sent_on: date, *, land: Land, channel: Channel, settings: NotificationSettings = DEFAULT_SETTINGS
) -> date:
    """The day on which a notice counts as notified (Bekanntgabefiktion, VwVfG § 41(2), OZG § 9).

    ``sent_on`` is the day of posting, transmission or provision in the mailbox. If the notice arrived
    later, the day of arrival counts, and the authority has to prove it. LookupError if the table has no
    rule.
    """
    rule = fiction_rule(sent_on, land=land, channel=channel, rules=settings.rules)
    day = sent_on + timedelta(days=rule.days)
    return next_working_day(day, land) if settings.shift_fiction_day else day


def notification_by_retrieval(provided_on: date, retrieved_on: date | None) -> date | None:
    """The day of notification of a notice offered for retrieval with the addressee's consent (VwVfG §
    41(2a)).

    It is the day after the retrieval. None if it was not retrieved within ten days after the message on
    ``provided_on``: then the notice is not notified at all.
    """
    if retrieved_on is None or retrieved_on > provided_on + timedelta(days=10):
        return None
    if retrieved_on < provided_on:
        raise ValueError("a notice cannot be retrieved before it was provided")
    return retrieved_on + timedelta(days=1)


class RemedyKind(StrEnum):
    """What a person may do against a notice."""

    OBJECTION = "objection"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class RemedyRule:
    """From ``valid_from``: the remedy against notices of that kind of authority (None: any), Land and matter.

    ``matter`` is a key of the operator's choosing, for Land exceptions that name matters.
    """

    remedy: RemedyKind
    valid_from: date
    source: str
    authority_kind: str | None = None
    land: Land | None = None
    matter: str | None = None


#: HessAGVwGO § 16a leaves out the objection in many matters. Its list is not verified, hence not in this
#: table.
REMEDY_RULES: tuple[RemedyRule, ...] = (
    RemedyRule(RemedyKind.OBJECTION, date(1960, 4, 1), "VwGO § 68(1), § 70"),
    RemedyRule(
        RemedyKind.ACTION, date(1960, 4, 1), "VwGO § 68(1) Satz 2 Nr. 1, § 74", authority_kind="ministry"
    ),
)


def remedy_for(
    authority_kind: str,
    *,
    land: Land,
    on: date,
    matter: str | None = None,
    rules: Sequence[RemedyRule] = REMEDY_RULES,
) -> RemedyRule:
    """The remedy against a notice of ``on``: an action against a ministry's (supreme state authority), else
    objection.

    The rule that names most (matter before Land before kind of authority) wins, then the newest.
    LookupError if the table has none.
    """

    def fits(rule: RemedyRule) -> bool:
        return (
            rule.valid_from <= on
            and rule.authority_kind in (None, authority_kind)
            and rule.land in (None, land)
            and rule.matter in (None, matter)
        )

    def precision(rule: RemedyRule) -> tuple[bool, bool, bool, date]:
        named = (rule.matter is not None, rule.land is not None, rule.authority_kind is not None)
        return (*named, rule.valid_from)

    valid = [rule for rule in rules if fits(rule)]
    if not valid:
        raise LookupError(f"no rule names the remedy against a notice of {authority_kind} in {land} on {on}")
    return max(valid, key=precision)


def remedy_deadline(notified_on: date, land: Land, *, has_instruction: bool = True) -> date:
    """The last day for objection or action: one month after notification (VwGO §§ 70, 74).

    One year if the notice had no or a wrong instruction on remedies (§ 58(2)).
    """
    return end_of_period(notified_on, months=1 if has_instruction else 12, land=land)
