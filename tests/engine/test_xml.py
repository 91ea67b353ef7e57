from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from rathaus.engine.xml import XmlRefused, read_xml


def refused(data: bytes, **limits: int) -> XmlRefused:
    with pytest.raises(XmlRefused) as caught:
        read_xml(data, **limits)
    return caught.value


def test_reads_elements_with_their_lines_and_drops_comments_and_instructions() -> None:
    root = read_xml(b'<?xml version="1.0"?>\n<!-- x --><a>\n<?php echo 1 ?><!-- y --><b k="&lt;"/></a>')
    assert root.tag == "a"
    assert [(child.tag, child.get("k"), child.sourceline) for child in root] == [("b", "<", 3)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    text = f'<?xml version="1.0" encoding="{declared}"?><a k="Gebührenbescheid"/>'
    assert read_xml(text.encode(encoding)).get("k") == "Gebührenbescheid"


@pytest.mark.parametrize(
    "data",
    [b"", b" \n", b"PK\x03\x04", b"<a>", b"<a><b></a>", b"Text", b"<a>&unbekannt;</a>", b"<a/><b/>"],
)
def test_what_is_not_xml_is_refused(data: bytes) -> None:
    assert refused(data).reason.startswith("Die Datei ist")


def test_the_line_is_named() -> None:
    error = refused(b"<a>\n<b>\n</c></a>")
    assert error.line == 3
    assert str(error).startswith("Zeile 3: ")


def test_too_large() -> None:
    assert "zu groß" in refused(b"<a>" + b" " * 1_000_000 + b"</a>").reason
    assert "zu groß" in refused(b"<a/>    ", limit=5).reason


def test_too_deep() -> None:
    refused(b"<a>" * 5_000 + b"</a>" * 5_000)


def lol(reference: str) -> bytes:
    bigger = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    levels = '<!ENTITY l0 "lol">' + "".join(bigger)
    return f"<!DOCTYPE a [{levels}]>{reference}".encode()


@pytest.mark.parametrize("reference", ["<a>&l9;</a>", '<a k="&l9;"/>', "<a/>"])
def test_entity_bombs_are_refused_quickly(reference: str) -> None:
    began = time.process_time()
    refused(lol(reference))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_doctype_is_refused_in_any_encoding(encoding: str) -> None:
    refused(f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a><a/>'.encode(encoding))


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "URL">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "URL"><a/>',
        '<!DOCTYPE a PUBLIC "-//x" "URL"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "URL"> %p;]><a/>',
        '<!DOCTYPE a [<!ATTLIST a k CDATA "geerbt">]><a/>',
    ],
)
def test_nothing_outside_is_read(dtd: str, listener: Callable[[], str]) -> None:
    refused(dtd.replace("URL", listener()).encode())


@pytest.fixture
def listener():
    """The address of a loopback port that must not be called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield lambda: f"http://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(BlockingIOError):
            server.accept()
