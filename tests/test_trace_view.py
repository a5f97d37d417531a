"""Page and source side by side: nothing lost, what differs marked, nothing taken for markup."""

import os
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from unspin.trace.match import Match, Passage, Substitution, Trace
from unspin.trace.sides import MOST, Piece, altered, rows
from unspin.trace.view import GLIMPSE, KEPT, LONGEST, OPENING, copies, facts, summary, terminal

BOTH = "[both]\nWe meet {astatine|at} noon, {!Dora|Nora} said."


def trace_of(page, *matches):
    return Trace(page, len(page.split()), matches)


def shown(trace, *, width=100, colour=False):
    file = StringIO()
    # By itself it looks where the environment was when rich was imported, which other packages
    # may have put another one in the place of by now.
    console = Console(
        file=file, width=width, force_terminal=colour, highlight=False, _environ=os.environ
    )
    terminal(trace, console)
    return file.getvalue()


def squeezed(text):
    return " ".join(text.split())


def sides(trace, number=0):
    return [
        tuple("".join(piece.text for piece in pieces) for pieces in row[:2])
        for row in rows(trace, number)
    ]


# --- rows


def test_the_rows_have_all_words_of_the_page_and_of_its_passages(taken):
    (match,) = taken.matches
    page, source = zip(*sides(taken), strict=True)
    assert squeezed(" ".join(page)) == squeezed(taken.text)
    passages = [match.text[p.source_start : p.source_end] for p in match.passages]
    assert squeezed(" ".join(source)) == squeezed(" ".join(passages))


def test_every_substitution_is_a_piece_on_both_sides(taken):
    (match,) = taken.matches
    for side, field in ((0, "spun"), (1, "original")):
        found = {p.number: p for row in rows(taken, 0) for p in row[side] if p.number is not None}
        assert [found[at].text for at in range(len(match.substitutions))] == [
            getattr(swap, field) for swap in match.substitutions
        ]
        kinds = ["altered" if swap.is_protected else "changed" for swap in match.substitutions]
        assert [found[at].kind for at in range(len(kinds))] == kinds


def test_each_paragraph_of_the_page_is_a_row(taken):
    page = [row[0] for row in sides(taken)]
    assert [words.split()[0] for words in page] == [
        "Trending", "Caller", "PORT", "“We", "Nobody", "The", "Ampere"
    ]  # fmt: skip


def test_lines_are_no_paragraphs_where_blank_lines_are(mark):
    page, match = mark("[both]\nOne line\nand {some|another}.\n \nA {endorsement|second} one.\n")
    assert sides(trace_of(page, match)) == [
        ("One line and some.", "One line and another."),
        ("A endorsement one.", "A second one."),
    ]


def test_a_page_of_one_paragraph_is_cut_as_its_source_is(mark):
    page, match = mark("[both]\nOne {cable|line}.{+ |\n}A {endorsement|second} one.")
    assert page == "One cable. A endorsement one."
    assert sides(trace_of(page, match)) == [
        ("One cable.", "One line."),
        ("A endorsement one.", "A second one."),
    ]


def test_words_of_one_side_are_told_from_those_of_both(mark):
    page, match = mark("[both]\nIt {+really |}was {+|very }{frigid|cold}, they said.")
    (row,) = rows(trace_of(page, match), 0)
    assert [piece for piece in row.page if piece.kind != "same"] == [
        Piece("really", "alone"),
        Piece("frigid", "changed", 0),
    ]
    assert [piece for piece in row.source if piece.kind != "same"] == [
        Piece("very", "alone"),
        Piece("cold", "changed", 0),
    ]


def test_case_and_the_marks_around_a_word_are_no_difference(mark):
    page, match = mark("[both]\n{+port ellery, the “mole”!|Port Ellery: the mole.}")
    (row,) = rows(trace_of(page, match), 0)
    assert {piece.kind for piece in (*row.page, *row.source)} == {"same"}


def test_what_was_taken_from_another_article_is_said_to_be(mark):
    page, match = mark("[both]\nWe {encounter|meet} here. ", "[page]\nThey met there. And so on.")
    start, end = page.index("They"), page.index(" And")
    other = replace(match, passages=(Passage(start, end, 0, 9),), substitutions=(), id="b")
    found = [(row.passage, row.elsewhere) for row in rows(trace_of(page, match, other), 0)]
    assert found == [(0, None), (None, 1), (None, None)]


