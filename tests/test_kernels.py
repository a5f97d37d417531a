"""The kernels: compiled or interpreted they say the same, and it is what counting it out says."""

import importlib.machinery
import importlib.util
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
from array import array
from itertools import accumulate, product
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unspin.kernels.lattice
import unspin.kernels.ngrams
import unspin.kernels.screen
from unspin import arrays, lattice, lm, screen, thesaurus
from unspin.kernels._interpreted import cython as stand_in
from unspin.lattice import Solver
from unspin.lm import BOS, EOS, SPECIALS, LanguageModel
from unspin.reader import MODEL, Reader
from unspin.screen import Screen
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus

PACKAGE = Path(lattice.__file__).parent
KERNELS = (unspin.kernels.ngrams, unspin.kernels.lattice, unspin.kernels.screen)

needs_compiled = pytest.mark.skipif(
    not all(k.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)) for k in KERNELS),
    reason="the kernels were not compiled: install again where there is a C compiler",
)
# Each example solves a text in interpreted Python, from the same fixtures.
few = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

SPUN = (
    "Engineers had hoped to finish the enactment past spring. They found that the damage nether"
    " the h2o was acold worse than it looked: 11 of the 36 iron piles were cracked, and 1 had"
    " moved truthful acold that divers could enactment a manus betwixt the pile and the wall. It"
    " volition beryllium astatine slightest a twelvemonth earlier radical tin locomotion implicit"
    " it again, helium said connected Friday."
)
PHRASES = (
    "on the off chance that|counterfeit consciousness|profound learning|keep an eye on|in order to"
).split("|")
COMMON = "the of and to in a that is was he for it with as his on be at by".split()
WORDS = [*SPUN.split(), *COMMON, *PHRASES]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join)


@pytest.fixture(scope="module")
def interpreted():
    """The classes of the kernels, from their source, which Cython has not compiled."""
    pytest.importorskip("cython")

    def load(name):
        source = str(PACKAGE / "kernels" / f"{name}.py")
        loader = importlib.machinery.SourceFileLoader(f"interpreted_{name}", source)
        spec = importlib.util.spec_from_loader(loader.name, loader)
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        return module

    return SimpleNamespace(
        Ngrams=load("ngrams").Ngrams,
        Lattice=load("lattice").Lattice,
        Screen=load("screen").Screen,
    )


@pytest.fixture(scope="module")
def solver():
    return Solver(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))


