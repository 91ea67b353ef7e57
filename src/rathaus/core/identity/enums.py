from django.db.models import TextChoices


class PartyKind(TextChoices):
    PERSON = "person", "Person"
    ORGANISATION = "organisation", "Organisation"
    AUTHORITY = "authority", "Behörde"
