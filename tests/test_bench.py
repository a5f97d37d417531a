"""The benchmarks count what they say they count, on examples small enough to check by hand."""

import doctest
import json
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from bench import detect, lm, metrics, restore, tables
from bench.lm import sentences
from bench.metrics import Change, Tally, auc, tally, true_positive_rate
from train import samples
from train.corpus import Document
from train.families import ADVERSARIES, FAMILIES
from train.relations import SOURCES
from train.spin import Swap
from unspin.text import tokenize

SPUN = "He threw on the off chance that coins, astatine Igor."
SWAPS = (Swap(9, 31, "on the off chance that", "if"), Swap(39, 47, "astatine", "At"))
NEWS = [Document(f"Paragraph {i}.\nIt rained.", "bbc2005") for i in range(2000)]


@pytest.mark.parametrize("module", [lm, metrics, samples, tables], ids=lambda m: m.__name__)
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_a_page_is_a_whole_number_of_swaps_and_words_left_alone():
    assert [SPUN[swap.start : swap.end] for swap in SWAPS] == [swap.spun for swap in SWAPS]
    assert tally(SPUN, SWAPS, []) == Tally(swaps=2, edits=0, right=0, words=4, harmed=0)


def test_an_edit_is_right_when_it_lies_on_a_swap_and_says_the_original_in_any_case():
    changes = [Change(9, 31, "if"), Change(39, 47, "at")]
    assert tally(SPUN, SWAPS, changes) == Tally(2, edits=2, right=2, words=4)


@pytest.mark.parametrize(
    "change",
    [
        Change(9, 31, "unless"),  # another word
        Change(9, 11, "if"),  # a part of the phrase
        Change(9, 37, "if coins"),  # more than the phrase
    ],
)
def test_an_edit_that_only_meets_a_swap_is_wrong(change):
    counts = tally(SPUN, SWAPS, [change])
    assert (counts.edits, counts.right) == (1, 0)


def test_words_that_an_edit_takes_along_are_harmed():
    assert tally(SPUN, SWAPS, [Change(9, 37, "if coins")]).harmed == 1
    assert tally(SPUN, SWAPS, [Change(9, 31, "unless")]).harmed == 0
    assert tally(SPUN, (), [Change(3, 8, "tossed"), Change(32, 37, "cash")]).harmed == 2


def test_tallies_add_up_and_shares_of_nothing_are_no_number():
    total = Tally(4, 3, 2, 10, 1) + Tally(1, 1, 1, 10, 0)
    assert (total.put_back, total.precision, total.harm) == (3 / 5, 3 / 4, 1 / 20)
    assert (Tally().put_back, Tally().precision, Tally().harm) == (None, None, None)


