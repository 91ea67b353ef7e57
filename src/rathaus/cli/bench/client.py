"""A browser without a window: keeps cookies, reads forms from the pages, sends them as a browser would.

Nothing here knows a name of a field; what to write is found by looking at the form (see `crew`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import uuid4

from lxml import html

Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, Sequence[tuple[str, str]], bytes]]
Upload = tuple[str, str, bytes]  # name, media type, content


class Unexpected(Exception):
    """The site answered otherwise than the lifecycle needs."""


@dataclass(frozen=True)
class Page:
    """An answer: where it came from, its status, its content."""

    url: str
    status: int
    content: bytes

    @property
    def root(self) -> html.HtmlElement:
        return html.document_fromstring(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True)
class Request:
    """What was asked, and the seconds until the last byte of the answer."""

    method: str
    path: str
    seconds: float


@dataclass
class Browser:
    """Follows redirects, sends `Referer` and cookies; notes each request with its time."""

    send: Send
    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def get(self, path: str) -> Page:
        return self._ask("GET", path, {}, b"")

    def submit(
        self,
        page: Page,
        form: html.FormElement,
        values: Mapping[str, str | Sequence[str]],
        uploads: Mapping[str, Upload] | None = None,
    ) -> Page:
        """Send a form: what it holds already, with `values` instead where they are given."""
        data: dict[str, list[str]] = {}
        for name, value in form.form_values():
            data.setdefault(name, []).append(value)
        for name, given in values.items():
            data[name] = [given] if isinstance(given, str) else list(given)
        pairs = [(name, value) for name, found in data.items() for value in found]
        if form.get("enctype") == "multipart/form-data":
            media_type, body = _multipart(pairs, uploads or {})
        else:
            media_type, body = "application/x-www-form-urlencoded", urlencode(pairs).encode()
        headers = {"Content-Type": media_type, "Referer": self.origin + page.url}
        return self._ask("POST", urljoin(page.url, form.get("action") or ""), headers, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        for _ in range(10):
            parts = urlsplit(path)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            begun = time.perf_counter()
            status, answered, content = self.send(
                method, target, {**headers, **({"Cookie": cookie} if cookie else {})}, body
            )
            self.requests.append(Request(method, target, time.perf_counter() - begun))
            location = self._keep(answered)
            if status not in (301, 302, 303):
                if status >= 400:
                    raise Unexpected(f"{method} {target}: {status} {_words(content)}")
                return Page(target, status, content)
            method, path, headers, body = "GET", urljoin(target, location), {}, b""
        raise Unexpected(f"{path}: too many redirects")

    def _keep(self, headers: Sequence[tuple[str, str]]) -> str:
        location = ""
        for name, value in headers:
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
            elif name.lower() == "location":
                location = value
        return location


def over_http(port: int) -> Send:
    """Ask a server on loopback over one connection that is kept."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def send(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
        except (ConnectionError, OSError):  # a server may close a connection that was idle
            connection.close()
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    return send


def _multipart(pairs: Sequence[tuple[str, str]], uploads: Mapping[str, Upload]) -> tuple[str, bytes]:
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in pairs
    ]
    for name, (file_name, media_type, content) in uploads.items():
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        )
        parts.append(head.encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _words(content: bytes) -> str:
    try:
        return " ".join(
            html.tostring(html.document_fromstring(content), method="text", encoding="unicode").split()
        )[:300]
    except ValueError:
        return ""
