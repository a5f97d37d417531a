"""How readings look to people: nothing lost, nothing of the page's taken for markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.pages import Passage
from unspin.reading import Edit, Part, Reading, Suspect
from unspin.render import (
    CAUTION,
    OPENING,
    markdown,
    percent,
    pieces,
    shorten,
    spun_parts,
    summary,
    tally,
    terminal,
    told,
)
from unspin.report import html
from unspin.tortured import Finding

HOSTILE = (
    '<script>alert(1)</script> "quoted" \' [a](javascript:b) ![i](http://x.example/y.png) |cell| '
    "\x1b[31m\x9b2J https://x.example www.x.example me@x.example\n# heading\n1. list\n- item\n"
    "===\n\ud800 \u202e `code` </style><style>"
)


def one_edit(text, printed, original="at", reason="element"):
    start = text.index(printed)
    edit = Edit(start, start + len(printed), printed, original, 0.9, ((HOSTILE, 0.1),), reason)
    return Reading("spun", 0.9, 0.5, 0.1, 9, None, text, (edit,), (), (), HOSTILE)


@pytest.fixture
def quoting():
    """A spun page of two altered quotations, one of them doubtful, and one as it was printed."""
    text = (
        "“We meet astatine noon & helium comes,” said Nora Pell.\n"
        "“That is all there is,” she said.\n"
        "A sign reads here: “Privation of dense <b>water</b>”\n"
    )
    edits = tuple(
        Edit(text.index(spun), text.index(spun) + len(spun), spun, original, sure, (), "element")
        for spun, original, sure in [
            ("astatine", "at", 0.97),
            ("helium", "he", 0.6),
            ("Privation", "Want", 0.99),
        ]
    )
    dense = text.index("dense")
    suspects = (Suspect(dense, dense + 5, "dense", 0.7),)
    return Reading("spun", 0.99, 0.9, 0.2, 20, None, text, edits, suspects, (), "element")


@pytest.fixture
def partly():
    """A page of three passages that is not spun as a whole, the second of them spun."""
    text = "It rained all day.\nHelium <b>went</b>\nhome astatine noon.\nNobody came."
    spun, home = text.index("Helium"), text.index("\nNobody")
    parts = (
        Part(0, spun - 1, "clean", 0.02),
        Part(spun, home, "spun", 0.997),
        Part(home + 1, len(text), "unsure", 0.7),
    )
    return Reading("unsure", 0.3, 0.2, 0.1, 12, None, text, (), (), (), "in part", parts)


@pytest.fixture
def found(clean):
    """A clean page with two phrases that may be tortured."""
    return replace(
        clean,
        findings=(
            Finding(0, 7, "We <b>meet</b>", "we met", 0.97, "on a list | of phrases"),
            Finding(8, 15, "at\x1b[31m noon", "at no one", 0.625, "“noon” for “no one”"),
        ),
    )


class Collector(HTMLParser):
    """Tags, attributes and text of a document."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def without_colour(styled):
    return re.sub(r"\x1b\[[\d;]*m", "", styled)


# --- summary


def test_the_summary_says_verdict_probability_rate_and_family(spun, clean, empty):
    assert summary(spun) == "spun — 99.8 % probability, 25 % of words replaced, family element"
    assert summary(clean) == "clean — 0.3 % probability that it is spun"
    assert summary(empty) == "unsure — no text to read"


def test_the_tally_counts_in_singular_and_plural(spun):
    assert tally(spun) == (
        "2 changes put back, 1 suspect left as printed, 1 line set apart as furniture"
    )


@given(st.floats(0, 1), st.integers(0, 2))
def test_a_percentage_is_never_certainty(share, digits):
    shown = percent(share, digits)
    assert not re.fullmatch(r"(100|0)(\.0+)? %", shown)


# --- passages that look spun


def test_the_spun_passages_of_a_page_that_is_not_spun_are_named_by_how_they_begin(partly):
    assert spun_parts(partly) == [("Helium <b>went</b> home astatine noon.", "99.7 %")]


def test_of_a_spun_page_no_passage_is_named(partly):
    assert spun_parts(replace(partly, verdict="spun")) == []


