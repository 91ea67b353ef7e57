from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.law.names import display_name, sort_key, succession_line
from rathaus.law.text import format_date, format_day, format_day_short, span_of_days


def test_dates_in_words_and_figures() -> None:
    assert format_date(date(2021, 5, 25)) == "25.\u00a0Mai 2021"
    assert format_date(date(2021, 3, 1)) == "1.\u00a0März 2021"
    assert format_day(date(2021, 3, 1)) == "01.03.2021"
    assert format_day_short(date(2021, 11, 22)) == "Mo,\u00a022.11.2021"


def test_names_are_ordered_as_in_a_dictionary() -> None:
    ordered = [
        "Allendorf (Eder)",
        "Ähnlich",
        "Aßlar",
        "Assmann",
        "Bad Camberg",
        "Bad Homburg v. d. Höhe",
        "Badenhausen",
        "Émile",
        "Leun",
        "Ober-Mörlen",
        "Oberaula",
        "Œuvre",
        "Öland",
        "Zwingenberg",
    ]
    assert sorted(ordered, key=sort_key) == [
        "Ähnlich",
        "Allendorf (Eder)",
        "Aßlar",
        "Assmann",
        "Bad Camberg",
        "Bad Homburg v. d. Höhe",
        "Badenhausen",
        "Émile",
        "Leun",
        "Ober-Mörlen",
        "Oberaula",
        "Œuvre",
        "Öland",
        "Zwingenberg",
    ]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Müller-Lüdenscheid", "muller ludenscheid"),
        ("GROẞ", "gross"),
        ("  d'Arc ", "darc"),
        ("Łódź", "lodz"),
        ("Straße/Weg", "strasse weg"),
        ("Ærø", "aero"),
        ("", ""),
    ],
)
def test_keys(name: str, key: str) -> None:
    assert sort_key(name) == key


@given(st.text(alphabet="aäöüßÄÖÜeéÉ -Zz", max_size=20))
def test_case_and_umlauts_do_not_matter(name: str) -> None:
    assert sort_key(name) == sort_key(name.lower())
    assert not set(sort_key(name)) & set("äöüß")


@pytest.mark.parametrize(
    ("register", "shown"),
    [
        ("Frankfurt am Main, Stadt", "Frankfurt am Main"),
        ("Kassel, documenta-Stadt", "Kassel"),
        ("Steinau an der Straße, Brüder-Grimm-Stadt", "Steinau an der Straße"),
        ("Eiterfeld, Marktgemeinde", "Eiterfeld"),
        ("Wiesbaden, Landeshauptstadt", "Wiesbaden"),
        ("Allendorf (Eder)", "Allendorf (Eder)"),
        ("Meyer, Hans", "Meyer, Hans"),
        (", Stadt", ", Stadt"),
    ],
)
def test_register_names_as_people_say_them(register: str, shown: str) -> None:
    assert display_name(register) == shown


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "einem Tag"), (2, "2 Tagen"), (90, "90 Tagen"), (91, "3 Monaten"), (730, "24 Monaten"), (731, "2 Jahren"),
        (1606, "4 Jahren"),
    ],
)  # fmt: skip
def test_a_span_is_no_finer_than_a_reader_needs(days: int, words: str) -> None:
    assert span_of_days(days) == words


@pytest.mark.parametrize(
    ("successor", "predecessor", "line"),
    [
        (
            "Gemeinde Allendorf (Eder)",
            "Gemeinde Bromskirchen",
            "Rechtsnachfolgerin der Gemeinde Bromskirchen",
        ),
        ("Stadt Uder", "Wissenschaftsstadt X", "Rechtsnachfolgerin der Wissenschaftsstadt X"),
        ("Wartburgkreis", "Stadt Eisenach", "Rechtsnachfolger der Stadt Eisenach"),
        ("Landkreis Gießen", "Landkreis Wetzlar", "Rechtsnachfolger des Landkreises Wetzlar"),
        ("Lahn-Dill-Kreis", "Dillkreis", "Rechtsnachfolger des Dillkreises"),
        ("Stadt X", "Markt Y", "Rechtsnachfolgerin des Marktes Y"),
        ("Stadt X", "Marktgemeinde Y", "Rechtsnachfolgerin der Marktgemeinde Y"),
    ],
)
def test_the_legal_successor_as_a_line(successor: str, predecessor: str, line: str) -> None:
    assert succession_line(successor, predecessor) == line
