"""Starke Heimat Hessen, 2020 to 2025: drawn, proven, closed, and all that goes wrong on the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.casework.cases.models import Notice, Remedy, Task
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.lives import AT_ONCE, Lives, drawn_nothing, rest_lapses
from rathaus.cli.demo.people import Hands, yes
from rathaus.cli.demo.place import Place
from rathaus.cli.demo.round import round_of_2020, round_of_2021
from rathaus.core import clock
from rathaus.domains.grants.actions import receipts
from rathaus.domains.grants.actions.award import current_award
from rathaus.domains.grants.models import Claim, Grant, Payment
from rathaus.law.money import format_amount

CALL_2020, CALL_2021 = "2020: Aufruf an alle Kommunen", "2021: drei Vorhaben"
HALF = Decimal("0.50")
BROMSKIRCHEN, SCANNER = "Bromskirchen", "Scanner mit Einzug"
MOVED = Decimal("150000.00")


class Hessen:
    """The chapters of Starke Heimat Hessen."""

    def __init__(self, place: Place, chapters: Chapters) -> None:
        self.place, self.chapters, self.troubles = place, chapters, chapters.troubles
        self.hands = Hands.of(place.hessen)
        self.lives = Lives(self.hands, chapters.bars, chapters.troubles)

    def first_call(self) -> list[Grant]:
        """Grants of the call of 2020 that go on after their notice, in the order of their numbers."""
        return self.lives.grants_of(self.place.first_call.id)[: self.chapters.lives]

    def smart(self, name: str) -> Grant:
        """One of the three projects of 2021."""
        grants = self.lives.grants_of(self.place.smart_call.id)
        return next(grant for grant in grants if name in grant.recipient_name)

    def tell(self) -> None:
        """From the call of 2020 to the last proof."""
        chapters, hands, place = self.chapters, self.hands, self.place
        chapters.tell(
            CALL_2020,
            lambda: round_of_2020(hands, place, chapters.folder, chapters.bars),
            goes_on=True,
        )
        self._draw_2020()
        chapters.tell(
            CALL_2021,
            lambda: round_of_2021(hands, place, chapters.folder, chapters.bars),
            goes_on=True,
        )
        self._draw_smart()
        self._prove_2020()
        self._money_back()
        self._later()

    # --- 2020: most of the money is drawn in the same year ---

    def _draw_2020(self) -> None:
        lives = self.lives
        first = self.first_call()
        quick = [grant for number, grant in enumerate(first) if number % AT_ONCE]
        slow = [grant for number, grant in enumerate(first) if not number % AT_ONCE]
        lapsing = slow[1::15]
        in_two = quick[4::40]

        def refusals() -> None:
            with self.hands.living("2020-10-20"):
                try_it, grant = self.troubles.expect, slow[0]
                try_it(
                    "Abruf, bevor der Bescheid bestandskräftig ist", lambda: lives.ask(grant, grant.amount)
                )

        self.chapters.tell("2020: Abruf vor der Bestandskraft", refusals, goes_on=True)
        self.chapters.tell(
            "2020: Verzicht auf Rechtsbehelfe", lambda: lives.waive("2020-10-26", quick), goes_on=True
        )
        self.chapters.tell(
            "2020: erste Abrufe",
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
            goes_on=True,
        )
        rest = [(grant, grant.amount - half_of(grant)) for grant in in_two]
        late = [(grant, grant.amount) for grant in slow if grant not in lapsing]

        def second() -> None:
            with self.hands.living("2020-12-06"):
                self._refused_drawdowns(lives, in_two[0] if in_two else None, slow[0])
            lives.draw("2020-12-07", "Mittel abrufen", [*rest, *late])

        self.chapters.tell("2020: letzte Abrufe", second)

        def lapse() -> None:
            with self.hands.living("2020-12-21"):
                for grant in lapsing:
                    self.troubles.expect(
                        "Abruf nach dem letzten Tag des Haushaltsjahres",
                        partial(lives.ask, grant, grant.amount),
                    )
            with self.hands.living("2021-01-15"):
                for grant in lapsing:
                    self.troubles.expect(
                        "Abruf aus einem vergangenen Haushaltsjahr",
                        partial(lives.ask, grant, grant.amount, haushaltsjahr=2020),
                    )
                lapsed = rest_lapses(self.hands, drawn_nothing(self.hands, lapsing))
                self._count("Nicht abgerufen, Mittel freigegeben", lapsed)

        self.chapters.tell("2021: was niemand abrief", lapse)

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

    def _draw_smart(self) -> None:
        lives = self.lives

        def begin() -> None:
            ehringshausen, lahnau, waldsolms = (
                self.smart(name) for name in ("Ehringshausen", "Lahnau", "Waldsolms")
            )
            lives.waive("2021-06-28", [ehringshausen])
            with self.hands.living("2021-07-12"):
                with self.hands.clerk.acting():
                    notice = Notice.objects.get(case_id=waldsolms.case_id)
                note_remedy(
                    by=self.hands.clerk, notice=notice.id, kind="action", received_on=clock.today(),
                    note="Klage gegen eine Nebenbestimmung.",
                )  # fmt: skip
                self.troubles.expect(
                    "Abruf, bevor das Vorhaben beginnt", lambda: lives.ask(ehringshausen, Decimal("100.00"))
                )
            with self.hands.living("2021-09-01"):
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

        self.chapters.tell("2021: Klage, erste Raten", begin)
        self.chapters.tell("2021: Ehringshausen verschiebt Geld", self._change)

        def second() -> None:
            ehringshausen, lahnau = self.smart("Ehringshausen"), self.smart("Lahnau")
            lives.draw(
                "2022-02-07",
                "Mittel abrufen",
                [(ehringshausen, Decimal("150000.00")), (lahnau, Decimal("20000.00"))],
            )

        self.chapters.tell("2022: zweite Raten", second, goes_on=True)
        self.chapters.tell("2022: Zinsen für späte Verwendung", self._interest)

        def third() -> None:
            lives.draw("2022-11-21", "Mittel abrufen", [(self.smart("Ehringshausen"), Decimal("190000.00"))])

        self.chapters.tell("2022: dritte Rate", third, goes_on=True)

    def _change(self) -> None:
        """Ehringshausen cannot spend all of 2021 in time: 150,000 euros go to 2022, in a second version of the award."""
        grant = self.smart("Ehringshausen")
        with self.hands.clerk.acting():
            years = {row.year: row.amount for row in current_award(grant).years.all()}
        moved = {2021: years[2021] - MOVED, 2022: years[2022] + MOVED}
        wanted = [{"jahr": year, "betrag": str(amount)} for year, amount in moved.items()]
        with self.hands.living("2021-11-08"):
            self.hands.hand_in(
                "aenderungsantrag",
                grant,
                {
                    "was": ["Jahresbeträge"],
                    "gruende": "Die Datenübernahme beginnt erst im neuen Jahr. Das Ziel erreichen wir trotzdem.",
                    "jahre": wanted,
                    "richtig": True,
                },
            )
            self.lives.decide("Änderung: entscheiden", decide_change)
        self.troubles.note("Änderung beantragt und beschieden: Geld ins nächste Jahr")

    def _disposal(self) -> None:
        """Lahnau sells its scanner 20 months before the earmarking ends, and pays that part of the grant back."""
        grant = self.smart("Lahnau")
        with self.hands.living("2025-06-30"):
            self.hands.hand_in(
                "veraeusserung",
                grant,
                {
                    "gegenstand": SCANNER,
                    "am": "2025-06-30",
                    "verbleib": "verkauft an eine Schule",
                    "erloes": "300.00",
                    "grund": "Die Post kommt inzwischen digital, der Scanner steht still.",
                    "richtig": True,
                },
            )
            self.lives.decide("Veräußerung: entscheiden")
        with self.hands.clerk.acting():
            claim = Claim.objects.get(grant=grant)
        self.lives.repay("2025-07-21", [claim])
        share = format_amount(claim.amount)
        self.troubles.note(f"Gefördertes Gerät vor der Zeit verkauft: {share} zurück")

    def _interest(self) -> None:
        """Waldsolms used its first rate four months late: interest only (§ 49a (4) VwVfG)."""
        lives = self.lives
        grant = self.smart("Waldsolms")
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

    def _prove_2020(self) -> None:
        lives = self.lives
        first = [grant for grant in self.first_call() if grant.amount]
        merged = [grant for grant in first if BROMSKIRCHEN in grant.recipient_name]
        others = [grant for grant in first if grant not in merged]
        cheap, wrong, overdue = others[7::44], others[12::44], others[20::90]
        plain = [grant for grant in others if grant not in (*cheap, *wrong, *overdue)]

        def sums() -> None:
            with self.hands.living("2022-01-31"):
                self.troubles.expect(
                    "Belege ergeben nicht die Ausgaben",
                    lambda: lives.hand_in_proof(plain[0], Decimal(1), off=Decimal("0.10")),
                )

        self.chapters.tell("2022: Belege, die nicht aufgehen", sums, goes_on=True)
        half = len(plain) // 2
        for name, day, grants in (
            ("2022: Nachweise im Februar", "2022-02-01", plain[:half]),
            ("2022: Nachweise im Mai", "2022-05-02", plain[half:]),
        ):
            self.chapters.tell(name, partial(lives.prove, day, "Nachweise", grants), goes_on=True)
        self.chapters.tell(
            "2022: sparsame Kommunen",
            lambda: lives.prove(
                "2022-05-09", "Nachweise mit Erstattung", cheap, share=lambda grant: Decimal("0.60")
            ),
            goes_on=True,
        )

        def not_accepted() -> None:
            lives.prove("2022-05-16", "Nachweise ohne Ergebnis", wrong, answers=_not_accepted)
            self._count("Nachweis nicht anerkannt, neu eingereicht", len(wrong))
            lives.prove("2022-06-20", "Nachweise noch einmal", wrong)

        self.chapters.tell(
            "2022: nicht anerkannte Nachweise",
            not_accepted,
        )

        def too_late() -> None:
            with self.hands.living("2022-09-01"):
                self._count("Nachweis überfällig", len(overdue))
                for grant in overdue[:1]:
                    self.troubles.expect(
                        "Nachweis überfällig: kein weiterer Abruf",
                        partial(lives.ask, grant, Decimal("1.00"), haushaltsjahr=2022),
                    )
            lives.prove("2022-09-12", "Späte Nachweise", overdue[: len(overdue) // 2])

        self.chapters.tell("2022: überfällige Nachweise", too_late)

    def _count(self, name: str, times: int) -> None:
        for _ in range(times):
            self.troubles.note(name)

    # --- money back: hearing, notice, instalments, waiver, revocation ---

    def _money_back(self) -> None:
        lives = self.lives

        def begin() -> None:
            with self.hands.clerk.acting():
                found = Grant.objects.filter(proofs__state="accepted", proofs__to_repay__gt=0)
                grants = list(found.select_related("case").distinct().order_by("reference"))
            lives.claim("2022-06-27", grants)
            lives.hear_and_decide("2022-08-01")

        self.chapters.tell("2022: Rückforderungen", begin)

        def pay() -> None:
            owed = [found for found in lives.open_claims() if found.grant.call_id == self.place.first_call.id]
            if not owed:
                return
            with self.hands.living("2022-08-15"):
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
            with self.hands.living("2022-10-04"):
                for found in owed[3:4]:
                    self.troubles.expect(
                        "Rückzahlung zweimal gebucht",
                        partial(self._receive, found, "X"),
                    )

        self.chapters.tell("2022: Rückzahlungen, Raten, Erlass", pay)

        def revoke() -> None:
            with self.hands.clerk.acting():
                running = Grant.objects.filter(state="running", call=self.place.first_call, amount__gt=0)
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
            with self.hands.living("2022-12-13"):
                self.troubles.expect(
                    "Offene Rückforderung: kein weiterer Abruf",
                    lambda: lives.ask(found, Decimal("1.00"), haushaltsjahr=2022),
                )

        self.chapters.tell("2022: ein Widerruf", revoke)

    def _receive(self, claim: Claim, reference: str) -> None:
        receipts.record_receipt(
            by=self.hands.clerk,
            claim=claim.id,
            amount=Decimal("10.00"),
            on=clock.today(),
            reference=reference,
        )

    # --- 2023 and after ---

    def _later(self) -> None:
        lives = self.lives

        def merged() -> None:
            grants = [
                grant for grant in self.first_call() if BROMSKIRCHEN in grant.recipient_name and grant.amount
            ]
            lives.prove("2023-02-06", "Bromskirchen: Allendorf (Eder) weist nach", grants)
            self._count("Kommune aufgegangen, Nachfolgerin weist nach", len(grants))

        self.chapters.tell("2023: Bromskirchen geht auf", merged)

        def lahnau() -> None:
            grant = self.smart("Lahnau")
            lives.prove(
                "2023-03-06",
                "Lahnau: Nachweis",
                [grant],
                items=[{"gegenstand": SCANNER, "angeschafft_am": "2022-03-01", "preis": "2400.00"}],
            )

        self.chapters.tell("2023: Lahnau weist nach", lahnau, goes_on=True)

        def ehringshausen() -> None:
            grant = self.smart("Ehringshausen")
            lives.prove("2023-11-06", "Ehringshausen: Nachweis", [grant], share=lambda _: Decimal("0.90"))

        self.chapters.tell("2023: Ehringshausen weist nach", ehringshausen, goes_on=True)
        self.chapters.tell("2025: Lahnau gibt einen Scanner ab", self._disposal)

        def rate_missing() -> None:
            left = [found for found in lives.open_claims() if found.interest_from]
            with self.hands.living("2026-03-02"):
                for found in left[:1]:
                    self.troubles.expect(
                        "Basiszinssatz fehlt für den Zeitraum",
                        partial(self._receive, found, "2026-1"),
                    )

        self.chapters.tell("2026: ein Zinssatz fehlt", rate_missing, goes_on=True)


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


def decide_change(task: Task) -> dict[str, Any]:
    """A change is granted with the years that were asked for."""
    given, asked = yes(task), task.case.application
    if task.form == "kern:vorschlag" and asked:
        years = {str(row["jahr"]): str(row["betrag"]) for row in asked.answers.get("jahre", ())}
        given["einzelheiten"] = {"jahre": years}
    return given
