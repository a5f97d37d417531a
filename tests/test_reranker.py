"""The second reader only chooses among the candidates, and is asked no more than is worth it."""

import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from string import punctuation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.lattice import Choice, Substitution
from unspin.reader import Reader
from unspin.reranker import (
    CONTEXT,
    MOST_OPTIONS,
    SURE,
    Beam,
    Continuations,
    RerankError,
    questions,
    reweighed,
    worth_asking,
)
from unspin.text import tokenize


class Likes:
    """A model that finds every text as likely as any other, but for the words that it likes."""

    def __init__(self, *words, nats=8.0):
        self.words, self.nats = words, nats
        self.calls = []

    def log_p(self, asked, _):
        self.calls.append(asked)
        return [
            [
                self.nats * sum(word in text.lower().split() for word in self.words) - 20.0
                for text in texts
            ]
            for _, texts in asked
        ]


def substitution(tokens, word, posteriors, span=1):
    """The word's substitution, with such originals."""
    choices = [Choice(original, p, 1) for original, p in posteriors.items()]
    choices.sort(key=lambda choice: -choice.posterior)
    return Substitution(tokens.symbol.index(word), span, sum(posteriors.values()), choices)


SOURCE = "The barge sank. The Heavy gale broke her mast\nand nobody swam ashore."
TOKENS = tokenize(SOURCE)
BARGE = substitution(TOKENS, "barge", {"ship": 0.5, "boat": 0.2})
HEAVY = substitution(TOKENS, "heavy", {"strong": 0.4, "hard": 0.1})
GALE = substitution(TOKENS, "gale", {"wind": 0.45, "storm": 0.3})
NOBODY = substitution(TOKENS, "nobody", {"none": 0.3})
FOUND = [BARGE, HEAVY, GALE, NOBODY]


def of(here: Substitution, original: str) -> float:
    return next(choice.posterior for choice in here.choices if choice.original == original)


def masses(here: Substitution) -> dict[str, float]:
    return {choice.original: choice.posterior for choice in here.choices}


def beam(scorer, found: Sequence[Substitution] = FOUND, **settings):
    return Beam(scorer, **settings).rerank(SOURCE, TOKENS, found)


# --- what it answers


SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=12)


@given(st.data())
def test_it_only_chooses_among_the_candidates_and_keeps_their_masses(data):
    found = []
    for word in TOKENS.symbol:
        if data.draw(st.booleans(), label=word):
            shares = data.draw(SHARES)
            whole = sum(shares) + data.draw(st.integers(1, 100))
            found.append(
                substitution(TOKENS, word, {f"{word}{i}": s / whole for i, s in enumerate(shares)})
            )
    logs = st.floats(-1000.0, 0.0)

    class Random:
        def log_p(self, asked, _):
            return [[data.draw(logs) for _ in texts] for _, texts in asked]

    most = data.draw(st.integers(0, 8))
    reread = beam(Random(), found, questions=most)
    assert [(here.token, here.tokens) for here in reread] == [(h.token, h.tokens) for h in found]
    changed = [(a, b) for a, b in zip(found, reread, strict=True) if a != b]
    assert len(changed) <= most
    for before, after in zip(found, reread, strict=True):
        assert masses(after).keys() == masses(before).keys()
        assert {c.original: c.sources for c in after.choices} == {
            c.original: c.sources for c in before.choices
        }
        assert all(0.0 <= p <= 1.0 for p in masses(after).values())
        assert 0.0 <= after.posterior <= 1.0
        assert math.isclose(after.posterior, sum(masses(after).values()), abs_tol=1e-9)
        posteriors = [choice.posterior for choice in after.choices]
        assert posteriors == sorted(posteriors, reverse=True)


def test_what_the_model_likes_becomes_likelier():
    for number, original in enumerate(["boat", "hard", "storm", "none"]):
        reread = beam(Likes(original))
        assert of(reread[number], original) > of(FOUND[number], original)
        assert reread[number].choices[0].original == original


def test_a_model_that_likes_what_is_printed_makes_a_substitution_unlikely():
    assert beam(Likes("gale"))[2].posterior < 0.1 < GALE.posterior


def test_what_follows_speaks_for_a_word_as_well():
    class Follows:
        def log_p(self, asked, _):
            return [[8.0 * ("wind broke" in text) for text in texts] for _, texts in asked]

    assert beam(Follows())[2].choices[0].original == "wind"


def test_what_was_chosen_before_in_a_sentence_is_what_the_model_reads_on_from():
    model = Likes("hard")
    beam(model)
    asked = [before for before, _ in model.calls[1] if "Heavy" not in before]
    assert any(before.endswith("The Hard") for before in asked)


def test_to_an_indifferent_model_the_lattice_is_right():
    reread = beam(Likes(), prior=1.0)
    for before, after in zip(FOUND, reread, strict=True):
        assert masses(after) == pytest.approx(masses(before))
        assert after.posterior == pytest.approx(before.posterior)


