from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.law.money import (
    AmountError,
    format_amount,
    format_number,
    parse_amount,
    share_largest_remainder,
    to_cents,
)

CENTS = st.integers(min_value=0, max_value=99_999_999_999_999).map(lambda n: Decimal(n) / 100)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1.234,56", "1234.56"),
        ("1234,56", "1234.56"),
        ("1234", "1234.00"),
        ("1.234", "1234.00"),
        ("1.234.567", "1234567.00"),
        ("12.345.678,9", "12345678.90"),
        ("1,234.56", "1234.56"),
        ("1234.56", "1234.56"),
        ("1,234,567", "1234567.00"),
        ("1,234,567.8", "1234567.80"),
        ("0,05", "0.05"),
        ("0", "0.00"),
        ("007", "7.00"),
        ("1 234,56", "1234.56"),
        ("1\u202f234\u202f567,00", "1234567.00"),
        ("483.660,00\u00a0€", "483660.00"),
        ("€ 12,50", "12.50"),
        ("12,50 EUR", "12.50"),
        ("12,50 Euro", "12.50"),
        ("12,-", "12.00"),
        ("1.234,--", "1234.00"),
        ("  56.084  ", "56084.00"),
        ("999.999.999.999,99", "999999999999.99"),
    ],
)
def test_amounts_with_one_reading(typed: str, amount: str) -> None:
    parsed = parse_amount(typed)
    assert parsed == Decimal(amount)
    assert parsed.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("118.500.00", "Der Betrag „118.500.00“ ist nicht eindeutig. Schreiben Sie zum Beispiel 118.500,00."),
        ("1,234", "Der Betrag „1,234“ ist nicht eindeutig. Schreiben Sie zum Beispiel 1.234,00 oder 1,23."),
        (
            "1234,567",
            "Der Betrag „1234,567“ hat mehr als zwei Stellen nach dem Komma. "
            "Schreiben Sie zum Beispiel 1.234,56.",
        ),
        ("abc", "„abc“ ist kein Betrag. Schreiben Sie zum Beispiel 1.234,56."),
        ("", "Tragen Sie einen Betrag ein, zum Beispiel 1.234,56."),
        (
            "-5",
            "Der Betrag „-5“ ist negativ. Schreiben Sie ihn ohne Minus, zum Beispiel 5,00.",
        ),
        (
            "1000000000000",
            "Der Betrag „1000000000000“ ist zu groß. "
            "Möglich sind höchstens 12 Stellen vor dem Komma, zum Beispiel 1.234,56.",
        ),
    ],
)
def test_the_refusal_repeats_what_was_typed_and_gives_an_example(typed: str, reason: str) -> None:
    with pytest.raises(AmountError) as refusal:
        parse_amount(typed)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "typed",
    [
        "0.234",
        "1234.567",
        "12.34.56",
        "1.23,456",
        "1.234,567",
        "1,234.567",
        "1.2345,00",
        "1,2,3",
        "1..234",
        "1,,2",
        ",",
        ".",
        "€",
        "-",
        "--5",
        "5-",
        ".50",
        "1,",
        "1 2 3",
        "12 34,50",
        "1e5",
        "NaN",
        "Infinity",
        "0x10",
        "1_000",
        "١٢٣",
        "１２",
        "½",
        "1.234,56 USD",
        "12€50",
        "1/2",
        "9" * 61,
        "1.234 567",
        "10 %",
        "1\n2",
        "1,234-",
    ],
)
def test_anything_else_is_refused_and_never_guessed(typed: str) -> None:
    with pytest.raises(AmountError) as refusal:
        parse_amount(typed)
    assert refusal.value.reason.endswith(".")


def test_negative_amounts_only_where_allowed() -> None:
    assert parse_amount("-1.234,56", allow_negative=True) == Decimal("-1234.56")
    assert parse_amount("−5 €", allow_negative=True) == Decimal("-5.00")
    assert parse_amount("-0") == 0


