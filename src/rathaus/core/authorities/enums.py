from django.db.models import TextChoices


class AuthorityKind(TextChoices):
    MINISTRY = "ministry", "Ministerium"
    MUNICIPALITY = "municipality", "Gemeinde"
    COUNTY = "county", "Landkreis"
