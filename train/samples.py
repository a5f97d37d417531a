"""Which texts is the program measured on? Clean documents, and pages spun with a known answer.

All come from sources that no model is trained on. Half of the documents belong to
`train.calibrate`, which fits what turns evidence into a verdict; the benchmarks see the other
half only. A document has one role: a family's to spin, or clean. Its role is a function of its
text, so it stays when documents or families' settings change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple, TypeVar

from train.corpus import Document
from train.families import ADVERSARIES, FAMILIES
from train.spin import Family, Spun, spin

Part = Literal["calibrate", "bench"]
Item = TypeVar("Item")

# What spinners take their articles from; textbooks and papers only serve as clean text.
NEWS = ("bbc2005", "abc2006", "fnc1", "ucsc-news")
# Sources that describe one spinner, and not the words of the language.
DESCRIPTIONS = frozenset(
    (
        "element",
        "element rule",
        "element orbit",
        "WordNet first synonym",
        "phrase",
        "tortured word",
    )
)
# How much a family substitutes in tests: of all words, or of the word types of its table.
LEVELS = {"light": 0.1, "medium": 0.2, "heavy": 0.4}
ELEMENT_LEVELS = {"light": 0.3, "medium": 0.6, "heavy": 0.9}
TOLERANCE = 0.2  # a page of about 400 words has 320 to 480


class Samples(NamedTuple):
    """The documents of one part: what each family may spin, and what stays clean."""

    to_spin: dict[str, list[Document]]
    clean: list[Document]


def part(document: Document) -> Part:
    """The half that a document belongs to.

    >>> part(Document("It was dry.", "bbc2005")), part(Document("It rained.", "bbc2005"))
    ('calibrate', 'bench')
    """
    return "bench" if _draw(document.text, "part") % 2 else "calibrate"


def divide(documents: Iterable[Document], wanted: Part) -> Samples:
    """The documents of one part by their roles: half of the news is spun, the rest is clean.

    Other people's programs have documents too, installed or not, so that roles are the same
    everywhere.
    """
    names = [*FAMILIES, *ADVERSARIES]
    samples = Samples({name: [] for name in names}, [])
    for document in documents:
        if part(document) != wanted:
            continue
        role = _draw(document.text, "role") % (2 * len(names))
        if document.source in NEWS and role < len(names):
            samples.to_spin[names[role]].append(document)
        else:
            samples.clean.append(document)
    return samples


def pages(documents: Iterable[Document], words: int) -> list[str]:
    """Pages of about so many words, cut at the ends of paragraphs, in a stable order.

    First a page of every document that is long enough, then pages joined from documents of one
    source that are too short alone, then further pages of the long ones: the first n pages come
    from as many documents as possible.
    """
    found: list[tuple[int, bool, int, str]] = []
    short: dict[str, list[str]] = {}

    def add(paragraphs: Sequence[str], *, joined: bool) -> bool:
        cut = list(_cut(paragraphs, words))
        for index, page in enumerate(cut):
            found.append((0 if joined else index, joined, _draw(page, "order"), page))
        return bool(cut)

    for document in documents:
        paragraphs = document.text.split("\n")
        if not add(paragraphs, joined=False):
            short.setdefault(document.source, []).extend(paragraphs)
    for paragraphs in short.values():
        add(paragraphs, joined=True)
    return [page for *_, page in sorted(found)]


def levels(family: Family) -> dict[str, float]:
    """The rates that a family is tested at."""
    return ELEMENT_LEVELS if family.by_types else LEVELS


def batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """The items, so many at a time.

    >>> batches("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[start : start + size] for start in range(0, len(items), size)]


def spun(texts: Sequence[str], family: Family, rate: float) -> list[Spun]:
    """The pages as the family spins them, without those in which it finds nothing to replace."""
    results = (spin(text, family, rate, seed) for seed, text in enumerate(texts))
    return [result for result in results if result.swaps]


def shuffled(documents: Iterable[Document]) -> list[Document]:
    """The documents in a stable order that mixes their sources."""
    return sorted(documents, key=lambda document: _draw(document.text, "order"))


def share_swapped(texts: Sequence[Spun]) -> float:
    """The share of all words of the originals that were substituted."""
    swapped = sum(count_words(swap.original) for text in texts for swap in text.swaps)
    return swapped / max(sum(count_words(text.original) for text in texts), 1)


def tables_left_out(sources: Collection[str]) -> tuple[str, ...]:
    """The sources to leave out so that a family is one that nobody has described: its tables, its
    rule and its phrases. The thesauri that everyone can buy stay."""
    return tuple(sorted(DESCRIPTIONS.intersection(sources)))


def lexicons_left_out(sources: Collection[str]) -> tuple[str, ...]:
    """The sources to leave out so that the thesauri are unknown too that a family draws from.

    A family that draws from all of WordNet pairs lemmas, and so does "base form".
    """
    return tuple(sorted({*sources, *(["base form"] if "MyThes" in sources else [])}))


def count_words(text: str) -> int:
    """The number of words, which is what stands between white space and has a letter or digit."""
    return sum(any(map(str.isalnum, chunk)) for chunk in text.split())


def _cut(paragraphs: Sequence[str], words: int) -> Iterator[str]:
    gathered: list[str] = []
    length = 0
    for paragraph in paragraphs:
        gathered.append(paragraph)
        length += count_words(paragraph)
        if length < (1 - TOLERANCE) * words:
            continue
        if length <= (1 + TOLERANCE) * words:
            yield "\n".join(gathered)
        gathered, length = [], 0


def _draw(text: str, purpose: str) -> int:
    """A number that depends on the text and on nothing else, for each purpose another."""
    digest = blake2b(text.encode(), digest_size=8, person=purpose.encode())
    return int.from_bytes(digest.digest(), "big")
