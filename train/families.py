"""The families of spinners that development sets are made with, known and invented.

`Family.sources` names what a family draws from, as in `train.relations.SOURCES`, so that a
benchmark can leave exactly that out of the channel and see how an unknown family fares.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

from train import lexicons as files
from train.inflection import Inflector
from train.relations import hand_written_phrases, is_word
from train.spin import Family, Unit, Word
from train.wordnet import RELATIONS, WordNet

# Words of the closed classes, which most spinners skip. The element family has some of them in its
# table; the others it leaves alone although the rule has an answer ("by" would be "past").
FUNCTION_WORDS = frozenset(
    """
    a all am an and any are as at be because been being both but by can could did do does doing
    done down during each every few for from had has have having he her hers him his how i if in
    into is it its may me might mine must my neither no nor not of on only or our ours ourselves
    own same she should since so some such than that the their theirs them then there these they
    this those though through to too unless until up upon us very was we were what when where
    whether which while who whom whose why will with would yet you your yours
    """.split()
)

# Of the pairs of the element family that the rule explains within four steps (326 of 431), the
# number explained by one step, two, three and four.
ORBIT_COUNTS = (253, 64, 7, 2)

_WORDNET = ("element rule", "element orbit", "WordNet first synonym", *RELATIONS)

# (part of speech letters, neighbour) of a lemma
_Neighbours = Callable[[str], Sequence[tuple[str, str]]]

_wordnet = cache(WordNet.load)
_inflector = cache(Inflector.load)


def element(lexicons: Path) -> Family:
    """The words that the family's pages were seen to replace, each by one word everywhere.

    Only words between white space, in lower case.
    """
    table = files.element(lexicons)
    return Family(
        name="element",
        sources=("element", "element rule", "element orbit"),
        choices=lambda word: (table[word],) if word in table else (),
        may_change=_free_lower_case,
        select=_share_of_types,
        draw=_fixed_choice,
    )


def element_walk(lexicons: Path) -> Family:
    """The element family with words that no page has shown yet: the WordNet rule prints those.

    Only words between white space, in lower case, that are WordNet lemmas as they stand: it never
    looks "days" up under "day", and leaves alone a lemma that is also an inflected form ("men").
    """
    wordnet, inflector, table = _wordnet(lexicons), _inflector(lexicons), files.element(lexicons)

    @cache
    def choices(word: str) -> Sequence[str]:
        if word in table:
            return (table[word],)
        if word in FUNCTION_WORDS or word not in wordnet or inflector.analyses(word):
            return ()
        orbit = wordnet.element_orbit(word)
        if not orbit:
            return ()
        steps = Random(f"orbit {word}").choices(range(4), weights=ORBIT_COUNTS)[0]
        return (orbit[min(steps, len(orbit) - 1)],)

    return Family(
        name="element walk",
        sources=("element", "element rule", "element orbit"),
        choices=choices,
        may_change=_free_lower_case,
        select=_share_of_types,
        draw=_fixed_choice,
    )


def wordnet_random(lexicons: Path) -> Family:
    """A random synonym in any sense, each time anew, inflected like the original."""
    return _random_inflecting(
        "wordnet random",
        (*_WORDNET, "MyThes"),
        _wordnet_neighbours(_wordnet(lexicons), ("WordNet synonym",)),
        lexicons,
    )


def wordnet_first(lexicons: Path) -> Family:
    """The first synonym of the first sense that has one; inflected words stay."""
    wordnet, inflector = _wordnet(lexicons), _inflector(lexicons)

    @cache
    def choices(word: str) -> Sequence[str]:
        first = None if inflector.analyses(word) else wordnet.first_synonym(word)
        return (first,) if first is not None and is_word(first) else ()

    return Family(
        name="wordnet first",
        sources=(*_WORDNET, "MyThes"),
        choices=choices,
        may_change=_content_word,
        select=_each_occurrence_anew,
        draw=_any_choice,
    )


def hypernym(lexicons: Path) -> Family:
    """A random broader word, each time anew, inflected like the original."""
    return _random_inflecting(
        "hypernym",
        ("element rule", "element orbit", "WordNet hypernym", "MyThes"),
        _wordnet_neighbours(_wordnet(lexicons), ("WordNet hypernym",)),
        lexicons,
    )


def moby_random(lexicons: Path) -> Family:
    """A random word of Moby's, each time anew, inflected like the original."""
    return _random_inflecting("moby random", ("Moby",), _moby(lexicons), lexicons)


