"""The parts of the bench that could mislead: quantiles, forms, keys, the relay."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from rathaus.cli.bench.client import Browser, Unexpected
from rathaus.cli.bench.crew import texts_of
from rathaus.cli.bench.figures import count, median, ms, number, quantile
from rathaus.cli.bench.memory import own_lifecycle, spiff_lifecycle
from rathaus.cli.bench.relay import Relay
from rathaus.cli.bench.steps import renewed


def test_quantiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert median(values) == 3.0
    assert quantile(values, 0.95) == 5.0
    assert quantile(list(range(1, 101)), 0.95) == 95
    assert quantile([7.0], 0.5) == 7.0


def test_numbers_in_german_notation() -> None:
    assert (number(0.123), number(12.34), number(12345.6), count(1_000_000)) == (
        "0,12",
        "12,3",
        "12.346",
        "1.000.000",
    )
    assert ms(0.0251) == "25,1 ms"


def test_answers_as_people_type_them() -> None:
    answers = {
        "titel": "Akte",
        "betrag": "1200.50",
        "beginn": "2025-05-01",
        "ja": True,
        "zahl": 3,
        "datei": {"name": "a"},
    }
    assert texts_of(answers) == {
        "titel": "Akte",
        "betrag": "1200,50",
        "beginn.tag": "01",
        "beginn.monat": "05",
        "beginn.jahr": "2025",
        "ja": "ja",
        "zahl": "3",
    }


def test_both_engines_reach_the_end() -> None:
    assert '"completed"' in own_lifecycle()()
    assert '"completed": true' in spiff_lifecycle()()


def test_rows_under_new_keys_still_belong_together() -> None:
    case, task, authority = (UUID(int=n) for n in (1, 2, 3))
    rows = [
        ("a", [case, authority, f'[{{"id": "{task}"}}]', 5]),
        ("b", [case, str(task), None]),
    ]
    (_, first), (_, second) = renewed(rows, frozenset({str(authority)}))
    assert first[1] == authority
    assert first[0] == second[0] != case
    assert second[1] in first[2]
    assert second[1] != str(task)
    assert (first[3], second[2]) == (5, None)


Answer = tuple[int, Sequence[tuple[str, str]], bytes]


class Site:
    """Answers in order; notes what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append((method, path, headers, body))
        return self.answers.pop(0)


FORM = b"""<form method="post" action="weiter/" enctype="multipart/form-data"><input name="csrf" value="x">
<input type="checkbox" name="box" value="1"><input name="titel"><input type="file" name="anlage"></form>"""


def test_a_form_is_sent_as_a_browser_does() -> None:
    site = Site(
        (200, [("Set-Cookie", "sessionid=abc; Path=/")], FORM),
        (302, [("Location", "/ziel/?a=1")], b""),
        (200, [], b"<p>da</p>"),
    )
    browser = Browser(site, "http://localhost")
    page = browser.get("/antrag/")
    end = browser.submit(
        page, page.root.forms[0], {"titel": "Ä"}, {"anlage": ("a.pdf", "application/pdf", b"%PDF")}
    )
    assert end.url == "/ziel/?a=1"
    method, path, headers, body = site.asked[1]
    assert (method, path) == ("POST", "/antrag/weiter/")
    assert headers["Cookie"] == "sessionid=abc"
    assert headers["Referer"] == "http://localhost/antrag/"
    assert b'name="csrf"\r\n\r\nx\r\n' in body
    assert 'name="titel"\r\n\r\nÄ\r\n'.encode() in body
    assert b'filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n' in body
    assert b"box" not in body
    assert [asked.method for asked in browser.requests] == ["GET", "POST", "GET"]


def test_an_error_of_the_site_stops_the_lifecycle() -> None:
    browser = Browser(Site((422, [], b"<h1>Fehler: Abschluss</h1>")), "http://localhost")
    with pytest.raises(Unexpected, match="422 Fehler: Abschluss"):
        browser.get("/antrag/")


def test_endless_redirects_are_noticed() -> None:
    browser = Browser(Site(*[(302, [("Location", "/a/")], b"")] * 20), "http://localhost")
    with pytest.raises(Unexpected, match="too many"):
        browser.get("/a/")


def test_the_relay_counts_turns_not_packets(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "server"))
    server.listen(1)

    def answer() -> None:
        accepted, _ = server.accept()
        with accepted:
            for _ in range(2):
                accepted.recv(100)
                accepted.sendall(b"one")
                accepted.sendall(b"two")

    answering = threading.Thread(target=answer)
    answering.start()
    relay = Relay(tmp_path / "relay", tmp_path / "server")
    relay.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "relay"))
        for _ in range(2):
            client.sendall(b"asked")
            received = b""
            while len(received) < 6:
                received += client.recv(100)
    answering.join(5)
    server.close()
    assert relay.trips == 2
