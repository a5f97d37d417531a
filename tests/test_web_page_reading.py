"""The page of `unspin serve`, in a browser: a text goes in, its reading comes out."""

import re
from urllib.parse import unquote

import pytest

from tests.browser import EXAMPLES, answer_with, example, expect, read, reading_of
from unspin.reading import Edit, Reading

pytest_plugins = ["tests.browser"]

SPUN = (EXAMPLES / "news.txt").read_text("utf-8")
PRINTED = (EXAMPLES / "clean.txt").read_text("utf-8")
DROP = """([name, type, bytes]) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([new Uint8Array(bytes)], name, {type}));
    return dropped;
}"""


def verdict(page):
    return page.locator("#verdict").get_attribute("data-verdict")


def drop(page, name, content, kind="text/plain"):
    dropped = page.evaluate_handle(DROP, [name, kind, list(content)])
    page.dispatch_event("#ask", "dragover", {"dataTransfer": dropped})
    page.dispatch_event("#ask", "drop", {"dataTransfer": dropped})


def html(text):
    lines = "".join(f"<p>{line}</p>" for line in text.splitlines() if line)
    return f"<!doctype html><html><body><article>{lines}</article></body></html>"


# --- how a text goes in


def test_a_pasted_text_is_read(page):
    reading = read(page, SPUN)
    expect(page.get_by_role("heading", name="This text is spun", level=1)).to_be_focused()
    assert verdict(page) == reading["verdict"] == "spun"
    expect(page.locator("#start")).to_be_hidden()
    expect(page.locator("#read")).to_be_hidden()


def test_ctrl_and_enter_read_a_pasted_text(page):
    page.fill("#page", SPUN)
    assert reading_of(page, lambda: page.press("#page", "Control+Enter"))["verdict"] == "spun"


@pytest.mark.parametrize(
    ("name", "expected", "phrases"),
    [("news", "spun", 0), ("paper", "spun", 15), ("clean", "clean", 0)],
)
def test_an_example_is_read(page, name, expected, phrases):
    reading = example(page, name)
    assert verdict(page) == reading["verdict"] == expected
    assert reading["source_text"] == (EXAMPLES / f"{name}.txt").read_text("utf-8")
    expect(page.locator("#findings li")).to_have_count(phrases)


def test_a_dropped_text_is_read(page):
    reading = reading_of(page, lambda: drop(page, "news.txt", SPUN.encode()))
    assert reading["source_text"] == SPUN
    assert verdict(page) == "spun"