@pytest.fixture
def slow_solver(solver, interpreted, monkeypatch):
    """The same solver; what it solves while the test runs is solved by the interpreted kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lm, "Ngrams", interpreted.Ngrams)
        model = LanguageModel(MODEL / "lm.bin")
    slow = Solver(model, solver.thesaurus)

    def solve(tokens, first, last):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lattice, "Lattice", interpreted.Lattice)
            return Solver.solve(slow, tokens, first, last)

    monkeypatch.setattr(slow, "solve", solve)
    return slow


def solve(solver, text):
    tokens = tokenize(text)
    return solver.solve(tokens, 0, len(tokens))


def kernel(solver, text):
    """The lattice of a text, built and with nothing learnt from the text yet."""
    tokens = tokenize(text)
    columns = lattice._Columns(solver, tokens, 0, len(tokens))
    built = columns.kernel(solver.thesaurus.prior)
    built.build()
    return built


# --- compiled = interpreted


@needs_compiled
@few
@given(st.lists(st.integers(0, 65_535), max_size=30))
def test_compiled_and_interpreted_score_alike(solver, slow_solver, numbers):
    words = [n % len(solver.model.words) for n in numbers if n != BOS]  # is never predicted
    fast, slow = solver.model.ngrams.score(words), slow_solver.model.ngrams.score(words)
    assert fast == pytest.approx(slow, abs=1e-9)


@needs_compiled
@few
@given(texts)
def test_compiled_and_interpreted_solve_alike(solver, slow_solver, text):
    fast, slow = solve(solver, text), solve(slow_solver, text)
    assert fast.eligible == slow.eligible
    assert fast.log_ratio == pytest.approx(slow.log_ratio, abs=1e-6)
    assert fast.taken() == pytest.approx(slow.taken(), abs=1e-6)
    for ours, theirs in zip(fast.substitutions(), slow.substitutions(), strict=True):
        assert (ours.token, ours.tokens) == (theirs.token, theirs.tokens)
        assert ours.posterior == pytest.approx(theirs.posterior, abs=1e-6)
        assert [c.original for c in ours.choices] == [c.original for c in theirs.choices]
        posteriors = [choice.posterior for choice in theirs.choices]
        assert [c.posterior for c in ours.choices] == pytest.approx(posteriors, abs=1e-6)
    for ours, theirs in zip(fast.doubts(), slow.doubts(), strict=True):
        assert ours[:2] == theirs[:2]
        # Doubt is the logarithm of what may be as little as `LEAST_KEPT`.
        kept = [math.exp(-doubt.nats) for doubt in (ours, theirs)]
        assert kept[0] == pytest.approx(kept[1], abs=1e-6)


@needs_compiled
def test_compiled_and_interpreted_solve_a_page_alike(solver, slow_solver):
    fast, slow = solve(solver, SPUN), solve(slow_solver, SPUN)
    ours, theirs = fast.substitutions(), slow.substitutions()
    assert len(ours) > 10
    assert [(s.token, s.choices[0].original) for s in ours] == [
        (s.token, s.choices[0].original) for s in theirs
    ]
    assert fast.log_ratio == pytest.approx(slow.log_ratio, abs=1e-6)


# --- what the numbers mean


@few
@given(texts)
def test_the_posteriors_of_every_token_sum_to_one(interpreted, slow_solver, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "Lattice", interpreted.Lattice)
        built = kernel(slow_solver, text)
    built.expect()
    for i in range(1, len(built.words)):
        arcs = built.posterior[built.arc_first[i] : built.arc_first[i + 1]]
        assert all(0 <= p <= 1 + 1e-9 for p in arcs)
        assert sum(arcs) == pytest.approx(1, abs=1e-6)


@few
@given(texts)
def test_a_spinner_that_replaces_nothing_leaves_no_evidence(solver, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "INITIAL_RATE", 0.0)
        built = kernel(solver, text)
    assert built.expect() == pytest.approx(0, abs=1e-9)
    assert sum(built.taken()) == 0


@few
@given(texts)
def test_found_substitutions_are_likely_and_sorted(solver, text):
    found = solve(solver, text).substitutions()
    assert [s.token for s in found] == sorted(s.token for s in found)
    for substitution in found:
        posteriors = [choice.posterior for choice in substitution.choices]
        assert posteriors == sorted(posteriors, reverse=True)
        assert sum(posteriors) <= substitution.posterior + 1e-6
        assert lattice.LEAST_POSTERIOR <= substitution.posterior <= 1 + 1e-9


@few
@given(texts)
def test_a_word_is_kept_where_no_substitution_begins(interpreted, slow_solver, text):
    tokens = tokenize(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "Lattice", interpreted.Lattice)
        columns = lattice._Columns(slow_solver, tokens, 0, len(tokens))
        built = columns.kernel(slow_solver.thesaurus.prior)
        built.build()
    built.expect()
    slots = [(i, slot) for i, slot in enumerate(columns._slots) if slot >= 0]
    kept = built.kept_posteriors()
    assert [(position, slot) for position, slot, *_ in kept] == slots
    for position, _, p, _ in kept:
        printed, *arcs = range(built.arc_first[position], built.arc_first[position + 1])
        # As printed, or within a phrase that begins at an earlier word.
        running = [arc for arc in arcs if built.arc_place[arc] > 0]
        assert p == pytest.approx(sum(built.posterior[a] for a in (printed, *running)), abs=1e-6)
    begun = sum(1 - p for _, _, p, _ in kept)
    elsewhere = sum(
        built.posterior[arc]
        for i in range(1, len(built.words))
        if columns._slots[i] < 0
        for arc in range(built.arc_first[i] + 1, built.arc_first[i + 1])
        if built.arc_place[arc] == 0
    )
    # What hardly counts is not shared out among the sources.
    assert 0 <= sum(built.taken()) <= begun + elsewhere + 1e-6


@few
@given(texts)
def test_every_word_that_could_be_spun_has_its_doubt_in_order(solver, text):
    solution = solve(solver, text)
    tokens = tokenize(text)
    doubts = solution.doubts()
    assert [doubt.token for doubt in doubts] == sorted({doubt.token for doubt in doubts})
    words = {}
    for token, slot, nats in doubts:
        assert -1e-9 <= nats <= -math.log(lattice.LEAST_KEPT)
        assert words.setdefault(slot, tokens.symbol[token]) == tokens.symbol[token]


def test_a_phrase_is_in_doubt_at_its_first_word_and_nowhere_else(solver):
    text = f"{SPUN} Helium said that they keep an eye on it on the off chance that it moves."
    tokens = tokenize(text)
    solution = solve(solver, text)
    (found,) = (s for s in solution.substitutions() if s.tokens == 5)
    words = tokens.symbol[found.token : found.token + found.tokens]
    assert " ".join(words) == "on the off chance that"
    nats = {doubt.token: doubt.nats for doubt in solution.doubts()}
    first, *rest = range(found.token, found.token + found.tokens)
    assert nats[first] > 1
    assert all(nats.get(token, 0.0) < 0.5 for token in rest)


def test_a_word_at_home_with_a_neighbour_is_less_in_doubt():
    assert lattice._strangeness(-3.0) > 0.95
    assert lattice._strangeness(lattice.AT_HOME) == 0.5
    assert lattice._strangeness(8.0) < 0.01
    assert 0.0 <= lattice._strangeness(1e9) < 1e-9


UNPRUNED = {"FLUENT": math.inf, "BEAM": 0.0, "PRUNE": 0.0}
TINY = "at astatine he helium new caller fresh noon".split()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Files of a trigram model with random numbers over a few words, and of a channel for it.

    With 4-grams a state stands for its likeliest history, which is an approximation; without,
    the lattice is exact.
    """
    np = pytest.importorskip("numpy")
    chance = random.Random(3)
    words = [*SPECIALS, *TINY]
    ngrams = [{(word,) for word in range(len(words))}, set(), set()]
    for context, word in product(range(len(words)), repeat=2):
        if context != EOS and word != BOS and chance.random() < 0.4:
            ngrams[1].add((context, word))
    for context, word in product(ngrams[1], range(len(words))):
        if context[1] != EOS and word != BOS and chance.random() < 0.3:
            ngrams[2].add((*context, word))
    levels = []
    for ngram_set in [*ngrams, set()]:
        keys = sorted(sum(w << 16 * i for i, w in enumerate(reversed(n))) for n in ngram_set)
        log_p = [chance.uniform(-3, -0.1) for _ in keys]
        log_backoff = [chance.uniform(-1, 0.2) for _ in keys]
        if len(levels) == 2:
            log_backoff = [0.0] * len(keys)
        columns = np.array(keys, np.uint64), np.array(log_p), np.array(log_backoff)
        levels.append(lm.Level(*columns))
    folder = tmp_path_factory.mktemp("tiny")
    lm.write(folder / "lm.bin", words, bytes(len(words)), levels, np.zeros(0, np.int8))
    number = {word: i for i, word in enumerate(words)}
    originals = {"astatine": "at he", "helium": "he", "caller": "new fresh at", "fresh": "new"}
    choices = {
        printed: [(number[word], 1 + i % 3) for i, word in enumerate(words_of.split())]
        for printed, words_of in originals.items()
    }
    fanout = array("H", [2, 2, 0] * len(words))
    classes = bytes(i % 3 for i in range(len(words)))
    thesaurus.write(
        folder / "channel.bin",
        ["rule", "synonym", "phrase"],
        [0.5, 0.3, 0.2],
        choices,
        fanout,
        classes,
        {},
    )
    return folder