@given(st.text(alphabet="0123456789.,-€ \u00a0EURx'", max_size=20))
def test_every_text_is_an_amount_or_refused(typed: str) -> None:
    try:
        amount = parse_amount(typed, allow_negative=True)
    except AmountError:
        return
    digits = "".join(c for c in typed if c.isdigit()).lstrip("0")
    assert str(abs(amount)).replace(".", "").lstrip("0").rstrip("0") == digits.rstrip("0")


@given(CENTS)
def test_a_printed_amount_is_read_back(amount: Decimal) -> None:
    assert parse_amount(format_amount(amount)) == amount
    assert parse_amount(format_number(amount)) == amount
    assert parse_amount(f"{amount:,.2f}") == amount


def test_printing() -> None:
    assert format_amount(Decimal("483660")) == "483.660,00\u00a0€"
    assert format_amount(Decimal("-1.5")) == "-1,50\u00a0€"
    assert format_number(537400) == "537.400"
    assert format_number(Decimal("0.5")) == "0,5"
    assert format_number(Decimal("2.345"), places=2) == "2,35"
    assert format_number(Decimal("1E+3")) == "1.000"
    with pytest.raises(ValueError, match="fractions of a cent"):
        format_amount(Decimal("1.005"))
    with pytest.raises(ValueError, match="not a number"):
        format_number(Decimal("NaN"))


def test_sixteen_million_for_443() -> None:
    weights = [0, *range(1_000, 1_442), 753_056]
    shares = share_largest_remainder(Decimal(16_000_000), weights[:443], base=Decimal("7500.00"))
    assert len(shares) == 443
    assert sum(shares) == Decimal("16000000.00")
    assert min(shares) == shares[0] == Decimal("7500.00")


def test_equal_remainders_are_served_in_order() -> None:
    assert share_largest_remainder(Decimal("0.05"), [1, 1, 1]) == [
        Decimal("0.02"),
        Decimal("0.02"),
        Decimal("0.01"),
    ]
    assert share_largest_remainder(Decimal("0.00"), []) == []
    assert share_largest_remainder(Decimal("6.00"), [0, 0], base=Decimal("3.00")) == [3, 3]


@pytest.mark.parametrize(
    ("total", "weights", "base"),
    [
        ("1.00", [], "0"),
        ("1.00", [0, 0], "0"),
        ("1.00", [1, 1], "0.51"),
        ("1.00", [2, -1], "0"),
        ("-1", [1], "0"),
        ("1.001", [1], "0"),
        ("1.00", [1], "-1"),
    ],
)
def test_what_cannot_be_shared(total: str, weights: list[int], base: str) -> None:
    with pytest.raises(ValueError, match=r"negative|weight|cent"):
        share_largest_remainder(Decimal(total), weights, base=Decimal(base))


@given(
    total=st.integers(min_value=0, max_value=10**12),
    weights=st.lists(
        st.one_of(
            st.integers(0, 10**7), st.decimals(min_value=0, max_value=10**6, places=3, allow_nan=False)
        ),
        min_size=1,
        max_size=60,
    ).filter(any),
    base=st.integers(min_value=0, max_value=10**6),
)
def test_shares_sum_exactly_and_stay_within_a_cent(
    total: int, weights: list[Decimal | int], base: int
) -> None:
    total += base * len(weights)
    shares = share_largest_remainder(Decimal(total) / 100, weights, base=Decimal(base) / 100)
    assert sum(shares) == Decimal(total) / 100
    rest = total - base * len(weights)
    whole = sum((Fraction(w) for w in weights), Fraction(0))
    for share, weight in zip(shares, weights, strict=True):
        quota = base + rest * Fraction(weight) / whole
        assert abs(Fraction(share) * 100 - quota) < 1


@pytest.mark.parametrize(
    ("exact", "cents"),
    [("0.005", "0.01"), ("0.015", "0.02"), ("0.0149", "0.01"), ("-0.005", "-0.01"), ("7", "7.00")],
)
def test_half_a_cent_is_rounded_away_from_zero(exact: str, cents: str) -> None:
    assert str(to_cents(Decimal(exact))) == cents