def test_a_dropped_page_is_read_without_its_markup(page):
    reading = reading_of(page, lambda: drop(page, "a.html", html(SPUN).encode(), "text/html"))
    assert "<p>" not in reading["source_text"]
    assert "The iron bridge implicit the aged harbour" in reading["source_text"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
def test_a_file_is_read_in_the_encoding_that_it_has(page, encoding):
    reading = reading_of(page, lambda: drop(page, "news.txt", SPUN.encode(encoding)))
    assert reading["source_text"] == SPUN


def test_a_page_is_read_in_the_encoding_that_it_declares(page):
    declared = html("Маяк закрыт.").replace("<body>", '<meta charset="koi8-r"><body>')
    reading = reading_of(page, lambda: drop(page, "a.html", declared.encode("koi8-r"), "text/html"))
    assert reading["source_text"] == "Маяк закрыт."


def test_a_file_can_be_opened_and_opened_again(page):
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": PRINTED.encode()}
    for _ in range(2):
        reading = reading_of(page, lambda: page.set_input_files("#file", file))
        assert reading["source_text"] == PRINTED
        page.get_by_role("button", name="Read another text").click()
        expect(page.locator("#page")).to_have_value(PRINTED)


def test_a_pdf_is_refused_with_a_way_out(page, seen):
    drop(page, "paper.pdf", b"%PDF-1.7\n\0\1\2\xff\xfe stream \0", "application/pdf")
    expect(page.get_by_role("alert")).to_contain_text(
        "paper.pdf is neither text nor HTML. Of a PDF or a Word file, copy the text and paste it."
    )
    assert not [url for url in seen.requests if "v1/read" in url]


def test_nothing_is_asked_of_the_server_when_there_is_nothing_to_read(page, seen):
    page.fill("#page", "  \n ")
    page.click("#read")
    expect(page.get_by_role("alert")).to_contain_text("paste a text")
    assert not [url for url in seen.requests if "v1/read" in url]


def test_another_text_can_be_read_after_one(page):
    assert example(page, "news")["verdict"] == "spun"
    page.get_by_role("button", name="Read another text").click()
    expect(page.locator("#page")).to_be_focused()
    expect(page.locator("#result")).to_be_hidden()
    assert read(page, PRINTED)["verdict"] == verdict(page) == "clean"
    expect(page.locator("#texts .edit")).to_have_count(0)


def test_the_bookmarklet_brings_what_is_selected_elsewhere(page, address, seen):
    code = unquote(page.get_attribute("#bookmarklet", "href").removeprefix("javascript:"))
    selected = SPUN.replace("\n", " ") + "= 100 % #1 ☃"
    elsewhere = page.context.new_page()
    elsewhere.goto("data:text/html,<p></p>")
    elsewhere.evaluate(
        """text => {
            document.querySelector("p").textContent = text;
            getSelection().selectAllChildren(document.querySelector("p"));
        }""",
        selected,
    )
    with page.context.expect_page() as opened:
        elsewhere.evaluate(code)
    expect(opened.value.locator("#verdict")).to_have_text("This text is spun")
    assert opened.value.input_value("#page") == selected
    assert opened.value.url == address
    assert opened.value.evaluate("history.length") == 1
    assert not seen.console


# --- what comes out


def test_the_verdict_is_said_in_words_as_a_bar_and_in_figures(page):
    reading = example(page, "news")
    meter = page.get_by_role("meter", name="Probability of being spun")
    assert meter.get_attribute("aria-valuetext") == "> 99.9\u00a0%, as good as certain"
    assert float(meter.get_attribute("aria-valuenow")) == reading["probability"]
    expect(meter).to_contain_text("as good as certain")
    expect(page.locator("#status")).to_contain_text("This text is spun")
    figures = page.locator("#figures")
    for figure in (
        f"Words replaced{round(100 * reading['rate'])}\u00a0%of {reading['words']} words",
        f"Changes put back{len(reading['edits'])}{len(reading['suspects'])} more suspected",
        f"Spinner{reading['family']['name']}",
        f"Quotations altered{len(reading['quotations'])}",
    ):
        expect(figures).to_contain_text(figure)


def test_a_clean_text_is_shown_as_it_was_printed(page):
    example(page, "clean")
    expect(page.get_by_role("heading", name="This text is clean")).to_be_visible()
    expect(page.locator("#slider")).to_be_hidden()
    expect(page.locator("#copy")).to_be_visible()
    shown = page.locator("#texts .restored").all_text_contents()
    assert shown == [line for line in PRINTED.splitlines() if line]


def test_both_texts_stand_side_by_side_with_every_change_marked(page):
    reading = example(page, "news")
    for marked, judged, word in (
        (".was", "edits", "spun"),
        (".edit", "edits", "original"),
        (".printed .suspect", "suspects", "spun"),
        (".restored .suspect", "suspects", "spun"),
    ):
        words = page.locator(f"#texts {marked}").all_text_contents()
        assert words == [found[word] for found in reading[judged]] != []
    for side, text in (("printed", SPUN), ("restored", reading["text"])):
        title, _, *article = text.splitlines()[:-2]
        assert page.locator(f"#texts .{side}").all_text_contents() == [title, *article]


@pytest.mark.parametrize(
    ("least", "most", "mark"), [(0.95, 1, "sure"), (0.8, 0.95, "likely"), (0.5, 0.8, "open")]
)
def test_words_are_marked_by_how_sure_they_are(page, least, most, mark):
    reading = example(page, "news")
    words = [e["original"] for e in reading["edits"] if least <= e["confidence"] < most]
    assert page.locator(f"#texts .edit.{mark}").all_text_contents() == words != []


def test_the_texts_can_be_shown_in_three_ways(page):
    example(page, "news")
    first, other = page.locator("#texts .printed").nth(1), page.locator("#texts .restored").nth(1)
    beside = first.bounding_box(), other.bounding_box()
    assert beside[0]["y"] == beside[1]["y"]
    page.get_by_text("Stacked").click()
    below = first.bounding_box(), other.bounding_box()
    assert below[0]["y"] + below[0]["height"] <= below[1]["y"]
    page.get_by_text("Restored only").click()
    expect(first).to_be_hidden()
    expect(other).to_be_visible()


def test_quotations_stand_with_their_speakers_the_altered_ones_open(page):
    reading = example(page, "news")
    speakers = page.locator("#quotations > .entries > figure figcaption").all_inner_texts()
    assert speakers == [quotation["speaker"] for quotation in reading["quotations"]]
    first = page.locator("#quotations blockquote").first
    assert "more" in first.inner_text()
    assert "much" in first.inner_text()


def test_quotations_as_printed_are_folded_away(page):
    example(page, "clean")
    folded = page.locator("#quotations figure").first
    expect(folded).to_be_hidden()
    page.get_by_text("2 quotations, as printed").click()
    expect(folded).to_be_visible()
    expect(folded).to_contain_text("Maud Ferris")


def test_furniture_is_folded_away_and_says_why_it_is_none_of_the_text(page):
    example(page, "news")
    line = page.get_by_text("Sedang Trending 3 bulan yang lalu 6")
    expect(line).to_be_hidden()
    page.get_by_text("1 line of furniture, not read").click()
    expect(line).to_be_visible()
    expect(page.get_by_text("trending counter")).to_be_visible()
    expect(page.get_by_text("2 lines of furniture, not read")).to_be_visible()


def test_a_tortured_phrase_brings_its_place_into_view(page):
    reading = example(page, "paper")
    page.get_by_role("button", name=reading["findings"][-1]["printed"], exact=True).click()
    expect(page.locator("#texts .row").last).to_be_in_viewport()


def test_tortured_phrases_are_looked_for_on_demand(page):
    text = (EXAMPLES / "paper.txt").read_text("utf-8")
    assert not read(page, text)["findings"]
    expect(page.locator("#findings")).to_be_hidden()
    page.get_by_role("button", name="Read another text").click()
    page.get_by_label("Look for tortured phrases too").check()
    assert read(page, text)["findings"]
    expect(page.locator("#findings")).to_be_visible()


def test_a_text_of_50_000_words_is_shown_and_its_slider_works(page):
    line = "We meet astatine noon and the boat is late again."
    text = "\n".join([line] * 5000)
    starts = range(8, len(text), len(line) + 1)
    edits = tuple(
        Edit(at, at + 8, "astatine", "at", 0.6 + 0.3 * (number % 2), (("on", 0.1),), "element")
        for number, at in enumerate(starts)
    )
    reading = Reading(
        "spun", 0.99, 0.5, 0.1, 50_000, None, text, edits, (), (), "substitution explains it"
    ).to_dict()
    answer_with(page, reading)
    assert len(read(page, text)["edits"]) == 5000
    expect(page.locator("#texts .edit")).to_have_count(5000)
    expect(page.locator("#count")).to_have_text("5,000 of 5,000 changes")
    page.fill("#slider", "80")
    expect(page.locator("#count")).to_have_text("2,500 of 5,000 changes")
    expect(page.locator("#texts .edit.kept")).to_have_count(2500)
    page.locator("#texts .edit").last.scroll_into_view_if_needed()
    expect(page.locator("#texts .edit").last).to_be_in_viewport()


def test_words_are_marked_at_their_place_after_emoji_and_in_any_script(page):
    text = f"👩‍🚀🚀 𝔘nspun, שלום: {SPUN}"
    reading = read(page, text)
    edits = reading["edits"]
    assert len(edits) > 100
    assert page.locator("#texts .was").all_text_contents() == [edit["spun"] for edit in edits]
    shown = page.locator("#texts .printed").first.text_content()
    assert shown == text.splitlines()[0]


def test_text_from_right_to_left_is_shown_so(page):
    read(page, "שלום, she said, and we meet at noon.\nThe boat is late, he said.")
    directions = page.locator("#texts .restored").evaluate_all(
        "rows => rows.map(row => getComputedStyle(row).direction)"
    )
    assert directions == ["rtl", "ltr"]


def test_half_a_character_does_not_stop_a_reading(page):
    page.evaluate("document.querySelector('#page').value = '\\ud83d We meet at noon. \\ude80'")
    reading = reading_of(page, lambda: page.click("#read"))
    assert reading["source_text"] == "\ufffd We meet at noon. \ufffd"


# --- what it does besides


def test_the_page_asks_nobody_but_its_server_and_keeps_nothing(page, address, seen):
    for name in ("news", "paper", "clean"):
        example(page, name)
        page.get_by_role("button", name="Read another text").click()
    assert seen.requests
    assert not [url for url in seen.requests if not url.startswith(address)]
    assert not page.context.cookies()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("indexedDB.databases()") == []
    assert not seen.console


def test_no_text_stays_in_the_title_or_the_address(page, address):
    example(page, "news")
    assert re.fullmatch(r"spun · unspin", page.title())
    assert page.url == address
