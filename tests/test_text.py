"""Tokens of any text: exact offsets, sentences, and what must never change."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import text as text_module
from unspin.text import (
    ACRONYM,
    CAPITAL,
    CODE,
    FREE,
    INITIAL,
    MAX_SENTENCE,
    NUMBER,
    PROTECTED,
    WEB,
    WORD,
    foreign,
    protected_spans,
    tokenize,
    transfer_case,
)

# Pieces that exercise every rule, between which Hypothesis puts whatever it likes.
PIECES = (
    "Mr.|U.S.|a.b@example.org|https://example.org/a?b=c.|Amazon.com|@kyiv_post|#tag|2nd|h2o|6.4m"
    "|v2.0|19th|1,000|24/02|5%|don’t|'s|“Stop!”|`x = 1`|```|x_y|B52|İstanbul|e\u0301|日本語|\ud800"
    "|\r\n|\n\n|...|--|(|)|.|?"
).split("|")
texts = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=25).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
)


def printed(text):
    tokens = tokenize(text)
    return [text[a:b] for a, b in zip(tokens.start, tokens.end, strict=True)]


def sentences(text):
    """The sentences of a text, each as its tokens with spaces between."""
    words, firsts = printed(text), tokenize(text).sentences
    return [" ".join(words[a:b]) for a, b in pairwise(firsts)]


def protected(text):
    return [text[a:b] for a, b in protected_spans(text)]


def kinds(text):
    return list(tokenize(text).kind)


# --- offsets


@given(texts)
def test_tokens_are_ordered_and_lie_in_the_text(text):
    tokens = tokenize(text)
    position = 0
    for start, end in zip(tokens.start, tokens.end, strict=True):
        assert position <= start < end <= len(text)
        position = end


@given(texts)
def test_all_that_is_printed_is_in_a_token(text):
    tokens = tokenize(text)
    outside = text
    for start, end in zip(tokens.start, tokens.end, strict=True):
        outside = outside[:start] + " " * (end - start) + outside[end:]
    assert not outside.strip()


@given(texts)
def test_the_columns_have_one_entry_a_token(text):
    tokens = tokenize(text)
    columns = (tokens.start, tokens.end, tokens.symbol, tokens.kind, tokens.flags)
    assert {len(column) for column in columns} == {len(tokens)}


@given(texts)
def test_sentences_divide_the_tokens_and_none_is_longer_than_the_limit(text):
    tokens = tokenize(text)
    assert tokens.sentences[0] == 0
    assert tokens.sentences[-1] == len(tokens)
    assert all(0 < b - a <= MAX_SENTENCE for a, b in pairwise(tokens.sentences))


@given(texts)
def test_protected_spans_are_those_of_protected_tokens(text):
    tokens = tokenize(text)
    spans = zip(tokens.start, tokens.end, strict=True)
    flagged = [span for span, flag in zip(spans, tokens.flags, strict=True) if flag & PROTECTED]
    assert protected_spans(text) == flagged


@given(texts)
def test_symbols_have_no_white_space_and_no_line_ends(text):
    # The vocabulary is kept one word a line and ARPA files put words between spaces.
    for symbol, kind in zip(tokenize(text).symbol, kinds(text), strict=True):
        assert symbol
        assert kind == CODE or not any(c.isspace() for c in symbol)


@given(texts)
def test_the_short_way_to_a_plain_word_finds_what_the_long_way_does(text):
    pattern = text_module._TOKEN.pattern.replace("[A-Za-z]+(?=[\\s,])", "(?!)")
    assert pattern != text_module._TOKEN.pattern
    found = tokenize(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_TOKEN", re.compile(pattern, re.VERBOSE))
        assert tokenize(text) == found


def test_an_empty_text_has_no_tokens_and_no_sentences():
    assert len(tokenize("")) == 0
    assert sentences("") == sentences(" \n\t ") == []


# --- tokens


def test_words_keep_their_apostrophes_and_lose_their_genitive():
    assert printed("don't o’clock Kelmouth's") == ["don't", "o’clock", "Kelmouth", "'s"]


def test_both_apostrophes_are_one_symbol():
    assert tokenize("don’t").symbol == tokenize("don't").symbol == ["don't"]


def test_kinds_of_tokens():
    assert kinds("the The NATO U.S. iPhone") == [WORD, CAPITAL, ACRONYM, ACRONYM, ACRONYM]
    assert kinds("6 1,000 2nd x_y `a b` a@b.org #tag") == [NUMBER] * 2 + [CODE] * 3 + [WEB] * 2


def test_numbers_are_symbols_by_what_they_count():
    assert tokenize("2 1987 30 5%").symbol == ["2", "<year>", "<number>", "<percent>"]


def test_a_word_is_free_between_white_space_only():
    tokens = tokenize("we met, (he) said")
    free = [bool(flag & FREE) for flag in tokens.flags]
    assert free == [True, False, False, False, False, False, True]


def test_a_link_ends_before_the_punctuation_of_its_sentence():
    text = "See (https://example.org/a.html). Then www.example.org/b, or example.org/c."
    assert protected(text) == ["https://example.org/a.html", "www.example.org/b", "example.org/c"]
    assert len(sentences(text)) == 2


# --- sentences


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Reyland met Mrs. Pell and Prof. Smith vs. Jones Inc. on Oct. 5.",
        "The U.S. Army left at 5 p.m. on Friday.",
        "J. R. R. Tolkien wrote it.",
        "It cost 6.5 million, i.e. 3.2 each, etc. for all.",
        "Wait... what?",
        "“Stop!” he said.",
        "It works (does it?), he said.",
        "It was, he said. and nothing more",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(text):
    assert len(sentences(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "It rained. | He left.",
        "Did it rain? | Yes! | It did.",
        "She said “it is fine.” | He left.",
        "“Stop!” | “Why?”",
        "(It rained.) | She left.",
        "It rained. | (She left.)",
        "It rained. | “Stop!” he said.",
        "It rained in 1987. | 30 people left.",
        "It rained... | He left.",
        "It rained.\n | He left.",
    ],
)
def test_sentences_end_where_a_reader_ends_them(text):
    assert sentences(text.replace(" | ", " ")) == [
        " ".join(printed(part)) for part in text.split(" | ")
    ]


WRAPPED = (
    "The old iron bridge over the harbour will be opened on\n"
    "saturday by the mayor of the town, who said that he was\n"
    "glad of it."
)


def test_a_name_at_the_start_of_a_wrapped_line_is_protected():
    text = "On the second day of the talks the foreign minister met\nIgor Sokol in the capital."
    assert [text[a:b] for a, b in protected_spans(text)] == ["Igor", "Sokol"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n  "])
def test_hard_wrapped_lines_are_one_sentence(line_end):
    assert len(sentences(WRAPPED.replace("\n", line_end))) == 1


def test_an_empty_line_always_ends_a_sentence():
    for empty in ["\n\n", "\r\n\r\n", "\n \t\n"]:
        assert len(sentences(WRAPPED.replace("\n", empty))) == 3


def test_a_headline_and_the_items_of_a_list_are_sentences_without_full_stops():
    assert sentences("Old bridge opens\nThe town is glad.") == [
        "Old bridge opens",
        "The town is glad .",
    ]
    assert sentences("apples\npears\nmilk and honey") == ["apples", "pears", "milk and honey"]


def test_words_without_any_full_stop_are_cut_at_the_limit():
    assert len(sentences("word " * (3 * MAX_SENTENCE))) == 3


# --- what must never change


@pytest.mark.parametrize(
    "name",
    "Sokol|Al Jazeera|McDonald|O’Neil|NATO|U.S.|H.G.|iPhone|Zürich|İstanbul|李白".split("|"),
)
def test_a_name_inside_a_sentence_is_protected(name):
    assert protected(f"they say that {name} left") == name.split()


def test_the_first_word_of_a_sentence_is_no_name_for_its_capital():
    text = "May be. “Whitethorn be,” he said. (So it was.) We left."
    assert protected(text) == []
    flagged = zip(printed(text), tokenize(text).flags, strict=True)
    assert [word for word, flag in flagged if flag & INITIAL] == ["May", "Whitethorn", "So", "We"]


@pytest.mark.parametrize(
    "number",
    "10 1,000,000 3.14 5% 1987 1990s 24/02 24.02.2022 2022-03-19 10:30 19th 101st 6.4m 7.30pm"
    " 2.5km v2.0 1.2.3 2-1 ١٢٣".split(),
)
def test_numbers_of_several_digits_and_dates_are_protected(number):
    assert protected(f"it was {number} then") == [number]


@pytest.mark.parametrize("word", ["2", "1", "9", "2nd", "3rd", "1st", "h2o", "4th"])
def test_a_single_digit_that_a_spinner_may_have_printed_is_not_protected(word):
    assert protected(f"the {word} men left") == []


@pytest.mark.parametrize(
    "link",
    "https://example.org/new/in?at=he#one HTTP://EXAMPLE.ORG/new Https://example.org/new"
    " www.example.org example.com Amazon.com news.bbc.co.uk/new bit.ly/2xYz"
    " at.new@in-or.example.org @kyiv_post #brandnew".split(),
)
def test_links_addresses_handles_and_hashtags_are_protected(link):
    assert protected(f"they read {link} at noon") == [link]


@pytest.mark.parametrize("code", ["`x = 1`", "`new`", "x_y", "B52", "_", "utf8mb4"])
def test_code_in_a_line_is_protected(code):
    assert protected(f"they call {code} at noon") == [code]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_fenced_block_is_protected_and_nothing_around_it(fence):
    text = f"at noon\n{fence}python\nreturn new in at\n{fence}\nat noon"
    assert "".join(protected(text)) == f"{fence}pythonreturnnewinat{fence}"


def test_an_open_fence_protects_to_the_end():
    assert protected("at noon\n```\nnew in at")[-3:] == ["new", "in", "at"]


@pytest.mark.parametrize(
    "line",
    ["if (new == at) { return in; }", "for (i = 0; i < new; i++) {", "x[at] = new | in & {old};"],
)
def test_a_line_of_code_is_protected(line):
    assert protected(f"at noon\n{line}\nat noon") == printed(line)


@pytest.mark.parametrize(
    "line",
    [
        "Sedang Trending 3 bulan yang lalu",
        "El puente que los vecinos piden para la ciudad",
        "Die Brücke ist nicht mit dem Auto zu erreichen",
        "мост откроется в субботу",
        "橋は土曜日に開きます",
    ],
)
def test_a_line_in_another_language_is_protected(line):
    assert foreign(line)
    assert protected(f"at noon\n{line}\nat noon") == printed(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "at noon",
        "The café in Zürich sells pâté and crème brûlée to all who come",
        "Los Angeles and Las Vegas are not what they were",
        "He said “das ist nicht gut” and left the room with them",
        "May whitethorn be beryllium",
    ],
)
def test_english_with_a_few_foreign_words_is_english(line):
    assert not foreign(line)


# --- case


@pytest.mark.parametrize(
    ("spun", "original", "restored"),
    [
        ("whitethorn", "may", "may"),
        ("Whitethorn", "may", "May"),
        ("2nd", "second", "second"),
        ("H2o", "water", "Water"),
        ("Éclat", "éclair", "Éclair"),
        ("", "may", "may"),
    ],
)
def test_an_original_takes_the_case_of_the_word_it_replaces(spun, original, restored):
    assert transfer_case(spun, original) == restored


# --- hostile text: the test is that it ends


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000,
        "@" * 100_000,
        "a@" * 100_000,
        "a" * 1_000_000,
        "1" * 500_000 + "a",
        "1/" * 200_000 + "1a",
        "a1." * 50_000,
        "https://" * 25_000,
        "https://" + "." * 100_000,
        "`" * 100_000,
        "`a" * 100_000,
        "```\n" * 50_000,
        "\n" * 200_000,
        "\n " * 100_000,
        "\r\n" * 100_000,
        "e\u0301" * 100_000,
        "que " * 50_000,
        "{" * 100_000,
        "'a" * 100_000,
    ],
    ids=lambda text: f"{len(text)} of {text[:8]!r}",
)
def test_hostile_text_is_tokenised(text):
    tokens = tokenize(text)
    assert not len(tokens) or tokens.end[-1] <= len(text)