def moby_fixed(lexicons: Path) -> Family:
    """One word of Moby's for each original, the same on every page of a site."""
    return Family(
        name="moby fixed",
        sources=("Moby",),
        choices=_inflecting(_moby(lexicons), _wordnet(lexicons), _inflector(lexicons)),
        may_change=_content_word,
        select=_same_words_everywhere,
        draw=_fixed_choice,
    )


def mythes_random(lexicons: Path) -> Family:
    """A random term of MyThes, broader, similar and related ones included, inflected."""
    neighbours = _thesaurus_neighbours(files.mythes(lexicons))
    return _random_inflecting("mythes random", (*_WORDNET, "MyThes"), neighbours, lexicons)


def ppdb_random(lexicons: Path) -> Family:
    """A random PPDB paraphrase of the word as printed; PPDB has the inflected forms itself."""
    table: dict[str, list[str]] = {}
    for one, other in files.ppdb(lexicons):
        if is_word(one) and is_word(other):
            table.setdefault(one, []).append(other)
            table.setdefault(other, []).append(one)
    inflector = _inflector(lexicons)

    @cache
    def choices(word: str) -> Sequence[str]:
        own = {word, *(reading.lemma for reading in inflector.analyses(word))}
        return tuple(
            other
            for other in table.get(word, ())
            if own.isdisjoint([other, *(reading.lemma for reading in inflector.analyses(other))])
        )

    return Family(
        name="ppdb random",
        sources=("PPDB",),
        choices=choices,
        may_change=_content_word,
        select=_each_occurrence_anew,
        draw=_any_choice,
    )


def phrases(lexicons: Path) -> Family:
    """SpinBot-like: known phrases and connecting words, and synonyms inflected like the original.

    Phrases come from the hand-written list, tortured phrases and WordNet's multiword synonyms;
    Moby's would drown them. A tortured phrase for a single word is a slip of its list as often
    as not.
    """
    wordnet = _wordnet(lexicons)
    synonyms = _inflecting(
        _wordnet_neighbours(wordnet, ("WordNet synonym",)), wordnet, _inflector(lexicons)
    )
    table: dict[str, list[str]] = {}
    for original, spun in hand_written_phrases():
        table.setdefault(original, []).append(spun)
    for original, spun in files.tortured_phrases(lexicons):
        if " " in original:
            table.setdefault(original, []).append(spun)

    @cache
    def choices(unit: str) -> Sequence[str]:
        if unit in table:
            return table[unit]
        if " " in unit:
            return tuple(dict.fromkeys(other for _, other in wordnet.synonyms(unit)))
        return () if unit in FUNCTION_WORDS else synonyms(unit)

    return Family(
        name="phrases",
        sources=(*_WORDNET, "MyThes", "phrase"),
        choices=choices,
        may_change=_not_a_name,
        select=_each_occurrence_anew,
        draw=_any_choice,
        longest=4,
    )


def mixed_fixed(lexicons: Path) -> Family:
    """One WordNet neighbour by any relation for each original, function words included."""
    wordnet = _wordnet(lexicons)
    return Family(
        name="mixed fixed",
        sources=(*_WORDNET, "MyThes"),
        choices=_inflecting(_wordnet_neighbours(wordnet, RELATIONS), wordnet, _inflector(lexicons)),
        may_change=_not_a_name,
        select=_same_words_everywhere,
        draw=_fixed_choice,
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
}


