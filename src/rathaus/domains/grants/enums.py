from django.db.models import TextChoices


class LineKind(TextChoices):
    """Cash may be paid out in its year; a commitment authority allows to promise money of a later year."""

    CASH = "cash", "Barmittel"
    COMMITMENT = "commitment", "Verpflichtungsermächtigung"


class Account(TextChoices):
    """Konten des Journals. Each euro of a budget line stands in exactly one of them; `budget` is their source."""

    BUDGET = "budget", "Haushaltsmittel"
    FREE = "free", "frei"
    OPEN = "open", "gebunden"
    ORDERED = "ordered", "angeordnet"
    PAID = "paid", "ausgezahlt"
    PROVEN = "proven", "nachgewiesen"
    TO_RECOVER = "to_recover", "zurückgefordert"
    RECOVERED = "recovered", "zurückgezahlt"
    WAIVED = "waived", "erlassen"
    RELEASED = "released", "freigegeben"
    REDEEMED = "redeemed", "durch Barmittel abgelöst"
    INTEREST = "interest", "Zinsansprüche"
    INTEREST_DUE = "interest_due", "Zinsen offen"
    INTEREST_PAID = "interest_paid", "Zinsen gezahlt"
    INTEREST_WAIVED = "interest_waived", "Zinsen erlassen"


SOURCES = frozenset({Account.BUDGET, Account.INTEREST})  # the only accounts that stand below zero
AWARDED = (Account.OPEN, Account.ORDERED, Account.PAID, Account.PROVEN)
CLAIMED = (Account.TO_RECOVER, Account.RECOVERED, Account.WAIVED)
INTEREST_CLAIMED = (Account.INTEREST_DUE, Account.INTEREST_PAID, Account.INTEREST_WAIVED)
INTEREST = (Account.INTEREST, *INTEREST_CLAIMED)


class MovementKind(TextChoices):
    """What moved the money."""

    BUDGETED = "budgeted", "Mittel bereitgestellt"
    AWARDED = "awarded", "Bewilligt"
    CHANGED = "changed", "Bewilligung geändert"
    REDEEMED = "redeemed", "Verpflichtungsermächtigung abgelöst"
    ORDERED = "ordered", "Auszahlung angeordnet"
    PAID = "paid", "Ausgezahlt"
    RETURNED = "returned", "Zahlung zurückgekommen"
    PROVEN = "proven", "Nachgewiesen"
    RELEASED = "released", "Freigegeben"
    REUSED = "reused", "Wieder bereitgestellt"
    CLAIMED = "claimed", "Zurückgefordert"
    REPAID = "repaid", "Zurückgezahlt"
    WAIVED = "waived", "Erlassen"


class GrantState(TextChoices):
    RUNNING = "running", "läuft"
    CLOSED = "closed", "abgeschlossen"


class Stage(TextChoices):
    """How far a grant is, for those who look after many. The first that fits (queries/stages.py), never stored."""

    AWARDED = "bewilligt", "Noch kein Abruf"
    PAYING = "auszahlung", "Auszahlung läuft"
    EXPECTED = "nachweis", "Nachweis erwartet"
    OVERDUE = "ueberfaellig", "Nachweis überfällig"
    CHECKING = "pruefung", "Nachweis in Prüfung"
    CHECKED = "geprueft", "Nachweis geprüft"
    CLAIMED = "rueckforderung", "Rückforderung offen"
    CLOSED = "abgeschlossen", "Abgeschlossen"


class AwardKind(TextChoices):
    """Why there is a version of an award."""

    AWARD = "award", "Bewilligung"
    CHANGE = "change", "Änderung"
    REDUCTION = "reduction", "Minderung"
    REVOCATION = "revocation", "Widerruf"


class DrawdownState(TextChoices):
    REQUESTED = "requested", "in Prüfung"
    ORDERED = "ordered", "angeordnet"
    PAID = "paid", "ausgezahlt"
    REFUSED = "refused", "abgelehnt"


class PaymentState(TextChoices):
    ORDERED = "ordered", "angeordnet"
    IN_RUN = "in_run", "im Zahlungslauf"
    PAID = "paid", "ausgezahlt"
    RETURNED = "returned", "zurückgekommen"


class RunState(TextChoices):
    PREPARED = "prepared", "vorbereitet"
    RELEASED = "released", "freigegeben"
    DONE = "done", "erledigt"


class ProofKind(TextChoices):
    INTERIM = "zwischen", "Zwischennachweis"
    FINAL = "verwendung", "Verwendungsnachweis"


class ProofState(TextChoices):
    SUBMITTED = "submitted", "in Prüfung"
    ACCEPTED = "accepted", "geprüft"
    REJECTED = "rejected", "nicht anerkannt"


class ClaimReason(TextChoices):
    """Why money is claimed back."""

    PROOF = "nachweis", "weniger ausgegeben als bewilligt"
    REVOCATION = "widerruf", "Bescheid widerrufen"
    LATE_USE = "verspaetet", "Geld zu spät verwendet"
    DISPOSAL = "veraeusserung", "vor Ablauf der Zweckbindung veräußert"


class Conflict(TextChoices):
    """What an expert says of ties to an applicant before scoring (§§ 20, 21 VwVfG). Nothing yet is an empty text."""

    NONE = "none", "nicht befangen"
    DECLARED = "declared", "befangen"


class Verdict(TextChoices):
    """What a jury advises."""

    YES = "yes", "fördern"
    CONDITIONS = "conditions", "mit Auflagen fördern"
    NO = "no", "nicht fördern"
