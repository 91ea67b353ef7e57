import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integrations.bank.orders import iban

from rathaus.law.iban import SEPA_LENGTHS, is_iban, is_sepa_iban


@pytest.mark.parametrize(
    "text",
    [
        # Examples of the IBAN registry, one for each shape that occurs here.
        "DE89370400440532013000",
        "AT611904300234573201",
        "CH9300762011623852957",
        "FR1420041010050500013M02606",
        "GB29NWBK60161331926819",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_examples_of_the_registry(text: str) -> None:
    assert is_iban(text)
    assert is_sepa_iban(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE",
        "DE89370400440532013001",  # a digit
        "DE89370400440532010300",  # two digits changed places
        "DE8937040044053201300",  # too short
        "DE893704004405320130000",  # too long
        "de89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000\n",
        "DE８９370400440532013000",  # digits of another alphabet
        "1289370400440532013000",
    ],
)
def test_no_iban(text: str) -> None:
    assert not is_iban(text)
    assert not is_sepa_iban(text)


def test_check_digits_that_are_never_given_out() -> None:
    """A remainder of 1 with 00, 01 or 99 in front belongs to another pair of digits."""
    for number in range(2_000):
        right = iban(number)
        assert is_iban(right)
        for other in ("00", "01", "99"):
            assert not is_iban(f"DE{other}{right[4:]}")


def test_an_iban_beyond_sepa() -> None:
    assert is_iban("BR9700360305000010009795493P1")
    assert not is_sepa_iban("BR9700360305000010009795493P1")
    assert "BR" not in SEPA_LENGTHS


@given(st.integers(0, 9_999_999_999), st.integers(4, 21), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(number: int, place: int, by: int) -> None:
    right = iban(number)
    wrong = f"{right[:place]}{(int(right[place]) + by) % 10}{right[place + 1 :]}"
    assert is_iban(right)
    assert not is_iban(wrong)