def test_without_trust_the_model_has_no_say():
    reread = beam(Likes("boat", "hard"), prior=1.0, trust=0.0)
    assert masses(reread[0]) == pytest.approx(masses(BARGE))


def test_options_that_were_not_asked_about_keep_their_masses():
    many = substitution(TOKENS, "gale", {f"wind{i:02}": (20 - i) / 250 for i in range(20)})
    model = Likes("wind03")
    (reread,) = beam(model, [many])
    assert all(len(texts) == MOST_OPTIONS for call in model.calls for _, texts in call)
    for choice in many.choices[MOST_OPTIONS - 1 :]:
        assert of(reread, choice.original) == choice.posterior
    assert reread.choices[0].original == "wind03"


def test_shares_are_of_what_the_options_had():
    (question,) = questions(SOURCE, TOKENS, [BARGE])
    reread = reweighed(BARGE, question, [0.25, 0.25, 0.5])
    assert masses(reread) == pytest.approx({"boat": 0.5, "ship": 0.25})
    assert reread.posterior == pytest.approx(0.75)


def test_a_page_without_doubts_asks_nothing():
    model = Likes()
    assert beam(model, []) == []
    assert Beam(model).rerank("", tokenize(""), []) == []
    assert model.calls == []


# --- what it asks


def test_a_question_has_the_printed_word_first_and_its_originals_in_its_case():
    asked = questions(SOURCE, TOKENS, FOUND)
    assert [SOURCE[q.start : q.end] for q in asked] == ["barge", "Heavy", "gale", "nobody"]
    assert [option.text for option in asked[1].options] == ["Heavy", "Strong", "Hard"]
    assert [option.choice for option in asked[1].options] == [-1, 0, 1]
    assert sum(option.posterior for option in asked[1].options) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "sure",
    [
        {"ship": SURE, "boat": 0.01},  # substituted for sure
        {"ship": 0.015},  # printed so for sure
        {"ship": 0.005},  # not worth a question
        {},
    ],
)
def test_what_is_sure_is_not_asked_about_and_stays_as_it_is(sure):
    model = Likes("boat")
    here = substitution(TOKENS, "barge", sure)
    assert beam(model, [here]) == [here]
    assert model.calls == []


def test_what_is_sure_is_read_as_it_will_be_put_back():
    model = Likes()
    beam(model, [substitution(TOKENS, "barge", {"ship": 0.99}), GALE])
    (((before, _),),) = model.calls
    assert before == "The ship sank. The Heavy"


def test_the_most_doubtful_are_asked_first():
    # Their surest options have 0.7 (as printed), 0.5 and 0.5, and 0.45.
    assert [SOURCE[q.start : q.end] for q in questions(SOURCE, TOKENS, FOUND, most=1)] == ["gale"]
    asked = questions(SOURCE, TOKENS, FOUND, most=3)
    assert [SOURCE[q.start : q.end] for q in asked] == ["barge", "Heavy", "gale"]
    reread = beam(Likes("boat", "hard", "storm", "none"), questions=3)
    assert [a == b for a, b in zip(FOUND, reread, strict=True)] == [False, False, False, True]
    assert beam(Likes("boat"), questions=0) == FOUND


def test_of_overlapping_substitutions_the_likeliest_is_asked_about():
    phrase = substitution(TOKENS, "heavy", {"storm": 0.6}, span=2)
    assert [q.number for q in questions(SOURCE, TOKENS, [HEAVY, phrase, GALE])] == [0, 2]
    assert [q.number for q in questions(SOURCE, TOKENS, [HEAVY, phrase, NOBODY])] == [1, 2]
    before, after = [HEAVY, phrase, NOBODY], beam(Likes("storm"), [HEAVY, phrase, NOBODY])
    assert after[0] == before[0]
    assert after[1].posterior > before[1].posterior


def test_every_round_is_one_call_for_all_sentences():
    model = Likes()
    told = []
    beam(model, progress=lambda done, of: told.append((done, of)))
    assert len(model.calls) == 3  # the second sentence has three questions, the first has one
    assert [len(call) for call in model.calls] == [2, 3, 3]
    assert told == [(2, 4), (3, 4), (4, 4)]
    assert [before for before, _ in model.calls[0]] == ["The", "The barge sank. The"]


def test_rounds_begin_as_the_last_ones_did_and_go_on():
    model = Likes()
    beam(model)
    for call, following in pairwise(model.calls):
        read = {before + text for before, texts in call for text in texts}
        assert {before for before, _ in following} <= read


def test_put_together_it_is_the_page_with_its_options():
    model = Likes("heavy", "gale", "storm")
    beam(model)
    read = {before + text for call in model.calls for before, texts in call for text in texts}
    assert {"The barge sank.", "The ship sank.", "The boat sank."} < read
    # The sentence before is read as the lattice leaves it: with no word more than half likely.
    for gale in ("gale", "storm"):
        for nobody in ("nobody", "none"):
            assert (
                f"The barge sank. The Heavy {gale} broke her mast\nand {nobody} swam ashore."
                in read
            )


