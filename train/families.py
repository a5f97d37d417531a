"""The families of spinners that development sets are made with, known and invented.

`Family.sources` names what a family draws from, as in `train.relations.SOURCES`, so that a
benchmark can leave exactly that out of the channel and see how an unknown family fares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from train import lexicons as files
from train.choices import (
    Neighbours,
    bare,
    commonest,
    inflected,
    inflector,
    moby,
    nearest,
    ppdb,
    thesaurus_neighbours,
    wordnet,
    wordnet_neighbours,
)
from train.habits import (
    FUNCTION_WORDS,
    any_choice,
    content_word,
    each_occurrence_anew,
    fixed_choice,
    free_lower_case,
    long_content_word,
    not_a_name,
    same_words_everywhere,
    share_of_types,
)
from train.relations import hand_written_phrases, is_word
from train.spin import Family
from train.wordnet import RELATIONS

# Of the pairs of the element family that the rule explains within four steps (326 of 431), the
# number explained by one step, two, three and four.
ORBIT_COUNTS = (253, 64, 7, 2)

_WORDNET = ("element rule", "element orbit", "WordNet first synonym", *RELATIONS)


def element(lexicons: Path) -> Family:
    """The words that the family's pages were seen to replace, each by one word everywhere.

    Only words between white space, in lower case.
    """
    table = files.element(lexicons)
    return Family(
        name="element",
        sources=("element", "element rule", "element orbit"),
        choices=lambda word: (table[word],) if word in table else (),
        may_change=free_lower_case,
        select=share_of_types,
        draw=fixed_choice,
        by_types=True,
    )


def element_walk(lexicons: Path) -> Family:
    """The element family with words that no page has shown yet: the WordNet rule prints those.

    Only words between white space, in lower case, that are WordNet lemmas as they stand: it never
    looks "days" up under "day", and leaves alone a lemma that is also an inflected form ("men").
    """
    graph, forms, table = wordnet(lexicons), inflector(lexicons), files.element(lexicons)

    @cache
    def choices(word: str) -> Sequence[str]:
        if word in table:
            return (table[word],)
        if word in FUNCTION_WORDS or word not in graph or forms.analyses(word):
            return ()
        orbit = graph.element_orbit(word)
        if not orbit:
            return ()
        steps = Random(f"orbit {word}").choices(range(4), weights=ORBIT_COUNTS)[0]
        return (orbit[min(steps, len(orbit) - 1)],)

    return Family(
        name="element walk",
        sources=("element", "element rule", "element orbit"),
        choices=choices,
        may_change=free_lower_case,
        select=share_of_types,
        draw=fixed_choice,
        by_types=True,
    )


def wordnet_random(lexicons: Path) -> Family:
    """A random synonym in any sense, each time anew, inflected like the original."""
    return _random_inflecting(
        "wordnet random",
        (*_WORDNET, "MyThes"),
        wordnet_neighbours(lexicons, ("WordNet synonym",)),
        lexicons,
    )


def wordnet_first(lexicons: Path) -> Family:
    """The first synonym of the first sense that has one; inflected words stay."""
    graph, forms = wordnet(lexicons), inflector(lexicons)

    @cache
    def choices(word: str) -> Sequence[str]:
        first = None if forms.analyses(word) else graph.first_synonym(word)
        return (first,) if first is not None and is_word(first) else ()

    return Family(
        name="wordnet first",
        sources=(*_WORDNET, "MyThes"),
        choices=choices,
        may_change=content_word,
        select=each_occurrence_anew,
        draw=any_choice,
    )


def hypernym(lexicons: Path) -> Family:
    """A random broader word, each time anew, inflected like the original."""
    return _random_inflecting(
        "hypernym",
        ("element rule", "element orbit", "WordNet hypernym", "MyThes"),
        wordnet_neighbours(lexicons, ("WordNet hypernym",)),
        lexicons,
    )


def moby_random(lexicons: Path) -> Family:
    """A random word of Moby's, each time anew, inflected like the original."""
    return _random_inflecting("moby random", ("Moby",), moby(lexicons), lexicons)


def moby_fixed(lexicons: Path) -> Family:
    """One word of Moby's for each original, the same on every page of a site."""
    return Family(
        name="moby fixed",
        sources=("Moby",),
        choices=inflected(moby(lexicons), lexicons),
        may_change=content_word,
        select=same_words_everywhere,
        draw=fixed_choice,
    )


def mythes_random(lexicons: Path) -> Family:
    """A random term of MyThes, broader, similar and related ones included, inflected."""
    neighbours = thesaurus_neighbours(files.mythes(lexicons))
    return _random_inflecting("mythes random", (*_WORDNET, "MyThes"), neighbours, lexicons)


def ppdb_random(lexicons: Path) -> Family:
    """A random PPDB paraphrase of the word as printed; PPDB has the inflected forms itself."""
    return Family(
        name="ppdb random",
        sources=("PPDB",),
        choices=ppdb(lexicons),
        may_change=content_word,
        select=each_occurrence_anew,
        draw=any_choice,
    )