@few
@given(words=st.lists(st.sampled_from([*TINY, "."]), min_size=3, max_size=6))
def test_forward_backward_is_the_sum_over_all_paths(interpreted, tiny, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lm, "Ngrams", interpreted.Ngrams)
        patch.setattr(lattice, "Lattice", interpreted.Lattice)
        for name, nothing in UNPRUNED.items():
            patch.setattr(lattice, name, nothing)
        model = LanguageModel(tiny / "lm.bin")
        built = kernel(Solver(model, Thesaurus(tiny / "channel.bin")), " ".join(words))
    log_ratio = built.expect()

    tokens = range(1, len(built.words))
    arcs = [range(built.arc_first[i], built.arc_first[i + 1]) for i in tokens]
    printed = sum(model.ngrams.score(built.words[1:]))
    total, taken = 0.0, dict.fromkeys((a for some in arcs for a in some), 0.0)
    for path in product(*arcs):
        numbers = [built.enters(i, a) for i, a in zip(tokens, path, strict=True)]
        p = 10 ** (sum(model.ngrams.score(numbers)) - printed)
        p *= math.prod(built.factor(i, a) for i, a in zip(tokens, path, strict=True))
        total += p
        for a in path:
            taken[a] += p
    assert log_ratio == pytest.approx(math.log(total), abs=1e-5)
    for a, p in taken.items():
        assert built.posterior[a] == pytest.approx(p / total, abs=1e-5)


