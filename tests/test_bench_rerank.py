"""The benchmark of the second reader compares what it says it compares."""

import doctest
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from bench import rerank, rerank_cost, restore, work
from bench.metrics import Change, Tally
from bench.rerank import Guess, Measured, Task
from bench.restore import Case, Text
from train.families import FAMILIES
from train.lattices import FOLDS, UNSEEN
from train.spin import Swap
from unspin.reader import Reader
from unspin.reranker import RerankError, RerankWarning

ONE = Text("The gale sank a barge.", (Swap(4, 8, "gale", "storm"), Swap(16, 21, "barge", "ship")))
TWO = Text("A gale broke it.", (Swap(2, 6, "gale", "wind"),))
CASE = Case("phrases", 0.4, False, 0.3, {restore.LEFT_OUT: ("phrase",)}, [ONE, TWO], {})
EXAMPLES = Path(__file__).parents[1] / "src" / "unspin" / "web" / "static" / "examples"
SPUN = (EXAMPLES / "news.txt").read_text(encoding="utf-8")


def test_examples_in_docstrings_hold():
    found = doctest.testmod(work)
    assert found.attempted
    assert not found.failed


def test_the_surest_edits_are_those_of_all_texts_together():
    right, wrong = Guess(0.9, Change(4, 8, "storm")), Guess(0.3, Change(16, 21, "boat"))
    harm = Guess(0.6, Change(7, 12, "tore"))
    found = [[right, wrong], [harm]]
    assert rerank.surest([ONE, TWO], found, 1) == Tally(3, 1, 1, 6, 0)
    assert rerank.surest([ONE, TWO], found, 2) == Tally(3, 2, 1, 6, 1)
    assert rerank.surest([ONE, TWO], found, 9) == Tally(3, 3, 1, 6, 1)
    assert rerank.surest([ONE, TWO], found, 0) == Tally(3, 0, 0, 6, 0)


def test_a_family_that_is_left_out_is_read_by_a_model_that_never_saw_it():
    assert set(UNSEEN) == set(FAMILIES)
    for name, fold in UNSEEN.items():
        assert name not in FOLDS[fold]
        left_out = rerank.task(CASE._replace(family=name), rerank.LEFT_OUT, Path("m"))
        assert left_out == Task(("phrase",), name, Path("m") / fold, [ONE, TWO])


def test_a_family_that_is_known_is_read_with_what_ships():
    assert rerank.task(CASE, rerank.KNOWN, Path("m")) == Task((), "", Path("m/all"), [ONE, TWO])
    assert set(FOLDS[rerank.ALL]) == set(FAMILIES)


def test_errors_are_cut_by_the_sums_of_a_group():
    def measured(family, group, wrong, fewer):
        before, surest = Tally(20, 10, 10 - wrong, 90, 3), Tally(20, 10, 10 - fewer, 90, 2)
        return Measured(family, 0.4, group, before, Tally(20, 16, 12, 90, 1), surest)

    found = [
        measured("element", rerank.ELEMENT, 4, 1),
        measured("element walk", rerank.ELEMENT, 2, 2),
        measured("phrases", rerank.PHRASES, 0, 0),
        measured("hypernym", rerank.OTHERS, 2, 4),
    ]
    rows = rerank._summary({rerank.KNOWN: found}).rows
    assert [row[0] for row in rows] == list(rerank.GROUPS)
    assert [row[2:7] for row in rows] == [
        [20, 6, 3, 20, 0.5],
        [10, 0, 0, 10, None],
        [10, 2, 4, 10, -1.0],
    ]
    assert rows[0][7:] == [14 / 40, 24 / 40, 14 / 20, 24 / 32, 6 / 180, 2 / 180]
    columns = rerank._by_family("", found).columns
    assert {len(row) for row in rerank._by_family("", found).rows} == {len(columns)}


def test_a_page_that_the_second_reader_cannot_read_is_an_error():
    class Mute:
        edit = None

        def rerank(self, *_):
            raise RerankError("it is silent")

    with pytest.raises(RerankWarning, match="silent"):
        rerank.guesses(Reader(rerank=Mute()), Text(SPUN, ()))


def test_every_page_is_read_without_and_with_the_second_reader(monkeypatch):
    class Doubter:
        """Whatever was printed, it says, was meant."""

        edit = None

        def rerank(self, _source, _tokens, found, _deadline):
            return [here._replace(posterior=0.0) for here in found]

    monkeypatch.setattr(rerank, "_encoder", lambda _: Doubter())
    (found,) = rerank.compare(Task((), "", Path(), [Text(SPUN, ())]))
    assert found.before.verdict == "spun"
    assert found.before.counts.edits > 0
    assert found.after.edits == 0
    assert found.guesses == []


linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux has it")


@linux
def test_cost_is_that_of_the_pages_behind_the_first():
    found = rerank_cost.cost("", ["It is shut.", SPUN])
    assert found.words > 0
    assert 10e6 < found.peak < 1e9


@linux
def test_pages_that_cannot_be_read_have_no_cost(capfd):
    with pytest.raises(RuntimeError, match=r"nowhere\.gguf"):
        rerank_cost.cost("nowhere.gguf", ["It is shut."] * 2)
    assert "RerankError" in capfd.readouterr().err


@linux
def test_one_core_is_given_back():
    cores = os.sched_getaffinity(0)
    with rerank_cost.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == cores
