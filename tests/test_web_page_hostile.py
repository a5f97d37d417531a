"""The page of `unspin serve`, in a browser: no text and no article becomes markup."""

import html
import json

import pytest

from tests.browser import (
    ARTICLES,
    EXAMPLES,
    answer_with,
    downloaded,
    example,
    expect,
    printed,
    read,
    reading_of,
    word,
)
from unspin.pages import Passage
from unspin.reading import Edit, Family, Part, Reading, Suspect
from unspin.tortured import Finding

pytest_plugins = ["tests.browser"]

SPUN = (EXAMPLES / "news.txt").read_text("utf-8")
HOSTILE = (
    "<img src=x onerror=\"alert('img')\"><script>alert('script')</script>"
    "</textarea></p><svg onload=alert('svg')>'\"`&${alert(1)}<a href=javascript:alert('a')>"
)


@pytest.fixture
def harmless(seen):
    """Whether nothing of a text ran, or even became an element, on a page."""

    def is_harmless(page):
        made = (
            "img[src=x], svg, script:not([src]), [onerror], [onload], a[href^='javascript:alert']"
        )
        return (
            page.locator(made).count() == 0
            and seen.dialogs == []
            and seen.errors == []
            # A refusal by the policy would stand there: nothing even came so far.
            and seen.console == []
        )

    return is_harmless


@pytest.fixture
def hostile():
    """A reading in which every string that a page has influence on is markup."""
    text = f"We meet {HOSTILE} noon. “{HOSTILE} {HOSTILE}” she {HOSTILE}\n{HOSTILE}\nThe end."
    places = [place for place in range(len(text)) if text.startswith(HOSTILE, place)]
    *edits, suspect, furniture = [(place, place + len(HOSTILE)) for place in places]
    told = Reading(
        verdict="unsure",
        probability=0.9,
        llr_per_word=0.5,
        rate=0.5,
        words=9,
        family=Family(HOSTILE, {HOSTILE: 0.9, "synonym": 0.1}),
        source_text=text,
        edits=tuple(
            Edit(start, end, HOSTILE, f"{HOSTILE}{number}", 0.6, ((HOSTILE, 0.3),), HOSTILE)
            for number, (start, end) in enumerate(edits)
        ),
        suspects=(Suspect(*suspect, HOSTILE, 0.4),),
        furniture=(Passage(*furniture, HOSTILE, HOSTILE),),
        reason=HOSTILE,
        parts=(Part(0, len(text), "spun", 0.99),),
        findings=(Finding(*edits[0], HOSTILE, HOSTILE, 0.9, HOSTILE),),
    ).to_dict()
    start, end = edits[1][0], edits[2][1]
    quotation = {"start": start, "end": end, "speaker": HOSTILE, "altered": True}
    return told | {"quotations": [quotation | {"printed": HOSTILE, "restored": HOSTILE}]}


def test_a_text_full_of_markup_is_shown_as_text(page, harmless):
    text = html.escape(f"{HOSTILE} ") + SPUN + html.escape(HOSTILE)
    lines = "".join(f"<p>{line}</p>" for line in text.splitlines())
    reading = read(page, f"<html><body><article>{lines}</article></body></html>")
    assert reading["source_text"].startswith(HOSTILE)
    for side in ("printed", "restored"):
        assert page.locator(f"#texts .{side}").first.text_content().startswith(HOSTILE)
    assert harmless(page)


@pytest.mark.parametrize("text", [HOSTILE, f"{HOSTILE} {SPUN}", f"{SPUN}{HOSTILE}"])
def test_markup_that_is_pasted_does_nothing(page, harmless, text):
    read(page, text)
    expect(page.locator("#page")).to_have_value(text)
    assert harmless(page)


def test_every_string_of_a_reading_is_shown_as_text(page, hostile, harmless):
    answer_with(page, hostile)
    read(page, "anything")
    expect(page.locator("#texts")).to_be_visible()
    assert printed(page, 0).text_content() == HOSTILE
    assert word(page, 0).text_content() == f"{HOSTILE}0"
    for place in (
        "#reason",
        "#figures",
        "#texts .printed .suspect",
        "#texts .restored .suspect",
        "#texts .furniture li",
        "#quotations figcaption",
        "#quotations .was",
        "#findings li",
    ):
        expect(page.locator(place).first).to_contain_text(HOSTILE)
    expect(page.locator("#parts li")).to_contain_text(f"We meet {HOSTILE[:90]}")
    word(page, 0).click()
    for place in (".printed-word", "label", ".why"):
        expect(page.locator(f"#card {place}").first).to_contain_text(HOSTILE)
    page.locator("#card input").nth(1).check()
    expect(word(page, 0)).to_have_text(HOSTILE)
    assert harmless(page)


def test_a_downloaded_report_is_as_harmless(page, visit, hostile, harmless, tmp_path):
    answer_with(page, hostile)
    read(page, "anything")
    report = tmp_path / "unspin.html"
    report.write_text(downloaded(page, "html")[1], "utf-8")
    opened = visit(report.as_uri())
    expect(opened.locator("body")).to_contain_text("<script>alert('script')</script>")
    assert harmless(opened)


def test_an_article_of_the_index_is_shown_as_text(visit, start_indexed, harmless, tmp_path):
    article = json.loads(ARTICLES.read_text("utf-8").splitlines()[0])
    facts = {"title": HOSTILE, "date": HOSTILE, "url": "javascript:alert('url')"}
    text = article["text"].replace("once a month", "once <img src=x onerror=alert(1)> a month")
    copies = [facts | {"text": text, "id": name} for name in (HOSTILE, f"{HOSTILE} again")]
    articles = tmp_path / "articles.jsonl"
    articles.write_text("".join(json.dumps(copy) + "\n" for copy in copies), "utf-8")
    with start_indexed(articles) as server:
        page = visit(server.address)
        example(page, "news")
        expect(page.locator("#source")).to_be_visible()
        for place in ("#taken a", "#source h3", "#source .facts"):
            expect(page.locator(place)).to_contain_text("<script>alert('script')</script>")
        expect(page.locator("#source .sides")).to_contain_text(
            "once <img src=x onerror=alert(1)> a"
        )
        expect(page.locator("#source .facts")).to_contain_text("javascript:alert('url')")
        expect(page.locator("#source .facts a")).to_have_count(0)
        expect(page.locator("#source .facts")).to_contain_text("1 other article")
        assert harmless(page)


def test_a_file_with_markup_in_its_name_is_refused_in_words(page, harmless):
    name = "<img src=x onerror=alert(1)>.pdf"
    page.set_input_files(
        "#file", {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF\0"}
    )
    expect(page.get_by_role("alert")).to_contain_text(name)
    assert harmless(page)


def test_what_a_link_sends_is_read_as_text(visit, address, seen, harmless):
    page = visit("about:blank")
    reading_of(
        page, lambda: page.goto(f"{address}#text=%3Cscript%3Ealert(1)%3C/script%3E%20Hello.")
    )
    assert page.url == address
    assert harmless(page)
    seen.requests.clear()
    page.evaluate("location.hash = '#text=%E0%A4%A'")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.url == address


def test_control_characters_are_seen(page):
    text = "We meet \u0000\u001b[31m at noon, \u009b2J she said."
    answer_with(
        page, Reading("clean", 0.1, 0, 0, 8, None, text, (), (), (), "it is as printed").to_dict()
    )
    read(page, "anything")
    expect(page.locator("#texts .restored")).to_have_text(
        "We meet ␀␛[31m at noon, \ufffd2J she said."
    )
