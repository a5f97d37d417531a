"""Spinning clean text on purpose: it can be undone exactly, and families keep their habits."""

import gzip
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")

from train.choices import nearest
from train.families import ADVERSARIES, FAMILIES
from train.habits import FUNCTION_WORDS
from train.relations import SOURCES
from train.spin import spin, unspin

PAGE = (
    "The guard threw old coins at the envoy, and he shouted. Coins fell on the road.\n"
    "He threw coins again in Rome while old guards in the old road laughed (or shouted).\n"
    "In 1987 NATO threw 30 old coins; Mr. Guard said new roads, like coin-roads, were old.\n"
)
GROUPS = [
    ("n", ("coin", "medal", "token")),
    ("n", ("road", "path", "street")),
    ("n", ("guard", "keeper")),
    ("n", ("guard", "precaution")),
    ("v", ("guard", "ward")),
    ("n", ("man", "adult male")),
    ("n", ("associate", "an")),
    ("v", ("throw", "hurl")),
    ("v", ("shout", "yell")),
    ("v", ("fall", "drop")),
    ("v", ("laugh", "giggle")),
    ("a", ("old", "aged")),
    ("a", ("new", "fresh")),
    ("n", ("Rome", "Eternal City")),
    ("n", ("lead", "advantage")),
]
ELEMENT = "at\tastatine\nhe\thelium\nin\tsuccessful\nor\toregon\n"


def lexicon_files():
    ids = [(f"{part}{number:08}", part, words) for number, (part, words) in enumerate(GROUPS)]
    broader = {part: f"{part}{90 + number:08}" for number, part in enumerate("nv")}
    graph = [
        f"{name}\t{part}\t{'|'.join(words)}\t"
        + (f"@:{broader[part]}:0>0" if part in broader else "")
        for name, part, words in ids
    ] + [f"{broader['n']}\tn\tthing\t", f"{broader['v']}\tv\tact\t"]
    senses = {}
    for name, part, words in ids:
        for word in words:
            senses.setdefault((word.lower(), part), []).append(name)
    senses[("thing", "n")], senses[("act", "v")] = [broader["n"]], [broader["v"]]
    index = [f"{word}\t{part}\t{' '.join(names)}" for (word, part), names in sorted(senses.items())]
    names_of_parts = {"n": "noun", "v": "verb", "a": "adj"}
    moby = [
        f"{word}\t{'|'.join(other for other in words if other != word)}"
        for _, words in GROUPS
        for word in words
    ]
    mythes = [
        f"{word}\t{names_of_parts[part]}\t1\t"
        + "|".join(f"=:{other}" for other in words if other != word)
        for part, words in GROUPS
        for word in words
    ]
    return {
        "wordnet30_graph.tsv.gz": graph,
        "wordnet30_index.tsv.gz": index,
        "wordnet30_irregular_forms.tsv.gz": ["men\tnoun\tman"],
        "moby_thesaurus.tsv.gz": moby,
        "mythes_en_us.tsv.gz": mythes,
        "ppdb_lexical_pairs.tsv.gz": [
            *("coins\ttokens", "coin\tcoins", "old\taged", "threw\ttossed", "hurled\tlobbed")
        ],
        "tortured_phrases.tsv": ["aged currency\told coins", "rugged roads\tbad roads"],
        "families/element.tsv": ELEMENT.splitlines(),
    }


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lexicons")
    for name, lines in lexicon_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        encoded = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(encoded) if path.suffix == ".gz" else encoded)
    return folder


@pytest.fixture(scope="module")
def families(lexicons):
    return {name: build(lexicons) for name, build in FAMILIES.items()}


every_family = pytest.mark.parametrize("name", FAMILIES)
random_families = [
    name for name in FAMILIES if not name.startswith("element") and "fixed" not in name
]
content_families = [
    *("wordnet random", "moby random", "moby nearest", "ppdb random", "mythes random"),
    *("frequent synonym", "two passes"),
]


@every_family
def test_a_family_names_itself_and_the_sources_it_draws_from(families, name):
    assert families[name].name == name
    assert families[name].sources
    assert set(families[name].sources) <= set(SOURCES)


@every_family
def test_swaps_index_the_spun_text(families, name):
    spun = spin(PAGE, families[name], 0.9, seed=1)
    assert spun.swaps
    for swap in spun.swaps:
        assert spun.text[swap.start : swap.end] == swap.spun != swap.original


@every_family
def test_undoing_the_swaps_restores_the_original(families, name):
    for seed in range(5):
        spun = spin(PAGE, families[name], 0.5, seed)
        assert spun.original == PAGE
        assert unspin(spun) == PAGE


@every_family
@settings(max_examples=30, deadline=None)
@given(
    text=st.lists(
        st.one_of(st.sampled_from([*PAGE.split(" "), "İstanbul", "ﬁn", "\n"]), st.text(max_size=6)),
        max_size=30,
    ).map(" ".join),
    rate=st.floats(0, 1),
)
def test_any_text_at_any_rate_can_be_undone(families, name, text, rate):
    spun = spin(text, families[name], rate, seed=3)
    assert unspin(spun) == text
    assert all(spun.text[swap.start : swap.end] == swap.spun for swap in spun.swaps)


