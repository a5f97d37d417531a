"""The report of a trace: both sides linked with each other, and nothing of them becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from unspin.trace.match import Match, Passage, Substitution, Trace
from unspin.trace.report import WHOLE, html

HOSTILE = (
    "<script>alert(1)</script> \"quoted\" 'x' </mark></p></style><style> &amp; "
    "\x1b[31m\x9b2J\0 \ud800 \u202e <img src=x onerror=alert(1)> https://x.example"
)
BOTH = "[both]\nWe meet {astatine|at} noon, {!Dora|Nora} said."


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

    def of(self, name):
        return [value for key, value in self.attributes if key == name]


def trace_of(page, *matches):
    return Trace(page, len(page.split()), matches)


def words_of(document):
    return " ".join(" ".join(Collector(document).texts).split())


def test_the_page_stands_beside_its_source(taken):
    row = re.compile('<div class="row"><p[^>]*>(.*?)</p><p[^>]*>(.*?)</p></div>', re.DOTALL)
    page, source = (re.sub("<[^>]*>", "", side) for side in row.search(html(taken)).groups())
    assert page == "Caller sea wall astatine Port Ellery retains in first tempest"
    assert source == "New sea wall at Port Ellery holds in first storm"


def test_the_head_says_from_where_and_how_sure(taken):
    shown = words_of(html(taken))
    for fact in (
        "Taken from “New sea wall at Port Ellery holds in first storm”",
        "Probability 98.7 % that it was taken from there",
        "Taken 87 % of 295 words",
        "Words substituted 40",
        "Altered 4",
        "Id a-17 Date 2024-05-05 Address https://news.example/2024/05/sea-wall?from=front&page=1",
        "The same stands in 2 other articles: a-18, b-2.",
        "14 May 4 May seven five Dora Nora Thursday Wednesday",
    ):
        assert fact in shown


def test_every_link_has_a_place_to_go_to_and_no_place_is_there_twice(taken):
    page = taken.matches[0]
    for trace in (taken, replace(taken, matches=(page, replace(page, id="b", passages=())))):
        found = Collector(html(trace))
        places = found.of("id")
        assert len(places) == len(set(places))
        links = [link[1:] for link in found.of("href") if link.startswith("#")]
        assert links
        assert set(links) <= set(places)


def test_each_changed_word_links_to_the_other_side_and_back(mark):
    page, match = mark("[both]\nWe meet {astatine|at} noon.")
    document = html(trace_of(page, match))
    assert re.search(r'<a id="m1p1" href="#m1s1"[^>]*>astatine</a>', document)
    assert re.search(r'<a id="m1s1" href="#m1p1"[^>]*>at</a>', document)


def test_what_stands_on_one_side_alone_links_nowhere(mark):
    page, match = mark("[both]\nWe meet {astatine|} noon.")
    found = Collector(html(trace_of(page, match)))
    assert "astatine" in found.texts
    assert not [link for link in found.of("href") if link == "#m1s1"]


def test_each_passage_links_to_its_place_in_the_article_and_back(taken):
    document = html(taken)
    for at in (1, 2):
        assert f'id="m1-{at}"' in document
        assert f'href="#m1-{at}a"' in document
        assert f'id="m1-{at}a" href="#m1-{at}"' in document


def test_the_whole_article_is_there_with_its_passages_marked(taken):
    whole = html(taken).partition('<div class="article"')[2].partition("</details>")[0]
    marked = re.findall("<mark>(.*?)</mark>", whole, re.DOTALL)
    assert len(marked) == 2
    assert marked[0].startswith("The wall, built between")
    assert "the engineer Ida Marsh" in whole
    assert "the engineer Ida Marsh" not in "".join(marked)


def test_passages_of_the_same_part_of_an_article_repeat_none_of_it():
    passages = (Passage(0, 4, 2, 6), Passage(5, 9, 0, 4), Passage(9, 12, 3, 4))
    match = Match("a", None, None, None, "abcdefgh", 0.9, 0.9, passages, ())
    whole = html(trace_of("cdef abcd d.", match)).partition('<div class="article"')[2]
    text = re.sub('<a class="mark".*?</a>|<.*?>', "", whole.partition("</details>")[0])
    assert text.partition(">")[2] == "abcdefgh"


def test_an_article_that_is_too_long_is_not_shown_whole(mark):
    page, match = mark(BOTH)
    match = replace(match, text=match.text.ljust(WHOLE + 1, "x"))
    document = html(trace_of(page, match))
    assert "The article has 200,001 characters: too long to show it whole." in document
    assert "<details>" not in document
    assert 'href="#m1-1a"' not in document


def test_a_note_says_what_stands_on_the_other_side_and_why(mark):
    page, match = mark(BOTH)
    notes = Collector(html(trace_of(page, match))).of("data-note")
    assert notes == [
        "in the source: at\nwordnet",
        "in the source: Nora\nno word that spinners change",
        "on the page: astatine\nwordnet",
        "on the page: Dora\nno word that spinners change",
    ]
    unknown = replace(match.substitutions[0], reason="")
    match = replace(match, substitutions=(unknown,))
    notes = Collector(html(trace_of(page, match))).of("data-note")
    assert notes[0] == "in the source: at\nno known spinner swaps the two"


def test_what_was_taken_from_another_article_leads_there(mark):
    page, match = mark(BOTH, "[page]\n They met there.")
    start = page.index("They")
    other = replace(match, id="b", passages=(Passage(start, len(page), 0, 9),), substitutions=())
    document = html(trace_of(page, match, other))
    assert "<h1>Taken from 2 articles</h1>" in document
    assert '<a href="#m2">taken from article 2</a>' in document
    assert '<section id="m2">' in document


def test_a_page_without_a_source_is_told_why():
    document = html(Trace("It is noon.", 3, (), "no passage of it stands in an article"))
    assert "<h1>No source found</h1>" in document
    assert "No passage of it stands in an article." in document


def test_only_an_address_of_the_web_can_be_followed(mark):
    page, match = mark(BOTH)
    for url, can_be in (
        ("https://a.example/?b=1&c", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        (" https://a.example", False),
    ):
        document = html(trace_of(page, replace(match, url=url)))
        assert (url in Collector(document).of("href")) == can_be
        assert url.strip() in words_of(document)


def test_the_report_can_neither_run_nor_fetch_anything(taken):
    document = html(taken)
    policy = re.search('Content-Security-Policy" content="([^"]*)"', document)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    found = Collector(document)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(found.tags)
    assert not {"src", "style", "srcset"} & {name for name, _ in found.attributes}


@given(st.sampled_from([HOSTILE, "<b>", "&lt;", '"', "'>"]) | st.text(min_size=1))
def test_nothing_of_page_or_article_becomes_markup(text):
    page, source = f"{text}a {text} end", f"{text} b{text}"
    swaps = (
        Substitution(0, len(text), 0, len(text), text, text, text, False),
        Substitution(
            len(text) + 2, len(text) * 2 + 2, len(text), len(source), text, text, "", True
        ),
    )
    match = Match(
        text, text, text, text, source, 0.9, 0.9, (Passage(0, len(page) - 3, 0, len(source)),),
        swaps, (text,),
    )  # fmt: skip
    found = Collector(html(trace_of(page, match)))
    assert set(found.tags) <= {
        *"html meta title style header h1 h2 dl div dt dd small main section p ul li span".split(),
        *"table thead tbody tr th td a details summary mark footer".split(),
    }
    assert {name for name, _ in found.attributes} <= {
        *"lang charset http-equiv content name class id href scope dir data-note rel".split()
    }
