"""Three people at their browsers: one applies, one proposes, one approves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import html

from rathaus.cli.bench.client import Browser, Page, Request, Send, Unexpected, Upload
from rathaus.cli.bench.place import PASSWORD, Crew

REASONS = "Das Vorhaben erfüllt den Zweck des Programms."
ATTACHMENT: Upload = ("Projektbeschreibung.pdf", "application/pdf", b"%PDF-1.7\n" + b"Messung " * 2500)
REFERENCE = re.compile(r"MESSUNG-\d{4}-\d+")
STEPS_AT_MOST = 12
_BOOLEANS = {"ja": "true", "nein": "false"}  # what a box or button for yes and no sends


@dataclass
class Lifecycle:
    """What came of one application. `approved_at` is when the approval was sent (seconds since the epoch)."""

    reference: str
    approved_at: float
    requests: list[Request] = field(default_factory=list)


class People:
    """A crew with their three browsers; logged in once, then they work."""

    def __init__(
        self, origin: str, connect: Callable[[], Send], answers: Mapping[str, Any], slug: str
    ) -> None:
        self.applicant = Browser(connect(), origin)
        self.clerk = Browser(connect(), origin)
        self.approver = Browser(connect(), origin)
        self._answers = texts_of(answers)
        self._slug = slug

    def log_in(self, crew: Crew) -> None:
        """With e-mail address and password, each in their own session."""
        for browser, email in (
            (self.applicant, crew.applicant),
            (self.clerk, crew.clerk),
            (self.approver, crew.approver),
        ):
            page = browser.get("/konto/login/")
            form = _form(page, lambda form: any(i.get("type") == "password" for i in form.inputs))
            values = {
                i.name: PASSWORD if i.get("type") == "password" else email
                for i in form.inputs
                if i.get("type") in ("password", "email", "text")
            }
            page = browser.submit(page, form, values)
            if any(i.get("type") == "password" for form in page.root.forms for i in form.inputs):
                raise Unexpected(f"{email} could not log in")
            browser.requests.clear()

    def lifecycle(self) -> Lifecycle:
        """From the service's page to the approval."""
        reference = self.apply()
        self._work(self.clerk, reference, {})
        done = Lifecycle(reference, self._work(self.approver, reference, {"freigegeben": "ja"}))
        for browser in (self.applicant, self.clerk, self.approver):
            done.requests += browser.requests
            browser.requests.clear()
        return done

    def apply(self) -> str:
        """Begin, fill in every step, hand in; answers the reference number from the receipt page."""
        browser = self.applicant
        page = browser.get(f"/leistung/{self._slug}/")
        page = browser.submit(page, _form(page, lambda form: "beginnen" in form.action), {})
        for _ in range(STEPS_AT_MOST):
            if found := REFERENCE.search(page.text):
                return found[0]
            form = _form(page, lambda form: form.method == "POST" and "abmelden" not in (form.action or ""))
            values, uploads = self._filled(form)
            page = browser.submit(page, form, values, uploads)
        raise Unexpected(f"the form does not end: {page.url}")

    def _filled(self, form: html.FormElement) -> tuple[dict[str, str], dict[str, Upload]]:
        values: dict[str, str] = {}
        uploads: dict[str, Upload] = {}
        for place in form.inputs:
            if place.get("type") == "file":
                uploads[place.name] = ATTACHMENT
            elif place.name in self._answers:
                answer = self._answers[place.name]
                if place.get("type") in ("radio", "checkbox"):
                    if place.get("value") in (answer, _BOOLEANS.get(answer)):
                        values[place.name] = place.get("value", "")
                else:
                    values[place.name] = answer
        return values, uploads

    def _work(self, browser: Browser, reference: str, values: Mapping[str, str]) -> float:
        """Open the case, fill the form of the task, send it; answers when it was sent."""
        page = browser.get(f"/amt/vorgang/{reference}/")
        form = _form(page, lambda form: "/aufgabe/" in (form.action or ""))
        filled = dict(values)
        for place in form.inputs:
            if place.get("type") == "radio" and place.get("value") == "granted":
                filled[place.name] = "granted"
            elif place.tag == "textarea" and not values:
                filled[place.name] = REASONS
        sent_at = time.time()
        answer = browser.submit(page, form, filled)
        if any("/aufgabe/" in (form.action or "") for form in answer.root.forms):
            raise Unexpected(f"{reference}: the task is still open at {answer.url}")
        return sent_at


def texts_of(answers: Mapping[str, Any]) -> dict[str, str]:
    """A sample's answers as a person types them into the fields of the form; files are left out."""
    found: dict[str, str] = {}
    for name, value in answers.items():
        match value:
            case bool():
                found[name] = "ja" if value else "nein"
            case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                year, month, day = value.split("-")
                found |= {f"{name}.tag": day, f"{name}.monat": month, f"{name}.jahr": year}
            case str() if re.fullmatch(r"\d+\.\d\d", value):
                found[name] = value.replace(".", ",")
            case str() | int():
                found[name] = str(value)
    return found


def _form(page: Page, is_it: Callable[[html.FormElement], bool]) -> html.FormElement:
    for form in page.root.forms:
        if is_it(form):
            return form
    raise Unexpected(f"{page.url}: the form is missing")