@every_family
def test_the_same_seed_gives_the_same_text(families, name):
    assert spin(PAGE, families[name], 0.4, 7) == spin(PAGE, families[name], 0.4, 7)


@pytest.mark.parametrize("name", random_families)
def test_another_seed_gives_another_text(families, name):
    assert len({spin(PAGE, families[name], 0.1, seed).text for seed in range(8)}) > 1


@pytest.mark.parametrize(
    "name", [name for name in FAMILIES if not name.startswith("element") and name != "two passes"]
)
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.1, 0.2])
def test_the_rate_is_the_share_of_the_words(families, name, rate):
    text = PAGE * 5
    spun = spin(text, families[name], rate, seed=2)
    replaced = sum(len(swap.original.split()) for swap in spun.swaps)
    most = spin(text, families[name], 1.0, seed=2)
    eligible = sum(len(swap.original.split()) for swap in most.swaps)
    wanted = min(rate * len(text.split()), eligible)
    assert abs(replaced - wanted) <= 4, "a phrase at most"


@every_family
def test_names_numbers_and_compounds_stay(families, name):
    for swap in spin(PAGE, families[name], 1.0, seed=4).swaps:
        assert swap.original not in {"Rome", "NATO", "Guard", "Mr", "1987", "30", "coin-roads"}


def test_a_capital_at_the_beginning_of_a_sentence_is_kept(families):
    spun = spin("Coins fell. Coins fell.", families["wordnet random"], 1.0, seed=1)
    assert {swap.spun for swap in spun.swaps if swap.original == "Coins"} <= {"Medals", "Tokens"}
    assert any(swap.original == "Coins" for swap in spun.swaps)


@pytest.mark.parametrize("name", ["wordnet random", "moby random", "moby fixed", "mythes random"])
def test_an_inflecting_family_prints_the_form_of_the_original(families, name):
    spun = spin("they threw coins", families[name], 1.0, seed=1)
    verb, noun = spun.swaps
    assert verb.spun == "hurled"
    assert noun.spun in {"medals", "tokens"}


def test_wordnet_first_leaves_inflected_words_alone(families):
    spun = spin("they threw a coin and coins", families["wordnet first"], 1.0, seed=1)
    assert spun.text == "they threw a medal and coins"


def test_the_bare_family_prints_lemmas_and_spares_no_function_word(families):
    spun = spin("they threw coins at an envoy", families["wordnet bare"], 1.0, seed=1)
    assert [swap.original for swap in spun.swaps] == ["threw", "coins", "an"]
    verb, noun, article = (swap.spun for swap in spun.swaps)
    assert (verb, article) == ("hurl", "associate")
    assert noun in {"medal", "token"}


def test_the_nearest_family_prints_one_word_for_long_words_alone(families):
    texts = {
        spin("he threw old coins", families["moby nearest"], 1.0, seed).text for seed in (1, 2)
    }
    assert texts <= {"he hurled old medals", "he hurled old tokens"}
    assert len(texts) == 1


def test_nearest_is_by_meaning_or_else_by_frequency():
    found = {"doctor": ("people", "physician", "qwertz"), "qwertz": ("physician", "people")}
    choices = nearest(lambda word: found.get(word, ()))
    assert choices("doctor") == ("physician",)
    assert choices("qwertz") == ("people",)
    assert choices("bridge") == ()


def test_the_frequent_synonym_is_the_commonest_of_all_thesauri_in_the_form_needed(families):
    # WordNet has "hurled", PPDB "tossed".
    spun = spin("they threw it", families["frequent synonym"], 1.0, seed=1)
    assert spun.text == "they tossed it"


def test_the_frequent_synonym_is_of_the_part_of_speech_with_most_senses(families):
    spun = spin("a guard", families["frequent synonym"], 1.0, seed=1)
    assert spun.text in {"a keeper", "a precaution"}, "not a ward"


def test_a_second_pass_spins_the_words_of_the_first(families):
    spun = spin("they threw old things", families["two passes"], 1.0, seed=1)
    assert [(swap.original, swap.spun) for swap in spun.swaps] == [("threw", "lobbed")]
    assert spun.text == "they lobbed old things", "old became aged, and old again"


passes = st.lists(st.sampled_from(list(FAMILIES)), min_size=2, max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(st.sampled_from([*PAGE.split(" "), "\n"]), max_size=30).map(" ".join),
    rate=st.floats(0, 1),
    names=passes,
)
def test_any_passes_of_any_families_can_be_undone(families, text, rate, names):
    *first, last = names
    family = families[last]
    for name in reversed(first):
        family = replace(families[name], then=family)
    spun = spin(text, family, rate, seed=3)
    assert spun.original == text == unspin(spun)
    for swap in spun.swaps:
        assert spun.text[swap.start : swap.end] == swap.spun != swap.original
    places = [place for swap in spun.swaps for place in (swap.start, swap.end)]
    assert places == sorted(places)