def phrases(lexicons: Path) -> Family:
    """SpinBot-like: phrases and words of a table where it has them, else a synonym, inflected.

    The table is the hand-written list and the tortured phrases, with the words that these show to
    be swapped; beyond it come WordNet's multiword synonyms. Moby's would drown them. A tortured
    phrase for a single word is a slip of its list as often as not.
    """
    graph = wordnet(lexicons)
    synonyms = inflected(wordnet_neighbours(lexicons, ("WordNet synonym",)), lexicons)
    table: dict[str, list[str]] = {}
    for original, spun in hand_written_phrases():
        table.setdefault(original, []).append(spun)
    for original, spun in files.tortured_phrases(lexicons):
        if " " in original:
            table.setdefault(original, []).append(spun)
    for original, spun in files.tortured_words(lexicons):
        if is_word(original) and is_word(spun) and original not in FUNCTION_WORDS:
            table.setdefault(original, []).append(spun)

    @cache
    def choices(unit: str) -> Sequence[str]:
        if unit in table:
            return table[unit]
        if " " in unit:
            return tuple(dict.fromkeys(other for _, other in graph.synonyms(unit)))
        return () if unit in FUNCTION_WORDS else synonyms(unit)

    return Family(
        name="phrases",
        sources=(*_WORDNET, "MyThes", "phrase", "thesaurus phrase", "tortured word"),
        choices=choices,
        may_change=not_a_name,
        select=each_occurrence_anew,
        draw=any_choice,
        longest=4,
    )


def mixed_fixed(lexicons: Path) -> Family:
    """One WordNet neighbour by any relation for each original, function words included."""
    return Family(
        name="mixed fixed",
        sources=(*_WORDNET, "MyThes"),
        choices=inflected(wordnet_neighbours(lexicons, RELATIONS), lexicons),
        may_change=not_a_name,
        select=same_words_everywhere,
        draw=fixed_choice,
    )


def fixed(family: Family) -> Family:
    """The family with one choice for each original, the same on every page of a site."""
    return replace(
        family,
        name=f"{family.name} fixed",
        select=same_words_everywhere,
        draw=fixed_choice,
    )


def with_inventions(family: Family, words: Sequence[str], share: float, seed: str) -> Family:
    """The family, but that it prints some word at random for a share of its originals, the same
    one wherever the original stands: pairs that no thesaurus has."""

    @cache
    def choices(unit: str) -> Sequence[str]:
        found = family.choices(unit)
        chance = Random(f"{seed} {unit}")
        return (chance.choice(words),) if found and chance.random() < share else found

    return replace(family, name=f"{family.name} with inventions", choices=choices)


def wordnet_bare(lexicons: Path) -> Family:
    """The crudest: a random synonym of the lemma, never inflected, function words included."""
    return Family(
        name="wordnet bare",
        sources=(*_WORDNET, "MyThes", "base form"),
        choices=bare(wordnet_neighbours(lexicons, ("WordNet synonym",)), lexicons),
        may_change=not_a_name,
        select=each_occurrence_anew,
        draw=any_choice,
    )


def moby_nearest(lexicons: Path) -> Family:
    """For words of five letters and more the one of Moby's that is nearest in meaning."""
    return Family(
        name="moby nearest",
        sources=("Moby",),
        choices=nearest(inflected(moby(lexicons), lexicons)),
        may_change=long_content_word,
        select=each_occurrence_anew,
        draw=any_choice,
    )


def frequent_synonym(lexicons: Path) -> Family:
    """As careful spinners do: the commonest synonym of all thesauri, of the part of speech and
    in the form of the original."""
    thesauri = (
        wordnet_neighbours(lexicons, ("WordNet synonym",)),
        thesaurus_neighbours(files.mythes_plain_synonyms(lexicons)),
    )
    return Family(
        name="frequent synonym",
        sources=(*_WORDNET, "MyThes", "PPDB"),
        choices=commonest(thesauri, ppdb(lexicons), lexicons),
        may_change=content_word,
        select=each_occurrence_anew,
        draw=any_choice,
    )


def two_passes(lexicons: Path) -> Family:
    """Random WordNet synonyms, and then random PPDB paraphrases of what came out."""
    first, second = wordnet_random(lexicons), ppdb_random(lexicons)
    sources = (*first.sources, *second.sources)
    return replace(first, name="two passes", sources=sources, then=second)


def texthumanize(lexicons: Path) -> Family:
    """What the program of that name makes of a text, with word lists of its own.

    Raises:
        ImportError: it is not installed.
    """
    del lexicons
    try:
        from texthumanize.spinner import spin_text
    except ImportError:
        hint = "the family texthumanize is another program: pip install 'unspin[adversary]'"
        raise ImportError(hint) from None

    def rewrite(text: str, seed: int) -> str:
        # It joins whatever white space it finds to blanks.
        return "\n".join(spin_text(line, "en", 1.0, seed) for line in text.split("\n"))

    return Family(
        name="texthumanize",
        sources=(),
        choices=lambda _: (),
        may_change=not_a_name,
        select=each_occurrence_anew,
        draw=any_choice,
        rewrite=rewrite,
    )


FAMILIES: Mapping[str, Callable[[Path], Family]] = {
    "element": element,
    "element walk": element_walk,
    "wordnet random": wordnet_random,
    "wordnet first": wordnet_first,
    "hypernym": hypernym,
    "moby random": moby_random,
    "moby fixed": moby_fixed,
    "mythes random": mythes_random,
    "ppdb random": ppdb_random,
    "phrases": phrases,
    "mixed fixed": mixed_fixed,
    "wordnet bare": wordnet_bare,
    "moby nearest": moby_nearest,
    "frequent synonym": frequent_synonym,
    "two passes": two_passes,
}

# Programs of others, by the name of the package that has to be installed: something to test
# against, never to fit anything to. Apart from FAMILIES, so that no result depends on an install.
ADVERSARIES: Mapping[str, Callable[[Path], Family]] = {"texthumanize": texthumanize}


def _random_inflecting(
    name: str, sources: tuple[str, ...], neighbours: Neighbours, lexicons: Path
) -> Family:
    return Family(
        name=name,
        sources=sources,
        choices=inflected(neighbours, lexicons),
        may_change=content_word,
        select=each_occurrence_anew,
        draw=any_choice,
    )
