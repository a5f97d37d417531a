"""Rivals are trained on strangers only, and count what they say they count."""

import doctest

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from bench import classifiers, pretrained, rivals
from bench.classifiers import Dropper, Example, Lesson
from bench.detect import Quality
from train.families import FAMILIES
from train.spin import Family

CLEAN = "The old bridge over the harbour was closed for repairs on Monday. " * 3
SPUN = "The erstwhile span over the haven was shuttered for reparations on Monday. " * 3


def family(*sources):
    return Family("", sources, lambda _: (), lambda _: True, lambda *_: [], lambda *_: "")


@pytest.mark.parametrize("module", [classifiers, pretrained], ids=lambda m: m.__name__)
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_a_family_that_draws_on_nothing_else_is_no_stranger():
    families = {
        "wide": family("WordNet", "MyThes"),
        "narrow": family("WordNet"),
        "table": family("WordNet", "a table"),
        "other": family("Moby"),
    }
    assert classifiers.strangers(families, "wide") == ("table", "other")
    assert classifiers.strangers(families, "narrow") == ("other",)
    assert classifiers.strangers(families, "other") == ("wide", "narrow", "table")


def test_only_rare_words_with_a_more_frequent_neighbour_are_replaced():
    neighbours = {"erstwhile": ("former", -12.0), "big": ("great", -6.0)}
    assert Dropper(neighbours.get, -9.0).replace("An erstwhile big oddity") == (
        "An former big oddity"
    )


def test_the_next_words_are_whole():
    assert pretrained._next_words(" the harbour was clo") == " the harbour was"
    assert pretrained._next_words(".") == "."


def test_listed_phrases_count_unless_a_clean_text_has_them(tmp_path):
    listed = "tortured\texpected\ndeep brain\tneural network\nbosom\tbreast\nbig deal\tmatter\n"
    (tmp_path / "tortured_phrases.tsv").write_text(listed)
    score = rivals.listed_phrases(tmp_path, ["No big deal."])
    assert score("A deep brain, a big deal") == 1 / 6
    assert score("The deep bosom of the brain") == 0.0
    assert score("") == 0.0


def test_classifiers_tell_what_they_were_taught(tmp_path, monkeypatch):
    pytest.importorskip("fasttext")
    pytest.importorskip("sklearn")
    neighbours = {"erstwhile": ("old", -12.0), "haven": ("harbour", -11.0), "on": ("for", -3.0)}
    monkeypatch.setattr(classifiers, "_better", lambda _: neighbours.get)
    folder = tmp_path / "trained"
    lesson = Lesson(folder, tmp_path, [Example(CLEAN, SPUN, "")] * 20)
    classifiers.train(lesson)
    for load in classifiers.CLASSIFIERS.values():
        clean, spun = load(folder, tmp_path)([CLEAN, SPUN])
        assert clean < spun


def test_every_system_has_its_own_line_in_the_plot(tmp_path):
    pytest.importorskip("matplotlib")
    from bench import peers, plot

    assert not doctest.testmod(plot).failed

    families = {name: family(name) for name in FAMILIES}
    systems = peers.systems(families, "element")
    assert len({plot.style(system) for system in systems}) == len(systems)
    ours = [plot.style(system) for system in systems if system.startswith("unspin, ")]
    assert len({line.dashes for line in ours}) == len(ours) == 3
    quality = [Quality(0.9, (0.5, 0.1))] * 3
    path = tmp_path / "plot.svg"
    plot.draw([plot.Panel("100 words", dict.fromkeys(systems, quality))], [0.1, 0.2, 0.4], path)
    drawn = path.read_text()
    assert all(system in drawn for system in systems)
    plot.draw([plot.Panel("100 words", dict.fromkeys(systems, quality))], [0.1, 0.2, 0.4], path)
    assert path.read_text() == drawn
