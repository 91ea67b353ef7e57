"""Thüringen in the same installation: a ministry of its own, its programme of 2019 and its guideline of 2024.

That 19 municipalities applied for 1.79 million euros by June 2019 is public; who they were, what for, and what became of it
is not, and invented here.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Any

from rathaus.casework.cases.models import Case, Task
from rathaus.casework.services.actions import set_terms
from rathaus.casework.services.packages import read_folder
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.lives import Lives
from rathaus.cli.demo.people import DemoFailed, Hands, yes
from rathaus.cli.demo.place import ROOT, House, Place
from rathaus.cli.demo.round import (
    CENT,
    INVENTED,
    flatten,
    hand_in,
    hand_in_and_decide,
    paid_with,
    sample,
    with_files,
    write,
)
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.loading import load_programme
from rathaus.domains.grants.actions.programme import provide, set_up_programme
from rathaus.domains.grants.models import Call, Claim, Grant, Movement, Payment, Programme
from rathaus.domains.grants.queries import programme_file
from rathaus.law.money import share_largest_remainder

PROGRAMME = "thueringen-egovernment"
ASKED, BASE = Decimal("1790000.00"), Decimal("40000.00")
PURPOSES = (
    ("it-service-center", "Gemeinsames IT-Service-Center", "Dienstleistung"),
    ("online-dienste", "Online-Antragsverfahren", "Software"),
    ("fachverfahren", "Elektronische Rechnung im gemeinsamen Fachverfahren", "Software"),
    ("it-sicherheit", "Schulung zur IT-Sicherheit", "Schulung"),
)
# What waits today: who, for what, what it costs. The guideline takes no more applications for document management.
NOW = (
    ("16070029", "schnittstellen", "Fachverfahren anbinden", Decimal("60000.00")),
    ("16067029", "schulung", "Schulung für digitale Abläufe", Decimal("25000.00")),
    ("16053000", "dms", "Dokumentenmanagement erweitern", Decimal("90000.00")),
)


class Thueringen:
    """The chapters of the second state."""

    def __init__(self, place: Place, chapters: Chapters) -> None:
        self.place, self.chapters = place, chapters
        self.house = place.thueringen
        self.hands = Hands.of(self.house)
        self.lives = Lives(self.hands, chapters.bars, chapters.troubles)

    def tell_2019(self) -> None:
        """80 million euros, 19 applications, each drawn and proven."""
        tell, lives, bars = self.chapters.tell, self.lives, self.chapters.bars

        def call() -> None:
            found = self._load("thueringen-2019")
            file = self._write_2019(found.offer.slug)
            hand_in_and_decide(self.hands, found, file, bars, handed_in="2019-05-20", decided="2019-09-02")

        tell("2019: 19 Anträge in Thüringen", call, goes_on=True)

        def draw() -> None:
            wanted = [(grant, grant.amount) for grant in self._grants()]
            lives.draw("2020-03-02", "Mittel abrufen", wanted)

        tell("2020: Thüringen zahlt aus", draw, goes_on=True)
        tell(
            "2021: Thüringen prüft Nachweise",
            lambda: lives.prove("2021-03-01", "Nachweise", self._grants()),
            goes_on=True,
        )

    def tell_now(self) -> None:
        """The guideline of 2024 runs: its rules were changed by the head, and applications wait."""
        self.chapters.tell("2024: neue Richtlinie in Thüringen", self._guideline)
        self.chapters.tell("2026: Thüringens Anträge heute", self._now)
        self.chapters.tell("Zwei Ministerien", self._apart, goes_on=True)

    def _guideline(self) -> None:
        with self.hands.living("2024-07-01"):
            call = self._load("thueringen-2024")
        with self.hands.living("2026-01-12"):
            for year, amount in ((2024, 0), (2025, 0), (2026, 5_000_000), (2027, 5_000_000)):
                provide(by=self.house.head, measure=call.measure, year=year, amount=Decimal(amount))
            set_terms(
                by=self.house.head,
                offer=call.offer,
                parameters={"jahre": [2026, 2027]},
                note="Das Geld von 2024 und 2025 steht 2026 und 2027 bereit.",
                based_on=call.offer.terms.number,
            )

    def _now(self) -> None:
        with self.hands.clerk.acting():
            call = Call.objects.select_related("offer").get(key="egov-2024")
        file = self._write_now(call.offer.slug)
        with self.hands.living("2026-11-09"):
            hand_in(self.hands, call, file, self.chapters.bars)
        with self.hands.clerk.acting():
            first, second, _ = Case.objects.filter(offer=call.offer).order_by("reference")

        def some(task: Task) -> dict[str, Any] | None:
            """The first is proposed, the second complete, the third untouched."""
            if task.form == "kern:pruefung" and task.case_id in (first.id, second.id):
                return yes(task)
            if task.form == "kern:vorschlag" and task.case_id == first.id:
                return {**yes(task), "einzelheiten": {"jahre": {"2027": str(task.case.amount)}}}
            return None

        with self.hands.living("2026-11-16"):
            self.lives.decide("Prüfen, vorschlagen", some)

    def _apart(self) -> None:
        for house, other, programme in (
            (self.house, self.place.hessen, "starke-heimat-hessen"),
            (self.place.hessen, self.house, PROGRAMME),
        ):
            if _sees(house, other, programme):
                raise DemoFailed(f"{house.ministry.name} sieht, was {other.ministry.name} gehört.")
            self.chapters.troubles.note("Fremdes Ministerium rät Nummern: sieht nichts")

    def _load(self, name: str) -> Call:
        by = Actor.system(self.house.ministry.id)
        loaded = load_programme(
            by=by,
            authority=self.house.ministry,
            text=(ROOT / f"daten/programme/{name}.toml").read_text(encoding="utf-8"),
            package=lambda key: read_folder(ROOT / "leistungen" / key),
        )
        set_up_programme(
            by=by,
            authority=self.house.ministry.id,
            key=PROGRAMME,
            title=loaded.programme.title,
            payer_name="Freistaat Thüringen",
            payer_iban="DE02300209000106531065",
        )
        return loaded.calls[0]

    def _grants(self) -> list[Grant]:
        with self.hands.clerk.acting():
            return self.lives.grants_of(Call.objects.get(key="egov-2019").id)

    def _write_2019(self, slug: str) -> Path:
        """Who applied for how much: a base for each, the rest by population. Each of the four purposes in turn."""
        towns = self.place.nineteen
        amounts = share_largest_remainder(ASKED, [town.population or 0 for town in towns], base=BASE)
        rows = []
        for number, (town, amount) in enumerate(zip(towns, amounts, strict=True)):
            purpose, title, kind = PURPOSES[number % len(PURPOSES)]
            cost = (amount * 5 / 4).quantize(CENT, ROUND_UP)
            rows.append(
                self._row(
                    slug, town, titel=title, gegenstand=purpose, beginn="2020-01-01", ende="2020-12-31",
                    ziel="Am 31. Dezember 2020 arbeiten alle Ämter damit.", **paid_with(title, cost, amount, kind),
                )
            )  # fmt: skip
        return write(self.chapters.folder / "antraege-thueringen-2019.csv", rows)

    def _write_now(self, slug: str) -> Path:
        towns = {town.ags: town for town in self.place.nineteen}
        rows = [
            self._row(
                slug, towns[ags], titel=title, gegenstand=purpose, beginn="2027-01-01", ende="2027-12-31",
                ziel="Am 31. Dezember 2027 arbeiten alle Ämter damit.", **paid_with(title, cost, cost * 4 / 5),
            )
            for ags, purpose, title, cost in NOW
        ]  # fmt: skip
        return write(self.chapters.folder / "antraege-thueringen-2026.csv", rows)

    def _row(self, slug: str, town: Authority, **said: Any) -> dict[str, str]:
        answers = {**sample("egov-foerderung", "schnittstellen"), "beschreibung": INVENTED, **said}
        return {
            "leistung": slug,
            "ags": town.ags,
            **flatten(with_files(answers, self.chapters.folder)),
        }


def _sees(house: House, other: House, programme: str) -> bool:
    """Whether a clerk reaches what is not public of another ministry, by its key or by guessing."""
    with house.clerk.acting():
        try:
            programme_file(house.clerk, programme)
        except Programme.DoesNotExist:
            theirs = {"authority_id": other.ministry.id}
            return any(model.objects.filter(**theirs).exists() for model in (Case, Payment, Movement, Claim))
    return True
