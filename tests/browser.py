"""A server as `unspin serve` starts it, and a browser that looks at its page.

A module of tests takes the fixtures with `pytest_plugins = ["tests.browser"]`. What is missing to
look at a page skips the tests and says how to get it; `make test-web` gets all of it.

PYTEST_DONT_REWRITE: tests import its functions before they take its fixtures.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.running import end, end_all

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    expect = sync_playwright = None
else:
    expect.set_options(timeout=15_000)

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "src" / "unspin" / "web" / "static" / "examples"
ARTICLES = ROOT / "examples" / "articles.jsonl"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(sys.prefix) / "axe" / "node_modules" / "axe-core" / "axe.min.js"
LISTENS = "unspin listens on "
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@dataclass
class Server:
    """A running server; `address` ends in a slash."""

    process: subprocess.Popen
    address: str

    @property
    def port(self):
        return int(self.address.rstrip("/").rpartition(":")[2])

    def signal_workers(self, number):
        """Send a signal to the processes that work on pages."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), number)

    def kill(self):
        """Kill the server and its workers at once."""
        end_all(self.process)


@dataclass
class Seen:
    """What the pages of a test did besides showing themselves."""

    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)  # warnings and errors
    errors: list[str] = field(default_factory=list)  # uncaught ones
    dialogs: list[str] = field(default_factory=list)

    def watch(self, page):
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dismiss)

    def _note(self, message):
        if message.type in ("warning", "error"):
            self.console.append(message.text)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def served(*options, port=0, token=None):
    """A server that is ready to answer, with one worker."""
    environment = {name: value for name, value in os.environ.items() if name != "UNSPIN_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-m", "unspin", "serve", "--port", str(port), "--workers", "1", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment | ({"UNSPIN_TOKEN": token} if token else {}),
        start_new_session=True,
    )
    try:
        said = process.stderr.readline().decode()
        assert said.startswith(LISTENS), said
        yield Server(process, said.removeprefix(LISTENS).split()[0])
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
    finally:
        end(process)


def build_index(articles, place):
    """Build an index of articles in JSON lines."""
    subprocess.run(
        [sys.executable, "-m", "unspin", "index", "build", articles, "-o", place],
        check=True,
        capture_output=True,
    )
    return place


def launch(playwright):
    """The browser of this machine: those of Playwright's own are nowhere taken for granted."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser, none of {', '.join(BROWSERS)}: apt-get install chromium")
    # As root it has no sandbox to run in.
    return playwright.chromium.launch(
        executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else []
    )


@pytest.fixture(scope="module")
def browser():
    if sync_playwright is None:
        pytest.skip("no playwright: pip install playwright")
    # It keeps an event loop in this thread, which later modules want to have for themselves.
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


def need(extra, *modules):
    """Skip the tests of an extra that is not installed."""
    if missing := [module for module in modules if importlib.util.find_spec(module) is None]:
        pytest.skip(f"no {', '.join(missing)}: pip install 'unspin[{extra}]'")


@pytest.fixture(scope="session")
def start():
    """What starts a server, where it can be started."""
    need("web", "fastapi", "uvicorn", "prometheus_client")
    return served


@pytest.fixture(scope="session")
def start_indexed(start, tmp_path_factory):
    """What starts a server with an index of articles in JSON lines."""
    need("trace", "tantivy", "zstandard")

    def started(articles):
        return start("--index", build_index(articles, tmp_path_factory.mktemp("articles") / "ix"))

    return started


@pytest.fixture(scope="session")
def address(start):
    """The address of a server without an index."""
    with start() as server:
        yield server.address


@pytest.fixture(scope="session")
def indexed(start_indexed):
    """The address of a server with the index of the examples."""
    with start_indexed(ARTICLES) as server:
        yield server.address


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def visit(browser, seen):
    """What opens the page of a server in a browser that nobody used before."""
    contexts = []

    def visited(address, **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(15_000)
        contexts[-1].grant_permissions(["clipboard-read", "clipboard-write"])
        contexts[-1].on("page", seen.watch)
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert not seen.errors


@pytest.fixture
def page(visit, address):
    return visit(address)


def reading_of(page, act):
    """Do what has a text read; returns the reading, which is then shown."""
    with page.expect_response("**/v1/read") as answer:
        act()
    expect(page.locator("#result")).to_be_visible()
    return answer.value.json()


def read(page, text):
    """Paste a text and have it read."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.press("#page", "Control+A")
    page.press("#page", "Control+V")
    return reading_of(page, lambda: page.click("#read"))


def example(page, name):
    """Have one of the examples read."""
    return reading_of(page, lambda: page.click(f"[data-example={name}]"))


def answer_with(page, reading):
    """Let the server answer with a reading that it never made."""
    page.route("**/v1/read", lambda route: route.fulfill(json=reading))


def word(page, number):
    """A changed word of the restored text."""
    return page.locator(f"#texts .edit[data-edit='{number}']")


def printed(page, number):
    """The same word as it was printed."""
    return page.locator(f"#texts .was[data-edit='{number}']")


def copied(page):
    """The text that the page copies."""
    page.evaluate("navigator.clipboard.writeText('')")
    page.click("#copy")
    return page.wait_for_function("navigator.clipboard.readText()").json_value()


def restored(reading, chosen=None, least=0.5):
    """The text of a reading with other words chosen for some edits."""
    text, cursor = "", 0
    for number, edit in enumerate(reading["edits"]):
        kept = edit["original"] if edit["confidence"] >= least else edit["spun"]
        text += reading["source_text"][cursor : edit["start"]] + (chosen or {}).get(number, kept)
        cursor = edit["end"]
    return text + reading["source_text"][cursor:]


def downloaded(page, kind):
    """The name and the content of a download."""
    page.click("#downloads summary")
    with page.expect_download() as download:
        page.click(f"[data-download={kind}]")
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def width_beyond_the_screen(page):
    """How far the page can be scrolled sideways."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