def test_a_page_without_spun_passages_has_no_section_for_them(partly, spun):
    parts = tuple(replace(part, verdict="clean") for part in partly.parts)
    for reading in (replace(partly, parts=parts), replace(spun, parts=partly.parts[:2])):
        shown = (terminal(reading, width=80), markdown(reading), html(reading))
        assert not any("look spun" in document for document in shown)


def test_the_spun_passages_are_shown_everywhere(partly):
    shown = without_colour(terminal(partly, width=80))
    heading, line = shown.splitlines()[-3::2]
    assert heading == "Passages that look spun"
    assert line == "99.7 %  Helium <b>went</b> home astatine noon."
    assert (
        "## Passages that look spun\n\n- Helium \\<b\\>went\\</b\\> home astatine noon. (99.7 %)\n"
    ) in markdown(partly)
    assert (
        "<summary>Passages that look spun (1)</summary><ul>"
        '<li dir="auto">Helium &lt;b&gt;went&lt;/b&gt; home astatine noon. <span>99.7 %</span></li>'
    ) in "".join(html(partly).split("\n"))


@given(st.text(), st.integers(1, 80))
def test_a_beginning_is_one_line_of_no_more_than_was_asked_for(text, length):
    short, whole = shorten(text, length), " ".join(text.split())
    assert len(short.splitlines()) <= 1
    assert len(short) <= max(length + len(" …"), len(whole) if len(whole) <= length else 0)
    if short != whole:
        assert short.endswith(" …")
        assert whole.startswith(short.removesuffix(" …"))


def test_a_beginning_without_a_blank_to_cut_at_still_tells_something():
    assert len(shorten("https://example.org/" + "x" * OPENING + " and more", OPENING)) > OPENING / 2


# --- tortured phrases


def test_phrases_are_told_in_a_line_each_below_the_caution(found):
    assert told(found.findings) == [
        f"2 phrases that may be tortured. {CAUTION}",
        "  We <b>meet</b>: we met? (97 %; on a list | of phrases)",
        "  at␛[31m noon: at no one? (62 %; “noon” for “no one”)",
    ]
    assert told(found.findings[:1])[0] == f"1 phrase that may be tortured. {CAUTION}"


def test_markdown_lists_the_phrases_below_the_caution(found):
    (section,) = re.findall(
        r"## Phrases that may be tortured\n\n(.*)\Z", markdown(found), re.DOTALL
    )
    caution, first, second = filter(None, section.split("\n"))
    assert caution == CAUTION
    assert first == "- We \\<b\\>meet\\</b\\>: we met? (97 %; on a list \\| of phrases)"
    assert second.endswith(" noon: at no one? (62 %; “noon” for “no one”)")


def test_the_report_lists_the_phrases_below_the_caution(found):
    (section,) = re.findall(
        r"<details><summary>Phrases that may be tortured \(2\)</summary>(.*?)</details>",
        html(found),
        re.DOTALL,
    )
    assert CAUTION in section
    assert section.index(CAUTION) < section.index("We &lt;b&gt;meet&lt;/b&gt;: we met?")
    assert "97 % — on a list | of phrases" in section
    assert "\x1b" not in section


def test_a_page_in_which_no_phrase_was_found_has_no_section_for_them(spun, clean):
    for reading in (spun, clean):
        shown = (terminal(reading, width=80), markdown(reading), html(reading))
        assert not any("tortured" in document for document in shown)
        assert told(reading.findings) == []


def test_nothing_of_a_finding_or_passage_becomes_markup_or_a_command():
    finding = Finding(0, 9, HOSTILE, HOSTILE, 0.5, HOSTILE)
    part = Part(0, len(HOSTILE), "spun", 0.9)
    reading = Reading("unsure", 0.5, 0, 0, 9, None, HOSTILE, (), (), (), "x", (part,), (finding,))
    collected = Collector(html(reading))
    assert "script" not in collected.tags
    assert not {"src", "onclick"} & {name for name, _ in collected.attributes}
    html(reading).encode()
    for line in markdown(reading).splitlines():
        unescaped = re.sub(r"\\.", "", line)
        assert not re.search(r"[<`\[]|://|www\.|@", unescaped)
    # The words of the page; what is expected and why comes from the list.
    lines = told((replace(finding, expected="data", reason="on a list"),))
    shown = "".join([without_colour(terminal(reading, width=80)), *lines])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", shown)


