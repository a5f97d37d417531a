"""What a spinner may print for a word: every lexicon's pairs, form with form, and the element rule.

The lexicons here are a handful of lines in the formats of the real ones.
"""

import doctest
import gzip
import re
from array import array
from importlib import import_module

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")

from train.inflection import Analysis, Inflector
from train.lexicons import tortured_phrases, tortured_words
from train.relations import MOST_WORDS, SOURCES, hand_written_phrases, phrase_pairs, word_pairs
from train.wordnet import WordNet
from unspin.thesaurus import MAX_SOURCES

GRAPH = """
n00000001	n	entity	~:n00000002:0>0
n00000002	n	pitch|lurch|cast	@:n00000001:0>0
n00000003	n	Oregon|Beaver State|OR	@i:n00000001:0>0
n00000004	n	knob	@:n00000002:0>0
n00000005	n	hair's-breadth|whisker|hair	@:n00000001:0>0
v00000001	v	throw	~:v00000002:0>0 +:n00000002:1>3
v00000002	v	hurl|hurtle|cast	@:v00000001:0>0
v00000003	v	project|throw|hurl	@:v00000001:0>0
v00000004	v	give up|abandon	@:v00000001:0>0
a00000001	a	new	&:a00000002:0>0 &:a00000003:0>0
a00000002	s	brand-new	&:a00000001:0>0
a00000003	s	fresh	&:a00000001:0>0
a00000004	s	fresh|caller	&:a00000001:0>0
a00000005	s	latest|new	&:a00000001:0>0
r00000001	r	newly|freshly	;c:n00000001:0>0
"""
INDEX = """
abandon	v	v00000004
brand-new	a	a00000002
caller	a	a00000004
cast	n	n00000002
cast	v	v00000002
entity	n	n00000001
fresh	a	a00000004 a00000003
freshly	r	r00000001
give up	v	v00000004
hair	n	n00000005
hurl	v	v00000002 v00000003
hurtle	v	v00000002
knob	n	n00000004
latest	a	a00000005
lurch	n	n00000002
new	a	a00000001 a00000005
newly	r	r00000001
or	n	n00000003
oregon	n	n00000003
pitch	n	n00000002
project	v	v00000003
throw	v	v00000001 v00000003
whisker	n	n00000005
"""
FILES = {
    "wordnet30_graph.tsv.gz": GRAPH,
    "wordnet30_index.tsv.gz": INDEX,
    "wordnet30_irregular_forms.tsv.gz": "threw	verb	throw\n",
    "moby_thesaurus.tsv.gz": "throw	hurl|lurch|heave ho|Pitch|X-ray\npitch	lurch|throw\n",
    "mythes_en_us.tsv.gz": "throw	verb	1	=:hurl|g:propel|s:toss off\n",
    "ppdb_lexical_pairs.tsv.gz": "throw	throws\nthrown	hurled\nre-throw	hurl\n",
    "tortured_phrases.tsv": (
        "counterfeit consciousness	artificial intelligence (ai)\n"
        "affected care	healthcare (?)\n"
        "profound learning	deep learning\n"
    ),
    "families/element.tsv": "# original	spun\nor	oregon\nsecond	2nd\nin	successful\n",
}
VOCABULARY = (
    "or new recent throw throws threw thrown throwing pitch pitches second 2 two in if order"
    " to artificial intelligence abandon entity hair caller fresh"
).split()


