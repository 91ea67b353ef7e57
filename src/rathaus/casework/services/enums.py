from django.db.models import TextChoices


class Opening(TextChoices):
    """Who begins a case of an offer: the applicant, the applicant about an earlier case, or the office."""

    APPLICATION = "application", "auf Antrag"
    FOLLOW_UP = "follow_up", "auf Antrag zu einem früheren Vorgang"
    OFFICE = "office", "von Amts wegen"
