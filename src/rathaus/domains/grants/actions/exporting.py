"""A whole programme as a ZIP for the court of audit: every case, and the books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from django.db.models import QuerySet, Sum
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from rathaus.casework.cases.actions.exporting import Export, bundle_at, finish, recorded, write_cases
from rathaus.casework.cases.export.bundle import Folder, as_json
from rathaus.casework.cases.export.seals import Seals
from rathaus.casework.cases.models import Case
from rathaus.casework.cases.permissions import check_may_export
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.case_export import write_journal
from rathaus.domains.grants.enums import LineKind
from rathaus.domains.grants.models import Balance, BudgetLine, Posting, Programme
from rathaus.domains.grants.queries.books import Invariants, Money, check_invariants
from rathaus.law.money import format_amount

FILES = """buecher/                die Bücher des Programms:
  mittel.csv            je Haushaltsmittel, was bereitgestellt, gebunden, ausgezahlt, nachgewiesen ... ist
  journal.csv           alle Buchungen
  salden.csv            was auf welchem Konto steht
  pruefung.json         ob die Bücher der Behörde bei der Ausgabe stimmten, aus den Buchungen neu gerechnet
"""
HEAD = (
    "Maßnahme", "Haushaltsjahr", "Art", "Bereitgestellt", "Frei", "Gebunden", "Angeordnet", "Ausgezahlt, Nachweis offen",
    "Nachgewiesen", "Zurückgefordert", "Zurückgezahlt", "Erlassen", "Freigegeben", "Durch Barmittel abgelöst",
)  # fmt: skip
CHUNK = 50


def export_programme(
    *, by: Actor, programme: str, to: Path, on_case: Callable[[], None] | None = None
) -> Export:
    """Write all cases of a programme (its key), whatever became of them, and its books. Raises Programme.DoesNotExist.

    For the head and the audit of the authority. Cases are written one after the other, so memory does not grow with their
    number; `on_case` is called after each. The file is there whole or not at all; an event says who made it.
    """
    check_may_export(by, by.staff_of)
    with by.acting():
        found = Programme.objects.select_related("authority").get(authority_id=by.staff_of, key=programme)
        seals = Seals(by.staff_of)
        with bundle_at(to) as bundle:
            lines = _lines(found)
            invariants = check_invariants(by)
            _books(found, lines, invariants, bundle.root.folder("buecher"))
            cases = bundle.root.folder("vorgaenge")
            written = write_cases(_cases(found), cases, seals, on_case=on_case)
            seals.write(bundle.root)
            more = _overview(lines, invariants)
            finish(bundle, f"Förderprogramm {found.title}", found.authority.label, written, FILES, more)
        return recorded(events.EXPORTED, by, to, written, title=found.title)


def count_cases(by: Actor, programme: str) -> int:
    """How many cases were begun in a programme; what followed them is not counted. Raises Programme.DoesNotExist."""
    with by.acting():
        return _begun(Programme.objects.get(authority_id=by.staff_of, key=programme)).count()


def _begun(programme: Programme) -> QuerySet[Case]:
    return Case.objects.filter(
        authority_id=programme.authority_id, offer__call__measure__programme=programme
    ).select_related("offer", "about")


def _cases(programme: Programme) -> Iterator[Case]:
    """In the order in which they were opened, some at a time."""
    last = None
    while True:
        cases = _begun(programme).order_by("id")
        chunk = list((cases.filter(id__gt=last) if last else cases)[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].id


Line = tuple[BudgetLine, Money]


def _lines(programme: Programme) -> list[Line]:
    lines = BudgetLine.objects.filter(measure__programme=programme).select_related("measure")
    sums: dict[object, list[tuple[str, Decimal]]] = {}
    for line, account, amount in (
        Balance.objects.filter(line__measure__programme=programme)
        .order_by()
        .values_list("line_id", "account")
        .annotate(sum=Sum("amount"))
    ):
        sums.setdefault(line, []).append((account, amount))
    return [
        (line, Money.of(sums.get(line.id, [])))
        for line in lines.order_by("year", "measure__key", "kind", "id")
    ]


def _books(programme: Programme, lines: list[Line], invariants: Invariants, into: Folder) -> None:
    into.add_csv("mittel.csv", HEAD, ((*_name(line), *_amounts(money)) for line, money in lines))
    write_journal(into, Posting.objects.filter(line__measure__programme=programme))
    into.add(
        "pruefung.json",
        as_json(
            {
                "haushaltsmittel": invariants.lines,
                "zuwendungen": invariants.grants,
                "abweichungen": list(invariants.faults),
                "geprueft": [
                    "jeder Saldo ist die Summe seiner Buchungen",
                    "je Haushaltsmittel: bereitgestellt = gebunden + frei",
                    "je Zuwendung und Jahr: bewilligt = ausgezahlt - zurückgefordert + offen",
                ],
            }
        ),
    )


def _name(line: BudgetLine) -> tuple[str, str, str]:
    return line.measure.title, str(line.year), LineKind(line.kind).label


def _amounts(money: Money) -> tuple[Decimal, ...]:
    return (
        money.budget, money.free, money.open, money.ordered, money.paid, money.proven, money.to_recover,
        money.recovered, money.waived, money.released, money.redeemed,
    )  # fmt: skip


def _overview(lines: list[Line], invariants: Invariants) -> SafeString:
    """The books for index.html."""
    if invariants.faults:
        state = format_html(
            '<p class="bad">{} Abweichungen: buecher/pruefung.json</p>', len(invariants.faults)
        )
    else:
        state = format_html(
            "<p>Die Bücher der Behörde sind geprüft (Haushaltsmittel: {}, Zuwendungen: {}): keine Abweichung.</p>",
            invariants.lines,
            invariants.grants,
        )
    rows = format_html_join(
        "\n",
        '<tr><td>{}</td><td>{}</td><td>{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>'
        '<td class="n">{}</td><td class="n">{}</td></tr>',
        (
            (
                *_name(line),
                *map(
                    format_amount,
                    (money.budget, money.free, money.undrawn, money.paid_out, money.proven),
                ),
            )
            for line, money in lines
        ),
    )
    return format_html(
        '<h2>Bücher</h2>{}<div class="w" tabindex="0" role="region" aria-label="Mittel"><table>'
        '<thead><tr><th>Maßnahme</th><th>Jahr</th><th>Art</th><th class="n">bereitgestellt</th>'
        '<th class="n">frei</th><th class="n">noch offen</th><th class="n">ausgezahlt</th>'
        '<th class="n">davon nachgewiesen</th></tr></thead><tbody>\n{}\n</tbody></table></div>'
        '<p><a href="buecher/mittel.csv">Mittel</a>, <a href="buecher/journal.csv">Journal</a>, '
        '<a href="buecher/salden.csv">Salden</a>, <a href="buecher/pruefung.json">Prüfung</a></p>',
        state,
        rows,
    )