@pytest.fixture
def lexicons(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        encoded = content.lstrip("\n").encode()
        path.write_bytes(gzip.compress(encoded) if path.suffix == ".gz" else encoded)
    return tmp_path


@pytest.fixture
def pairs(lexicons):
    """(original, spun) by source."""
    found = {source: [] for source in SOURCES}
    for source, original, spun in word_pairs(lexicons, VOCABULARY):
        found[SOURCES[source]].append((original, spun))
    return found


@pytest.mark.parametrize(
    "module", ["train.inflection", "train.lexicons", "train.relations", "train.wordnet"]
)
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(import_module(module)).failed == 0


def test_a_mask_holds_every_source():
    assert len(SOURCES) == len(set(SOURCES)) <= MAX_SOURCES
    assert 1 << len(SOURCES) - 1 < 1 << 8 * array("I").itemsize


def test_every_original_is_of_the_vocabulary_and_no_pair_comes_twice(pairs):
    for found in pairs.values():
        assert {original for original, _ in found} <= set(VOCABULARY)
        assert len(found) == len(set(found))
        assert all(original != spun for original, spun in found)


def test_pairs_are_single_words_in_lower_case(pairs):
    for source, found in pairs.items():
        if source not in ("element", "number"):
            assert all(spun.isalpha() and spun.islower() for _, spun in found)


def test_the_element_table_is_taken_as_it_stands(pairs):
    assert sorted(pairs["element"]) == [("in", "successful"), ("or", "oregon"), ("second", "2nd")]


@pytest.mark.parametrize(
    ("word", "printed", "why"),
    [
        ("or", "oregon", "the first other word of the first sense"),
        ("new", "fresh", "what the first sense is similar to goes before the second sense"),
        ("entity", None, "hyponyms do not count"),
        ("knob", "pitch", "a hypernym where the sense has no other word"),
        ("hair", "whisker", "a candidate has letters and digits alone"),
        ("abandon", "throw", "a phrase is no candidate"),
        ("cast", "pitch", "nouns go before verbs"),
        ("newly", "freshly", "adverbs come last"),
        ("absent", None, "not a lemma"),
    ],
)
def test_the_element_rule(lexicons, word, printed, why):
    assert WordNet.load(lexicons).element_rule(word) == printed, why


def test_the_orbit_applies_the_rule_to_its_own_output(lexicons):
    wordnet = WordNet.load(lexicons)
    assert wordnet.element_orbit("new") == ["fresh", "caller"]
    assert wordnet.element_orbit("new", steps=1) == ["fresh"]
    assert wordnet.element_orbit("entity") == []


def test_the_orbit_source_leaves_out_what_the_rule_gives_in_one_step(pairs):
    assert ("new", "fresh") in pairs["element rule"]
    assert ("new", "caller") in pairs["element orbit"]
    assert not set(pairs["element rule"]) & set(pairs["element orbit"])


def test_each_relation_has_its_own_source(pairs):
    assert ("throw", "project") in pairs["WordNet first synonym"]
    assert ("throw", "hurl") in pairs["WordNet synonym"]
    assert ("new", "fresh") in pairs["WordNet similar"]
    assert ("pitch", "entity") in pairs["WordNet hypernym"]
    assert ("throw", "hurtle") in pairs["WordNet hyponym"]
    assert pairs["WordNet derivation"] == [("throw", "cast")]
    assert ("throw", "propel") in pairs["MyThes"]
    assert ("throw", "lurch") in pairs["Moby"]


def test_moby_goes_from_the_head_to_its_synonyms_only(pairs):
    assert ("pitch", "throw") in pairs["Moby"]
    assert ("throw", "pitch") in pairs["Moby"]
    assert not any(spun == "heave" for _, spun in pairs["Moby"])


def test_forms_are_paired_with_the_same_form(pairs):
    synonyms = set(pairs["WordNet synonym"])
    assert {("threw", "hurled"), ("thrown", "hurled"), ("throws", "hurls")} <= synonyms
    assert {("throwing", "hurling"), ("pitches", "lurches")} <= synonyms
    assert not synonyms & {("threw", "hurls"), ("throws", "hurl"), ("throwing", "hurled")}


def test_a_thesaurus_without_parts_of_speech_inflects_where_both_lemmas_admit_the_part(pairs):
    moby = set(pairs["Moby"])
    assert ("threw", "hurled") in moby
    assert not {("threw", "lurched"), ("threw", "pitched"), ("pitches", "throws")} & moby


def test_derivation_crosses_parts_of_speech_so_it_does_not_inflect(pairs):
    assert not any(original == "throws" for original, _ in pairs["WordNet derivation"])


def test_only_the_base_form_source_prints_a_lemma_for_an_inflected_original(pairs):
    assert ("threw", "hurl") in pairs["base form"]
    for source, found in pairs.items():
        if source not in ("base form", "inflection"):
            assert ("threw", "hurl") not in found


def test_forms_of_one_lemma_are_inflection_and_not_paraphrase(pairs):
    assert {("throw", "threw"), ("threw", "throws")} <= set(pairs["inflection"])
    assert pairs["PPDB"] == [("thrown", "hurled")]


def test_number_words_and_digits_go_both_ways(pairs):
    assert {("two", "2"), ("2", "two"), ("second", "2nd")} <= set(pairs["number"])


def test_an_irregular_form_beyond_the_dictionary_is_known():
    inflector = Inflector({("blorf", "n"): ["blorven"]})
    assert "blorven" in inflector.forms("blorf", "n")["NNS"]
    assert inflector.analyses("blorven") == (Analysis("blorf", "n", "NNS"),)


def test_a_participle_that_equals_the_past_tense_is_still_a_participle():
    assert Inflector({}).forms("hurl", "v")["VBN"] == ("hurled",)


def test_a_mass_noun_has_no_plural_that_is_its_own_lemma():
    assert "information" not in Inflector({}).forms("information", "n").get("NNS", ())


def test_phrases_come_from_every_lexicon_and_the_list(lexicons):
    found = {(original, spun) for _, original, spun in phrase_pairs(lexicons, VOCABULARY)}
    assert ("artificial intelligence", "counterfeit consciousness") in found
    assert ("if", "on the off chance that") in found
    assert ("throw", "toss off") not in found, "similar, not synonymous"
    assert ("abandon", "give up") in found
    assert ("throw", "heave ho") in found
    assert not any("deep" in original for original, _ in found), "not in the vocabulary"


def test_phrases_have_several_words_on_a_side_and_few_on_each(lexicons):
    for source, original, spun in phrase_pairs(lexicons, VOCABULARY):
        assert SOURCES[source] in ("phrase", "thesaurus phrase")
        assert " " in original or " " in spun
        assert len(original.split()) <= MOST_WORDS
        if SOURCES[source] == "thesaurus phrase":
            assert len(spun.split()) <= MOST_WORDS


def test_what_people_wrote_down_as_spun_has_another_source_than_what_a_thesaurus_has(lexicons):
    written = {*hand_written_phrases(), *tortured_phrases(lexicons)}
    found = {"phrase": set(), "thesaurus phrase": set()}
    for source, original, spun in phrase_pairs(lexicons, VOCABULARY):
        found[SOURCES[source]].add((original, spun))
    assert found["phrase"] <= written
    assert ("if", "on the off chance that") in found["phrase"]
    assert ("artificial intelligence", "counterfeit consciousness") in found["phrase"]
    assert found["thesaurus phrase"] >= {("abandon", "give up"), ("throw", "heave ho")}


def test_single_words_of_the_list_and_of_tortured_phrases_are_tortured_words(pairs):
    in_list = {pair for pair in hand_written_phrases() if " " not in "".join(pair)}
    words = {(one, two) for one, two in in_list if one in VOCABULARY and two.isalpha()}
    assert words
    assert words <= set(pairs["tortured word"])
    assert pairs["phrase"] == pairs["thesaurus phrase"] == []


def test_words_of_tortured_phrases_count_where_they_differ_alone_or_two_phrases_agree(tmp_path):
    listed = (
        "profound learning	deep learning\n"
        "counterfeit consciousness	artificial intelligence\n"
        "colossal information	big data\n"
        "immense information	huge data\n"
        "bosom peril	breast cancer risk\n"
    )
    (tmp_path / "tortured_phrases.tsv").write_text(listed)
    assert list(tortured_words(tmp_path)) == [("data", "information"), ("deep", "profound")]


def test_an_unclear_tortured_phrase_is_left_out(lexicons):
    assert list(tortured_phrases(lexicons)) == [
        ("artificial intelligence", "counterfeit consciousness"),
        ("deep learning", "profound learning"),
    ]


def test_the_hand_written_list_is_plain():
    listed = list(hand_written_phrases())
    assert len(listed) == len(set(listed)) > 60
    for original, spun in listed:
        assert original != spun
        # The tokens of a word with an apostrophe may be two, but never begin with one.
        assert all(re.fullmatch(r"[a-z]+('[a-z]+)?", word) for word in spun.split(" "))
        assert all(word.isalpha() and word.islower() for word in original.split(" "))
        assert len(original.split(" ")) <= MOST_WORDS
