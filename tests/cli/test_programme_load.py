"""`rathaus programme load`: a programme from its file, once and twice, and a file that is refused with its reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rathaus.casework.services.models import Offer
from rathaus.cli.commands import programme
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.domains.grants.models import Call, Programme

FILE = Path(__file__).resolve().parents[2] / "daten/programme/thueringen-2024.toml"


@pytest.fixture(autouse=True)
def ministry(db: None) -> Authority:
    return Authority.objects.create(
        kind=AuthorityKind.MINISTRY,
        name="Finanzministerium",
        label="Thüringer Finanzministerium",
        sort_key="finanzministerium",
        slug="tfm",
        land="TH",
    )


def load(file: Path, authority: str = "tfm") -> Result:
    return CliRunner().invoke(programme, ["load", str(file), "--authority", authority])


def test_once_and_twice() -> None:
    for _ in range(2):
        result = load(FILE)
        assert (result.exit_code, result.output) == (
            0,
            "E-Government der Thüringer Kommunen: 1 Förderaufruf bei Thüringer Finanzministerium.\n",
        )
    assert (Programme.objects.count(), Call.objects.count(), Offer.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            FILE.read_bytes().replace(b'"5000000.00"', b"5000000", 1).replace(b"egov-foerderung", b"fehlt"),
            "datei.toml: massnahmen[0].barmittel.2024: Schreiben Sie den Betrag als Text",
        ),
        (
            FILE.read_bytes().replace(b"egov-foerderung", b"fehlt"),
            "datei.toml: aufrufe[0].leistung: Ein Paket „fehlt“ gibt es nicht.",
        ),
        (FILE.read_text(encoding="utf-8").encode("latin-1", "replace"), "nicht in UTF-8"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_stored(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "datei.toml"
    file.write_bytes(content)
    result = load(file)
    assert result.exit_code == 1
    assert said in result.output
    assert not Programme.objects.exists()
    assert not Offer.objects.exists()


def test_an_unknown_authority() -> None:
    result = load(FILE, "nirgends")
    assert (result.exit_code, "„nirgends“ gibt es nicht" in result.output) == (1, True)
