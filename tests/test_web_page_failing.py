"""The page of `unspin serve`, in a browser, when something goes wrong: it says so, and goes on."""

import signal
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.browser import EXAMPLES, example, expect, read, reading_of

pytest_plugins = ["tests.browser"]

PRINTED = (EXAMPLES / "clean.txt").read_text("utf-8")
FILL = "(text) => { document.querySelector('#page').value = text.repeat(%d); }"


@pytest.fixture
def alert(page):
    return page.get_by_role("alert")


def status_of_a_request(address):
    """What the server says to a request that it has no work with."""
    asked = Request(  # noqa: S310 - of our own server
        f"{address}v1/report", b"{}", {"Content-Type": "application/json"}
    )
    try:
        return urlopen(asked, timeout=15).status  # noqa: S310
    except HTTPError as error:
        with error:
            return error.code


# --- too much


def test_a_text_that_is_too_long_is_refused_in_words_and_the_page_goes_on(page, alert, seen):
    page.evaluate(FILL % 1_050_000, "noon ")
    page.click("#read")
    expect(alert).to_contain_text("5,250,000 characters")
    expect(alert).to_contain_text("split it")
    assert not [url for url in seen.requests if "v1/read" in url]
    assert len(page.input_value("#page")) == 5_250_000
    assert read(page, PRINTED)["verdict"] == "clean"
    expect(alert).to_be_empty()


def test_a_text_that_is_too_long_only_in_bytes_is_refused_in_words_too(page, alert):
    page.evaluate(FILL % 400_000, "полдень ")
    page.click("#read")
    expect(alert).to_contain_text("5 MB")
    expect(alert).to_contain_text("split")
    assert read(page, PRINTED)["verdict"] == "clean"


def test_a_file_that_is_too_long_is_refused_in_words(page, alert):
    page.set_input_files(
        "#file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"noon " * 1_050_000}
    )
    expect(alert).to_contain_text("a.txt has 5.3 MB, and the server takes 5 MB")
    assert read(page, PRINTED)["verdict"] == "clean"


def test_a_page_that_cannot_be_read_says_why(page, alert):
    page.evaluate("document.querySelector('#page').value = '\\u0000\\u0001\\u0002'.repeat(999)")
    page.click("#read")
    expect(alert).to_contain_text("binary")


# --- a server that goes away, has no time, or does not know us


def test_a_server_killed_in_the_middle_costs_no_text(visit, start):
    with start() as server:
        page = visit(server.address)
        server.signal_workers(signal.SIGSTOP)
        with page.expect_request("**/v1/read"):
            page.fill("#page", PRINTED)
            page.click("#read")
        expect(page.locator("#read")).to_have_text("Stop")
        server.kill()
        expect(page.get_by_role("alert")).to_contain_text("start unspin serve again")
        expect(page.locator("#page")).to_have_value(PRINTED)
        expect(page.locator("#read")).to_have_text("Read it")
    with start(port=server.port):
        assert reading_of(page, lambda: page.click("#read"))["verdict"] == "clean"
        expect(page.get_by_role("alert")).to_be_empty()


def test_what_is_shown_stays_when_the_server_is_gone(visit, start):
    with start() as server:
        page = visit(server.address)
        reading = example(page, "news")
        server.kill()
    page.click("#downloads summary")
    page.click("[data-download=md]")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.locator("#texts .edit")).to_have_count(len(reading["edits"]))


def test_a_worker_killed_in_the_middle_is_told_of_and_the_next_reading_works(visit, start):
    with start() as server:
        page = visit(server.address)
        server.signal_workers(signal.SIGSTOP)
        with page.expect_request("**/v1/read"):
            page.fill("#page", PRINTED)
            page.click("#read")
        server.signal_workers(signal.SIGKILL)
        expect(page.locator("#read")).to_have_text("Read it")
        expect(page.locator("#message, #verdict").filter(visible=True)).to_have_count(1)
        page.reload()
        assert read(page, PRINTED)["verdict"] == "clean"


def test_a_busy_server_says_when_to_try_again(visit, start):
    with start("--queue", "1") as server:
        page = visit(server.address)
        server.signal_workers(signal.SIGSTOP)
        page.evaluate(
            """() => {
                const ask = () => fetch("v1/read", {
                    method: "POST",
                    headers: {"Content-Type": "application/json"},
                    body: JSON.stringify({page: "We meet at noon."}),
                }).then((answer) => answer.status === 429 ? ask() : answer.text());
                window.first = ask();
            }"""
        )
        # One of the requests below may have been let in before the page's, which asks again then.
        ends = time.monotonic() + 20
        while status_of_a_request(server.address) != 429:
            assert time.monotonic() < ends
            time.sleep(0.05)
        page.fill("#page", PRINTED)
        page.click("#read")
        expect(page.get_by_role("alert")).to_contain_text("ry again in")
        expect(page.locator("#page")).to_have_value(PRINTED)
        server.signal_workers(signal.SIGCONT)
        page.evaluate("window.first")
        assert reading_of(page, lambda: page.click("#read"))["verdict"] == "clean"


