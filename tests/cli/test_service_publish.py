"""`rathaus service publish`: a package goes on offer, moves to a new version, and bad input stores nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.leistungen.library import DOG

from rathaus.casework.services.models import Offer, ServiceVersion
from rathaus.cli.commands import service
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority

pytestmark = pytest.mark.usefixtures("towns")


@pytest.fixture
def towns(db: None) -> None:
    for name in ("Lahnau", "Waldsolms"):
        Authority.objects.create(
            kind=AuthorityKind.MUNICIPALITY,
            name=name,
            label=f"Gemeinde {name}",
            sort_key=name.lower(),
            slug=name.lower(),
        )


@pytest.fixture
def dog(tmp_path: Path) -> Path:
    """The dog's package with one sample: playing all of them is not what is tested here."""
    folder = tmp_path / "hund"
    shutil.copytree(DOG, folder, ignore=lambda at, names: _but_one(names) if at.endswith("beispiele") else [])
    return folder


def _but_one(names: list[str]) -> list[str]:
    return [name for name in names if name != "ein-hund.json"]


def publish(folder: Path, *options: str, authority: str = "lahnau") -> Result:
    return CliRunner().invoke(service, ["publish", str(folder), "--authority", authority, *options])


def change(folder: Path, old: str, new: str) -> None:
    manifest = folder / "leistung.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")


def test_says_where_the_service_is_offered(dog: Path) -> None:
    result = publish(dog)
    assert (result.exit_code, result.output) == (
        0,
        "hund 1.1: veröffentlicht, 1 Beispiel gespielt\n"
        "Gemeinde Lahnau bietet an: http://localhost:8000/leistung/hundesteuer-anmeldung-lahnau/\n",
    )
    offer = Offer.objects.get()
    assert (offer.slug, offer.prefix, offer.title) == (
        "hundesteuer-anmeldung-lahnau",
        "HUND",
        "Hund anmelden",
    )


def test_again_changes_nothing_and_another_town_shares_the_version(dog: Path) -> None:
    publish(dog, "--slug", "hund-lahnau", "--prefix", "HD")
    again = publish(dog, "--slug", "hund-lahnau")
    assert again.exit_code == 0
    assert "Vorher galt" not in again.output
    assert publish(dog, authority="waldsolms").exit_code == 0
    assert ServiceVersion.objects.count() == 1
    assert {(offer.slug, offer.prefix) for offer in Offer.objects.all()} == {
        ("hund-lahnau", "HD"),
        ("hundesteuer-anmeldung-waldsolms", "HUND"),
    }


def test_own_values_outlive_a_new_version_and_new_defaults_come_in(dog: Path) -> None:
    publish(dog, "--parameter", "steuer_erster=72.00", "--parameter", "satzung=Satzung vom 1. Mai = gültig")
    change(dog, 'fassung = "1.1"', 'fassung = "1.2"')
    change(dog, 'steuer_zweiter = "90.00"', 'steuer_zweiter = "96.00"')
    result = publish(dog, "--parameter", "satzung=Satzung vom 1. Juni")
    assert "Eigene Werte: satzung=Satzung vom 1. Juni, steuer_erster=72.00\n" in result.output
    assert "Vorher galt 1.1; laufende Vorgänge bleiben dabei.\n" in result.output
    parameters = Offer.objects.get().parameters
    assert (parameters["steuer_erster"], parameters["steuer_zweiter"]) == ("72.00", "96.00")


def without_form(dog: Path) -> None:
    """The package without its form for parameters, so that others need no field."""
    for name in ("parameter.schema.json", "parameter.ui.json"):
        (dog / name).unlink()


def test_values_have_the_type_of_the_default(dog: Path) -> None:
    without_form(dog)
    change(dog, "[parameter]\n", "[parameter]\nfrist = 14\nmarke = true\njahre = [2021]\n")
    result = publish(
        dog, "--parameter", "frist=21", "--parameter", "marke=false", "--parameter", "jahre=[2025, 2026]"
    )
    assert result.exit_code == 0, result.output
    parameters = Offer.objects.get().parameters
    assert (parameters["frist"], parameters["marke"], parameters["jahre"]) == (21, False, [2025, 2026])


@pytest.mark.parametrize(
    "wrong",
    ["frist=bald", "frist=true", "frist='14'", "frist=", "frist=1.5", "frist=1\nx", "frist", "gibt=1"],
)
def test_wrong_values_are_refused(dog: Path, wrong: str) -> None:
    without_form(dog)
    change(dog, "[parameter]\n", "[parameter]\nfrist = 14\n")
    result = publish(dog, "--parameter", wrong)
    assert result.exit_code == 1
    assert f"--parameter {wrong}: " in result.output
    assert not ServiceVersion.objects.exists()


def test_what_is_taken_is_refused(dog: Path) -> None:
    publish(dog)
    taken = publish(dog, "--slug", "hundesteuer-anmeldung-lahnau", authority="waldsolms")
    assert taken.exit_code == 1
    assert "benutzt schon eine andere Behörde" in taken.output
    change(dog, 'schluessel = "hundesteuer-anmeldung"', 'schluessel = "katze"')
    other = publish(dog, "--slug", "hundesteuer-anmeldung-lahnau")
    assert other.output == (
        "Unter „hundesteuer-anmeldung-lahnau“ wird schon die Leistung „hundesteuer-anmeldung“ angeboten.\n"
    )
    prefix = publish(dog)
    assert prefix.output == (
        "Das Kürzel „HUND“ benutzt schon „hundesteuer-anmeldung-lahnau“. Wählen Sie ein anderes.\n"
    )
    assert Offer.objects.get().service_id == "hundesteuer-anmeldung"
    assert publish(dog, "--prefix", "KATZE").exit_code == 0


def test_bad_packages_and_authorities_are_refused(dog: Path, tmp_path: Path) -> None:
    assert publish(dog, authority="nirgendwo").output == "Die Behörde „nirgendwo“ gibt es nicht.\n"
    assert publish(tmp_path / "fehlt").output.endswith("Diesen Ordner gibt es nicht.\n")
    (dog / "bescheid.typ").unlink()
    result = publish(dog)
    assert result.exit_code == 1
    assert result.output.endswith("bescheid_erstellen: bescheid.typ fehlt.\n")
    assert not ServiceVersion.objects.exists()
    assert not Offer.objects.exists()


def test_only_the_responsible_kind_of_authority_offers(dog: Path) -> None:
    Authority.objects.filter(slug="lahnau").update(kind=AuthorityKind.MINISTRY)
    result = publish(dog)
    assert result.exit_code == 1
    assert result.output == (
        "Für diese Leistung ist zuständig: Gemeinde. Gemeinde Lahnau ist: Ministerium.\n"
    )
    assert not ServiceVersion.objects.exists()
    assert not Offer.objects.exists()


@pytest.mark.parametrize("options", [("--prefix", "zu klein/"), ("--prefix", "A" * 13), ("--slug", "Ä b")])
def test_names_that_no_address_can_carry_are_refused(dog: Path, options: tuple[str, str]) -> None:
    result = publish(dog, *options)
    assert result.exit_code == 1
    assert "hat höchstens" in result.output
    assert not ServiceVersion.objects.exists()
