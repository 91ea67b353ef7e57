"""What grants add to the file of a case: the grant with all its versions, and every euro that moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from rathaus.casework.cases.export.bundle import Folder, as_json
from rathaus.casework.cases.export.parts import case_part, plain
from rathaus.casework.cases.models import Case
from rathaus.core.authorities.queries import by_ags
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.enums import Account, LineKind, MovementKind
from rathaus.domains.grants.models import Grant, Posting

FILES = """  grant.json            nur bei Zuwendungen: Fassungen der Bewilligung, Abrufe, Zahlungen, Nachweise und
                        Forderungen mit Rechenweg, Inventar
  journal.csv           nur bei Zuwendungen: alle Buchungen der Zuwendung; jede Bewegung geht je Haushaltsmittel auf
  salden.csv            nur bei Zuwendungen: was davon auf welchem Konto steht
"""
JOURNAL = (
    "Bewegung", "Buchungstag", "Gebucht am", "Art", "Text", "Schlüssel", "Mittel", "Konto", "Kontoname", "Zuwendung",
    "Betrag", "Kennung der Person",
)  # fmt: skip
BALANCES = ("Mittel", "Zuwendung", "Konto", "Kontoname", "Saldo")
Balances = dict[tuple[str, str, str], Decimal]


@case_part("grants", files=FILES)
def write_grant(case: Case, into: Folder) -> None:
    """`grant.json`, `journal.csv`, `salden.csv` for the case that has a grant."""
    grant = Grant.objects.select_related("recipient", "call__measure__programme").filter(case=case).first()
    if grant is None:
        return
    into.add("grant.json", as_json(_grant(grant)))
    write_journal(into, Posting.objects.filter(movement__grant=grant), only_of_grants=True)


def write_journal(into: Folder, postings: QuerySet[Posting], *, only_of_grants: bool = False) -> None:
    """The postings in the order in which they were booked, and what stands on the accounts after them."""
    balances: Balances = defaultdict(lambda: NOTHING)
    rows = postings.select_related("movement__grant", "grant", "line__measure").order_by("movement_id", "id")
    into.add_csv("journal.csv", JOURNAL, _booked(rows.iterator(chunk_size=1000), balances))
    into.add_csv(
        "salden.csv",
        BALANCES,
        (
            (line, grant, account, Account(account).label, amount)
            for (line, grant, account), amount in sorted(balances.items())
            if grant or not only_of_grants  # the line's own accounts are of all grants together
        ),
    )


def _booked(rows: Iterable[Posting], balances: Balances) -> Iterator[tuple[Any, ...]]:
    for posting in rows:
        movement, line = posting.movement, posting.line
        of = posting.grant.reference if posting.grant else ""
        name = f"{line.measure.key} {line.year} {LineKind(line.kind).label}"
        balances[name, of, posting.account] += posting.amount
        yield (
            str(movement.id),
            movement.booked_on,
            f"{timezone.localtime(movement.booked_at):%d.%m.%Y %H:%M:%S}",
            MovementKind(movement.kind).label,
            movement.text,
            movement.key,
            name,
            posting.account,
            Account(posting.account).label,
            of,
            posting.amount,
            str(movement.booked_by_id or ""),
        )


def _grant(grant: Grant) -> dict[str, Any]:
    partners = [str(key) for key in grant.partners]
    names = by_ags(partners) if partners else {}
    return {
        "zuwendung": {
            **plain(
                grant, "vorgang=reference", "vorhaben=title", "empfaengerin=recipient_name", "stand=state!",
                "betrag=amount", "je_jahr=years", "beginn=begins_on", "ende=ends_on", "bewilligt_am=awarded_on",
                "bescheid_vom=notified_on", "nachweis_bis=proof_due_on", "zweckgebunden_bis=earmarked_until",
                "abgeschlossen_am=closed_on",
            ),
            "ags": grant.recipient.ags if grant.recipient else None,
            "partner": [{"ags": key, "name": names[key].label if key in names else None} for key in partners],
            "programm": grant.call.measure.programme.title,
            "massnahme": grant.call.measure.title,
            "foerderaufruf": grant.call.title,
        },
        "bewilligungen": [
            {
                **plain(
                    award, "fassung=number", "art=kind!", "vorgang=case.reference", "finanzierungsart=financing",
                    "betrag=amount", "zuwendungsfaehige_ausgaben=cost", "mittel_dritter=third_party", "beginn=begins_on",
                    "ende=ends_on", "vom=awarded_on", "ausgabenplan=plan",
                ),
                "je_jahr": {str(year.year): year.amount for year in award.years.all()},
            }
            for award in grant.awards.select_related("case").prefetch_related("years").order_by("number")
        ],
        "mittelabrufe": [
            plain(
                found, "rate=number", "vorgang=case.reference", "haushaltsjahr=year", "betrag=amount", "iban=iban",
                "kontoinhaber=holder", "bisher_verwendet=used", "verwendet_bis=used_on", "schlussrate=is_final",
                "stand=state!", "beantragt_am=requested_on",
            )
            for found in grant.drawdowns.select_related("case").order_by("number")
        ],
        "auszahlungen": [
            plain(
                found, "referenz=end_to_end", "betrag=amount", "iban=iban", "kontoinhaber=holder", "stand=state!",
                "angeordnet_am=ordered_on", "ausgezahlt_am=paid_on", "grund_der_rueckgabe=return_reason",
                "zahlungslauf=run.number", "vorbereitet_von=run.prepared_by_id", "freigegeben_von=run.released_by_id",
            )
            for found in grant.payments.select_related("run").order_by("id")
        ],
        "nachweise": [
            plain(
                found, "art=kind!", "vorgang=case.reference", "stand=state!", "ausgaben=spent",
                "mittel_dritter=third_party", "zeilen=lines", "belege=vouchers", "steht_zu=due", "zu_erstatten=to_repay",
                "rechenweg=steps", "eingereicht_am=submitted_on", "entschieden_am=decided_on",
            )
            for found in grant.proofs.select_related("case").order_by("id")
        ],
        "forderungen": [
            {
                **plain(
                    claim, "vorgang=case.reference", "grund=reason!", "betrag=amount", "zinsen=interest",
                    "zinsen_ab=interest_from", "zinsen_bis=interest_until", "rechenweg=steps", "vom=made_on",
                    "faellig_am=due_on", "erledigt_am=settled_on", "erlassen_am=waived_at", "erlassen_von=waived_by_id",
                    "grund_des_erlasses=waived_reason",
                ),
                "raten": [
                    plain(rate, "rate=number", "faellig_am=due_on", "betrag=amount", "ersetzt=is_replaced")
                    for rate in claim.instalments.order_by("id")
                ],
                "eingaenge": [
                    plain(
                        receipt, "kassenzeichen=reference", "betrag=amount", "eingegangen_am=received_on",
                        "gebucht_am=booked_at", "gebucht_von=booked_by_id",
                    )
                    for receipt in claim.receipts.order_by("id")
                ],
            }
            for claim in grant.claims.select_related("case").order_by("id")
        ],
        "inventar": [
            plain(
                item, "gegenstand=name", "preis=price", "angeschafft_am=bought_on", "zweckgebunden_bis=earmarked_until",
                "veraeussert_am=disposed_on", "verbleib=disposal",
            )
            for item in grant.items.order_by("id")
        ],
        "erinnerungen": [
            plain(sent, "woran=duty", "faellig_am=due_on", "gesendet_am=sent_at")
            for sent in grant.reminders.order_by("id")
        ],
    }  # fmt: skip
