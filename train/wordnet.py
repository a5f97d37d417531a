"""WordNet 3.0 in its own order: senses, neighbours by relation, and the walk of the element family.

The order matters: the element family, like any spinner that takes "the first synonym", is a
function of it. The files are `wordnet30_graph.tsv.gz` and `wordnet30_index.tsv.gz`; the formats
are described where they are parsed.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from train.lexicons import rows

# The element rule asks for the parts of speech in this order, most spinners in the other one
# (it is the order in which NLTK lists the synsets of a word).
RULE_PARTS = "anvr"
USUAL_PARTS = "nvar"

_SYNONYM, _SIMILAR = "WordNet synonym", "WordNet similar"
_HYPERNYM, _HYPONYM, _DERIVATION = "WordNet hypernym", "WordNet hyponym", "WordNet derivation"
RELATIONS = (_SYNONYM, _SIMILAR, _HYPERNYM, _HYPONYM, _DERIVATION)
_RELATION_OF_SYMBOL = {
    "&": _SIMILAR,
    "^": _SIMILAR,
    "$": _SIMILAR,
    "@": _HYPERNYM,
    "@i": _HYPERNYM,
    "~": _HYPONYM,
    "~i": _HYPONYM,
    "+": _DERIVATION,
    "\\": _DERIVATION,
}
# Where the element rule looks when a sense has no other word of its own, in this order.
_RULE_SYMBOLS = {"a": (("&",), ("^",)), "n": (("@", "@i"),), "v": (("@",),), "r": ()}


class Pointer(NamedTuple):
    """A relation from one synset to another; word numbers count from 1, 0 is the whole synset."""

    symbol: str
    target: str
    from_word: int
    to_word: int


class Synset(NamedTuple):
    """Words of one sense, and where its pointers lead."""

    words: tuple[str, ...]
    pointers: tuple[Pointer, ...]


class Neighbour(NamedTuple):
    """A word one relation away in some sense.

    `part` is the part of speech that both share, or "" where the relation crosses from one part
    of speech to another, so that nothing but the lemmas correspond.
    """

    relation: str
    part: str
    word: str


class WordNet:
    """The graph, with words lower-cased on the way out.

    >>> bench = Synset(("bench", "terrace"), ())
    >>> WordNet({"n1": bench}, {"bench": {"n": ("n1",)}}).element_rule("bench")
    'terrace'
    """

    def __init__(
        self, synsets: dict[str, Synset], index: dict[str, dict[str, tuple[str, ...]]]
    ) -> None:
        self._synsets = synsets
        self._index = index

    @classmethod
    def load(cls, lexicons: Path) -> "WordNet":
        """Reads the whole graph: about 120,000 synsets, a few seconds."""
        # id, type, words joined by "|", pointers joined by blanks as SYMBOL:TARGET:FROM>TO
        synsets = {
            name: Synset(
                tuple(words.split("|")), tuple(_pointer(text) for text in pointers.split())
            )
            for name, _, words, pointers in rows(lexicons / "wordnet30_graph.tsv.gz")
        }
        # lemma, part of speech, ids in order of sense
        index: dict[str, dict[str, tuple[str, ...]]] = {}
        for lemma, part, names in rows(lexicons / "wordnet30_index.tsv.gz"):
            index.setdefault(lemma, {})[part] = tuple(names.split())
        return cls(synsets, index)

    def __contains__(self, word: str) -> bool:
        return word in self._index

    @property
    def lemmas(self) -> Iterable[str]:
        """Every lemma, phrases included."""
        return self._index.keys()

    def has(self, word: str, part: str) -> bool:
        """Whether the word is a lemma of this part of speech."""
        return part in self._index.get(word, ())

    def count_senses(self, word: str, part: str) -> int:
        """The number of senses of a lemma as this part of speech."""
        return len(self._index.get(word, {}).get(part, ()))

    def synonyms(self, word: str) -> Iterator[tuple[str, str]]:
        """(part of speech, co-lemma) in any sense, phrases included."""
        for part, synset in self._senses(word, USUAL_PARTS):
            for other in _others(synset.words, word):
                yield part, other

    def first_synonym(self, word: str) -> str | None:
        """The first co-lemma of one word, of the first sense that has one.

        >>> one, two = Synset(("dog",), ()), Synset(("dog", "hot dog", "frank"), ())
        >>> WordNet({"n1": one, "n2": two}, {"dog": {"n": ("n1", "n2")}}).first_synonym("dog")
        'frank'
        """
        for _, synset in self._senses(word, USUAL_PARTS):
            for other in _others(synset.words, word):
                if " " not in other:
                    return other
        return None

    def neighbours(self, word: str) -> Iterator[Neighbour]:
        """Whatever is one relation away in any sense, phrases included, repeats included."""
        for part, synset in self._senses(word, USUAL_PARTS):
            for other in _others(synset.words, word):
                yield Neighbour(_SYNONYM, part, other)
            for pointer in synset.pointers:
                relation = _RELATION_OF_SYMBOL.get(pointer.symbol)
                if relation is None:
                    continue
                if relation == _DERIVATION:
                    yield from self._derived(word, synset, pointer)
                    continue
                shared = part if pointer.target[0] == part else ""
                for other in _others(self._synsets[pointer.target].words, word):
                    yield Neighbour(relation, shared, other)

    def element_rule(self, word: str) -> str | None:
        """What the element family prints for a word, if it prints something by rule.

        Parts of speech go in the order adjective, noun, verb, adverb, and senses in WordNet's
        order. Each sense is exhausted before the next is looked at: first its own words, then the
        words it is similar to (adjectives; failing that, see-also) or its hypernyms (nouns,
        verbs). The first other word of letters and digits alone wins: never "brand-new" for new,
        but "2nd" for second. Looking through all senses for a synonym before any hypernym
        explains far less of what the family prints.
        """
        for part, synset in self._senses(word, RULE_PARTS):
            for other in self._rule_candidates(part, synset, word):
                if other.isalnum():
                    return other
        return None

    def element_orbit(self, word: str, steps: int = 4) -> list[str]:
        """The distinct words met by applying the element rule again and again to its own output.

        The word itself is not among them; the first is `element_rule(word)`.
        """
        met: list[str] = []
        here = word
        for _ in range(steps):
            printed = self.element_rule(here)
            if printed is None:
                break
            if printed != word and printed not in met:
                met.append(printed)
            here = printed
        return met

    def _senses(self, word: str, parts: str) -> Iterator[tuple[str, Synset]]:
        senses = self._index.get(word, {})
        for part in parts:
            for name in senses.get(part, ()):
                yield part, self._synsets[name]

    def _rule_candidates(self, part: str, synset: Synset, word: str) -> Iterator[str]:
        yield from _others(synset.words, word)
        for symbols in _RULE_SYMBOLS[part]:
            for pointer in synset.pointers:
                if pointer.symbol in symbols:
                    yield from _others(self._synsets[pointer.target].words, word)

    def _derived(self, word: str, synset: Synset, pointer: Pointer) -> Iterator[Neighbour]:
        """Derivation relates one word to one word, not sense to sense."""
        if pointer.from_word and synset.words[pointer.from_word - 1].lower() != word:
            return
        target = self._synsets[pointer.target].words
        words = target[pointer.to_word - 1 : pointer.to_word] if pointer.to_word else target
        for other in _others(words, word):
            yield Neighbour(_DERIVATION, "", other)


def _others(words: Iterable[str], word: str) -> Iterator[str]:
    for other in words:
        lowered = other.lower()
        if lowered != word:
            yield lowered


def _pointer(text: str) -> Pointer:
    # The symbol itself may be anything but contains no colon, so the first one ends it.
    symbol, target, numbers = text.split(":")
    from_word, _, to_word = numbers.partition(">")
    return Pointer(symbol, target, int(from_word), int(to_word))