# --- pieces


@given(st.text(max_size=20), st.data())
def test_pieces_are_the_whole_text_in_order(text, data):
    cut = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(cut, cut).map(sorted), max_size=5))
    suspects = tuple(Suspect(a, b, text[a:b], 0.5) for a, b in spans if a < b)
    furniture = tuple(Passage(a, b, text[a:b], "drawn") for a, b in spans[:2] if a < b)
    reading = Reading("unsure", 0.5, 0, 0, 1, None, text, (), suspects, furniture, "drawn")
    shown = []
    for piece in pieces(reading):
        if isinstance(piece, str):
            assert piece
            shown.append(piece)
        else:
            shown.append(text[piece.start : piece.end])
    assert "".join(shown) == text


# --- terminal


def test_the_terminal_shows_each_word_put_back_beside_what_was_printed(spun):
    shown = without_colour(terminal(spun, width=80))
    assert "We meet at astatine noon, he helium said.\n\nShare this\n\nBring h2o" in shown
    assert shown.split() == (
        "We meet at astatine noon, he helium said. Share this Bring h2o & <b>bread</b>.".split()
    )


def test_the_terminal_wraps_between_words(spun):
    assert max(map(len, without_colour(terminal(spun, width=20)).splitlines())) <= 20


def test_the_terminal_shows_who_is_quoted_with_what_and_how_sure(quoting):
    shown = without_colour(terminal(quoting, width=80))
    assert shown.endswith(
        """
Quotations

Nora Pell  least sure change 60 %
  “We meet at astatine noon & he helium comes,”

speaker not named  least sure change 99 %
  “Want Privation of dense <b>water</b>”

1 quotation more, left as printed
"""
    )


def test_a_page_whose_quotations_are_unaltered_has_no_section_for_them(quoting):
    faithful = quoting.at_confidence(1.0)
    assert len(faithful.quotations) == 3
    shown = (terminal(faithful, width=80), markdown(faithful), html(faithful))
    assert not any("Quotations" in document for document in shown)


def test_a_page_cannot_command_the_terminal():
    shown = without_colour(terminal(one_edit(f"{HOSTILE} astatine", "astatine"), width=80))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", shown)
    assert "␛[31m" in shown


# --- Markdown


def test_markdown_shows_text_changes_suspects_and_furniture(spun):
    assert markdown(spun) == (
        """\
# spun — 99.8 % probability, 25 % of words replaced, family element

substitution explains the text better than its being printed so

2 changes put back, 1 suspect left as printed, 1 line set apart as furniture.

## Restored text

We meet **at** ~~astatine~~ noon, **he** ~~helium~~ said.

Bring *h2o* \\& \\<b\\>bread\\</b\\>.

## Changes

| printed | restored | confidence | alternatives | reason |
| --- | --- | ---: | --- | --- |
| astatine | at | 97 % | on 2 % | element: synonym |
| helium | he | 60 % | she 30 % | element: synonym |

## Suspects, left as printed

- h2o (40 %)

## Furniture, not read

- Share this (share line)
"""
    )


def test_markdown_lists_the_altered_quotations(quoting):
    (section,) = re.findall(r"## Quotations\n\n(.*?)\n\n## ", markdown(quoting), re.DOTALL)
    named, unnamed, _, rest = section.split("\n")
    meeting = "“We meet **at** ~~astatine~~ noon \\& **he** ~~helium~~ comes,”"
    assert named == f"- Nora Pell: {meeting} (least sure change 60 %)"
    sign = "“**Want** ~~Privation~~ of *dense* \\<b\\>water\\</b\\>”"
    assert unnamed == f"- speaker not named: {sign} (least sure change 99 %)"
    assert rest == "1 quotation more, left as printed."


def test_a_quotation_over_wrapped_lines_is_one_item_of_markdown():
    text = "He said: “This line is wrapped where it stops at\n# astatine noon.”"
    assert "- He: “This line is wrapped where it stops at # **at** ~~astatine~~ noon.”" in markdown(
        one_edit(text, "astatine")
    )


def test_markdown_of_a_page_without_text_is_its_verdict(empty):
    assert markdown(empty).startswith("# unsure — no text to read\n\nno text to read\n")