# --- the screen


@pytest.fixture(scope="module")
def screens(interpreted, tiny):
    """The screen of a tiny model and channel, compiled and interpreted."""
    path = tiny / "screen.bin"
    chance = random.Random(5)
    columns = {
        "telling": array("b", (chance.randrange(-127, 128) for _ in range(screen.CELLS))),
        "expected": bytes(chance.randrange(256) for _ in range(screen.CELLS)),
    }
    meta = {"slope": 1.0, "intercept": 0.0, "glanced": 0.1, "few": 0.5}
    arrays.write(path, "screen", meta, columns)
    channel = Thesaurus(tiny / "channel.bin")
    fast = Screen(LanguageModel(tiny / "lm.bin"), channel, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lm, "Ngrams", interpreted.Ngrams)
        patch.setattr(screen, "_Kernel", interpreted.Screen)
        slow = Screen(LanguageModel(tiny / "lm.bin"), channel, path)
    return fast, slow


MARKS = [*TINY, "Caller", "NEW", "nobody", "it's", "won’t", "24", "7", "1999", "h2o", "5%", "Ünü"]
MARKS += [
    ".",
    "...",
    "-",
    "—",
    "“",
    "”",
    ",",
    "\n",
    "\n\n",
    " ",
    "\u00a0",
    "\0",
    "é",
    "中",
    "'",
    "’s",
]
printed = st.lists(st.sampled_from(MARKS), max_size=30).map(
    lambda parts: "".join(part + " " * (i % 2) for i, part in enumerate(parts))
)


@needs_compiled
@few
@given(documents=st.lists(printed, max_size=4))
def test_the_screen_compiled_and_interpreted_sees_the_same(screens, documents):
    encoded = [document.encode() for document in documents]
    bounds = array("q", [0, *accumulate(map(len, encoded))])
    text = memoryview(b"".join(encoded))
    fast, slow = ([*s.glance(text, memoryview(bounds))] for s in screens)
    assert fast == slow
    for document in encoded:
        fast, slow = (s.look(document) for s in screens)
        assert fast.doubt == pytest.approx(slow.doubt, rel=1e-5)
        assert fast.log_ratio == pytest.approx(slow.log_ratio, abs=1e-6)
        assert fast.taken == pytest.approx(slow.taken, abs=1e-6)
        assert [s[:2] for s in fast.suspects] == [s[:2] for s in slow.suspects]
        assert screens[0].worth(document) == screens[1].worth(document)


# --- where nothing was compiled and there is no cython


def test_the_stand_in_has_all_that_the_kernels_use():
    used = set()
    for path in (PACKAGE / "kernels").glob("[!_]*.py"):
        used |= set(re.findall(r"\bcython\.(\w+)", path.read_text("utf-8")))
    assert "cfunc" in used
    assert used - {"cimports"} <= vars(stand_in()).keys()


INTERPRET = """
import sys
sys.modules["cython"] = sys.modules["Cython"] = None
from pathlib import Path
from unspin.kernels import lattice, ngrams, screen
from unspin.reader import Reader
assert all(k.__file__.endswith(".py") and not k.cython.compiled for k in (lattice, ngrams, screen))
assert "cython.cimports" not in sys.modules
sys.stdout.buffer.write(Reader(model=Path(sys.argv[1])).read(sys.argv[2]).to_json().encode())
"""


def test_without_compiler_and_cython_a_page_is_read_alike(tmp_path):
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "data", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "unspin", ignore=ignored)
    result = subprocess.run(
        [sys.executable, "-c", INTERPRET, MODEL, SPUN],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    slow, fast = json.loads(result.stdout), Reader().read(SPUN).to_dict()
    assert slow["verdict"] == fast["verdict"] == "spun"
    assert slow["text"] == fast["text"]
    columns = ("start", "end", "original")
    assert [[e[c] for c in columns] for e in slow["edits"]] == [
        [e[c] for c in columns] for e in fast["edits"]
    ]
