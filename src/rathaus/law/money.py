"""Amounts of money as people write them, and their exact division. Euros are Decimal with two places."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

#: More digits before the comma than numeric(14,2) holds are refused.
MAX_INTEGER_DIGITS = 12
#: Every amount keeps the number and its unit on one line.
NO_BREAK_SPACE = "\u00a0"

_CENT = Decimal("0.01")
_LONGEST_TYPED = 60
_UNIT = re.compile(r"^(?:€|EUR\b|Euro\b)?(.*?)(?:€|\bEUR|\bEuro)?$", re.IGNORECASE | re.ASCII | re.DOTALL)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")
_MINUS = dict.fromkeys(map(ord, "\u2212\u2013"), "-")


class AmountError(ValueError):
    """A text that is not exactly one amount. ``reason`` is a German sentence with what was typed and an
    example."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_amount(text: str, *, allow_negative: bool = False) -> Decimal:
    """The amount in euros, with two places, that a person typed; AmountError if it can be read in no or in
    two ways.

    German notation is read (1.234,56 · 1234,56 · 1.234 · 1234,-), English notation only where no German
    reading exists (1,234.56 · 1234.56). ``1,234`` and ``118.500.00`` are refused, never guessed.
    """
    typed = " ".join(text.translate(_SPACES).split())
    if not typed:
        raise AmountError("Tragen Sie einen Betrag ein, zum Beispiel 1.234,56.")
    if len(typed) > _LONGEST_TYPED:
        raise AmountError(f"Der Betrag „{typed[:30]}…“ ist zu lang. Schreiben Sie zum Beispiel 1.234,56.")
    unit = _UNIT.match(typed)
    bare = (unit.group(1) if unit else typed).strip().translate(_MINUS)
    negative = bare.startswith("-")
    if negative:
        bare = bare[1:].strip()
    whole, cents = _split(bare, typed)
    whole = whole.lstrip("0") or "0"
    if len(whole) > MAX_INTEGER_DIGITS:
        raise AmountError(
            f"Der Betrag „{typed}“ ist zu groß. "
            f"Möglich sind höchstens {MAX_INTEGER_DIGITS} Stellen vor dem Komma, zum Beispiel 1.234,56."
        )
    amount = Decimal(f"{whole}.{cents:0<2}")
    if negative and amount:
        if not allow_negative:
            raise AmountError(
                f"Der Betrag „{typed}“ ist negativ. "
                f"Schreiben Sie ihn ohne Minus, zum Beispiel {_plain(amount)}."
            )
        return -amount
    return amount


def to_cents(amount: Decimal) -> Decimal:
    """Euros to the cent, half a cent away from zero (kaufmännisch)."""
    return _round_half_up(amount, 2)


def format_amount(amount: Decimal) -> str:
    """``483.660,00 €`` with a no-break space. ValueError if there are fractions of a cent: round before."""
    return f"{format_number(_in_cents(amount), places=2)}{NO_BREAK_SPACE}€"


def format_number(number: Decimal | int, *, places: int | None = None) -> str:
    """A number in German notation (``537.400``, ``0,5``), rounded half up to ``places``, or with its own
    places."""
    exact = Decimal(number)
    if not exact.is_finite():
        raise ValueError(f"not a number to print: {number}")
    if places is not None:
        exact = _round_half_up(exact, places)
    return f"{exact:,f}".translate({ord(","): ".", ord("."): ","})


def share_largest_remainder(
    total: Decimal, weights: Sequence[Decimal | int], *, base: Decimal = Decimal(0)
) -> list[Decimal]:
    """Divide ``total`` euros: ``base`` for each, the rest by weight, exact to the cent (Hare-Niemeyer).

    Each share is its exact quota rounded down to a cent, plus one cent for the largest remainders; equal
    remainders are served in the order given. ValueError for a negative weight or amount, for bases that
    exceed the total, and for a rest that nobody has a weight for.
    """
    total_cents, base_cents = _cents(total), _cents(base)
    rest = total_cents - base_cents * len(weights)
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if base_cents < 0 or rest < 0 or any(weight < 0 for weight in exact):
        raise ValueError("amounts and weights must not be negative, and the bases must fit into the total")
    if rest and not whole:
        raise ValueError("nobody has a weight for the rest that is to be shared")
    quotas = [rest * weight / whole if whole else Fraction(0) for weight in exact]
    shares = [quota.numerator // quota.denominator for quota in quotas]
    by_remainder = sorted(range(len(shares)), key=lambda i: shares[i] - quotas[i])
    for index in by_remainder[: rest - sum(shares)]:
        shares[index] += 1
    return [Decimal(base_cents + share) * _CENT for share in shares]


def _split(bare: str, typed: str) -> tuple[str, str]:
    """The digits before and after the decimal separator, or AmountError."""
    bare = re.sub(r",[-\u2014]{1,2}$", "", bare)
    if not re.fullmatch(r"[0-9., ]*", bare, re.ASCII) or not re.search(r"[0-9]", bare):
        raise AmountError(f"„{typed}“ ist kein Betrag. Schreiben Sie zum Beispiel 1.234,56.")
    last = max(bare.rfind(","), bare.rfind("."))
    if last < 0:
        return _ungroup(bare, " ", typed), ""
    mark, head, tail = bare[last], bare[:last], bare[last + 1 :]
    other = "." if mark == "," else ","
    once = mark not in head
    if once and re.fullmatch(r"[0-9]{1,2}", tail):
        grouping = other if other in head else " "
        return _ungroup(head, grouping, typed), tail
    if mark == "." and other not in head and " " not in bare:
        return _ungroup(bare, ".", typed), ""
    if not once and other not in head and " " not in bare:
        return _ungroup(bare, mark, typed), ""
    raise _unclear(typed)


def _ungroup(digits: str, separator: str, typed: str) -> str:
    """Digits without their separators of thousands, which must stand where they belong."""
    if re.fullmatch(r"[0-9]+", digits):
        return digits
    if re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{re.escape(separator)}[0-9]{{3}})+", digits):
        return digits.replace(separator, "")
    raise _unclear(typed)


def _unclear(typed: str) -> AmountError:
    """Refuse, with the ways in which the text might have been meant."""
    number = re.search(r"[0-9][0-9., ]*", typed, re.ASCII)
    parts = re.split(r"[., ]+", number.group().strip("., ")) if number else ["0"]
    *leading, last = parts
    whole = "".join(leading)[:MAX_INTEGER_DIGITS] or "0"
    why = "ist nicht eindeutig"
    if len(last) <= 2:
        meant = [f"{whole}.{last}"]
    elif len(leading) == 1 and len(last) == 3 and re.fullmatch(r"[1-9][0-9]{0,2}", whole):
        meant = [f"{whole}{last}", f"{whole}.{last[:2]}"]
    elif len(leading) == 1:
        why = "hat mehr als zwei Stellen nach dem Komma"
        meant = [f"{whole}.{last[:2]}"]
    else:
        meant = ["".join(parts)[:MAX_INTEGER_DIGITS]]
    examples = " oder ".join(_plain(Decimal(text)) for text in meant)
    return AmountError(f"Der Betrag „{typed}“ {why}. Schreiben Sie zum Beispiel {examples}.")


def _plain(amount: Decimal) -> str:
    return format_number(amount, places=2)


def _round_half_up(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding="ROUND_HALF_UP")


def _in_cents(amount: Decimal) -> Decimal:
    rounded = to_cents(amount)
    if rounded != amount:
        raise ValueError(f"{amount} has fractions of a cent")
    return rounded


def _cents(amount: Decimal) -> int:
    return int(_in_cents(amount) * 100)