def test_auc_counts_a_tie_as_half():
    assert auc([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert auc([3.0, 4.0], [1.0, 2.0]) == 0.0
    assert auc([1.0, 1.0, 1.0], [1.0]) == 0.5
    assert auc([1.0, 2.0], [2.0, 3.0, 0.0]) == (1.5 + 2 + 0) / 6


def test_the_true_positive_rate_keeps_to_the_false_positives_allowed():
    clean = [float(score) for score in range(100)]
    assert true_positive_rate(clean, [98.5, 97.5, 200.0, 0.0], 0.01) == 0.5
    assert true_positive_rate(clean, [98.5, 97.5, 200.0, 0.0], 0.001) == 0.25
    assert true_positive_rate(clean, [98.0], 0.01) == 0.0


def test_a_threshold_among_ties_errs_on_the_side_of_clean():
    assert true_positive_rate([0.0] * 98 + [1.0, 1.0], [1.0, 2.0], 0.01) == 0.5
    assert true_positive_rate([0.0], [1.0, 0.0], 1.0) == 1.0


def test_no_document_has_two_roles():
    divided = [samples.divide(NEWS, part) for part in ("calibrate", "bench")]
    groups = [group for d in divided for group in (*d.to_spin.values(), d.clean)]
    assert sum(map(len, groups)) == len(NEWS) == len({d.text for g in groups for d in g})
    assert all(groups)
    assert all(set(d.to_spin) == {*FAMILIES, *ADVERSARIES} for d in divided)


def test_only_news_is_spun():
    divided = samples.divide((d._replace(source="plos") for d in NEWS), "bench")
    assert not any(divided.to_spin.values())
    assert divided.clean


def test_the_role_of_a_document_does_not_depend_on_the_others():
    some = samples.divide(NEWS[::7], "bench").clean
    assert [d for d in samples.divide(NEWS, "bench").clean if d in NEWS[::7]] == some


def test_pages_end_with_paragraphs_and_have_about_the_length_asked_for():
    long = Document("\n".join(f"{i} two three four" for i in range(10)), "fnc1")
    huge = Document("word " * 50, "fnc1")
    cut = samples.pages([long, huge], 8)
    assert sorted(cut) == sorted(
        "\n".join(long.text.split("\n")[i : i + 2]) for i in range(0, 10, 2)
    )


def test_short_documents_of_one_source_are_joined_after_the_long_ones():
    short = [Document(f"one two {source}", source) for source in ("fnc1", "bbc2005") * 2]
    long = Document("one two three four five six", "fnc1")
    assert samples.pages([*short, long], 6) == [
        long.text,
        *sorted(samples.pages(short, 6), key=samples.pages(short, 6).index),
    ]
    assert set(samples.pages(short, 6)) == {
        "one two fnc1\none two fnc1",
        "one two bbc2005\none two bbc2005",
    }


def test_a_family_of_wordnet_lemmas_is_left_out_with_base_forms():
    assert samples.lexicons_left_out(("Moby",)) == ("Moby",)
    assert samples.lexicons_left_out(("MyThes", "Moby")) == ("Moby", "MyThes", "base form")


def test_a_family_loses_what_describes_it_and_then_its_thesauri_too():
    sources = ("WordNet synonym", "MyThes", "tortured word", "phrase", "thesaurus phrase")
    assert samples.tables_left_out(sources) == ("phrase", "tortured word")
    assert samples.tables_left_out(("Moby",)) == ()
    assert samples.lexicons_left_out(sources) == tuple(sorted((*sources, "base form")))
    assert set(SOURCES) >= samples.DESCRIPTIONS


@pytest.mark.parametrize(
    ("system", "without", "family"),
    [
        (restore.KNOWN, (), ""),
        (restore.LEFT_OUT, ("element",), "element walk"),
        (restore.NO_LEXICONS, ("element", "Moby"), "element walk"),
        ("a rival", (), "element walk"),
    ],
)
def test_a_reader_that_does_not_know_a_family_is_not_calibrated_with_it(system, without, family):
    left_out = {
        restore.KNOWN: (),
        restore.LEFT_OUT: ("element",),
        restore.NO_LEXICONS: ("element", "Moby"),
    }
    text = restore.Text(SPUN, SWAPS)
    case = restore.Case("element walk", 0.6, True, 0.3, left_out, [text], {})
    task = case.task(system, Path(), [text])
    assert task == restore.Task(system, without, family, Path(), [text])


def test_three_readers_are_measured():
    assert list(restore.READERS) == [restore.KNOWN, restore.LEFT_OUT, restore.NO_LEXICONS]
    assert list(detect._systems(("element",)))[:3] == list(restore.READERS)
    named = detect._systems(("element", "Moby"))
    assert [named[name].without for name in restore.READERS] == [
        (),
        ("element",),
        ("Moby", "element"),
    ]


def test_words_have_a_letter_or_a_digit():
    assert samples.count_words("“Well” – 2 of them , he said…") == 6


def test_quotation_marks_are_no_part_of_a_sentence_and_positions_say_so():
    tokens = tokenize('He said "no" to B52. "Yes."')
    found = list(sentences(tokens))
    assert [s.symbols for s in found] == [["he", "said", "no", "to", "b52", "."], ["yes", "."]]
    assert [tokens.symbol[i] for s in found for i in s.positions] == [
        symbol for s in found for symbol in s.symbols
    ]


def test_a_result_tells_how_it_was_made_and_is_kept_only_when_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    table = tables.Table(
        "Shares", [tables.Column("system"), tables.Column("share", ".1%")], [("it", 1 / 3)]
    )
    run = tables.Run("restore", "python -m bench.restore", "A note.")
    tables.publish(run, [table], keep=False)
    assert not list(tmp_path.iterdir())
    printed = capsys.readouterr().out
    tables.publish(run, [table], keep=True)
    assert (tmp_path / "restore.md").read_text() == printed
    assert "`python -m bench.restore`" in printed
    assert "| it | 33.3% |" in printed
    kept = json.loads((tmp_path / "restore.json").read_text())
    assert kept["tables"][0]["rows"] == [["it", 0.333333]]
    assert {"command", "date", "python", "processors"} <= set(kept)
