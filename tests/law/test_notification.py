"""The vectors of the domain notes B8, for notices sent by post unless said otherwise."""

from datetime import date

import pytest

from rathaus.law.days import Land
from rathaus.law.notification import (
    FICTION_RULES,
    Channel,
    FictionRule,
    NotificationSettings,
    RemedyKind,
    RemedyRule,
    deemed_notification,
    fiction_rule,
    notification_by_retrieval,
    remedy_deadline,
    remedy_for,
)

SHIFTED = NotificationSettings(shift_fiction_day=True)
HE, TH = Land.HESSEN, Land.THUERINGEN


@pytest.mark.parametrize(
    ("land", "sent", "notified", "last_day"),
    [
        (HE, "2024-12-27", "2024-12-30", "2025-01-30"),
        (HE, "2025-01-02", "2025-01-06", "2025-02-06"),
        (HE, "2025-05-14", "2025-05-18", "2025-06-18"),
        (TH, "2025-08-27", "2025-08-31", "2025-09-30"),
        (HE, "2025-01-27", "2025-01-31", "2025-02-28"),
        (HE, "2026-03-02", "2026-03-06", "2026-04-07"),
        (TH, "2025-09-12", "2025-09-16", "2025-10-16"),
    ],
)
def test_notification_and_last_day(land: Land, sent: str, notified: str, last_day: str) -> None:
    day = deemed_notification(date.fromisoformat(sent), land=land, channel=Channel.POST)
    assert day == date.fromisoformat(notified)
    assert remedy_deadline(day, land) == date.fromisoformat(last_day)


@pytest.mark.parametrize(
    ("land", "sent", "notified", "last_day"),
    [
        (HE, "2025-05-14", "2025-05-19", "2025-06-20"),
        (TH, "2025-08-27", "2025-09-01", "2025-10-01"),
        (HE, "2025-01-02", "2025-01-06", "2025-02-06"),
    ],
)
def test_the_variant_that_shifts_the_fiction_day(land: Land, sent: str, notified: str, last_day: str) -> None:
    day = deemed_notification(date.fromisoformat(sent), land=land, channel=Channel.POST, settings=SHIFTED)
    assert day == date.fromisoformat(notified)
    assert remedy_deadline(day, land) == date.fromisoformat(last_day)


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("land", list(Land))
def test_three_days_until_the_end_of_2024_then_four(channel: Channel, land: Land) -> None:
    assert fiction_rule(date(2024, 12, 31), land=land, channel=channel).days == 3
    assert fiction_rule(date(2025, 1, 1), land=land, channel=channel).days == 4


def test_what_is_not_verified_says_so() -> None:
    rule = fiction_rule(date(2025, 1, 1), land=HE, channel=Channel.POST)
    assert "nicht am Gesetzestext geprüft" in rule.source
    assert all(rule.source for rule in FICTION_RULES)


def test_an_authority_can_bring_its_own_table() -> None:
    own = FictionRule(Channel.POST, HE, 3, date(2025, 1, 1), "HVwVfG")
    settings = NotificationSettings(rules=(*FICTION_RULES[:2], own))
    assert deemed_notification(date(2025, 5, 14), land=HE, channel=Channel.POST, settings=settings) == date(
        2025, 5, 17
    )
    assert deemed_notification(date(2025, 5, 14), land=TH, channel=Channel.POST, settings=settings) == date(
        2025, 5, 18
    )


def test_no_rule_is_an_error_and_no_guess() -> None:
    with pytest.raises(LookupError, match="no rule"):
        deemed_notification(date(2003, 1, 31), land=HE, channel=Channel.MAILBOX)


@pytest.mark.parametrize(
    ("retrieved", "notified"),
    [("2025-05-14", "2025-05-15"), ("2025-05-24", "2025-05-25"), ("2025-05-25", None), (None, None)],
)
def test_retrieval_notifies_the_day_after_or_never(retrieved: str | None, notified: str | None) -> None:
    day = notification_by_retrieval(date(2025, 5, 14), date.fromisoformat(retrieved) if retrieved else None)
    assert day == (date.fromisoformat(notified) if notified else None)


def test_nothing_is_retrieved_before_it_is_there() -> None:
    with pytest.raises(ValueError, match="before it was provided"):
        notification_by_retrieval(date(2025, 5, 14), date(2025, 5, 13))


def test_without_instruction_there_is_a_year() -> None:
    assert remedy_deadline(date(2024, 2, 29), HE, has_instruction=False) == date(2025, 2, 28)


def test_action_against_a_ministry_objection_else() -> None:
    assert remedy_for("ministry", land=HE, on=date(2021, 6, 1)).remedy is RemedyKind.ACTION
    assert remedy_for("municipality", land=HE, on=date(2021, 6, 1)).remedy is RemedyKind.OBJECTION
    assert "§ 74" in remedy_for("ministry", land=TH, on=date(2021, 6, 1)).source


def test_exceptions_of_a_land_go_first() -> None:
    exception = RemedyRule(RemedyKind.ACTION, date(2005, 1, 1), "HessAGVwGO § 16a", land=HE, matter="grants")
    rules = (RemedyRule(RemedyKind.OBJECTION, date(1960, 4, 1), "VwGO § 68"), exception)
    day = date(2021, 6, 1)
    assert remedy_for("municipality", land=HE, on=day, matter="grants", rules=rules) is exception
    assert remedy_for("municipality", land=HE, on=day, rules=rules) is rules[0]
    assert remedy_for("municipality", land=TH, on=day, matter="grants", rules=rules) is rules[0]
    assert remedy_for("municipality", land=HE, on=date(2004, 1, 1), matter="grants", rules=rules) is rules[0]
    with pytest.raises(LookupError, match="no rule"):
        remedy_for("municipality", land=HE, on=date(1950, 1, 1), rules=rules)
