"""What came of it: applications and notices, where the money is, what was refused, and whether the books are right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table

from rathaus.cli.commands import console, fail
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.hessen import CALL_2020, CALL_2021
from rathaus.cli.demo.place import HESSEN_STAFF, PASSWORD, THUERINGEN_STAFF, House, Person, Place
from rathaus.cli.demo.round import THREE_PROJECTS
from rathaus.domains.grants.enums import LineKind
from rathaus.domains.grants.models import Grant, Programme
from rathaus.domains.grants.queries import LineMoney, check_invariants, figures, lines_of_programme
from rathaus.integrations.demo_idp.people import password, people
from rathaus.law.money import format_number

WIDTH = 78  # of running text
CALL_COLUMNS = {
    "An-\nträge": 5,
    "bewil-\nligt": 6,
    "Be-\nscheide": 7,
    "Aus-\nnahmen": 6,
    "Zuwendungen": 13,
    "noch frei": 13,
}
WORTH_A_LOOK = (
    ("Sachbearbeitung D3-2", "die Rangliste eines Wettbewerbs, mit der Linie, an der das Geld endet",
     "/amt/foerderung/starke-heimat-hessen/aufruf/wettbewerb-2026/rangliste/"),
    ("Gutachten Verwaltung", "ein Gutachten, das noch fehlt", "/amt/gutachten/"),
    ("Leitung E-Government", "Thüringens Programm, mit Karte", "/amt/foerderung/thueringen-egovernment/"),
    ("Claudia Becker", "eine Förderung in drei Fassungen", "/foerderungen/"),
)  # fmt: skip


def figures_of(place: Place, chapters: Chapters) -> dict[str, Any]:
    """Everything that is printed, as data. Money in euros."""
    houses = (place.hessen, place.thueringen)
    books = [check_invariants(house.clerk) for house in houses]
    round_seconds = round(chapters.seconds[CALL_2020] + chapters.seconds[CALL_2021], 1)
    notices = len(place.all_2020) + len(THREE_PROJECTS)
    return {
        "rows": [
            {"ministry": house.ministry.label, **vars(row)}
            for house in houses
            for row in figures(house.clerk)
        ],
        "seconds": round_seconds,
        "notices_per_second": round(notices / max(round_seconds, 0.1), 1),
        "is_resumed": chapters.is_resumed,
        "lives_at_most": chapters.lives,
        "money": [row for house in houses for row in _money(house)],
        "lives": _states(houses),
        "troubles": chapters.troubles.rows(),
        "chapters": chapters.seconds,
        "books": {
            "lines": sum(found.lines for found in books),
            "grants": sum(found.grants for found in books),
            "faults": [fault for found in books for fault in found.faults],
        },
    }


def _states(houses: tuple[House, ...]) -> dict[str, int]:
    found = {"running": 0, "closed": 0}
    for house in houses:
        with house.clerk.acting():
            for state in found:
                found[state] += Grant.objects.filter(authority=house.ministry, state=state).count()
    return found


def _money(house: House) -> list[dict[str, Any]]:
    with house.clerk.acting():
        programmes = Programme.objects.filter(authority=house.ministry).order_by("key")
        return [
            {"programme": programme.title, **_line(found)}
            for programme in programmes
            for found in lines_of_programme(programme)
            if found.money.budget
        ]


def _line(found: LineMoney) -> dict[str, Any]:
    """A budget line as the table shows it: each euro in one column."""
    money = found.money
    return {
        "measure": found.measure_title,
        "year": found.year,
        "kind": found.kind.label,
        "is_commitment": found.kind == LineKind.COMMITMENT,
        "budget": money.budget,
        "free": money.free,
        "open": money.undrawn,
        "paid": money.paid + money.to_recover + money.waived,
        "proven": money.proven,
        "back": money.released + money.recovered + money.redeemed,
    }


def print_report(result: dict[str, Any]) -> None:
    """For a terminal of 80 columns. Ends the command where the books are wrong."""
    console.print()
    if result["is_resumed"]:
        _say(
            "Die Vorführung war schon da und ging weiter, wo sie aufgehört hatte; nichts geschah zweimal. "
            f"Von 2020 leben {result['lives_at_most']} Zuwendungen weiter. `make clean-demo` vergisst alles."
        )
    _print_calls(result)
    _print_money(result)
    _print_troubles(result)
    books = result["books"]
    for fault in books["faults"][:20]:
        console.print(f"[bold red]{fault}[/bold red]")
    if books["faults"]:
        fail(f"Die Bücher stimmen nicht: {len(books['faults'])} Abweichungen.")
    _say(
        f"[bold]Bücher geprüft:[/bold] {books['lines']} Haushaltslinien, {books['grants']} Zuwendungen, aus den Buchungen "
        "neu gerechnet, keine Abweichung. Es gilt überall:",
        end="",
    )
    console.print(
        "  Mittel     = gebunden + frei\n"
        "  gebunden   = ausgezahlt + offen + freigegeben\n"
        "  Zuwendung  = ausgezahlt - zurückgefordert + offen\n"
    )
    minutes, seconds = divmod(round(result["seconds_in_all"]), 60)
    _say(f"Alles zusammen: {minutes} min {seconds:02} s.")


def _print_calls(result: dict[str, Any]) -> None:
    _heading("Anträge und Bescheide, in Euro")
    ministry = ""
    table = _table()
    for row in result["rows"]:
        if not row["applications"]:
            continue
        if row["ministry"] != ministry:
            if ministry:
                console.print(table)
            table = _table(show_header=not ministry)
            table.add_column("Aufruf", width=23)
            for name, width in CALL_COLUMNS.items():
                table.add_column(name, justify="right", no_wrap=True, width=width)
            ministry = row["ministry"]
            console.print(f"\n[bold]{ministry}[/bold]")
        table.add_row(
            f"  {row['region']}" if row["region"] else row["call"],
            str(row["applications"]),
            str(row["approved"]),
            str(row["notices"]),
            str(row["exceptions"] or "–"),
            _euros(row["amount"], 2),
            _euros(row["free"], 2) if row["free"] is not None else "",
        )
    console.print(table)
    console.print()
    _say(
        f"Hessens Runde, vom Einlesen bis zum letzten Bescheid: {_number(result['seconds'])} s, "
        f"{_number(result['notices_per_second'])} Bescheide je Sekunde."
    )
    _say(
        "Belegt sind in Hessen Zahl und Summe von 2020 und die drei Vorhaben von 2021 mit ihren Zuschüssen, in Thüringen "
        "die 19 Anträge über 1.790.000 Euro. Wie sich das Geld auf die Kommunen verteilt, welche 19 es in Thüringen "
        "waren, die Kostenpläne, die Aufrufe ab 2025 und alles, was nach den Bescheiden geschieht, sind erfunden."
    )


def _print_money(result: dict[str, Any]) -> None:
    columns = {
        "Mittel": "budget",
        "frei": "free",
        "offen": "open",
        "ausgezahlt": "paid",
        "nachgewiesen": "proven",
        "zurück": "back",
    }
    _heading("Wo das Geld ist, in Euro")
    programme = measure = ""
    table = _table()
    for row in result["money"]:
        is_new_programme = row["programme"] != programme
        if is_new_programme or row["measure"] != measure:
            if measure:
                console.print(table)
            programme, measure = row["programme"], row["measure"]
            if is_new_programme:
                console.print(f"\n[bold]{programme}[/bold]")
            table = _table(show_header=is_new_programme)
            table.add_column("Jahr", width=7)
            for name in columns:
                table.add_column(name, justify="right", no_wrap=True, width=max(len(name), 10))
            console.print(measure)
        kind = " VE" if row["is_commitment"] else ""
        table.add_row(f"{row['year']}{kind}", *(_euros(row[name], 0) for name in columns.values()))
    console.print(table)
    console.print()
    lives = result["lives"]
    _say(
        "VE: Verpflichtungsermächtigung, die Zusage für ein späteres Jahr. Zurück: zurückgezahlt, freigegeben oder durch "
        f"Barmittel abgelöst. {lives['closed']} Zuwendungen sind abgeschlossen, {lives['running']} laufen."
    )


def _print_troubles(result: dict[str, Any]) -> None:
    table = _table()
    table.add_column("Was", width=29)
    table.add_column("Mal", justify="right")
    table.add_column("Antwort", width=40)
    settled = _table()
    settled.add_column("Was")
    settled.add_column("Mal", justify="right")
    for name, row in result["troubles"].items():
        if row["reason"]:
            table.add_row(name, str(row["count"]), row["reason"].split("\n")[0])
        else:
            settled.add_row(name, str(row["count"]))
    _heading("Was abgelehnt wurde, und was das Programm dazu sagte")
    console.print(table)
    console.print()
    _heading("Was schiefging und in Ordnung kam")
    console.print(settled)
    console.print()


def print_logins(platform: str) -> None:
    """Who may log in, by the account that they use, and where to look first on the platform at this address."""
    for title, word, rows in (
        ("Hessisches Digitalministerium: Behördenkonto", PASSWORD, _staff(HESSEN_STAFF)),
        ("Thüringer Finanzministerium: Behördenkonto", PASSWORD, _staff(THUERINGEN_STAFF)),
        ("Alle anderen: Servicekonto", password(), [(f"{p.name}, {p.role}", p.email) for p in people()]),
    ):
        console.print(f"[bold]{title}[/bold], Kennwort [bold]{word}[/bold]")
        table = _table()
        table.add_column("Wer", width=36)
        table.add_column("E-Mail-Adresse", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()
    console.print("[bold]Sehenswert[/bold]")
    for who, what, path in WORTH_A_LOOK:
        console.print(f"{who}: {what}")
        console.print(f"  {platform}{path}", soft_wrap=True)


def _staff(staff: tuple[Person, ...]) -> list[tuple[str, str]]:
    return [(person.function, person.email) for person in staff]


def _heading(text: str) -> None:
    console.print(f"[bold underline]{text}[/bold underline]")


def _table(*, show_header: bool = True) -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, show_header=show_header)


def _euros(amount: Decimal, places: int) -> str:
    return format_number(amount, places=places)


def _number(value: float) -> str:
    return format_number(Decimal(str(value)))


def _say(text: str, *, end: str = "\n") -> None:
    console.print(text + end, width=min(WIDTH, console.width))
