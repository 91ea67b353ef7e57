from django.db.models import TextChoices


class ItemState(TextChoices):
    WAITING = "waiting", "wartet"
    DONE = "done", "erledigt"
    FAILED = "failed", "nicht erledigt"
