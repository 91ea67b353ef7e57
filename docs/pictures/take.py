"""Take the pictures of the guides from the running demo: `python docs/pictures/take.py [name …]`.

Needs `make demo` served beside it, Chromium, and pngquant to make the files small. It only looks: forms are opened, not
sent; an application that is begun stays as a draft.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SITE = os.environ.get("RATHAUS_URL", "http://localhost:8000")
HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
STAFF, STAFF_PASSWORD = "d3@hessen.example", "starke-heimat-2020"
OFFICER, OFFICER_PASSWORD = "claudia.becker@ehringshausen.example", "Vorschau-2021"
PROGRAMME = f"{SITE}/amt/foerderung/starke-heimat-hessen"


def take(page: Page, name: str, *, height: int = 0, part: str = "") -> None:
    """A picture of the page from its top, or of one part of it."""
    page.wait_for_load_state("networkidle")
    path = HERE / f"{name}.png"
    if part:
        page.locator(part).first.screenshot(path=path)
    else:
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.screenshot(
            path=path,
            full_page=True,
            clip={"x": 0, "y": 0, "width": 1280, "height": min(height, whole)},
        )
    pngquant = shutil.which("pngquant")
    if pngquant:
        command = [pngquant, "--force", "--ext", ".png", "--quality", "60-90", str(path)]
        subprocess.run(command, check=True)  # noqa: S603  our own files


def staff(browser: Browser) -> Page:
    """The head of the division, logged in with a password."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{SITE}/konto/login/")
    page.locator("[name=login]").fill(STAFF)
    page.locator("[name=password]").fill(STAFF_PASSWORD)
    page.locator("main [type=submit]").first.click()
    return page


def officer(browser: Browser) -> Page:
    """The digitalisation officer of Ehringshausen, by way of the preview's Servicekonto."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{SITE}/anmelden/?next=/foerderungen/")
    page.get_by_role("button", name="Weiter zur Anmeldung").click()
    page.locator("[name=login]").fill(OFFICER)
    page.locator("[name=password]").fill(OFFICER_PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url(f"{SITE}/foerderungen/")
    return page


# --- the pictures ---


def money(page: Page) -> None:
    page.goto(f"{PROGRAMME}/mittel/")
    take(page, "ministry-money", height=1100)


def rules(page: Page) -> None:
    page.goto(f"{SITE}/amt/leistungen/starke-heimat-smart/regeln/")
    take(page, "ministry-rules", height=1000)


def programme(page: Page) -> None:
    page.goto(f"{PROGRAMME}/")
    take(page, "ministry-programme", height=1100)


def run(page: Page) -> None:
    page.goto(f"{PROGRAMME}/auszahlungen/")
    page.get_by_role("link", name="Zahlungslauf 1", exact=True).click()
    take(page, "ministry-run", height=900)


def grant_of_ministry(page: Page) -> None:
    page.goto(f"{PROGRAMME}/foerderungen/?q=Lahnau")
    page.locator("main a[href*='/amt/vorgang/']").last.click()
    take(
        page,
        "ministry-grant",
        part="section:has(> div h2:text-is('Zuwendung')), section:has(> h2:text-is('Zuwendung'))",
    )


def claim(page: Page) -> None:
    page.goto(f"{PROGRAMME}/rueckforderungen/?stand=alle")
    page.locator("main table a").first.click()
    take(page, "ministry-claim", height=1000)


def grants(page: Page) -> None:
    page.goto(f"{SITE}/foerderungen/")
    take(page, "municipality-grants", height=1000)


def grant(page: Page) -> None:
    page.goto(f"{SITE}/foerderungen/")
    page.get_by_role("link", name="Gemeinsames Dokumentenmanagement").first.click()
    take(page, "municipality-grant", height=1100)


def drawdown(page: Page) -> None:
    page.goto(f"{SITE}/foerderungen/")
    page.get_by_role("link", name="Geld abrufen").first.click()
    page.get_by_role("button", name="Beginnen").click()
    take(page, "municipality-drawdown", height=900)


def proof(page: Page) -> None:
    page.goto(f"{SITE}/foerderungen/")
    page.get_by_role("link", name="Nachweis").first.click()
    page.get_by_role("button", name="Beginnen").click()
    page.goto(page.url.rstrip("/").rsplit("/", 1)[0] + "/belege/")
    page.get_by_text("Aus CSV-Datei einlesen").first.click()
    take(page, "municipality-proof", height=900)


OF_STAFF = {
    "money": money,
    "rules": rules,
    "programme": programme,
    "run": run,
    "grant": grant_of_ministry,
    "claim": claim,
}
OF_OFFICER = {"grants": grants, "grant": grant, "drawdown": drawdown, "proof": proof}


def main(wanted: list[str]) -> None:
    """All, or those that are named: „ministry-money“."""
    browser_path = os.environ.get("RATHAUS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for prefix, login, pictures in (
            ("ministry", staff, OF_STAFF),
            ("municipality", officer, OF_OFFICER),
        ):
            chosen: list[Callable[[Page], None]] = [
                take_it for name, take_it in pictures.items() if not wanted or f"{prefix}-{name}" in wanted
            ]
            if chosen:
                page = login(browser)
                for take_it in chosen:
                    take_it(page)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
