from django.db.models import TextChoices


class BookingKind(TextChoices):
    COMMITTED = "committed", "gebunden"
