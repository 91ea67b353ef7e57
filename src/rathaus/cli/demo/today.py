"""Hessen's call of 2025, and what waits today."""

from __future__ import annotations

from decimal import Decimal

from rathaus.casework.services.packages import read_folder
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.lives import Lives
from rathaus.cli.demo.people import Hands
from rathaus.cli.demo.place import ROOT, Place
from rathaus.cli.demo.round import hand_in_and_decide, write_later
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.loading import load_programme
from rathaus.domains.grants.actions.programme import provide
from rathaus.domains.grants.models import Call, Grant

LATER_CALL = "starke-heimat-smart-2025"


def tell_today(place: Place, chapters: Chapters) -> None:
    """Four projects of 2025: decided, a first rate paid, some requests open."""
    ministry, hands = place.hessen.ministry, Hands.of(place.hessen)
    lives = Lives(hands, chapters.bars, chapters.troubles)
    system = Actor.system(ministry.id)

    def decide() -> None:
        loaded = load_programme(
            by=system,
            authority=ministry,
            text=(ROOT / "daten/programme/starke-heimat-2025.toml").read_text(encoding="utf-8"),
            package=lambda name: read_folder(ROOT / "leistungen" / name),
        )
        call = next(found for found in loaded.calls if found.key == LATER_CALL)
        file = write_later(chapters.folder, call.offer.slug)
        hand_in_and_decide(hands, call, file, chapters.bars, handed_in="2025-10-15", decided="2025-12-08")

    chapters.tell("2025: Aufruf mit vier Vorhaben", decide, goes_on=True)

    def grants() -> list[Grant]:
        with hands.clerk.acting():
            return lives.grants_of(Call.objects.get(key=LATER_CALL).id)

    def draw() -> None:
        lives.waive("2025-12-15", grants())
        with hands.living("2026-01-05"):
            provide(by=system, measure=grants()[0].call.measure, year=2026, amount=Decimal("16000000.00"))
        lives.draw("2026-03-02", "Mittel abrufen", [(grant, Decimal("20000.00")) for grant in grants()])

    chapters.tell("2026: erste Raten", draw, goes_on=True)

    def waiting() -> None:
        first, *others = grants()
        with hands.living("2026-11-16"):
            lives.ask(first, Decimal("31250.00"))
            lives.decide("Mittel abrufen: entscheiden")
            for grant in others[:2]:
                lives.ask(grant, Decimal("18000.00"))

    chapters.tell("2026: was in Hessen heute wartet", waiting)