def test_white_space_belongs_to_the_word_behind_it():
    model = Likes()
    beam(model)
    for before, texts in [question for call in model.calls for question in call]:
        assert before == before.rstrip()
        assert all(text[0].isspace() for text in texts)
        assert all(text == text.rstrip() for text in texts)


def test_the_first_word_of_a_page_follows_nothing():
    tokens = tokenize("Barge traffic stopped.")
    model = Likes("ship")
    here = Substitution(0, 1, 0.4, [Choice("ship", 0.4, 1)])
    (reread,) = Beam(model).rerank("Barge traffic stopped.", tokens, [here])
    asked = Continuations("", ("Barge traffic stopped.", "Ship traffic stopped."))
    assert model.calls == [[asked]]
    assert reread.posterior < 1.0


def test_a_sentence_is_read_with_a_little_of_what_stands_before_it():
    source = "word " * 200 + "end. The barge sank."
    tokens = tokenize(source)
    model = Likes()
    Beam(model).rerank(source, tokens, [substitution(tokens, "barge", {"ship": 0.5})])
    (((before, _),),) = model.calls
    assert before.endswith("word end. The")
    assert len(before) <= CONTEXT + len(" The")


# --- what it may cost


def test_after_the_deadline_nothing_is_asked():
    model = Likes("boat")
    assert Beam(model).rerank(SOURCE, TOKENS, FOUND, time.monotonic() - 1.0) == FOUND
    assert beam(model, seconds=-1.0) == FOUND
    assert model.calls == []


def test_the_model_is_told_the_earlier_of_both_deadlines():
    told = []

    class Asked(Likes):
        def log_p(self, asked, deadline):
            told.append(deadline)
            return super().log_p(asked, deadline)

    now = time.monotonic()
    Beam(Asked(), seconds=1000.0).rerank(SOURCE, TOKENS, FOUND, now + 500.0)
    assert set(told) == {now + 500.0}
    told.clear()
    Beam(Asked(), seconds=1000.0).rerank(SOURCE, TOKENS, FOUND)
    assert now + 999.0 < min(told) <= max(told) <= time.monotonic() + 1000.0


class RunsOut(Likes):
    """A model for which the time runs out in some round."""

    def __init__(self, clock, rounds):
        super().__init__("boat", "hard")
        self.clock, self.rounds = clock, rounds

    def log_p(self, asked, deadline):
        if len(self.calls) == self.rounds:
            self.clock.append(math.inf)
            raise RerankError("no answer in time")
        return super().log_p(asked, deadline)


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_was_answered_before_the_time_ran_out_counts(monkeypatch, rounds):
    clock = [0.0]
    monkeypatch.setattr("unspin.reranker.time.monotonic", lambda: clock[-1])
    reread = beam(RunsOut(clock, rounds))
    assert reread[0].choices[0].original == "boat"
    assert [a == b for a, b in zip(FOUND, reread, strict=True)].count(True) == 3 - rounds


def test_a_model_that_cannot_answer_is_no_reason_to_guess(monkeypatch):
    class Broken:
        def log_p(self, *_):
            raise RerankError("nothing answers")

    with pytest.raises(RerankError, match="nothing answers"):
        beam(Broken())
    clock = [0.0]
    monkeypatch.setattr("unspin.reranker.time.monotonic", lambda: clock[-1])
    with pytest.raises(RerankError, match="no answer in time"):
        beam(RunsOut(clock, 0))


# --- real lattices


@pytest.fixture(scope="module")
def lattice(tidal):
    spun, _ = tidal
    tokens = tokenize(spun)
    return spun, tokens, worth_asking(Reader().solver.solve(tokens, 0, len(tokens)))


def test_a_real_page_is_asked_about_in_the_rounds_of_its_longest_sentence(lattice):
    source, tokens, found = lattice
    model = Likes()
    reread = Beam(model, prior=1.0).rerank(source, tokens, found)
    for before, after in zip(found, reread, strict=True):
        assert masses(after) == pytest.approx(masses(before))
    starts = [question.start for question in questions(source, tokens, found)]
    ends = [tokens.end[stop - 1] for stop in tokens.sentences[1:]]
    assert len(model.calls) == max(Counter(bisect_left(ends, start) for start in starts).values())


def test_a_real_page_is_asked_about_in_words_that_it_has_or_may_have_had(lattice):
    source, tokens, found = lattice
    model = Likes()
    Beam(model).rerank(source, tokens, found)
    known = set(source.lower().split())
    for here in found:
        for choice in here.choices:
            known.update(choice.original.split())
    for _, texts in [question for call in model.calls for question in call]:
        for text in texts:
            assert {word.strip(punctuation) for word in text.lower().split()} <= {
                word.strip(punctuation) for word in known
            }
