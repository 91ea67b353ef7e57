"""The folder of one case: everything that the kernel knows of it, the bytes of its documents, its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from rathaus.casework.cases.export.bundle import Folder, as_json, safe_name
from rathaus.casework.cases.export.parts import parts, plain
from rathaus.casework.cases.export.seals import Seals
from rathaus.casework.cases.models import Application, Case
from rathaus.casework.cases.queries import final_on
from rathaus.casework.records.models import Document
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Event
from rathaus.core.authorities.queries import by_ags
from rathaus.core.files import actions as files
from rathaus.core.files.actions import FileRefused
from rathaus.engine.forms.model import SummaryTable


@dataclass(frozen=True)
class Written:
    """A case that is in the bundle: what its list says, and what could not be put in."""

    case: Case
    folder: str
    documents: int
    missing: tuple[str, ...]


def write_case(case: Case, into: Folder, seals: Seals) -> Written:
    """Write the folder. To be called in the context of the authority that keeps the case."""
    documents, missing = _documents(case, into.folder("documents"))
    into.add("case.json", as_json(_record(case, documents)))
    _history(case, into, seals)
    for part in parts():
        part.write(case, into)
    return Written(case, into.path, len(documents), tuple(missing))


def _documents(case: Case, into: Folder) -> tuple[list[dict[str, Any]], list[str]]:
    """The original bytes under harmless names; where they are lost a note stands in their place."""
    listed, missing = [], []
    found = Document.objects.select_related("blob").filter(case_id=case.id).order_by("id")
    for number, document in enumerate(found.iterator(chunk_size=50), start=1):
        name = f"{number:03}-{safe_name(document.file_name)}"
        problem = ""
        try:
            into.add(name, files.read(document.blob))
        except (FileRefused, FileNotFoundError) as wrong:
            problem = str(wrong) if isinstance(wrong, FileRefused) else "Die Datei fehlt im Speicher."
            name += ".FEHLT.txt"
            into.add(name, f"{document.title}\n{problem}\nSHA-256 des Originals: {document.sha256}\n")
            missing.append(into.path + name)
        about = plain(
            document, "bezeichnung=title", "name_beim_hochladen=file_name", "art=kind!", "sha256=sha256", "bytes=size",
            "typ=media_type", "von=origin", "abgelegt_am=filed_at", "fuer_antragstellende=is_for_applicant",
            "zu_nachricht=message_id",
        )  # fmt: skip
        listed.append({"datei": f"documents/{name}", **about, "fehlt": problem or None})
    return listed, missing


def _record(case: Case, documents: list[dict[str, Any]]) -> dict[str, Any]:
    version = case.offer.version
    head = plain(
        case, "vorgangsnummer=reference", "titel=title", "antragstellende=party_name", "anschrift=party_address",
        "betrag=amount", "stand=state!", "ergebnis=outcome_label", "eingegangen_am=opened_at",
        "abgeschlossen_am=closed_at",
    )  # fmt: skip
    return {
        "vorgang": {
            **head,
            "behoerde": case.authority.label,
            "kommune": {"name": case.applicant.label, "ags": case.applicant.ags} if case.applicant else None,
            "leistung": {"schluessel": version.service_id, "titel": case.offer.title},
            "gehoert_zu": case.about.reference if case.about else None,
            "folgevorgaenge": list(case.follow_ups.order_by("id").values_list("reference", flat=True)),
        },
        "bedingungen": {
            **plain(case.terms, "nummer=number", "grund=note", "gesetzt_am=set_at"),
            "werte": dict(case.parameters),
        },
        "antrag": [_application(each) for each in case.versions.select_related("version").order_by("number")],
        "pruefung": [
            plain(
                found, "durchgang=round", "gilt=is_current", "regel=title", "fundstelle=source", "ergebnis=result!",
                "wert=value", "hinweis=note", "ausnahme_am=excepted_at", "ausnahme_von=excepted_by_id",
                "ausnahme_funktion=excepted_function", "ausnahme_begruendung=excepted_reason",
            )
            for found in case.findings.order_by("round", "position", "id")
        ],
        "nachrichten": [
            plain(
                found, "kennung=id", "von=sender_name", "seite=sender!", "text=body", "gesendet_am=sent_at",
                "gesendet_von=sent_by_id", "antwort_bis=answer_until",
            )
            for found in case.messages.order_by("id")
        ],
        "aufgaben": [
            plain(
                found, "aufgabe=title", "rolle=role", "stand=state!", "faellig_am=due_on", "begonnen_am=created_at",
                "uebernommen_am=claimed_at", "uebernommen_von=claimed_by_id", "erledigt_am=completed_at",
                "erledigt_von=completed_by_id", "ausgeschlossen_vier_augen=excluded_id",
            )
            for found in case.tasks.order_by("id")
        ],
        "entscheidungen": [
            plain(
                found, "ergebnis=outcome_label", "betrag=amount", "begruendung=reasons", "einzelheiten=details",
                "stand=state!", "ohne_mensch_entschieden=is_automatic", "vorgeschlagen_am=proposed_at",
                "vorgeschlagen_von=proposed_by_id", "entschieden_am=decided_at", "entschieden_von=decided_by_id",
                "entschieden_als=decided_function", "grund_der_rueckgabe=return_note", "bekannt_gegeben_am=notified_at",
            )
            for found in case.decisions.order_by("id")
        ],
        "bescheide": list(_notices(case, documents)),
        "fristen": [
            plain(found, "schritt=element", "am=due_at") for found in case.timers.order_by("due_at", "id")
        ],
        "stoerungen": [
            plain(found, "schritt=element", "grund=reason", "stand=state!", "seit=created_at", "behoben_am=resolved_at")
            for found in case.incidents.order_by("id")
        ],
        "dokumente": documents,
    }  # fmt: skip


def _application(application: Application) -> dict[str, Any]:
    """A version of what was applied for: as it is stored, and in the words of its form."""
    about = plain(
        application, "fassung=number", "eingereicht_am=submitted_at", "eingereicht_von=submitted_by_id",
        "von_amts_wegen=is_ex_officio",
    )  # fmt: skip
    version = application.version
    return {
        **about,
        "formular": {"leistung": version.service_id, "fassung": version.number, "sha256": version.hash},
        "angaben": application.answers,
        "in_worten": _words(application),
    }


def _words(application: Application) -> list[dict[str, Any]]:
    form = package_of(application.version_id).form
    keys: list[str] = []

    def collect(key: str) -> str:
        keys.append(key)
        return key

    form.summary(application.answers, authority_name=collect)
    names = by_ags(keys) if keys else {}
    sections = form.summary(
        application.answers, authority_name=lambda key: names[key].label if key in names else key
    )
    found = []
    for section in sections:
        items: list[dict[str, Any]] = []
        for item in section.items:
            if isinstance(item, SummaryTable):
                rows = [dict(zip(item.columns, row, strict=True)) for row in item.rows]
                items.append({"frage": item.label, "zeilen": rows, "summe": item.total or None})
            else:
                items.append({"frage": item.label, "antwort": "; ".join(item.lines)})
        found.append({"abschnitt": section.title, "inhalt": items})
    return found


def _notices(case: Case, documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for notice in case.notices.select_related("document").prefetch_related("remedies").order_by("id"):
        file = next((each["datei"] for each in documents if each["sha256"] == notice.document.sha256), None)
        yield {
            "datei": file,
            **plain(
                notice, "vom=issued_on", "gilt_als_bekannt_gegeben_am=deemed_on", "rechtsbehelf=remedy",
                "rechtsbehelf_bis=remedy_until", "abgerufen_am=read_at", "verzicht_am=waived_at",
                "verzicht_von=waived_by_id",
            ),
            "bestandskraeftig_seit": final_on(notice, clock.today(), notice.remedies.all()),
            "rechtsbehelfe": [
                plain(
                    remedy, "art=kind!", "eingegangen_am=received_on", "vermerk=note", "vermerkt_von=noted_by_id",
                    "erledigt_am=settled_on", "ausgang=result!", "vermerk_zum_ausgang=settled_note",
                )
                for remedy in notice.remedies.all()
            ],
        }  # fmt: skip


def _history(case: Case, into: Folder, seals: Seals) -> None:
    """The events in words, and as they are stored, each with the block under whose seal it lies."""
    events = list(Event.objects.filter(case_id=case.id).order_by("id"))
    into.add_csv(
        "history.csv",
        ("Zeitpunkt", "Was", "Wer", "Kennung der Person", "Block"),
        (
            (
                f"{timezone.localtime(event.happened_at):%d.%m.%Y %H:%M:%S}",
                sentence_of(event.name, event.data),
                event.function,
                str(event.account_id or ""),
                str(seals.block_of(event) or "noch ohne Siegel"),
            )
            for event in events
        ),
    )
    stored = [
        {
            "id": str(event.id),
            "behoerde": str(event.authority_id),
            "name": event.name,
            "vorgang": str(event.case_id),
            "konto": str(event.account_id),
            "funktion": event.function,
            "daten": event.data,
            "am": event.at.isoformat(),
            "transaktion": event.transaction,
            "block": seals.block_of(event),
        }
        for event in events
    ]
    into.add("events.json", as_json({"vorgang": case.reference, "ereignisse": stored}))
