"""What does an index say of the words of a page? Opening an index, and searching in it.

What makes and changes an index stands in `writing`, what looks after it in `health`; all of it is
asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unspin.scan.records import encodable
from unspin.trace import folder, store
from unspin.trace.articles import Article, Named
from unspin.trace.health import Stats, check, stats
from unspin.trace.store import near_copy
from unspin.trace.writing import Added, add, build, remove

if TYPE_CHECKING:
    import tantivy

    from unspin.pages import Page
    from unspin.trace.match import Match
    from unspin.trace.tracer import Tracer

__all__ = [
    "Added",
    "Hit",
    "Index",
    "Named",
    "Stats",
    "add",
    "build",
    "check",
    "near_copy",
    "remove",
    "stats",
    "terms",
]


class Hit(NamedTuple):
    """A part of an article that a search found.

    `start` is the number of code points of the article before `text`, which is that of the part;
    `score` is that of BM25.
    """

    id: str
    part: int
    start: int
    text: str
    score: float


class Index:
    """An index of articles, as it was when it was opened; for one thread at a time.

    Processes that read it share its memory, and others may add to it meanwhile.
    """

    def __init__(self, path: Path) -> None:
        """Use `open`."""
        self.path = path
        self._tracer: Tracer | None = None
        self.reload()

    @classmethod
    def open(cls, path: str | Path) -> Index:
        """Return the index in a folder.

        Raises:
            TraceError: there is none, it is of another version or damaged, or tantivy is not
                installed.
        """
        return cls(Path(path))

    def __len__(self) -> int:
        """The number of articles."""
        with folder.asking(self.path):
            return store.articles(self._searcher, self._schema)

    def search(self, terms: Mapping[str, float], k: int) -> list[Hit]:
        """Return the `k` parts of articles in which the terms weigh most, the best first.

        Args:
            terms: as `terms` cuts a text, each with what its score is multiplied by, which is
                more than 0.
            k: how many at most.

        Raises:
            TraceError: the index is damaged.
        """
        if not terms or k < 1:
            return []
        with folder.asking(self.path):
            found = self._searcher.search(self._query(terms), k, count=False)
            return [
                Hit(part.id, part.part, part.start, part.text, score)
                for score, address in found.hits
                for part in [store.part(self._searcher.doc(address), self._codec)]
            ]

    def document_frequency(self, term: str) -> int:
        """Return how many parts of articles have a term.

        Articles that were removed count until tantivy has cleared them away.

        Raises:
            TraceError: the index is damaged.
        """
        with folder.asking(self.path):
            return self._searcher.doc_freq("words", term)

    def article(self, id: str) -> Article | None:  # noqa: A002 - so it is called
        """Return the article of an id, None if there is none.

        Raises:
            TraceError: the index is damaged.
        """
        with folder.asking(self.path):
            documents = store.of_article(self._searcher, self._schema, encodable(id))
            return store.joined(documents, self._codec) if documents else None

    def reload(self) -> None:
        """See what was added and removed since the index was opened.

        Raises:
            TraceError: it is no longer there, or damaged.
        """
        settings = folder.read_settings(self.path)
        self._codec = store.Codec(folder.read_words(self.path, settings))
        index = folder.open_tantivy(self.path)
        with folder.asking(self.path):
            self._schema = index.schema
            self._searcher = index.searcher()

    def trace(self, page: str | bytes | Page) -> list[Match]:
        """Return the articles that a page was taken from, the best match first.

        Raises:
            PageError: the page is binary or larger than the limits.
            ModelError: the model that ships with the package is missing or damaged.
            TraceError: the index is damaged.
        """
        if self._tracer is None:
            from unspin.trace.tracer import Tracer

            self._tracer = Tracer(self)
        return list(self._tracer.trace(page).matches)

    def _query(self, terms: Mapping[str, float]) -> tantivy.Query:
        library = folder.libraries().tantivy
        make, should = library.Query, library.Occur.Should
        query: tantivy.Query = make.boolean_query(
            [
                (should, make.boost_query(make.term_query(self._schema, "words", term, "freq"), by))
                for term, by in terms.items()
            ]
        )
        return query


def terms(text: str) -> list[str]:
    """Return the terms of a text as the index cuts it: runs of letters and digits in lower case.

    Those of 40 bytes and more are left out.

    Raises:
        TraceError: tantivy is not installed.
    """
    return _analyzer().analyze(encodable(text))


@cache
def _analyzer() -> tantivy.TextAnalyzer:
    library = folder.libraries().tantivy
    builder = library.TextAnalyzerBuilder(library.Tokenizer.simple())
    for step in (library.Filter.remove_long(40), library.Filter.lowercase()):
        builder = builder.filter(step)
    analyzer: tantivy.TextAnalyzer = builder.build()
    return analyzer
