"""The catalogue of open data after DCAT-AP.de 3.0, as JSON-LD: for each granting authority one dataset with two files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse

from rathaus.core.authorities.models import Authority
from rathaus.domains.grants.queries.public import Choice
from rathaus.web.public.choices import address_of
from rathaus.web.public.records import licence

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
_EU = "http://publications.europa.eu/resource/authority"
_GERMAN = {"@id": f"{_EU}/language/DEU"}


def catalogue_of(authorities: Iterable[Authority]) -> dict[str, Any]:
    """Mandatory fields of catalogue, datasets, distributions and publishers, with licence and attribution."""
    base = settings.BASE_URL
    publishers = list(authorities)
    return {
        "@context": CONTEXT,
        "@id": base + reverse("public:catalogue"),
        "@type": "dcat:Catalog",
        "dct:title": _said("Offene Daten des Verwaltungsportals"),
        "dct:description": _said("Förderungen von Kommunen: wer was wofür bekommen hat."),
        "dct:publisher": _publishers(publishers) or _agent("Verwaltungsportal", base),
        "dct:language": _GERMAN,
        "foaf:homepage": {"@id": base + reverse("public:data")},
        "dcat:dataset": [_dataset(authority) for authority in publishers],
    }


def _dataset(authority: Authority) -> dict[str, Any]:
    base, choice = settings.BASE_URL, Choice(authority=authority.slug)
    page = base + address_of(reverse("public:grants"), choice)
    return {
        "@id": f"{page}#daten",
        "@type": "dcat:Dataset",
        "dct:title": _said(f"Förderungen: {authority.label}"),
        "dct:description": _said(
            f"Zuwendungen an Kommunen, die {authority.label} bewilligt hat: Empfängerin, Vorhaben, Betrag, Zeitraum, Stand."
        ),
        "dct:publisher": _agent(authority.label, base),
        "dcat:theme": [{"@id": f"{_EU}/data-theme/GOVE"}],
        "dcat:keyword": [_said("Förderung"), _said("Zuwendung"), _said("Kommunen")],
        "dcat:landingPage": {"@id": page},
        "dct:language": _GERMAN,
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/CONT"},
        "dct:accessRights": {"@id": f"{_EU}/access-right/PUBLIC"},
        "dcatde:politicalGeocodingLevelURI": {
            "@id": "http://dcat-ap.de/def/politicalGeocoding/Level/municipality"
        },
        "dcat:distribution": [
            _file(authority, base + address_of(reverse(f"public:grants_{kind}"), choice), kind)
            for kind in ("csv", "json")
        ],
    }


def _file(authority: Authority, url: str, kind: str) -> dict[str, Any]:
    media = {"csv": "text/csv", "json": "application/json"}[kind]
    found = {
        "@id": f"{url}#datei",
        "@type": "dcat:Distribution",
        "dct:title": _said(f"Förderungen als {kind.upper()}"),
        "dcat:accessURL": {"@id": url},
        "dcat:downloadURL": {"@id": url},
        "dct:license": {"@id": licence().uri},
        "dcatde:licenseAttributionByText": _said(authority.label),
        "dct:format": {"@id": f"{_EU}/file-type/{kind.upper()}"},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media}"},
        "dcatde:plannedAvailability": {"@id": "http://dcat-ap.de/def/plannedAvailability/stable"},
    }
    if kind == "json":
        found["dct:conformsTo"] = {"@id": settings.BASE_URL + reverse("public:grants_schema")}
    return found


def _publishers(authorities: list[Authority]) -> dict[str, Any] | None:
    """The catalogue is the authority's where there is one, else the site's."""
    return _agent(authorities[0].label, settings.BASE_URL) if len(authorities) == 1 else None


def _agent(name: str, url: str) -> dict[str, Any]:
    return {"@type": "foaf:Organization", "foaf:name": _said(name), "foaf:homepage": {"@id": url}}


def _said(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "de"}
