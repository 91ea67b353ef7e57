"""What a reader opens first: README.txt and index.html. Both need no server and no program but a browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from rathaus.casework.cases.export.case_folder import Written
from rathaus.law.money import format_amount
from rathaus.law.text import format_date

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#171a2b}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #ccd}.w{overflow-x:auto}"
    "td.n,th.n{text-align:right;white-space:nowrap}.bad{color:#a01020;font-weight:600}"
)

README = """{title}
{underline}

{authority}, Stand {at}
{cases} Vorgänge, {documents} Dokumente. {missing}

WAS WO LIEGT

index.html              Übersicht, im Browser zu öffnen; führt zu allem
vorgaenge/<Nummer>/     ein Ordner je Vorgang:
  case.json             Antrag in allen Fassungen (wie gespeichert und in Worten), Prüfergebnisse mit Ausnahmen,
                        Nachrichten, Aufgaben, Entscheidungen, Bescheide, Rechtsbehelfe, Fristen, Liste der Dokumente
  documents/            die Dokumente Byte für Byte wie eingereicht oder ausgestellt. Die Namen sind nummeriert und von
                        Zeichen befreit, die in Dateinamen schaden; der ursprüngliche Name steht in case.json.
                        Ein Name, der auf .FEHLT.txt endet, steht für ein Dokument, dessen Bytes verloren sind.
  history.csv           der Verlauf in Worten
  events.json           der Verlauf, wie er gespeichert ist, je Ereignis mit der Nummer seines Siegels
{more}siegel.json             die Siegel, unter denen diese Ereignisse liegen, und die Kette bis zum neuesten
SHA256SUMS              Prüfsumme jeder Datei
pruefen.py              prüft alles, was sich prüfen lässt

SO PRÜFEN SIE

Prüfsummen:   sha256sum -c SHA256SUMS
Alles:        python3 pruefen.py      (nur Python 3, keine Installation, kein Netz)

pruefen.py rechnet nach: jede Prüfsumme; für jedes Ereignis seinen SHA-256-Wert und ob er unter seinem Siegel liegt; jedes
Siegel aus dem vorigen Siegel, dem Horizont und der Wurzel (SHA-256 über die Werte aller Ereignisse des Blocks, als Text
hintereinander); die Kette der Siegel. Sind Buchungen dabei: ob jede Bewegung aufgeht und jeder Saldo die Summe seiner
Buchungen ist.

Ein Siegel umfasst auch Ereignisse anderer Vorgänge. Von ihnen stehen hier nur die Werte, aus denen sich nichts lesen lässt.
Die Siegel zeigen, dass kein Ereignis hier nachträglich geändert wurde. Dass die Kette selbst die echte ist, zeigt ihr Kopf:
pruefen.py nennt ihn; die Behörde bewahrt Köpfe außerhalb des Systems auf. Dass kein Ereignis ganz weggelassen wurde, zeigt
dieses Paket nicht; das prüft „rathaus audit verify“ im System.

Personen sind mit ihrer Funktion und einer Kennung genannt. Dieselbe Kennung ist dieselbe Person: So lässt sich das
Vier-Augen-Prinzip nachprüfen. Beträge sind Euro. Zeitpunkte in JSON sind UTC, in CSV deutsche Zeit. CSV: UTF-8, Semikolon.
"""


def readme(
    title: str, authority: str, at: datetime, written: Sequence[Written], documents: int, more: str = ""
) -> str:
    """The text of README.txt; `more` explains what a domain added, in lines of the same shape."""
    missing = [path for each in written for path in each.missing]
    lost = "Alle Dokumente sind da."
    if missing:
        lost = f"{len(missing)} davon FEHLEN im Speicher:\n" + "\n".join(f"  {path}" for path in missing)
    return README.format(
        title=title, underline="=" * len(title), authority=authority, at=said(at), cases=len(written),
        documents=documents, missing=lost, more=more,
    )  # fmt: skip


def index(title: str, authority: str, at: datetime, written: Sequence[Written], more: str = "") -> str:
    """The page that leads to everything. `more` is HTML of a domain, escaped already."""
    rows = format_html_join(
        "\n",
        '<tr><td><a href="{0}case.json">{1}</a></td><td>{2}</td><td>{3}</td><td>{4}</td><td class="n">{5}</td>'
        '<td>{6}</td><td><a href="{0}history.csv">Verlauf</a>, {7}{8}</td></tr>',
        (
            (
                each.folder,
                each.case.reference,
                each.case.title,
                each.case.party_name,
                each.case.offer.title,
                format_amount(each.case.amount) if each.case.amount is not None else "",
                each.case.outcome_label or each.case.get_state_display(),
                _documents(each),
                format_html(' <span class="bad">{} fehlen</span>', len(each.missing)) if each.missing else "",
            )
            for each in written
        ),
    )
    return format_html(
        '<!doctype html>\n<html lang="de"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>{0}</title><style>{1}</style></head><body><h1>{0}</h1><p>{2}, Stand {3}. "
        '<a href="README.txt">Was wo liegt und wie Sie es prüfen</a></p>{4}<h2>Vorgänge</h2>'
        '<div class="w" tabindex="0" role="region" aria-label="Vorgänge"><table><thead><tr>'
        "<th>Vorgang</th><th>Titel</th><th>Antragstellende</th><th>Leistung</th>"
        '<th class="n">Betrag</th><th>Stand</th><th>Mehr</th></tr></thead><tbody>'
        "\n{5}\n</tbody></table></div></body></html>\n",
        title,
        mark_safe(_STYLE),  # noqa: S308  a constant
        authority,
        said(at),
        more,
        rows,
    )


def _documents(each: Written) -> str:
    """A link only where there is a folder."""
    if not each.documents:
        return "keine Dokumente"
    words = "1 Dokument" if each.documents == 1 else f"{each.documents} Dokumente"
    return format_html('<a href="{}documents/">{}</a>', each.folder, words)


def said(at: datetime) -> str:
    """An instant in words, in German time."""
    local = timezone.localtime(at)
    return f"{format_date(local.date())}, {local:%H:%M} Uhr"
