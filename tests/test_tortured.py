"""Tortured phrases are found where a text uses them, and nowhere where it talks about them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import tortured
from unspin.arrays import ModelError
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.text import PROTECTED, tokenize
from unspin.thesaurus import Thesaurus
from unspin.tortured import Finder, PhraseEvidence, Weights

SOURCE = {"name": "Some List", "licence": "CC BY 4.0", "version": "3 phrases, copy 1a2b3c4d"}
ENTRIES = [
    ("counterfeit consciousness", "artificial intelligence"),
    ("colossal information", "big data"),
    ("irregular timberland", "random forest"),
    ("bosom malignancy", "breast cancer"),
    ("bosom malignancy screening", "breast cancer screening"),
]
TERMS = [
    ("artificial intelligence", True),
    ("neural networks", True),
    ("fast fourier transform", True),
]
SWAPS = {("organization", "network"): 30, ("quick", "fast"): 9, ("change", "transform"): 9}
WEIGHTS = Weights(-5.0, PhraseEvidence(1.0, 1.0, -0.5, 0.0, 2.0, 1.0, 1.0, 1.0, 0.0, 1.0), 0.9, 0.5)
CLEAN = (
    "We trained neural networks on breast cancer images. The fast Fourier transform of the signal"
    " was computed first, and a random forest served to compare with."
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tortured.bin"
    tortured.write(path, SOURCE, ENTRIES, TERMS, SWAPS, WEIGHTS)
    return Finder(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"), path)


@pytest.fixture(scope="module")
def find(opened):
    return lambda text: [
        (found.printed, found.expected) for found in opened.findings(text, tokenize(text))
    ]


def test_a_listed_phrase_is_found_and_the_list_and_its_version_are_named(opened):
    text = "They apply counterfeit consciousness to scans."
    (found,) = opened.findings(text, tokenize(text))
    assert (found.start, found.end) == (11, 36)
    assert (found.printed, found.expected) == (
        "counterfeit consciousness",
        "artificial intelligence",
    )
    assert found.probability == WEIGHTS.on_list
    assert "Some List" in found.reason
    assert SOURCE["version"] in found.reason


def test_a_phrase_on_no_list_is_found_by_the_channel_with_its_swaps_as_the_reason(opened):
    text = "We train a deep neural organization on images."
    (found,) = opened.findings(text, tokenize(text))
    assert (found.printed, found.expected) == ("neural organization", "neural networks")
    assert "list of" not in found.reason
    assert "“organization”" in found.reason
    assert "“network”" in found.reason


def test_the_term_itself_and_other_clean_text_are_never_findings(find):
    assert find(CLEAN) == []


@pytest.mark.parametrize(
    "text",
    ["a colossal-information platform", "a Colossal Information platform", "colossal informations"],
)
def test_hyphens_capitals_and_plurals_do_not_hide_a_listed_phrase(find, text):
    assert [expected for _, expected in find(f"This is {text} for all.")] == ["big data"]


def test_the_longest_listed_phrase_wins(find):
    assert find("We studied bosom malignancy screening there.") == [
        ("bosom malignancy screening", "breast cancer screening")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Some wrote “counterfeit consciousness” for it.",
        'Some wrote "counterfeit consciousness" for it.',
        "Some wrote 'counterfeit consciousness' for it.",
        "Some wrote “the counterfeit consciousness of machines” for it.",
        "They write counterfeit consciousness for artificial intelligence.",
        "Artificial intelligence becomes counterfeit consciousness there.",
        "Of tortured phrases.\nThere was counterfeit consciousness in it.",
    ],
)
def test_a_page_that_talks_about_a_phrase_is_clean(find, text):
    assert find(text) == []


def test_a_phrase_between_two_quotations_is_still_found(find):
    assert find("The “first” counterfeit consciousness and the “second” one.")


def test_a_phrase_does_not_run_from_a_heading_into_the_text(find):
    assert find("On colossal\n\nInformation is what we study.") == []


def test_what_the_caller_protects_is_not_looked_at(opened):
    text = "Colossal Information and counterfeit consciousness"
    tokens = tokenize(text)
    for i in range(len(tokens)):
        tokens.flags[i] |= PROTECTED
    assert opened.findings(text, tokens) == []


def test_a_phrase_does_not_run_over_a_mark_or_a_number(find):
    assert (
        find("It was counterfeit, consciousness came later. So counterfeit 2 consciousness.") == []
    )


WORDS = st.sampled_from(
    "counterfeit consciousness colossal information bosom malignancy screening neural organization"
    " quick fourier change deep the of - – “ ” \" ' ( ) . , \n 12 A Deep ’s naïve 漢 \u2028".split(
        " "
    )
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=200))
def test_findings_lie_on_the_text_in_order_and_do_not_overlap(opened, text):
    found = opened.findings(text, tokenize(text))
    for finding in found:
        assert 0 <= finding.start < finding.end <= len(text)
        assert finding.printed == text[finding.start : finding.end]
        assert 0.0 < finding.probability <= 1.0
        assert finding.reason
    assert all(one.end <= two.start for one, two in pairwise(found))


@pytest.mark.parametrize(
    "unit", ["neural organization ", "quick fourier ", "-", "“bosom ", "bosom-"]
)
def test_repetition_gives_no_more_candidates_than_there_are_words(opened, unit):
    tokens = tokenize(unit * 5000)
    assert len(opened.candidates(tokens)) <= len(tokens)


def test_what_is_remembered_is_bounded(opened, monkeypatch):
    monkeypatch.setattr(tortured, "MOST_REMEMBERED", 10)
    opened.candidates(tokenize(" ".join(LanguageModel(MODEL / "lm.bin").words[3000:3400])))
    assert len(opened._pairs) <= 10
    before = len(opened._known)
    opened.candidates(
        tokenize(" ".join(f"zq{'abcdefghij'[i % 10] * (i // 10)}" for i in range(99)))
    )
    assert len(opened._known) == before


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "tortured.bin"
    tortured.write(path, SOURCE, ENTRIES, TERMS, SWAPS, WEIGHTS)
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], whole[:-80]):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"tortured\.bin"):
            Finder(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"), path)


class TestTraining:
    """The parts that `train.tortured` makes a file of."""

    @pytest.fixture(autouse=True)
    def _needs(self):
        for module in ("numpy", "lemminflect", "zstandard"):
            pytest.importorskip(module)

    @pytest.fixture
    def entries(self):
        from train.tortured import Entry

        return [Entry(tuple(phrase.split()), phrase, expected) for phrase, expected in ENTRIES]

    def test_swaps_are_those_of_phrases_as_long_as_their_terms(self, entries):
        from train.tortured import swaps

        counts = swaps(entries)
        assert counts["bosom", "breast"] == 2
        assert ("screening", "screening") not in counts

    def test_halves_share_no_expected_term(self, entries):
        from train.tortured import halves

        for purpose in ("one", "two", "three"):
            first, second = halves(entries, purpose)
            assert len(first) + len(second) == len(entries)
            assert {e.expected for e in first}.isdisjoint(e.expected for e in second)

    def test_a_phrase_is_embedded_in_place_of_its_own_term_where_there_is_one(self, entries):
        from train.corpus import Document
        from train.tortured import embedded

        texts = [Document("It was used. We rely on big data there.", "plos")]
        samples = {s.entry.expected: s for s in embedded(entries, texts)}
        own = samples["big data"]
        assert own.own
        assert own.text == "We rely on colossal information there."
        other = samples["random forest"]
        assert not other.own
        assert other.text[other.start : other.end] == "irregular timberland"

    def test_ordinary_english_is_dropped_and_the_rest_of_the_list_kept(self, entries):
        import numpy as np

        from train.corpus import Corpus
        from train.tortured import Entry, ordinary

        words = ["<unk>", "<s>", "</s>", "colossal", "information", "bosom", "malignancy", "-"]
        ids = np.array([3, 7, 4, 2, 3, 4, 2, 5, 6, 2], np.uint16)
        document = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        corpus = Corpus(words, ids, document, np.zeros(len(words), np.uint8))
        single = Entry(("bosom",), "bosom", "breast")
        model = LanguageModel(MODEL / "lm.bin")
        dropped = ordinary([*entries, single], corpus, model)
        assert {e.printed for e in dropped} == {"colossal information", "bosom"}
