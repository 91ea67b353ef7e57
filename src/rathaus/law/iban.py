"""International account numbers: their shape and check digits (ISO 13616, ISO 7064 MOD 97-10)."""

import re

#: How long an IBAN is in the countries that SEPA credit transfers reach (IBAN registry, countries of SEPA in 2024).
SEPA_LENGTHS = {
    **{"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20},
    **{"ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26},
    **{"IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28},
    **{"PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22},
}

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}")


def is_iban(text: str) -> bool:
    """An IBAN without blanks, in capital letters, whose check digits are right. Whether the account exists, only its
    bank knows."""
    if not _IBAN.fullmatch(text) or len(text) != SEPA_LENGTHS.get(text[:2], len(text)):
        return False
    # 00, 01 and 99 leave the same remainder as 97, 98 and 02, which alone are ever given out.
    if text[2:4] in {"00", "01", "99"}:
        return False
    digits = "".join(str(int(char, 36)) for char in text[4:] + text[:4])
    return int(digits) % 97 == 1


def is_sepa_iban(text: str) -> bool:
    """An IBAN that a SEPA credit transfer can reach."""
    return text[:2] in SEPA_LENGTHS and is_iban(text)


def format_iban(iban: str) -> str:
    """In groups of four, as people read it aloud: DE02 1203 0000 0000 2020 51."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