def _random_inflecting(
    name: str, sources: tuple[str, ...], neighbours: _Neighbours, lexicons: Path
) -> Family:
    return Family(
        name=name,
        sources=sources,
        choices=_inflecting(neighbours, _wordnet(lexicons), _inflector(lexicons)),
        may_change=_content_word,
        select=_each_occurrence_anew,
        draw=_any_choice,
    )


@cache
def _moby(lexicons: Path) -> _Neighbours:
    return _thesaurus_neighbours(files.moby(lexicons))


def _inflecting(
    neighbours: _Neighbours, wordnet: WordNet, inflector: Inflector
) -> Callable[[str], Sequence[str]]:
    """Choices of a spinner that prints the neighbour in the form of the original."""

    @cache
    def choices(word: str) -> Sequence[str]:
        found = {other: None for _, other in neighbours(word)}
        for lemma, part, tag in inflector.analyses(word):
            for parts, other in neighbours(lemma):
                if part in parts and wordnet.has(other, part):
                    forms = inflector.forms(other, part).get(tag, ())
                    # One spelling will do; a spinner does not know two.
                    found.update(dict.fromkeys(forms[:1]))
        found.pop(word, None)
        return tuple(found)

    return choices


def _wordnet_neighbours(wordnet: WordNet, relations: Sequence[str]) -> _Neighbours:
    def neighbours(lemma: str) -> Sequence[tuple[str, str]]:
        return [
            (near.part, near.word)
            for near in wordnet.neighbours(lemma)
            if near.relation in relations and is_word(near.word)
        ]

    return neighbours


def _thesaurus_neighbours(entries: Iterable[files.Entry]) -> _Neighbours:
    table: dict[str, list[tuple[str, str]]] = {}
    for word, parts, others in entries:
        if is_word(word):
            # Millions of mentions of some hundred thousand words: interned, they fit.
            pairs = [(parts, sys.intern(other)) for other in others if is_word(other)]
            table.setdefault(sys.intern(word), []).extend(pairs)

    def neighbours(lemma: str) -> Sequence[tuple[str, str]]:
        return table.get(lemma, ())

    return neighbours


def _not_a_name(word: Word) -> bool:
    return not word.is_name


def _content_word(word: Word) -> bool:
    return not word.is_name and word.lowered not in FUNCTION_WORDS


def _free_lower_case(word: Word) -> bool:
    return word.is_free and word.text.islower()


def _each_occurrence_anew(
    units: Sequence[Unit], rate: float, count: int, random: Random
) -> list[Unit]:
    """Any occurrences, until the share of words is reached."""
    return _up_to(random.sample(units, len(units)), rate * count)


def _same_words_everywhere(
    units: Sequence[Unit], rate: float, count: int, random: Random
) -> list[Unit]:
    """All occurrences of as many word types as needed (of the last, some), in a fixed order."""
    del random  # a fixed habit is a function of the word
    by_type: dict[str, list[Unit]] = {}
    for unit in units:
        by_type.setdefault(unit.lowered, []).append(unit)
    ordered = sorted(by_type, key=_priority)
    return _up_to([unit for lowered in ordered for unit in by_type[lowered]], rate * count)


def _share_of_types(units: Sequence[Unit], rate: float, count: int, random: Random) -> list[Unit]:
    """All occurrences of the word types that a table of the given share holds."""
    del count, random
    return [unit for unit in units if _priority(unit.lowered) < rate]


def _up_to(units: Sequence[Unit], target: float) -> list[Unit]:
    taken: list[Unit] = []
    words = 0
    for unit in units:
        if words + unit.words > target + 0.5:
            break
        taken.append(unit)
        words += unit.words
    return taken


@cache
def _priority(word: str) -> float:
    """A number in [0, 1) for each word, the same in every run."""
    return Random(f"priority {word}").random()


def _any_choice(unit: Unit, random: Random) -> str:
    return random.choice(unit.choices)


def _fixed_choice(unit: Unit, random: Random) -> str:
    del random
    return Random(f"choice {unit.lowered}").choice(unit.choices)