def test_substitutions_that_do_not_follow_each_other_are_passed_over(mark):
    page, match = mark(BOTH)
    first, second = match.substitutions
    crossed = replace(second, source_start=0, source_end=2)
    outside = replace(second, start=len(page), end=len(page) + 3)
    match = replace(match, substitutions=(first, crossed, outside))
    numbers = [piece.number for row in rows(trace_of(page, match), 0) for piece in row.page]
    assert set(numbers) == {0, None}


def test_long_stretches_that_differ_are_not_compared_word_by_word():
    length = int(MOST**0.5) + 2
    page, source = ("\n".join(f"{letter}{at % 7}" for at in range(length)) for letter in "ab")
    passage = Passage(0, len(page), 0, len(source))
    match = Match("a", None, None, None, source, 0.9, 0.9, (passage,), ())
    found = list(rows(trace_of(page, match), 0))
    assert len(found) == length
    assert {piece.kind for row in found for piece in row.page} == {"alone"}


@st.composite
def traces(draw):
    """Traces whose offsets lie in their texts, and which are otherwise anything."""
    words = st.sampled_from(["a", "b", "A,", "\n", "\n\n", "\r\n", " ", "\x1b[31m", "\ud800", "é"])
    page, source = ("".join(draw(st.lists(words, max_size=30))) for _ in range(2))

    def span(text, low=0, high=None):
        first, last = (draw(st.integers(low, len(text) if high is None else high)) for _ in "12")
        return min(first, last), max(first, last)

    matches = []
    for _ in range(draw(st.integers(1, 2))):
        passages, cursor = [], 0
        while len(passages) < 3 and cursor < len(page) and draw(st.booleans()):
            start, end = span(page, cursor)
            passages.append(Passage(start, end, *span(source)))
            cursor = end
        swaps = []
        for _ in range(draw(st.integers(0, 4))):
            start, end = span(page)
            first, last = span(source)
            swaps.append(
                Substitution(
                    start,
                    end,
                    first,
                    last,
                    page[start:end],
                    source[first:last],
                    "",
                    draw(st.booleans()),
                )
            )
        swaps.sort(key=lambda swap: swap.start)
        matches.append(
            Match("i", None, None, None, source, 0.5, 0.5, tuple(passages), tuple(swaps))
        )
    return trace_of(page, *matches)


@given(traces())
def test_no_word_of_the_page_is_lost_whatever_the_trace(trace):
    for number in range(len(trace.matches)):
        words = [row[0] for row in sides(trace, number)]
        kept = [letter for letter in "".join(words) if letter.isalnum()]
        assert kept == [letter for letter in trace.text if letter.isalnum()]
    shown(trace)


# --- in the terminal


def test_the_columns_are_as_wide_as_the_terminal(taken):
    for width in (60, 100, 160):
        lines = shown(taken, width=width).splitlines()
        assert max(map(len, lines)) == width
        rules = {line.index("│") for line in lines if "│" in line}
        assert len(rules) == 1
        assert abs(rules.pop() - width / 2) <= 1


def test_without_colours_what_differs_stands_in_brackets(mark):
    page, match = mark("[both]\nWe {+all |}meet {astatine|at} noon, {!Dora|Nora} said.")
    printed = shown(trace_of(page, match))
    assert "We {all} meet [astatine] noon, [[Dora]] said." in printed
    assert "We meet [at] noon, [[Nora]] said." in printed
    assert "Words: [substituted]  [[altered]]  {on one side only}" in printed
    assert "\x1b" not in printed


