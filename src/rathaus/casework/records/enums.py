from django.db.models import TextChoices


class DocumentKind(TextChoices):
    ATTACHMENT = "attachment", "Anlage"
    REPLY = "reply", "Nachgereicht"
    NOTICE = "notice", "Bescheid"