def test_nothing_of_the_page_becomes_markdown():
    shown = markdown(one_edit(f"{HOSTILE} astatine", "astatine", original="a|b\n# c"))
    own = ("# spun", "## Restored", "## Changes", "| printed", "| ---", "| astatine")
    for line in shown.splitlines():
        if line and not line.startswith(own):
            assert not re.match(r"\s*(#|[-+*] |\d+[.)]|=+$|<|>|\|)", line)
        unescaped = re.sub(r"\\.", "", line)
        assert not re.search(r"[<`\[]|://|www\.|@", unescaped)
    (row,) = [line for line in shown.splitlines() if line.startswith("| astatine")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 6


# --- HTML


def test_the_report_shows_printed_and_restored_side_by_side(spun):
    row = re.compile(r'<div class="row"><p[^>]*>(.*?)</p><p[^>]*>(.*?)</p></div>', re.DOTALL)
    rows = row.findall(html(spun))
    as_text = [[re.sub("<[^>]*>", "", cell) for cell in row] for row in rows]
    assert as_text == [
        ["We meet astatine noon, helium said.", "We meet at noon, he said."],
        ["Bring h2o &amp; &lt;b&gt;bread&lt;/b&gt;."] * 2,
    ]


def test_every_change_links_to_its_row_and_back(spun):
    attributes = Collector(html(spun)).attributes
    targets = {value for name, value in attributes if name == "id"}
    links = {value[1:] for name, value in attributes if name == "href"}
    assert targets == links == {"w1", "w2", "e1", "e2"}


def test_the_report_strikes_what_was_put_into_a_mouth(quoting):
    figure = re.compile(r"<figcaption>(.*?)</figcaption>(.*?)</figure>", re.DOTALL)
    figures = [
        [re.sub("(<[^>]*>)+", "|", part).strip("|") for part in parts]
        for parts in figure.findall(html(quoting))
    ]
    assert figures == [
        [
            "Nora Pell|least sure change 60 %",
            "“We meet |astatine| |at| noon &amp; |helium| |he| comes,”",
        ],
        [
            "speaker not named|least sure change 99 %",
            "“|Privation| |Want| of |dense| &lt;b&gt;water&lt;/b&gt;”",
        ],
    ]
    assert "1 quotation more, left as printed." in html(quoting)


def test_every_change_of_a_quotation_links_to_its_row(quoting):
    (section,) = re.findall(r'<div class="quotations">.*?</div>', html(quoting), re.DOTALL)
    links = [value for name, value in Collector(section).attributes if name == "href"]
    assert links == ["#e1", "#e2", "#e3"]


def test_a_change_says_what_was_printed_what_else_it_could_be_and_why(spun):
    notes = [value for name, value in Collector(html(spun)).attributes if name == "data-note"]
    assert notes[0] == "printed: astatine\n97 % sure — element: synonym\nor: on 2 %"


@pytest.mark.parametrize("name", ["spun", "clean", "empty"])
def test_a_report_fetches_nothing_and_runs_nothing(name, request):
    report = html(request.getfixturevalue(name))
    assert "default-src 'none'" in report
    names = {name for name, _ in Collector(report).attributes}
    assert not names & {"src", "style", "srcset", "action", "onclick", "onload"}
    assert "url(" not in report
    assert "@import" not in report


def test_nothing_of_the_page_becomes_html():
    text = f"{HOSTILE} astatine"
    tame = Collector(html(one_edit("tame\n\n\n\n\n astatine", "astatine", reason="x")))
    wild = Collector(html(one_edit(text, "astatine", original=HOSTILE, reason=HOSTILE)))
    assert set(wild.tags) == set(tame.tags)
    assert {name for name, _ in wild.attributes} == {name for name, _ in tame.attributes}
    assert "<script>alert(1)</script>" in "".join(wild.texts)
    html(one_edit(text, "astatine")).encode()


@given(st.text())
def test_any_text_becomes_a_report_and_markdown(text):
    reading = Reading("unsure", 0.5, 0, 0, 1, None, text, (), (), (), text)
    html(reading).encode()
    markdown(reading)
    terminal(reading, width=40).encode()
