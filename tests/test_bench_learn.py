"""The fit and the benchmark of learning from pages alone measure what they say."""

from dataclasses import replace

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

import numpy as np

from bench.learn import Task, measure
from tests.piles import TABLE, clean_texts
from tests.test_bench_learn_pairs import page
from train.families import fixed, with_inventions
from train.learn import fit, pile, swaps
from train.spin import Family, Spun, Swap
from unspin.learn.pairs import Belief, Clue
from unspin.learn.survey import Pair

FAMILY = Family(
    "made-up",
    choices=lambda unit: ("a", "b", "c") if unit != "left" else (),
    sources=(),
    may_change=None,
    select=None,
    draw=None,
)
CLUE = Clue(9.0, 9, 9, 1.0, 0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, is_best=True, is_known=False)


def test_swaps_are_counted_in_lower_case():
    told = Spun("", "", (Swap(0, 7, "Primary", "First"), Swap(9, 16, "primary", "first")))
    assert swaps([told]) == {Pair("first", "primary"): 2}


def test_a_share_of_the_originals_is_printed_by_other_words():
    invented = with_inventions(FAMILY, ["marble"], 0.3, "seed")
    units = [f"word-{i}" for i in range(500)]
    share = sum(invented.choices(unit) == ("marble",) for unit in units) / len(units)
    assert 0.25 < share < 0.35
    assert invented.choices("left") == ()
    again = with_inventions(FAMILY, ["marble"], 0.3, "seed")
    assert all(again.choices(unit) == invented.choices(unit) for unit in units)


def test_a_fixed_family_is_called_so():
    assert fixed(FAMILY).name == "made-up fixed"


def test_what_was_in_the_tables_is_believed_and_the_rest_is_not():
    right = {Pair(f"o{i}", f"s{i}"): CLUE._replace(swapped=5.0 + i % 7) for i in range(300)}
    wrong = {Pair(f"o{i}", f"x{i}"): CLUE._replace(swapped=0.3, fit=-9.0) for i in range(300)}
    answer = pile(FAMILY, (), [Spun("", "", tuple(Swap(0, 1, s, o) for o, s in right))])
    one = fit([right | wrong], [answer])
    belief = Belief((one,), np.ones(3, np.float32))
    assert belief.probability(list(right.values()), 0).min() > 0.9
    assert belief.probability(list(wrong.values()), 0).max() < 0.1


def test_a_row_has_what_was_learned_and_what_it_is_worth():
    pages = [page(text) for text in clean_texts()]
    task = Task(pile(replace(FAMILY, name="made-up"), (), pages[:150]), tuple(pages[150:170]))
    name, size, pairs, right, by_use, learned, _, unheard, *read, _ = measure(task)
    assert (name, size) == ("made-up", 150)
    assert pairs >= len(TABLE) / 2
    assert 0 < right <= by_use <= 1
    assert learned > 0.6
    assert unheard > 0.6
    without, _, with_learned, _, with_true, _ = read
    assert without < with_learned <= with_true + 0.05
