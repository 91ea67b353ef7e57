"""Days as they are typed at the desk."""

from __future__ import annotations

from datetime import date

import pytest

from rathaus.web.desk.panels import read_day


@pytest.mark.parametrize("text", ["30.6.2027", " 30.06.2027 ", "2027-06-30"])
def test_a_day(text: str) -> None:
    assert read_day(text) == date(2027, 6, 30)


@pytest.mark.parametrize(
    "text",
    ["30.6.27", "30.6.0027", "３０.６.２０２７", "3_0.6.2027", "+30.6.2027", "31.6.2027", "2027-W26-3", "30.6.", "",
     "1" * 6000],
)  # fmt: skip
def test_no_day(text: str) -> None:
    """Above all none of the year 27, which lies before everything and is what nobody meant."""
    assert read_day(text) is None