def test_with_colours_it_has_no_brackets(mark, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    page, match = mark(BOTH)
    printed = shown(trace_of(page, match), colour=True)
    assert "\x1b[31mastatine\x1b[0m" in printed
    assert "\x1b[1;32mat\x1b[0m" in printed
    assert "[[" not in printed


def test_a_terminal_that_is_to_have_no_colours_has_brackets(mark, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    page, match = mark(BOTH)
    assert "[astatine]" in shown(trace_of(page, match), colour=True)


def test_what_is_known_of_the_article_stands_above(taken):
    head = squeezed(shown(taken).partition("Words:")[0])
    for fact in (
        "“New sea wall at Port Ellery holds in first storm”",
        "a-17 · 2024-05-05 · https://news.example/2024/05/sea-wall?from=front&page=1",
        "98.7 % probability, 87 % of the page's words in 2 passages, 40 substitutions, 4 altered",
        "The same stands in 2 other articles: a-18, b-2",
    ):
        assert fact in head


def test_altered_facts_are_listed_apart_once_each(mark):
    page, match = mark(
        "[both]\n{!Dora|Nora} {aforementioned|said} so. {!Dora|Nora} left at {!7|5}."
    )
    assert altered(match) == [("Dora", "Nora", 2), ("7", "5", 1)]
    head = squeezed(shown(trace_of(page, match)).partition("Words:")[0])
    assert "page source Dora Nora 2 times 7 5" in head


def test_where_nothing_is_altered_nothing_is_said_of_it(mark):
    page, match = mark("[both]\nWe meet {astatine|at} noon.")
    assert "ltered" not in shown(trace_of(page, match))


def test_the_middle_of_a_long_stretch_without_changes_is_left_out(mark):
    words = [f"w{at}" for at in range(LONGEST + 1)]
    page, match = mark(f"[both]\n{' '.join(words)}")
    printed = shown(trace_of(page, match), width=400)
    kept = " ".join(words[:KEPT]), " ".join(words[-KEPT:])
    middle = f"… {LONGEST + 1 - 2 * KEPT} words the same …"
    assert printed.count(f"{kept[0]} {middle} {kept[1]}") == 2
    page, match = mark(f"[both]\n{' '.join(words[1:])}")
    assert "words the same" not in shown(trace_of(page, match))


def test_what_aligns_with_nothing_is_shown_briefly(mark):
    page, match = mark(BOTH, f"[page]\n\n{'prize ' * OPENING}")
    printed = shown(trace_of(page, match), width=2 * OPENING + 20)
    assert "(not in this article)" in printed
    assert OPENING / 2 < printed.count("prize") * len("prize ") <= OPENING


def test_what_another_article_explains_is_shown_most_briefly(mark):
    page, match = mark(BOTH, f"[page]\n\n{'prize ' * OPENING}")
    passage = Passage(page.index("prize"), len(page), 0, 5)
    other = replace(match, passages=(passage,), substitutions=())
    first = shown(trace_of(page, match, other), width=2 * OPENING + 20).partition("\n2. ")[0]
    assert "(taken from article 2)" in first
    assert first.count("prize") * len("prize ") <= GLIMPSE


def test_what_the_page_says_commands_no_terminal(mark):
    hostile = "\x1b[31m\x9b2J[bold]"
    page, match = mark(
        f"[both]\nWe{hostile} meet {{astatine{hostile}|at{hostile}}} noon.", f"[page]\n{hostile}x"
    )
    match = replace(match, title=hostile, url=hostile, id=hostile, date=hostile, copies=(hostile,))
    printed = shown(trace_of(page, match)) + summary(trace_of(page, match))
    assert "\x1b" not in printed
    assert "\x9b" not in printed
    assert "[bold]" in printed


# --- in a line


def test_the_summary_says_where_the_page_was_taken_from(taken):
    assert summary(taken) == (
        "taken from “New sea wall at Port Ellery holds in first storm” — 98.7 % probability,"
        " 87 % of the page's words"
    )


def test_the_summary_of_several_articles_says_how_many(mark):
    page, match = mark(BOTH)
    told = summary(trace_of(page, match, replace(match, id="b", probability=0.7)))
    assert told.startswith("taken from 2 articles, together ")
    assert told.endswith("first of a-17 — 98.7 % probability")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no passage stands in one", "no source found — no passage stands in one"),
        ("", "no source found"),
    ],
)
def test_the_summary_says_that_there_is_none_and_why(reason, told):
    assert summary(Trace("It is noon.", 3, (), reason)) == told


def test_numbers_are_told_with_their_nouns(mark):
    _, match = mark("[both]\nWe meet {astatine|at} noon.")
    assert facts(match) == (
        "98.7 % probability, > 99 % of the page's words in 1 passage, 1 substitution"
    )


def test_only_some_of_many_copies_are_named(mark):
    _, match = mark(BOTH)
    assert copies(match) == ""
    assert copies(replace(match, copies=("b",))) == "The same stands in 1 other article: b"
    many = copies(replace(match, copies=tuple(map(str, range(1_000)))))
    assert many.startswith("The same stands in 1,000 other articles: 0, 1, ")
    assert many.endswith(" and 988 more")


def test_marks_that_touch_a_passage_belong_to_it(mark):
    page, match = mark("[both]\n“We {encounter|meet} here.”", "[page]\n And more!")
    inner = Passage(1, page.index("here") + 4, 1, match.text.index("here") + 4)
    trace = trace_of(page, replace(match, passages=(inner,)))
    assert sides(trace) == [("“We encounter here.”", "“We meet here.”"), ("And more!", "")]
