"""Claims about `unspin.trace.align`: page and article, word by word."""

import importlib.machinery
import importlib.util
import re
from array import array
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unspin.kernels.align
from unspin import pages
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.reading import Edit, replay
from unspin.thesaurus import Thesaurus
from unspin.trace import align
from unspin.trace.align import Channel, Sheet
from unspin.trace.words import together, words

EXAMPLES = Path(__file__).parent.parent / "examples"
ORIGINAL = (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8")
SPUN = pages.extract((EXAMPLES / "demo.html").read_bytes()).text
OTHER = (
    "Farmers in the valley expect a poor harvest of apples this year. A late frost in April killed"
    " most of the blossom, and the dry weeks of summer did the rest, growers said at their yearly"
    " meeting. Some of them have begun to plant cherries, which flower later."
)
VOCABULARY = [*"the of and to in a volition will astatine at Kelmouth 30 bridge iron".split()]
texts = st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)
numbers = st.lists(st.integers(0, 5), min_size=1, max_size=14)


@pytest.fixture(scope="module")
def channel():
    return Channel(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))


@pytest.fixture
def aligned(channel):
    def of(page, source):
        return Sheet(words(page), channel).align(words(source))

    return of


def put_back(page, source, alignment):
    edits = [
        Edit(swap.start, swap.end, swap.spun, swap.original, 1.0, (), "source")
        for swap in alignment.substitutions(page, source)
        if not swap.is_protected
    ]
    return replay(page, edits)


def lowered(text):
    return re.findall(r"\w+", text.lower())


# --- what is aligned with what


def test_a_text_aligns_with_itself_whole(aligned):
    alignment = aligned(ORIGINAL, ORIGINAL)
    assert list(alignment.to) == list(range(len(words(ORIGINAL))))
    assert not list(alignment.pairs())
    assert len(alignment.passages()) == 1


def test_a_spun_page_gets_its_words_back_from_its_source(aligned):
    alignment = aligned(SPUN, ORIGINAL)
    assert alignment.covered > 0.9 * len(words(SPUN))
    restored = lowered(put_back(SPUN, ORIGINAL, alignment))
    original = lowered(ORIGINAL)
    missing = [word for word in original if word not in restored]
    assert len(missing) < 0.01 * len(original)


def test_an_article_on_something_else_has_no_passage(aligned):
    assert aligned(SPUN, OTHER).covered == 0


def test_paragraphs_may_have_been_moved(aligned):
    lines = [line for line in ORIGINAL.split("\n") if len(line) > 100]
    page = "\n".join(reversed(lines))
    alignment = aligned(page, ORIGINAL)
    assert alignment.covered == len(words(page))
    assert len(alignment.passages()) == len(lines)
    starts = [passage.source_start for passage in alignment.passages()]
    assert starts == sorted(starts, reverse=True)


def test_paragraphs_may_have_been_left_out_and_put_in(aligned):
    lines = [line for line in SPUN.split("\n") if len(line) > 100]
    page = "\n".join([lines[0], OTHER, lines[-1]])
    passages = aligned(page, ORIGINAL).passages()
    assert len(passages) == 2
    start = page.index(OTHER)
    for passage in passages:
        assert passage.end <= start or passage.start >= start + len(OTHER)


def test_what_the_channel_explains_has_its_reason(aligned):
    alignment = aligned(SPUN, ORIGINAL)
    reasons = {s.spun: s.reason for s in alignment.substitutions(SPUN, ORIGINAL)}
    assert "element" in reasons["volition"]


def test_an_altered_name_is_shown_and_not_put_back(aligned):
    page = ORIGINAL.replace("Nora Pell", "Dora Bell")
    altered = [s for s in aligned(page, ORIGINAL).substitutions(page, ORIGINAL) if s.is_protected]
    assert [(s.spun, s.original) for s in altered] == [("Dora", "Nora"), ("Bell", "Pell")]
    assert "Dora Bell" in put_back(page, ORIGINAL, aligned(page, ORIGINAL))


def test_a_phrase_is_one_substitution(aligned):
    page = ORIGINAL.replace("will reopen on Saturday", "is going to be opened again on Saturday")
    swaps = aligned(page, ORIGINAL).substitutions(page, ORIGINAL)
    assert put_back(page, ORIGINAL, aligned(page, ORIGINAL)) == ORIGINAL
    assert len(swaps) <= 2


def test_no_half_of_a_compound_is_left_behind(aligned):
    page = ORIGINAL.replace("more than half of", "more than one-half of")
    assert "one-" not in put_back(page, ORIGINAL, aligned(page, ORIGINAL))


@given(
    st.lists(
        st.sampled_from(["-", " "]).flatmap(
            lambda gap: st.sampled_from(["one", "half", "will", "volition", "x"]).map(gap.__add__)
        ),
        max_size=14,
    )
)
@settings(deadline=None)
def test_substitutions_never_overlap(channel, parts):
    start, rest = ORIGINAL[70:400], ORIGINAL[400:700]
    page, source = start + "".join(parts) + rest, f"{start} half will one{rest}"
    alignment = Sheet(words(page), channel).align(words(source))
    swaps = alignment.substitutions(page, source)
    for one, other in pairwise(swaps):
        assert one.end <= other.start  # as edits have to; of a source twice the same may be taken


def test_a_compound_before_an_article_begins_is_left_alone(aligned):
    # The word before the hyphen is the article's last.
    source = f"Important {ORIGINAL[200:600]} zephyr"
    page = f"Foo bar baz. zephyr-significant really {ORIGINAL[200:600]}"
    for swap in aligned(page, source).substitutions(page, source):
        assert swap.source_start < swap.source_end
        assert swap.original


