from django.db.models import TextChoices


class CaseState(TextChoices):
    """The federal vocabulary of the status monitor (domain.md A2), with our words for it."""

    RECEIVED = "RECEIVED", "Eingegangen"
    PROCESSING = "PROCESSING", "In Bearbeitung"
    ACTION_REQUIRED = "ACTION_REQUIRED", "Rückfrage"
    COMPLETED = "COMPLETED", "Abgeschlossen"


class Outcome(TextChoices):
    """How a case ended."""

    GRANTED = "granted", "Bewilligt"
    PARTLY = "partly", "Teilweise bewilligt"
    REFUSED = "refused", "Abgelehnt"
    WITHDRAWN = "withdrawn", "Zurückgezogen"  # by the applicant; never what a decision says


class ConfirmationState(TextChoices):
    """Whether a partner that an application names has agreed."""

    OPEN = "open", "Bestätigung steht aus"
    CONFIRMED = "confirmed", "bestätigt"
    DECLINED = "declined", "abgelehnt"
    OBSOLETE = "obsolete", "nicht mehr nötig"


class RemedyForm(TextChoices):
    """What somebody did against a notice."""

    OBJECTION = "objection", "Widerspruch"
    ACTION = "action", "Klage"


class RemedyResult(TextChoices):
    """How it came out. Upheld in part counts as upheld: the notice does not stand as it was."""

    UPHELD = "upheld", "hatte Erfolg, auch teilweise"
    REJECTED = "rejected", "blieb ohne Erfolg"
    WITHDRAWN = "withdrawn", "zurückgenommen"


class TaskState(TextChoices):
    OPEN = "open", "offen"
    DONE = "done", "erledigt"
    CANCELLED = "cancelled", "entfallen"


class DecisionState(TextChoices):
    PROPOSED = "proposed", "vorgeschlagen"
    RETURNED = "returned", "zurückgegeben"
    DECIDED = "decided", "entschieden"
    OBSOLETE = "obsolete", "gegenstandslos"


class FindingResult(TextChoices):
    MET = "met", "erfüllt"
    HINT = "hint", "Hinweis"
    FAILED = "failed", "nicht erfüllt"


class Sender(TextChoices):
    STAFF = "staff", "Behörde"
    APPLICANT = "applicant", "Antragstellende"


class IncidentState(TextChoices):
    OPEN = "open", "offen"
    RESOLVED = "resolved", "behoben"
