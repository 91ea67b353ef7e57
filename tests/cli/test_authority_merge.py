"""`rathaus authority merge`: a territorial change from the command line."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner, Result
from tests.casework.conftest import World, world

from rathaus.cli.commands import authority
from rathaus.core.authorities.models import Authority

__all__ = ["world"]


def merge(*arguments: str) -> Result:
    return CliRunner().invoke(authority, ["merge", *arguments])


def test_merges_and_says_so(world: World) -> None:
    done = merge("gemeinde-lahnau", "gemeinde-waldsolms", "--on", "2030-01-01")
    assert done.output == "Gemeinde Lahnau ist ab 01.01.2030 Teil von: Gemeinde Waldsolms.\n"
    found = Authority.objects.get(pk=world.lahnau.pk)
    assert (found.valid_until, found.successor) == (date(2029, 12, 31), world.waldsolms)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nirgends", "gemeinde-lahnau", "--on", "2030-01-01"), "„nirgends“ gibt es nicht"),
        (("gemeinde-lahnau", "gemeinde-lahnau", "--on", "2030-01-01"), "in sich selbst"),
        (("gemeinde-lahnau", "ministerium", "--on", "2030-01-01"), "verschiedener Art"),
        (("gemeinde-lahnau", "gemeinde-waldsolms", "--on", "1.1.2030"), "Invalid value"),
        (("gemeinde-lahnau", "gemeinde-waldsolms"), "--on"),
    ],
)
def test_refuses_with_a_reason(world: World, arguments: tuple[str, ...], words: str) -> None:
    done = merge(*arguments)
    assert done.exit_code != 0
    assert words in done.output
    assert not Authority.objects.exclude(successor=None).exists()
