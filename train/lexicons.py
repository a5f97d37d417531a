"""Readers of the lexicon folder's files other than WordNet: what each one says, lower-cased.

Every reader yields rows in the file's own order and judges nothing; which entries are single
words, and which originals matter, is for the caller to say.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MYTHES_PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_QUERY_LEFTOVER = re.compile(r'[?*~"/|…\[\]()]|\.\.\.')


class Entry(NamedTuple):
    """A headword with the words a thesaurus gives for it.

    `parts` holds the letters of the parts of speech the entry is about (n, v, a, r); a thesaurus
    that does not tell has all of them.
    """

    word: str
    parts: str
    neighbours: list[str]


def rows(path: Path) -> Iterator[list[str]]:
    """The tab-separated fields of every line of a gzip-compressed UTF-8 file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a plain table, `original<TAB>spun`, where `#` starts a comment."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            original, tab, spun = line.partition("#")[0].strip().partition("\t")
            if tab:
                yield original, spun


def element(lexicons: Path) -> dict[str, str]:
    """The table of the element family: what it prints for each original."""
    return dict(pairs(lexicons / "families" / "element.tsv"))


def moby(lexicons: Path) -> Iterator[Entry]:
    """Moby's heads and their synonyms. It knows neither senses nor parts of speech."""
    for head, synonyms in rows(lexicons / "moby_thesaurus.tsv.gz"):
        yield Entry(head.lower(), "nvar", synonyms.lower().split("|"))


def mythes(lexicons: Path) -> Iterator[Entry]:
    """MyThes, one entry a sense: plain synonyms, broader, similar and related terms alike."""
    for word, part, _, tagged in rows(lexicons / "mythes_en_us.tsv.gz"):
        terms = [term.partition(":")[2] for term in tagged.lower().split("|")]
        yield Entry(word.lower(), _MYTHES_PARTS.get(part, ""), terms)


def mythes_plain_synonyms(lexicons: Path) -> Iterator[Entry]:
    """MyThes, one entry a sense, only what it marks as a plain synonym."""
    for word, part, _, tagged in rows(lexicons / "mythes_en_us.tsv.gz"):
        terms = [term[2:] for term in tagged.lower().split("|") if term.startswith("=:")]
        yield Entry(word.lower(), _MYTHES_PARTS.get(part, ""), terms)


def ppdb(lexicons: Path) -> Iterator[tuple[str, str]]:
    """PPDB's word pairs, each once, in no direction."""
    for one, other, *_ in rows(lexicons / "ppdb_lexical_pairs.tsv.gz"):
        yield one.lower(), other.lower()


def tortured_phrases(lexicons: Path) -> Iterator[tuple[str, str]]:
    """(expected, tortured) pairs, without remarks; a pair that stays unclear is left out.

    >>> _plain("time series forecast (tsf)")
    'time series forecast'
    >>> _plain("healthcare (?)") is None
    True
    """
    for tortured, expected in pairs(lexicons / "tortured_phrases.tsv"):
        original, spun = _plain(expected), _plain(tortured)
        if original and spun:
            yield original, spun


def tortured_words(lexicons: Path) -> Iterator[tuple[str, str]]:
    """(original, spun) words of the tortured phrases that have as many words as what they stand
    for, such as ("deep", "profound"): those that two phrases agree on, or that differ alone."""
    alone: set[tuple[str, str]] = set()
    agreed: Counter[tuple[str, str]] = Counter()
    for original, spun in tortured_phrases(lexicons):
        one, other = original.split(), spun.split()
        if len(one) == len(other):
            differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
            agreed.update(differing)
            alone.update(differing if len(differing) == 1 else ())
    yield from sorted(pair for pair, count in agreed.items() if count > 1 or pair in alone)


def _plain(phrase: str) -> str | None:
    if "?" in phrase:
        return None
    without_remarks = " ".join(_REMARK.sub(" ", phrase.lower()).split())
    return None if _QUERY_LEFTOVER.search(without_remarks) else without_remarks
