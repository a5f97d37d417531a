"""The screen: what it settles is what the lattice would have said, for any bytes."""

import math
from array import array
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unspin import pages, screen
from unspin.arrays import ModelError
from unspin.reader import MODEL, Reader
from unspin.screen import SCREEN, Screen
from unspin.text import WORD, tokenize

EXAMPLES = Path(__file__).parents[1] / "examples"
CLEAN = (EXAMPLES / "demo-original.txt").read_text("utf-8")
SPUN = pages.extract((EXAMPLES / "demo.html").read_bytes()).text


@pytest.fixture(scope="module")
def reader():
    return Reader()


@pytest.fixture(scope="module")
def opened(reader):
    return Screen(reader.solver.model, reader.solver.thesaurus, MODEL / SCREEN)


def glance(opened, *documents):
    encoded = [document.encode() for document in documents]
    bounds = array("q", [0, *accumulate(map(len, encoded))])
    return list(opened.glance(memoryview(b"".join(encoded)), memoryview(bounds)))


def test_a_glance_leaves_a_clean_page_and_a_look_finds_a_spun_one(opened, reader):
    clean, spun = glance(opened, CLEAN, SPUN)
    assert clean.told < opened.glanced < spun.told
    assert opened.worth(SPUN.encode())
    look = opened.look(SPUN.encode())
    assert reader.calibration.spun(look.evidence) > screen.SPUN
    assert max(look.taken, key=look.taken.get) == "element"


def test_a_look_at_a_clean_page_finds_it_clean(opened, reader):
    look = opened.look(CLEAN.encode())
    assert reader.calibration.spun(look.evidence) < screen.CLEAN


def test_a_document_looks_the_same_whatever_stands_beside_it(opened):
    alone = [*glance(opened, CLEAN), *glance(opened, ""), *glance(opened, SPUN)]
    assert glance(opened, CLEAN, "", SPUN) == alone
    looks = opened.look(CLEAN.encode()), opened.look(SPUN.encode())
    assert (opened.look(CLEAN.encode()), opened.look(SPUN.encode())) == looks


def test_suspects_are_whole_words_by_code_points(opened):
    text = f"Zürich – “é”. {SPUN}"
    for start, end, confidence in opened.look(text.encode()).suspects:
        assert text[start:end].isalnum()
        assert not text[start - 1].isalnum()
        assert not text[end].isalnum()
        assert screen.SUSPICION <= confidence <= 1.0


def test_most_of_the_words_that_a_look_suspects_the_lattice_suspects_too(opened, reader):
    suspected = {suspect.start for suspect in reader.judge(SPUN).suspects}
    looked = {start for start, *_ in opened.look(SPUN.encode()).suspects}
    assert len(suspected & looked) > 0.9 * max(len(suspected), len(looked))


def test_the_screen_counts_the_words_that_the_tokens_have(opened):
    for text in (CLEAN, SPUN):
        (seen,) = glance(opened, text)
        tokens = tokenize(text)
        lower = [i for i, kind in enumerate(tokens.kind) if kind == WORD]
        assert seen.eligible <= seen.words
        assert len(lower) <= seen.words <= len(tokens)


def test_a_word_that_a_spinner_may_have_printed_starts_where_a_token_does(opened):
    text = CLEAN.encode()
    opened.look(text)
    starts = set(tokenize(CLEAN).start)
    places = [len(text[:place].decode()) for place, _ in opened.cells()]
    assert places
    assert set(places) <= starts


anything = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


utf8 = st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))


@anything
@given(text=st.binary(max_size=300) | utf8)
def test_any_bytes_are_glanced_at(opened, text):
    (seen,) = opened.glance(memoryview(text), memoryview(array("q", [0, len(text)])))
    assert 0 <= seen.eligible <= seen.words <= len(text)
    assert seen.doubt >= 0
    assert math.isfinite(seen.told)


@anything
@given(text=utf8)
def test_any_text_is_looked_into(opened, text):
    look = opened.look(text)
    assert look.doubt >= 0
    assert 0 <= look.share <= 1


def test_a_document_of_any_length_is_glanced_at_in_pieces(opened):
    (one,) = glance(opened, CLEAN)
    times = (2 << 20) // len(CLEAN)
    (many,) = glance(opened, f"{CLEAN}\n\n" * times)
    assert many.words == pytest.approx(times * one.words, rel=0.01)
    assert many.doubt == pytest.approx(one.doubt, rel=0.05)
    assert many.told == pytest.approx(one.told, abs=0.05)


@pytest.mark.parametrize("letter", [b"a", b"\xe2\x80\x99", b".", b"\xff", b"'", b"1", b"\n"])
def test_a_document_without_white_space_is_read_to_its_end(opened, letter):
    text = letter * ((1 << 20) // len(letter) + 5)
    (seen,) = opened.glance(memoryview(text), memoryview(array("q", [0, len(text)])))
    assert seen.words <= len(text)


def test_a_long_document_is_looked_into_piece_by_piece(opened):
    lines = SPUN.split("\n")
    long = "\n".join(f"{line} ({i})" for i in range(40) for line in lines)
    assert len(long.encode()) > 3 * screen.PIECE
    look = opened.look(long.encode())
    one = opened.look(SPUN.encode())
    assert look.evidence.words == pytest.approx(40 * one.evidence.words, rel=0.02)
    assert sum(look.taken.values()) == pytest.approx(40 * sum(one.taken.values()), rel=0.1)
    for start, end, _ in look.suspects:
        assert long[start:end].isalnum()
    assert [long[start:end] for start, end, _ in look.suspects[:5]] == [
        SPUN[start:end] for start, end, _ in one.suspects[:5]
    ]


@pytest.mark.parametrize("letter", ["a", "é", "中", "😀", " ", "\n"])
def test_pieces_are_whole_characters_and_lose_nothing(letter):
    text = (letter * (3 * screen.PIECE)).encode()
    pieces = list(screen._pieces(text))
    assert b"".join(pieces) == text
    assert all(0 < len(piece) <= screen.PIECE for piece in pieces)
    assert all(piece.decode() for piece in pieces)


@pytest.mark.parametrize("bounds", [[0, 10**6], [5, 3], [-1, 3]])
def test_bounds_beyond_the_text_are_an_error(opened, bounds):
    with pytest.raises(ValueError, match="bounds"):
        opened.glance(memoryview(b"a few words"), memoryview(array("q", bounds)))


def test_a_damaged_screen_says_so(tmp_path, reader):
    with pytest.raises(ModelError, match="missing"):
        Screen(reader.solver.model, reader.solver.thesaurus, tmp_path / SCREEN)
