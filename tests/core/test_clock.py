"""A preview may live in other years; what is written says so, and a real installation cannot."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.audit.kinds import define
from rathaus.core.audit.models import Event
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor

HAPPENED = define("tests.clock.happened", "Etwas geschah")
THEN = datetime(2021, 5, 27, 8, tzinfo=UTC)


def test_time_goes_on_from_the_chosen_moment_and_comes_back():
    with clock.living_at(THEN):
        assert clock.today() == date(2021, 5, 27)
        first = clock.now()
        assert clock.now() >= first >= THEN
    assert clock.now().year > 2021


def test_the_legal_day_is_german():
    with clock.living_at(datetime(2021, 5, 27, 22, 30, tzinfo=UTC)):
        assert clock.today() == date(2021, 5, 28)


def test_only_a_preview_lives_at_another_time(settings):
    settings.IS_PREVIEW = False
    with pytest.raises(RuntimeError, match="Vorschau"), clock.living_at(THEN):
        pass


@pytest.mark.django_db(databases=["default", "owner"])
def test_events_of_a_simulated_time_carry_it():
    authority = Authority.objects.create(kind="ministry", name="M", label="M", sort_key="m", slug="m-clock")
    by = Actor.system(authority.id)
    with by.acting():
        with clock.living_at(THEN):
            told = record(HAPPENED, by=by, authority=authority.id)
        now = record(HAPPENED, by=by, authority=authority.id)
        assert Event.objects.get(id=told.id).happened_at.year == 2021
        assert Event.objects.get(id=told.id).at.year > 2021  # the database's own time cannot be moved
        assert Event.objects.get(id=now.id).happened_at == Event.objects.get(id=now.id).at


def test_nothing_else_asks_the_system_what_time_it_is():
    """The benchmark measures real time; it is no part of the product."""
    package = Path(clock.__file__).parents[1]
    asking = re.compile(r"timezone\.(?:now|localdate)\(\)|\bdate\.today\(|\bdatetime\.(?:now|today|utcnow)\(")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if asking.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in found if not name.startswith("cli/bench/")} == {"core/clock.py"}
