"""Takes the pictures of the page that stand in `docs/screenshots`: `make screenshots`.

The page uses the fonts of the system that shows it. Those in the pictures are Inter and Charis SIL
(Debian's fonts-inter and fonts-sil-charis).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import ARTICLES, PHONE, build_index, launch, served

PLACE = Path(__file__).parent / "screenshots"
DESK = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 1.5}
AROUND = "#texts .edit[data-edit='21']"  # a word that may have been another one, too


def empty(_: Page) -> None:
    """The page as it opens."""


def spun(page: Page) -> None:
    """A spun text beside what it said."""
    read(page, "news")


def clean(page: Page) -> None:
    """A text that is shown as printed."""
    read(page, "clean")


def card(page: Page) -> None:
    """The card beside a word."""
    read(page, "news")
    page.evaluate("scrollTo(0, 250)")
    page.click(AROUND)


def source(page: Page) -> None:
    """The article that the text was taken from, beside it."""
    read(page, "news")
    page.wait_for_selector("#source:not([hidden])")
    page.evaluate("document.querySelector('#source').scrollIntoView()")


def read(page: Page, example: str) -> None:
    """Have an example read, and wait for its reading."""
    page.click(f"[data-example={example}]")
    page.wait_for_selector("#result:not([hidden])")


PICTURES = {
    "empty": (empty, DESK),
    "empty-dark": (empty, {**DESK, "color_scheme": "dark"}),
    "spun": (spun, DESK),
    "spun-dark": (spun, {**DESK, "color_scheme": "dark"}),
    "spun-phone": (spun, {**PHONE, "device_scale_factor": 2}),
    "clean": (clean, DESK),
    "card": (card, DESK),
    "source": (source, DESK),
}


def take(browser: Browser, address: str, name: str) -> None:
    """Take one picture."""
    show, options = PICTURES[name]
    page = browser.new_page(reduced_motion="reduce", **options)
    page.goto(address)
    show(page)
    page.mouse.move(0, 0)
    page.screenshot(path=PLACE / f"{name}.png")
    page.close()


def main() -> None:
    """Take all pictures."""
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        index = build_index(ARTICLES, Path(place) / "ix")
        browser = launch(playwright)
        with served() as plain, served("--index", index) as indexed:
            for name, (show, _) in PICTURES.items():
                take(browser, (indexed if show is source else plain).address, name)
        browser.close()


if __name__ == "__main__":
    main()
