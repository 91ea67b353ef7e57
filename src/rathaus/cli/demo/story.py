"""Years in minutes: who tells which chapters, in order."""

from __future__ import annotations

from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.competition import tell_competition
from rathaus.cli.demo.hessen import Hessen
from rathaus.cli.demo.people import Hands
from rathaus.cli.demo.place import Place
from rathaus.cli.demo.thueringen import Thueringen
from rathaus.cli.demo.today import tell_today


def tell_all(place: Place, chapters: Chapters) -> None:
    """From Thüringen's programme of 2019 to what waits today. The competition is last: what it leaves open, others
    would decide."""
    towns = [*place.all_2020, *place.nineteen]
    hands = Hands.of(place.hessen)
    chapters.tell("Vollmachten", lambda: hands.enter_mandates(towns), goes_on=True)
    thueringen = Thueringen(place, chapters)
    thueringen.tell_2019()
    Hessen(place, chapters).tell()
    tell_today(place, chapters)
    thueringen.tell_now()
    tell_competition(place, chapters)