def test_a_reading_can_be_stopped(page, alert):
    page.route("**/v1/read", lambda _: None)
    page.fill("#page", PRINTED)
    page.click("#read")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    stop.click()
    expect(page.get_by_role("button", name="Read it")).to_be_visible()
    expect(alert).to_be_empty()
    page.unroute("**/v1/read")
    assert reading_of(page, lambda: page.click("#read"))["verdict"] == "clean"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "The server answered with status 502."),
        ({"status": 500, "json": {"title": "it broke"}}, "It broke"),
        ({"status": 200, "body": "no JSON"}, "The server does not answer."),
    ],
)
def test_an_answer_that_is_none_is_told_of(page, alert, answer, told):
    page.route("**/v1/read", lambda route: route.fulfill(**answer))
    page.fill("#page", PRINTED)
    page.click("#read")
    expect(alert).to_contain_text(told)
    page.unroute("**/v1/read")
    assert reading_of(page, lambda: page.click("#read"))["verdict"] == "clean"


@pytest.fixture(scope="module")
def locked(start):
    """The address of a server that asks for a token."""
    with start(token="open-sesame") as server:  # noqa: S106 - of this test
        yield server.address


def test_a_token_is_asked_for_until_it_is_the_right_one(visit, locked):
    page = visit(locked)
    dialog = page.get_by_role("dialog", name="This server asks for a token")
    expect(dialog).to_be_visible()
    expect(page.get_by_role("textbox", name="Token")).to_be_focused()
    with page.expect_response("**/v1/model") as refused:
        page.keyboard.type("sesame")
        page.keyboard.press("Enter")
    assert refused.value.status == 401
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("alert")).to_have_text("That was not it.")
    expect(page.get_by_role("textbox", name="Token")).to_be_empty()
    # What no header can carry is asked for again like any other.
    page.keyboard.type("открой")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Token")).to_be_empty()
    expect(dialog).to_be_visible()
    page.keyboard.type("open-sesame")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert read(page, PRINTED)["verdict"] == "clean"
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not page.context.cookies()


def test_without_a_token_nothing_is_read_but_it_is_asked_for_again(visit, locked):
    page = visit(locked)
    dialog = page.get_by_role("dialog", name="This server asks for a token")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.fill("#page", PRINTED)
    page.click("#read")
    expect(dialog).to_be_visible()
    page.keyboard.type("open-sesame")
    page.keyboard.press("Escape")  # nothing that was typed is sent
    expect(page.get_by_role("alert")).to_contain_text("Without its token the server reads nothing.")
    page.click("#read")
    expect(dialog).to_be_visible()
    page.get_by_role("textbox", name="Token").fill("open-sesame")
    reading_of(page, lambda: page.get_by_role("button", name="Unlock").click())


def hold(page, address):
    """The requests for an address, which are not answered yet."""
    held = []

    def keep(route):
        held.append(route)

    page.route(address, keep)
    return held


def test_an_example_that_comes_late_does_not_take_the_place_of_another_text(page):
    held = hold(page, "**/examples/news.txt")
    page.click("[data-example=news]")
    expect(page.locator("#read")).to_have_text("Stop")
    page.click("#read")
    expect(page.locator("#read")).to_have_text("Read it")
    expect(page.locator("#status")).to_have_text("Stopped")
    page.fill("#page", PRINTED)
    held[0].fulfill(body="We meet astatine noon.")
    assert reading_of(page, lambda: page.click("#read"))["source_text"] == PRINTED
    expect(page.locator("#page")).to_have_value(PRINTED)


def test_an_example_cannot_be_had_from_a_server_that_is_gone(page, alert):
    page.route("**/examples/news.txt", lambda route: route.abort())
    page.click("[data-example=news]")
    expect(alert).to_contain_text("The server does not answer.")


def test_reading_can_be_stopped_before_the_server_has_said_what_it_is(visit, address):
    page = visit("about:blank")
    held = hold(page, "**/v1/model")
    page.goto(address)
    page.fill("#page", PRINTED)
    page.click("#read")
    page.click("#read")
    held[0].continue_()
    expect(page.locator("#read")).to_have_text("Read it")
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.locator("#result")).to_be_hidden()


def test_a_reading_of_an_empty_text_is_shown(page):
    assert read(page, "<html><body></body></html>")["verdict"] == "unsure"
    expect(page.locator("#probability")).to_be_hidden()
    expect(page.get_by_role("heading", name="Spun or clean? unsure")).to_be_visible()
    expect(page.locator("#texts")).to_be_attached()
