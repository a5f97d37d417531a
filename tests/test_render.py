"""How readings look to people: nothing lost, nothing of the page's taken for markup."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.pages import Passage
from unspin.reading import Edit, Reading, Suspect
from unspin.render import markdown, percent, pieces, summary, tally, terminal
from unspin.report import html

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
