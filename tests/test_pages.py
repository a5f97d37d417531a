"""What `extract` makes of a page, whatever state it comes in."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unspin.furniture import why
from unspin.pages import MAX_ARTICLE_TAGS, MAX_BYTES, MAX_CHARACTERS, PageError, extract

DEMO = Path(__file__).parents[1] / "examples" / "demo.html"
SENTENCE = "The harbour bridge was closed on Monday, and drivers had to wait for the ferry. "
ARTICLE = "".join(f"<p>{SENTENCE * 3} It was day {day}.</p>" for day in range(6))


def reasons(text):
    return [passage.reason for passage in extract(text).furniture]


# --- plain text


@given(st.text())
@example("a\r\nb\rc\x85d \ud800 \x00")
@example("הגשר נסגר ביום שני — The bridge \u200fclosed.")
def test_plain_text_stays_as_it_is(text):
    text = text.replace("<", "")
    assert extract(text).text == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_plain_text_in_utf8_bytes_stays_as_it_is(text):
    text = text.replace("<", "").lstrip("\ufeff")
    assert extract(text.encode()).text == text


def test_a_comparison_or_a_mention_of_a_tag_is_not_html():
    for text in ("if a < b and b > c", f"The <b> tag makes text bold. {SENTENCE * 9}", "x <y> z"):
        assert extract(text).text == text


# --- HTML


def test_the_article_comes_without_what_stands_around_it():
    page = extract(DEMO.read_bytes())
    assert page.text.startswith("Old harbour bridge")
    assert "Then I volition believe it.”" in page.text
    assert not re.search("cookies|window.feed|Sport|newsletter", page.text)
    assert [passage.reason for passage in page.furniture] == [
        "trending counter",
        "source credit",
        "link line",
    ]


def test_every_paragraph_is_a_line():
    assert len(extract(f"<html><body><article>{ARTICLE}").text.splitlines()) == 6


@pytest.mark.parametrize(
    "page",
    [
        f"<html><body>{'<div>' * 50_000}{SENTENCE}{'</div>' * 50_000}",
        f"<html><body>{'<b><i>' * 5_000}{SENTENCE}",
        f"<html><body><article><p>{SENTENCE * 5}<div class='cut",
        f"<html><body><p>{SENTENCE}<!-- never closed",
        f"<html><head><title>Bridge<body><p>{SENTENCE}</p></script></div>",
        f"<p>{SENTENCE}\ud800 and \x00 more</p>",
        f"<html><body>{'<br>' * MAX_ARTICLE_TAGS}<p>{SENTENCE}</p>",
    ],
    ids=["deep", "deep inline", "truncated", "open comment", "unclosed", "surrogate", "huge"],
)
def test_broken_html_keeps_its_text(page):
    assert SENTENCE.strip() in extract(page).text


@pytest.mark.parametrize(
    "page",
    ["", b"", " \n", "<html>", "<html><body></body></html>", "<html><script>var a = 1;</script>"],
)
def test_a_page_without_text_is_empty(page):
    page = extract(page)
    assert not page.text.strip()
    assert page.furniture == ()


@given(st.lists(st.sampled_from(["<p>", "</p>", "<", "<!--", "-->", "<script>", "&amp;", "a\n"])))
def test_no_html_is_too_broken_to_read(parts):
    extract("<html>" + "".join(parts))


@pytest.mark.parametrize("between", [" ", "/", '=">" '])
def test_a_tag_of_any_number_of_attributes_is_read(between):
    attributes = between.join(f"a{number}" for number in range(60_000))
    assert extract(f"<html><body><p {attributes}>The ferry waits.").text.endswith(
        "The ferry waits."
    )


def test_scripts_and_entities_are_read_as_a_browser_shows_them():
    # too deep for the parser, so that only tags remain to go by
    deep = "<div>" * 5000
    page = extract(f"<html><style>p {{}}</style>{deep}<p>Caf&eacute; <b>Har</b>bour<br>open</p>")
    assert page.text == "Café Harbour\nopen"


# --- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_english_in_any_common_encoding(encoding):
    text = f"It’s a “quotation” from the café. {SENTENCE}"
    assert extract(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_another_language_is_recognised_in_its_own_encodings(encoding):
    text = "Мост в гавани снова открыт после двух лет ремонта. " * 5
    page = extract(text.encode(encoding))
    assert page.text == text
    assert [passage.reason for passage in page.furniture] == ["another language"]


def test_the_declared_encoding_counts_unless_the_bytes_are_utf8():
    polish = "<html><meta charset='{}'><body><p>Zażółć gęślą jaźń</p>"
    for declared, actual in [("iso-8859-2", "iso-8859-2"), ("iso-8859-1", "utf-8")]:
        assert "gęślą" in extract(polish.format(declared).encode(actual)).text


@pytest.mark.parametrize("declared", ["hex", "no-such", "utf-16", "unicode_escape", "undefined"])
def test_a_nonsensical_declaration_is_ignored(declared):
    page = f"<html><meta charset='{declared}'><body><p>A café by the sea</p>"
    assert extract(page.encode("cp1252")).text == "A café by the sea"


def test_a_few_accents_are_not_taken_for_another_script():
    assert extract(b"caf\xe9").text == "café"


def test_a_mix_of_encodings_keeps_what_is_whole():
    mixed = "“Café”, naïve. ".encode() + b"It\x92s broken. " + "“Again”".encode()
    assert extract(mixed).text == "“Café”, naïve. It\ufffds broken. “Again”"


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(raw):
    with suppress(PageError):
        extract(raw)


# --- limits


@pytest.mark.parametrize("raw", [bytes(range(256)) * 9, b"\x7fELF\x02\x01\x01\0\0\0\0\0", b"\0"])
def test_binary_is_refused_with_advice(raw):
    with pytest.raises(PageError, match=r"looks binary.*convert"):
        extract(raw)


def test_too_much_is_refused_with_advice():
    with pytest.raises(PageError, match=r"larger than 20 MB: split it"):
        extract(b"word " * (MAX_BYTES // 5 + 1))
    with pytest.raises(PageError, match=r"longer than 4,000,000 characters: split it"):
        extract("word " * (MAX_CHARACTERS // 5 + 1))


def test_one_line_as_long_as_allowed_is_read():
    text = "word " * (MAX_CHARACTERS // 5)
    assert extract(text).text == text


# --- furniture


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Sedang Trending 3 bulan yang lalu 6", "trending counter"),
        ("Trending now 5", "trending counter"),
        ("Source Al Jazeera", "source credit"),
        ("Source: Harbour News and agencies", "source credit"),
        ("Share this article on Facebook, Twitter and WhatsApp", "share line"),
        ("Tweet", "share line"),
        ("Follow us on Instagram @harbournews", "share line"),
        ("Sign up for our daily newsletter and never miss a story.", "subscribe line"),
        ("Read more: Fleet returns to Kelmouth", "link line"),
        ("Also read | Fleet returns", "link line"),
        ("Related articles", "link line"),
        ("You may also like", "link line"),
        ("More from Harbour News", "link line"),
        ("ADVERTISEMENT", "advertisement"),
        ("Copyright © 2023 Daily Feed. All rights reserved.", "copyright line"),
        ("We use cookies to give you the best experience on our website.", "cookie line"),
        ("Accept all", "cookie line"),
        ("12 comments", "comment line"),
        ("Tags: bridge, harbour, repairs", "tag line"),
        ("Photo: Harbour News", "caption"),
        ("The bridge in Kelmouth before the repair [File: Ada Finch/AP]", "caption"),
        ("Divers at work (Getty Images)", "caption"),
        ("By Nora Pell and Tomas Reyland", "byline"),
        ("Published: March 3, 2022 at 10:15 am GMT", "date line"),
        ("5 min read", "date line"),
        ("3 hours ago", "date line"),
        ("Le pont du port est fermé depuis deux ans pour les travaux", "another language"),
    ],
)
def test_furniture_is_told_with_its_reason(line, reason):
    assert why(line) == reason
    assert reasons(f"A headline\n\n{SENTENCE}\n\n  {line}\n") == [reason]


@pytest.mark.parametrize(
    "line",
    [
        "Trending now is a film about trains.",
        "Sources say the bridge will open on Saturday",
        "Source code was never published, the company said.",
        "Share prices fell on Monday",
        "Shares of the company fell.",
        "Follow the money, said the investigator.",
        "Read more books, the minister told pupils.",
        "Related charges were dropped on Friday.",
        "More than 300 people were there",
        "Comment was not available.",
        "Advertisements were pulled from the site.",
        "Copy editors went on strike",
        "By Monday the harbour was full again",
        "In May 2022 the harbour was full",
        "Tagging whales is hard work",
        "The photo: a bridge, two boats and a man. It won a prize.",
        "We use cookie dough, said the baker",
        "On Saturday",
        "“No comment.”",
        "2",
        "...",
        "Mr Sokol",
    ],
)
def test_an_article_line_is_not_furniture(line):
    assert why(line) is None


@pytest.mark.parametrize("name", ["demo-original.txt", "demo.html"])
def test_no_sentence_of_an_article_is_furniture(name):
    page = extract((DEMO.parent / name).read_bytes())
    assert not any(re.search(r"[a-z][.”]$", passage.text) for passage in page.furniture)


@pytest.mark.parametrize("headline", ["Source Of Thames Found", "Credit: How Banks Decide"])
def test_a_headline_is_not_a_credit(headline):
    assert reasons(f"{headline}\n\n{SENTENCE}") == []


@given(
    st.lists(st.sampled_from(["Share", " \r\n", "Source BBC", "\n", SENTENCE, "\u2028", "\x85"]))
)
def test_offsets_of_furniture_index_the_text(parts):
    page = extract("".join(parts))
    assert all(page.text[p.start : p.end] == p.text for p in page.furniture)
    assert list(page.furniture) == sorted(page.furniture, key=lambda p: p.start)
