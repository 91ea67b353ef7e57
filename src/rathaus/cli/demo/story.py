"""Six years in minutes: the chapters of the demo in order of time, each kept when it is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.casework.cases.models import Notice, Remedy, Task
from rathaus.casework.services.packages import read_folder
from rathaus.cli.demo.lives import AT_ONCE, Lives, drawn_nothing, rest_lapses
from rathaus.cli.demo.people import Hands, living, yes
from rathaus.cli.demo.place import ROOT, Place
from rathaus.cli.demo.round import Progress, hand_in_and_decide, write_applications, write_later
from rathaus.cli.demo.troubles import Troubles
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import receipts
from rathaus.domains.grants.actions.loading import load_programme
from rathaus.domains.grants.actions.programme import provide
from rathaus.domains.grants.models import Call, Claim, Grant, Payment

LATER_CALL = "starke-heimat-smart-2025"
HALF = Decimal("0.50")
BROMSKIRCHEN = "Bromskirchen"


@dataclass
class Story:
    """What is told already. A file beside the database says which chapters are done."""

    hands: Hands
    folder: Path
    progress: Progress
    lives: int
    troubles: Troubles = field(default_factory=Troubles)
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, place: Place, folder: Path, progress: Progress, *, lives: int) -> Story:
        """A new story, or the one that was interrupted."""
        story = cls(Hands.of(place), folder, progress, lives)
        if story._file.exists():
            kept = json.loads(story._file.read_text(encoding="utf-8"))
            story.troubles, story.seconds = Troubles(kept["troubles"]), kept["seconds"]
        return story

    @property
    def _file(self) -> Path:
        return self.folder / "kapitel.json"

    def chapter(self, name: str, act: Callable[[], Any]) -> None:
        """Live a chapter unless it is told, and keep that it is."""
        if name in self.seconds:
            return
        begun = time.perf_counter()
        act()
        self.seconds[name] = round(time.perf_counter() - begun, 1)
        kept = {"troubles": self.troubles.rows(), "seconds": self.seconds}
        self._file.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")

    @property
    def round_seconds(self) -> float:
        """From the files of applications to the last notice."""
        return round(sum(self.seconds.get(name, 0.0) for name in ("Aufruf 2020", "Aufruf 2021")), 1)

    def tell(self) -> None:
        """All chapters."""
        hands, place = self.hands, self.hands.place
        lives = Lives(hands, self.progress, self.troubles, lives=self.lives)
        first, second = write_applications(place, self.folder)
        self.chapter("Vollmachten", hands.enter_mandates)
        self.chapter(
            "Aufruf 2020",
            lambda: hand_in_and_decide(
                hands, place.first_call, first, self.progress, handed_in="2020-09-28", decided="2020-10-19"
            ),
        )
        self._draw_2020(lives)
        self.chapter(
            "Aufruf 2021",
            lambda: hand_in_and_decide(
                hands, place.smart_call, second, self.progress, handed_in="2021-05-27", decided="2021-06-21"
            ),
        )
        self._draw_smart(lives)
        self._prove_2020(lives)
        self._money_back(lives)
        self._later(lives)
        self._today(lives)

    # --- 2020: most of the money is drawn in the same year ---

    def _draw_2020(self, lives: Lives) -> None:
        first = lives.first_call()
        quick = [grant for number, grant in enumerate(first) if number % AT_ONCE]
        slow = [grant for number, grant in enumerate(first) if not number % AT_ONCE]
        lapsing = slow[1::15]
        in_two = quick[4::40]

        def refusals() -> None:
            with living("2020-10-20", workers=0):
                try_it, grant = self.troubles.expect, slow[0]
                try_it(
                    "Abruf, bevor der Bescheid bestandskräftig ist", lambda: lives.ask(grant, grant.amount)
                )

        self.chapter("Abruf vor der Bestandskraft", refusals)
        self.chapter("Verzicht auf Rechtsbehelf", lambda: lives.waive("2020-10-26", quick))
        self.chapter(
            "Erste Abrufe 2020",
            lambda: lives.draw(
                "2020-11-02",
                "Mittel abrufen",
                [
                    (
                        grant,
                        (grant.amount * HALF).quantize(Decimal("0.01")) if grant in in_two else grant.amount,
                    )
                    for grant in quick
                ],
                bounced=2,
            ),
        )
        rest = [(grant, grant.amount - half_of(grant)) for grant in in_two]
        late = [(grant, grant.amount) for grant in slow if grant not in lapsing]

        def second() -> None:
            with living("2020-12-06", workers=0):
                self._refused_drawdowns(lives, in_two[0] if in_two else None, slow[0])
            lives.draw("2020-12-07", "Mittel abrufen", [*rest, *late])

        self.chapter("Letzte Abrufe 2020", second)

        def lapse() -> None:
            with living("2020-12-21", workers=0):
                for grant in lapsing:
                    self.troubles.expect(
                        "Abruf nach dem letzten Tag des Haushaltsjahres",
                        partial(lives.ask, grant, grant.amount),
                    )
            with living("2021-01-15", workers=0):
                for grant in lapsing:
                    self.troubles.expect(
                        "Abruf aus einem vergangenen Haushaltsjahr",
                        partial(lives.ask, grant, grant.amount, haushaltsjahr=2020),
                    )
                rest_lapses(self.hands, drawn_nothing(self.hands, lapsing))
                self.troubles.note("Nicht abgerufen, Mittel freigegeben")

        self.chapter("Was niemand abrief", lapse)

    def _refused_drawdowns(self, lives: Lives, in_two: Grant | None, slow: Grant) -> None:
        """Attempts that must be refused, each with its reason."""
        try_it, some = self.troubles.expect, Decimal("100.00")
        try_it("Mehr abgerufen als bewilligt", lambda: lives.ask(slow, slow.amount + Decimal("0.01")))
        try_it("Abruf aus einem späteren Haushaltsjahr", lambda: lives.ask(slow, some, haushaltsjahr=2021))
        try_it("Falsche IBAN", lambda: lives.ask(slow, some, iban="DE02120300000000202052"))
        try_it("Schlussrate ohne Nachweis", lambda: lives.ask(slow, some, is_final=True))
        if in_two is not None:
            try_it(
                "Verwendung der vorigen Rate nicht gemeldet",
                lambda: lives.ask(in_two, some, schon_ausgezahlt=False, verwendet=None, verwendet_am=None),
            )

    # --- three projects: rates, a change, a remedy, too late a use ---

    def _draw_smart(self, lives: Lives) -> None:
        def begin() -> None:
            ehringshausen, lahnau, waldsolms = (
                lives.smart(name) for name in ("Ehringshausen", "Lahnau", "Waldsolms")
            )
            lives.waive("2021-06-28", [ehringshausen])
            with living("2021-07-12", workers=0):
                with self.hands.clerk.acting():
                    notice = Notice.objects.get(case_id=waldsolms.case_id)
                note_remedy(
                    by=self.hands.clerk, notice=notice.id, kind="action", received_on=clock.today(),
                    note="Klage gegen eine Nebenbestimmung.",
                )  # fmt: skip
                self.troubles.expect(
                    "Abruf, bevor das Vorhaben beginnt", lambda: lives.ask(ehringshausen, Decimal("100.00"))
                )
            with living("2021-09-01", workers=0):
                self.troubles.expect(
                    "Abruf, solange eine Klage läuft", lambda: lives.ask(waldsolms, Decimal("100.00"))
                )
                with self.hands.clerk.acting():
                    remedy = Remedy.objects.get(case_id=waldsolms.case_id)
                settle_remedy(
                    by=self.hands.clerk, remedy=remedy.id, settled_on=clock.today(), result="withdrawn",
                    note="Die Gemeinde nahm die Klage zurück.",
                )  # fmt: skip
                self.troubles.note("Klage gegen den Bescheid, erledigt")
            lives.draw(
                "2021-09-06",
                "Mittel abrufen",
                [
                    (ehringshausen, Decimal("87300.00")),
                    (lahnau, Decimal("20000.00")),
                    (waldsolms, Decimal("40000.00")),
                ],
            )
            lives.draw(
                "2022-02-07",
                "Mittel abrufen",
                [(ehringshausen, Decimal("150000.00")), (lahnau, Decimal("20000.00"))],
            )

        self.chapter("Drei Vorhaben 2021 und 2022", begin)
        self.chapter("Zinsen für zu späte Verwendung", lambda: self._interest(lives))

    def _interest(self, lives: Lives) -> None:
        """Waldsolms used its first rate four months late: interest only (§ 49a (4) VwVfG)."""
        grant = lives.smart("Waldsolms")
        with self.hands.clerk.acting():
            paid = Payment.objects.get(grant=grant)
        assert paid.paid_on is not None
        lives.claim(
            "2022-03-07",
            [grant],
            grund="verspaetet",
            betrag=str(paid.amount),
            ausgezahlt_am=paid.paid_on.isoformat(),
            verwendet_am="2022-02-28",
            zinsen_ab=None,
            rest_entfaellt=None,
            sachverhalt="Die erste Rate wurde erst am 28. Februar 2022 verwendet, nicht innerhalb von zwei Monaten.",
        )
        lives.hear_and_decide("2022-04-11")
        with self.hands.clerk.acting():
            found = Claim.objects.get(grant=grant)
        lives.repay("2022-05-02", [found])
        self.troubles.note("Geld zu spät verwendet: Zinsen")

    # --- proofs of the first call ---

    def _prove_2020(self, lives: Lives) -> None:
        first = [grant for grant in lives.first_call() if grant.amount]
        merged = [grant for grant in first if BROMSKIRCHEN in grant.recipient_name]
        others = [grant for grant in first if grant not in merged]
        cheap, wrong, overdue = others[7::44], others[12::44], others[20::90]
        plain = [grant for grant in others if grant not in (*cheap, *wrong, *overdue)]

        def sums() -> None:
            with living("2022-01-31", workers=0):
                self.troubles.expect(
                    "Belege ergeben nicht die Ausgaben",
                    lambda: lives.hand_in_proof(plain[0], Decimal(1), off=Decimal("0.10")),
                )

        self.chapter("Belege, die nicht aufgehen", sums)
        half = len(plain) // 2
        self.chapter("Nachweise im Februar", lambda: lives.prove("2022-02-01", "Nachweise", plain[:half]))
        self.chapter("Nachweise im Mai", lambda: lives.prove("2022-05-02", "Nachweise", plain[half:]))
        self.chapter(
            "Sparsame Kommunen",
            lambda: lives.prove(
                "2022-05-09", "Nachweise mit Erstattung", cheap, share=lambda grant: Decimal("0.60")
            ),
        )

        def not_accepted() -> None:
            lives.prove("2022-05-16", "Nachweise ohne Ergebnis", wrong, answers=_not_accepted)
            self._count("Nachweis nicht anerkannt, neu eingereicht", len(wrong))
            lives.prove("2022-06-20", "Nachweise noch einmal", wrong)

        self.chapter(
            "Nicht anerkannte Nachweise",
            not_accepted,
        )

        def too_late() -> None:
            with living("2022-09-01", workers=0):
                self._count("Nachweis überfällig", len(overdue))
                for grant in overdue[:1]:
                    self.troubles.expect(
                        "Nachweis überfällig: kein weiterer Abruf",
                        partial(lives.ask, grant, Decimal("1.00"), haushaltsjahr=2022),
                    )
            lives.prove("2022-09-12", "Späte Nachweise", overdue[: len(overdue) // 2])

        self.chapter("Überfällige Nachweise", too_late)

    def _count(self, name: str, times: int) -> None:
        for _ in range(times):
            self.troubles.note(name)

    # --- money back: hearing, notice, instalments, waiver, revocation ---

    def _money_back(self, lives: Lives) -> None:
        def begin() -> None:
            with self.hands.clerk.acting():
                found = Grant.objects.filter(proofs__state="accepted", proofs__to_repay__gt=0)
                grants = list(found.select_related("case").distinct().order_by("reference"))
            lives.claim("2022-06-27", grants)
            lives.hear_and_decide("2022-08-01")

        self.chapter("Rückforderungen", begin)

        def pay() -> None:
            owed = [
                found
                for found in lives.open_claims()
                if found.grant.call_id == self.hands.place.first_call.id
            ]
            if not owed:
                return
            with living("2022-08-15", workers=0):
                in_parts, waived = owed[:1], owed[1:2]
                for found in in_parts:
                    amount = receipts.open_principal(found)
                    first = (amount * HALF).quantize(Decimal("0.01"))
                    plan = [(date(2022, 10, 1), first), (date(2023, 4, 1), amount - first)]
                    receipts.agree_instalments(by=self.hands.approver, claim=found.id, instalments=plan)
                    self.troubles.note("Rückzahlung in Raten")
                for found in waived:
                    receipts.waive(
                        by=self.hands.approver,
                        claim=found.id,
                        reason="Die Beitreibung kostet mehr, als sie bringt.",
                    )
                    self.troubles.note("Forderung erlassen")
            lives.repay("2022-08-29", owed[3:])
            self._count("Zu viel ausgezahltes Geld zurückgezahlt, mit Zinsen", len(owed[3:]))
            lives.repay("2022-10-01", owed[:1], share=HALF)
            with living("2022-10-04", workers=0):
                for found in owed[3:4]:
                    self.troubles.expect(
                        "Rückzahlung zweimal gebucht",
                        partial(self._receive, found, "X"),
                    )

        self.chapter("Rückzahlungen", pay)

        def revoke() -> None:
            with self.hands.clerk.acting():
                running = Grant.objects.filter(
                    state="running", call=self.hands.place.first_call, amount__gt=0
                )
                found = running.exclude(recipient_name__contains=BROMSKIRCHEN).order_by("-reference").first()
                paid = Payment.objects.filter(grant=found, paid_on__isnull=False).first() if found else None
            if found is None or paid is None:
                return
            lives.claim(
                "2022-11-07",
                [found],
                grund="widerruf",
                betrag=str(found.amount),
                rest_entfaellt=True,
                sachverhalt="Der Verwendungsnachweis fehlt trotz Erinnerung. Der Bescheid wird ganz widerrufen.",
            )
            lives.hear_and_decide("2022-12-12")
            self.troubles.note("Bescheid widerrufen")
            with living("2022-12-13", workers=0):
                self.troubles.expect(
                    "Offene Rückforderung: kein weiterer Abruf",
                    lambda: lives.ask(found, Decimal("1.00"), haushaltsjahr=2022),
                )

        self.chapter("Widerruf", revoke)

    def _receive(self, claim: Claim, reference: str) -> None:
        receipts.record_receipt(
            by=self.hands.clerk,
            claim=claim.id,
            amount=Decimal("10.00"),
            on=clock.today(),
            reference=reference,
        )

    # --- 2023 and after ---

    def _later(self, lives: Lives) -> None:
        def merged() -> None:
            grants = [
                grant for grant in lives.first_call() if BROMSKIRCHEN in grant.recipient_name and grant.amount
            ]
            lives.prove("2023-02-06", "Bromskirchen: Allendorf (Eder) weist nach", grants)
            self._count("Kommune aufgegangen, Nachfolgerin weist nach", len(grants))

        self.chapter("Gebietsänderung", merged)

        def lahnau() -> None:
            grant = lives.smart("Lahnau")
            lives.prove(
                "2023-03-06",
                "Lahnau: Nachweis",
                [grant],
                items=[
                    {"gegenstand": "Scanner mit Einzug", "angeschafft_am": "2022-03-01", "preis": "2400.00"}
                ],
            )

        self.chapter("Lahnau weist nach", lahnau)

        def ehringshausen() -> None:
            grant = lives.smart("Ehringshausen")
            with living("2022-11-21"):
                lives.ask(grant, Decimal("90000.00"))
                lives.decide("Ehringshausen: Mittel abrufen")
                lives.pay()
            lives.prove("2023-11-06", "Ehringshausen: Nachweis", [grant], share=lambda _: Decimal("0.90"))

        self.chapter("Ehringshausen weist nach", ehringshausen)

        def rate_missing() -> None:
            left = [found for found in lives.open_claims() if found.interest_from]
            with living("2026-03-02", workers=0):
                for found in left[:1]:
                    self.troubles.expect(
                        "Basiszinssatz fehlt für den Zeitraum",
                        partial(self._receive, found, "2026-1"),
                    )

        self.chapter("Ein Zinssatz fehlt", rate_missing)

        def strangers() -> None:
            with living("2026-03-03", workers=0):
                stranger = Actor.system(self.hands.place.all_2020[0].id)
                with self.hands.clerk.acting():
                    payment = Payment.objects.order_by("id").first()
                assert payment is not None
                with stranger.acting():
                    seen = Payment.objects.filter(id=payment.id).exists()
                if not seen:
                    self.troubles.note("Fremde Behörde rät Nummern: sieht nichts")

        self.chapter("Fremde Behörde", strangers)

    # --- now: a call that runs, with work for today ---

    def _today(self, lives: Lives) -> None:
        place = self.hands.place
        system = Actor.system(place.ministry.id)

        def call() -> Call:
            loaded = load_programme(
                by=system,
                authority=place.ministry,
                text=(ROOT / "daten/programme/starke-heimat-2025.toml").read_text(encoding="utf-8"),
                package=lambda name: read_folder(ROOT / "leistungen" / name),
            )
            return next(found for found in loaded.calls if found.key == LATER_CALL)

        def decide() -> None:
            found = call()
            file = write_later(self.folder, found.offer.slug)
            hand_in_and_decide(
                self.hands, found, file, self.progress, handed_in="2025-10-15", decided="2025-12-08"
            )

        self.chapter("Aufruf 2025", decide)

        def draw() -> None:
            grants = lives.grants_of(call().id)
            lives.waive("2025-12-15", grants)
            with living("2026-01-05", workers=0):
                measure = grants[0].call.measure
                provide(by=system, measure=measure, year=2026, amount=Decimal("16000000.00"))
            lives.draw(
                "2026-03-02", "Mittel abrufen 2026", [(grant, Decimal("20000.00")) for grant in grants]
            )

        self.chapter("Abrufe 2026", draw)

        def waiting() -> None:
            grants = lives.grants_of(call().id)
            with living("2026-11-16"):
                for grant in grants[:1]:
                    lives.ask(grant, Decimal("31250.00"))
                lives.decide("Mittel abrufen 2026: entscheiden")
                for grant in grants[1:3]:
                    lives.ask(grant, Decimal("18000.00"))

        self.chapter("Was heute wartet", waiting)


def half_of(grant: Grant) -> Decimal:
    """Half of a grant, in whole cents."""
    return (grant.amount * HALF).quantize(Decimal("0.01"))


def _not_accepted(task: Task) -> dict[str, Any]:
    """The clerk does not accept a proof."""
    given = yes(task)
    if task.form == "kern:vorschlag":
        return {
            "ergebnis": "refused",
            "betrag": None,
            "begruendung": "Die Belege liegen außerhalb des Vorhabens.",
        }
    return given