def test_a_long_insertion_is_nothing_that_was_replaced(aligned):
    page = ORIGINAL.replace("will reopen", f"will {OTHER[:200]} reopen")
    swaps = aligned(page, ORIGINAL).substitutions(page, ORIGINAL)
    assert all(len(swap.spun) < 100 for swap in swaps)


def test_letter_case_makes_no_difference(aligned):
    assert aligned(SPUN.lower(), ORIGINAL).covered > 0.9 * len(words(SPUN))


# --- what holds of any two texts


@settings(deadline=None)
@given(page=texts, source=texts)
def test_within_passages_page_and_source_agree_but_for_the_substitutions(channel, page, source):
    page, source = f"{ORIGINAL[70:400]} {page}", f"{source} {ORIGINAL[70:400]} {source}"
    alignment = Sheet(words(page), channel).align(words(source))
    swaps = alignment.substitutions(page, source)
    for passage in alignment.passages():
        inside = [s for s in swaps if passage.start <= s.start < passage.end]
        here, there = passage.start, passage.source_start
        for swap in inside:
            assert lowered(page[here : swap.start]) == lowered(source[there : swap.source_start])
            assert page[swap.start : swap.end] == swap.spun
            assert source[swap.source_start : swap.source_end] == swap.original
            here, there = swap.end, swap.source_end
        assert lowered(page[here : passage.end]) == lowered(source[there : passage.source_end])


def test_parts_of_an_article_align_like_the_whole(channel):
    half = ORIGINAL.index("\n", 600)
    parts = together([(ORIGINAL[:half], 0), (ORIGINAL[half:], half)])
    sheet = Sheet(words(SPUN), channel)
    assert sheet.align(parts).passages() == sheet.align(words(ORIGINAL)).passages()


def test_words_of_furniture_are_left_out():
    text = "One two. Share this! Three."
    assert words(text, [(9, 20)]).symbol == ["one", "two", "three"]


# --- the kernel


def tables(page, source, seed):
    """What a kernel takes: a few symbols, of which some may stand for others."""
    random = Random(seed)
    entries = [
        [(u, 3.0)] + ([((u + 1) % 6, 1.5)] if random.random() < 0.5 else []) for u in range(6)
    ]
    first, symbol, score = [0], [], []
    for entry in entries:
        symbol += [s for s, _ in entry]
        score += [odds for _, odds in entry]
        first.append(len(symbol))
    place_first, place = [0], []
    for s in range(6):
        place += [j for j, other in enumerate(source) if other == s]
        place_first.append(len(place))
    fixed = bytearray(random.random() < 0.2 for _ in page)
    mismatch = [random.choice((-2.0, -5.0)) for _ in source]
    return (
        array("i", page), fixed, array("i", first), array("i", symbol),
        array("d", score), array("i", place_first), array("i", place),
        array("d", mismatch), -5.0, 3.0, 0.5, 4.0,
    )  # fmt: skip


def spelt_out(to, passage, given):
    """The log-odds of an alignment, added up from its pairs and gaps."""
    page, fixed, first, symbol, score, place_first, place, mismatch, altered, *costs = given
    opening, extension, beginning = costs
    at = {j: s for s in range(6) for j in place[place_first[s] : place_first[s + 1]]}
    total, before, gap = 0.0, None, 0
    for i, u in enumerate(page):
        if passage[i] < 0:
            before = None
        elif to[i] < 0:
            total -= extension if gap else opening
            gap += 1
        else:
            odds = altered if fixed[i] else mismatch[to[i]]
            for k in range(first[u], first[u + 1]):
                if symbol[k] == at[to[i]]:
                    odds = score[k]
            if before is None or before[0] != passage[i]:
                total -= beginning
            elif skipped := to[i] - before[1] - 1:
                total -= opening + (skipped - 1) * extension
            total += odds
            before, gap = (passage[i], to[i]), 0
    return total


@given(page=numbers, source=numbers, seed=st.integers(0, 99))
def test_the_way_back_is_worth_what_the_table_says(page, source, seed):
    given_ = tables(page, source, seed)
    to, passage, total = unspin.kernels.align.Aligner(*given_).align()
    assert spelt_out(to, passage, given_) == pytest.approx(total[-1])


@given(page=numbers, source=numbers, seed=st.integers(0, 99))
def test_nothing_simple_is_better_than_what_is_found(page, source, seed):
    given_ = tables(page, source, seed)
    best = unspin.kernels.align.Aligner(*given_).align()[2][-1]
    assert best >= 0
    for shift in range(-len(page), len(source)):
        to = [i + shift if 0 <= i + shift < len(source) else -1 for i in range(len(page))]
        for start in range(len(page)):
            for end in range(start + 1, len(page) + 1):
                if all(to[i] >= 0 for i in range(start, end)):
                    alone = [t if start <= i < end else -1 for i, t in enumerate(to)]
                    passage = [0 if t >= 0 else -1 for t in alone]
                    assert best >= spelt_out(alone, passage, given_) - 1e-9


@pytest.mark.skipif(
    not unspin.kernels.align.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)),
    reason="the kernels were not compiled: install again where there is a C compiler",
)
@given(page=numbers, source=numbers, seed=st.integers(0, 99))
def test_compiled_and_interpreted_align_alike(page, source, seed):
    pytest.importorskip("cython")
    path = Path(align.__file__).parent.parent / "kernels" / "align.py"
    loader = importlib.machinery.SourceFileLoader("interpreted_align", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    given_ = tables(page, source, seed)
    fast, slow = (kernel.Aligner(*given_).align() for kernel in (unspin.kernels.align, module))
    assert fast == slow