def test_two_passes_together_replace_at_most_the_share_that_was_asked_for(families):
    text = PAGE * 5
    for rate in (0.05, 0.1, 0.2):
        swapped = len(spin(text, families["two passes"], rate, seed=2).swaps)
        assert 0.5 * rate <= swapped / len(text.split()) <= rate + 0.01


def test_the_changes_of_another_program_become_swaps(families):
    page = "The guard and he threw coins.\nHe ran, (he laughed) on and on."
    rewritten = "the keeper along with he tossed  tokens. He did run, (he giggled) on."
    family = replace(families["wordnet random"], rewrite=lambda _text, _seed: rewritten)
    spun = spin(page, family, 1.0, seed=1)
    assert unspin(spun) == page
    assert [(swap.original, swap.spun) for swap in spun.swaps] == [
        ("guard and", "keeper along with"),
        ("threw", "tossed"),
        ("coins", "tokens"),
        ("ran", "did run"),
        ("laughed", "giggled"),
    ]
    assert spun.text.endswith(" on and on."), "what was left out is no substitution"


@pytest.mark.parametrize("name", ADVERSARIES)
def test_another_program_spins_at_the_rate_asked_for(lexicons, name):
    pytest.importorskip(name)
    text = PAGE * 5
    spun = spin(text, ADVERSARIES[name](lexicons), 0.2, seed=1)
    assert unspin(spun) == text
    assert 0.15 < len(spun.swaps) / len(text.split()) <= 0.21
    assert spin(text, ADVERSARIES[name](lexicons), 0.2, seed=1) == spun


@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_program_that_is_not_installed_says_what_to_install(lexicons, name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"{name}.spinner", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'unspin\[adversary\]'"):
        ADVERSARIES[name](lexicons)


def test_hypernyms_are_broader_words(families):
    assert spin("two coins", families["hypernym"], 1.0, seed=1).text == "two things"


def test_ppdb_never_swaps_a_word_for_another_form_of_itself(families):
    spun = spin("a coin and coins", families["ppdb random"], 1.0, seed=1)
    assert spun.text == "a coin and tokens"


def test_phrases_are_replaced_whole(families):
    spun = spin("If he threw old coins", families["phrases"], 1.0, seed=5)
    assert ("aged currency", "old coins") in {(swap.spun, swap.original) for swap in spun.swaps}
    starts = {swap.spun.split()[0] for swap in spun.swaps if swap.original == "If"}
    assert starts <= {"On", "In", "Assuming"}
    assert starts


def test_words_of_the_table_of_phrases_come_before_synonyms(families):
    # "bad roads" became "rugged roads"; no thesaurus here has the word.
    assert spin("a bad road", families["phrases"], 1.0, seed=5).text.startswith("a rugged ")


def test_a_phrase_does_not_run_across_punctuation(families):
    spun = spin("old, coins", families["phrases"], 1.0, seed=5)
    assert "aged currency" not in spun.text


@pytest.mark.parametrize("name", ["moby fixed", "mixed fixed", "element"])
def test_a_fixed_family_prints_one_word_for_each_original_everywhere(families, name):
    printed = {}
    for seed in range(4):
        for swap in spin(PAGE * 2, families[name], 0.9, seed).swaps:
            printed.setdefault(swap.original.lower(), set()).add(swap.spun.lower())
    assert printed
    assert all(len(found) == 1 for found in printed.values())


def test_element_replaces_only_lower_case_words_between_white_space(families):
    spun = spin("at noon he, or he shouted at. At Rome", families["element"], 1.0, seed=1)
    assert spun.text == "astatine noon he, oregon helium shouted at. At Rome"


def test_element_uses_the_rule_where_the_table_lacks_the_word(families):
    spun = spin("an old road of the new guard", families["element walk"], 1.0, seed=1)
    assert {swap.original for swap in spun.swaps} == {"old", "road", "new", "guard"}


def test_element_never_looks_an_inflected_word_up(families):
    assert spin("men threw coins", families["element walk"], 1.0, seed=1).swaps == ()


def test_the_rate_counts_word_types_in_the_element_families_alone(families):
    by_types = {name for name, family in families.items() if family.by_types}
    assert by_types == {"element", "element walk"}


def test_the_rate_of_element_is_the_share_of_word_types(families):
    small = {swap.original for swap in spin(PAGE, families["element walk"], 0.3, 1).swaps}
    large = {swap.original for swap in spin(PAGE, families["element walk"], 1.0, 1).swaps}
    assert small < large
    assert spin(PAGE, families["element"], 0.0, 1).text == PAGE


@pytest.mark.parametrize("name", content_families)
def test_function_words_stay_where_a_spinner_looks_for_content(families, name):
    for swap in spin(PAGE, families[name], 1.0, seed=6).swaps:
        assert swap.original.lower() not in FUNCTION_WORDS
