"""Which pages share a source, and whose are they? What a network of copied pages shows of itself.

An article and its copies are one source here: which of them was taken cannot be told, and two pages
need not name the same one. A page that was made of two sources counts for both.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from unspin import __version__
from unspin.scan.job import ScanError
from unspin.scan.summary import SHOWN, BadShard, Section, counted, faults, grid, named, share
from unspin.scan.tally import MOST_REASONS, NAMELESS
from unspin.scan.tally import Count as Reason

if TYPE_CHECKING:
    from rich.console import Console

CAUTION = "Who took a page from whom it does not say: read both before you act on it."
LISTED = 1_000  # groups, hosts and pairs that are listed
FIRST = 5  # pages and hosts of a group that are named
# Hosts of one group that are paired with each other, those with the most pages: an article that is
# everywhere ties nobody to anybody, and would tie all to all.
PAIRED = 50
MOST_PAIRS = 1_000_000  # that are counted, which takes some 200 MB

Item = TypeVar("Item")

_ROWS = 4_096  # of the table that are in memory at once
# Of matches not the passages, which are most of the table.
_MATCH = ("id", "title", "url", "copies")
_COLUMNS = ["id", "source", "reason", *(f"matches.list.element.{name}" for name in _MATCH)]


@dataclass(frozen=True, slots=True)
class Count:
    """How many pages stand on a host, or came from a file."""

    host: str
    pages: int


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that were taken from one article, or from copies of it.

    Of the articles `id` is the one that most of the pages match best, `copies` are the others.
    `first_hosts` are those with the most pages, and `first_pages` the ids of the first pages of
    the table, `FIRST` of each at most.
    """

    id: str
    title: str | None
    url: str | None
    copies: tuple[str, ...]
    pages: int
    hosts: int
    first_hosts: tuple[Count, ...]
    first_pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """A host with pages that have a source: how many, from how many sources, and how many of
    these other hosts have pages from too."""

    host: str
    pages: int
    sources: int
    shared: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two hosts that have pages from the same sources, and from how many."""

    hosts: tuple[str, str]
    sources: int


@dataclass(frozen=True, slots=True)
class Traced:
    """What tracing many pages found.

    Of `pages`, `found` have a source, `skipped` could not be read or traced, for `reasons`. Of the
    `sources` (copies of an article are one), `shared` have two pages or more, and each of these a
    group. `groups` and `hosts` begin with those that have the most pages, `pairs` with those that
    have the most sources in common, two or more; of each `LISTED` at most are there.
    """

    pages: int
    found: int
    skipped: int
    sources: int
    shared: int
    groups: tuple[Group, ...]
    hosts: tuple[Host, ...]
    pairs: tuple[Pair, ...]
    reasons: tuple[Reason, ...]
    bad_shards: tuple[BadShard, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as plain values, in the order in which JSON prints them.

        Keys: `unspin` (version); `pages`, of which `found` have a source and `skipped` were not
        traced; `sources`, of which `shared` have two pages or more; `groups`, a list of these
        with `id`, `title`, `url`, `copies`, `pages`, `hosts`, `first_hosts` (a list of `host`,
        `pages`), `first_pages`; `hosts`, a list of `host`, `pages`, `sources`, `shared`; `pairs`,
        a list of `hosts`, `sources`; `reasons` of the skipped ones, a list of `name`,
        `documents`; `bad_shards`, a list of `shard`, `documents` (read before the fault),
        `error`.
        """
        return {"unspin": __version__} | asdict(self)


def tallied(table: Path, bad_shards: Sequence[BadShard] = ()) -> Traced:
    """Return what the table of many pages says of them together.

    Raises:
        ScanError: the table cannot be read.
    """
    network = Network()
    try:
        with pq.ParquetFile(table) as file:
            for batch in file.iter_batches(_ROWS, columns=_COLUMNS):
                for row in batch.to_pylist():
                    network.add(row)
    except (OSError, pa.ArrowException) as error:
        raise ScanError(
            f"{table} cannot be read ({error}): add --overwrite to trace anew"
        ) from None
    return network.traced(bad_shards)


class _Known(NamedTuple):
    """What is known of an article besides its id."""

    title: str | None
    url: str | None


class Network:
    """Counts over the rows of `TRACES`, which are added in the order of the table.

    Memory grows with the articles that were copied, alone or together, and the hosts of each, not
    with the pages.
    """

    def __init__(self) -> None:
        self._pages = self._found = self._skipped = 0
        self._reasons: Counter[str] = Counter()
        self._same: dict[str, str] = {}  # an article and one that it is a copy of, or itself
        self._known: dict[str, _Known] = {}  # articles that were best matches
        self._hosts: defaultdict[str, Counter[str]] = defaultdict(Counter)  # pages, by article
        # Pages by several articles and host: of articles that are one source it is one page.
        self._several: Counter[tuple[tuple[str, ...], str]] = Counter()
        self._host_pages: Counter[str] = Counter()
        self._first: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row."""
        number, self._pages = self._pages, self._pages + 1
        matches = row["matches"]
        if matches is None:
            self._skipped += 1
            reason = row["reason"] or "no reason given"
            if reason in self._reasons or len(self._reasons) < MOST_REASONS:
                self._reasons[reason] += 1
            return
        if not matches:
            return
        self._found += 1
        host = row["source"] or NAMELESS
        self._host_pages[host] += 1
        if len(matches) > 1:
            self._several[tuple(match["id"] for match in matches), host] += 1
        for match in matches:
            article = match["id"]
            self._known.setdefault(article, _Known(match["title"], match["url"]))
            self._hosts[article][host] += 1
            if len(self._first[article]) < FIRST:
                self._first[article].append((number, row["id"] or str(number)))
            for copy in match["copies"]:
                self._same[self._root(copy)] = self._root(article)

    def traced(self, bad_shards: Sequence[BadShard] = ()) -> Traced:
        """Return what the rows add up to."""
        sources = list(self._sources())
        groups = [group for group in sources if group.pages > 1]
        return Traced(
            pages=self._pages,
            found=self._found,
            skipped=self._skipped,
            sources=len(sources),
            shared=len(groups),
            groups=_most(groups, lambda group: (-group.pages, -group.hosts, group.id)),
            hosts=_most(self._rated(), lambda host: (-host.pages, -host.sources, host.host)),
            pairs=_most(self._pairs(), lambda pair: (-pair.sources, pair.hosts)),
            reasons=tuple(
                Reason(reason, pages)
                for reason, pages in sorted(self._reasons.items(), key=lambda r: (-r[1], r[0]))
            ),
            bad_shards=tuple(bad_shards),
        )

    def _root(self, article: str) -> str:
        """The article that stands for this one and its copies."""
        root = article
        while (above := self._same.setdefault(root, root)) != root:
            root = above
        # The next way is shorter.
        while article != root:
            self._same[article], article = root, self._same[article]
        return root

    def _together(self) -> Iterator[tuple[list[str], Counter[str]]]:
        """The articles that are one source, matches only, and the pages from it by host."""
        classes = defaultdict(list)
        for article in self._known:
            classes[self._root(article)].append(article)
        counted_again: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (together, host), pages in self._several.items():
            for root, number in Counter(map(self._root, together)).items():
                counted_again[root][host] += (number - 1) * pages
        for root, articles in classes.items():
            hosts: Counter[str] = Counter()
            for article in articles:
                hosts.update(self._hosts[article])
            hosts.subtract(counted_again[root])
            yield articles, hosts

    def _sources(self) -> Iterator[Group]:
        copies = defaultdict(list)
        for article in self._same:
            copies[self._root(article)].append(article)
        for articles, hosts in self._together():
            best = min(articles, key=lambda article: (-self._hosts[article].total(), article))
            first = heapq.nsmallest(FIRST, {page for a in articles for page in self._first[a]})
            yield Group(
                id=best,
                title=self._known[best].title,
                url=self._known[best].url,
                copies=tuple(sorted({*articles, *copies[self._root(best)]} - {best})),
                pages=hosts.total(),
                hosts=len(hosts),
                first_hosts=tuple(Count(*host) for host in _by_pages(hosts)[:FIRST]),
                first_pages=tuple(page for _, page in first),
            )

    def _rated(self) -> Iterator[Host]:
        sources: Counter[str] = Counter()
        shared: Counter[str] = Counter()
        for _, hosts in self._together():
            sources.update(hosts.keys())
            if len(hosts) > 1:
                shared.update(hosts.keys())
        for host, pages in self._host_pages.items():
            yield Host(host, pages, sources[host], shared[host])

    def _pairs(self) -> Iterator[Pair]:
        pairs: Counter[tuple[str, str]] = Counter()
        for _, hosts in self._together():
            some = sorted(host for host, _ in _by_pages(hosts)[:PAIRED])
            for pair in combinations(some, 2):
                if pair in pairs or len(pairs) < MOST_PAIRS:
                    pairs[pair] += 1
        return (Pair(hosts, sources) for hosts, sources in pairs.items() if sources > 1)


def _by_pages(hosts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(hosts.items(), key=lambda host: (-host[1], host[0]))


def _most(items: Iterable[Item], order: Callable[[Item], Any]) -> tuple[Item, ...]:
    return tuple(heapq.nsmallest(LISTED, items, key=order))


# --- for people


def headline(traced: Traced) -> str:
    """Return what was found in one sentence.

    >>> headline(Traced(4, 3, 0, 2, 1, (), (), (), (), ()))
    '3 of 4 pages (75.0 %) were taken from 2 articles of the index, 2 pages or more from 1 of them'
    """
    if not traced.pages:
        return "No page was found"
    line = (
        f"{traced.found:,} of {counted(traced.pages, 'page')} "
        f"({share(traced.found, traced.pages)}) {'was' if traced.found == 1 else 'were'} taken from"
    )
    if not traced.found:
        return f"{line} an article of the index"
    line = f"{line} {counted(traced.sources, 'article')} of the index"
    return f"{line}, 2 pages or more from {traced.shared:,} of them" if traced.shared else line


def terminal(traced: Traced, console: Console) -> None:
    """Print the findings for people: the articles that were copied most, and who shares them."""
    from rich.text import Text

    console.print(Text(headline(traced), "bold"))
    for section in sections(traced, SHOWN):
        if section.rows:
            console.print()
            console.print(Text(section.title, "bold"))
            console.print(grid(section))
    if traced.found:
        console.print()
        console.print(Text(CAUTION, "italic"))


def sections(traced: Traced, most: int) -> Iterator[Section]:
    """Yield the tables of a summary, `most` rows each; some are empty."""
    yield Section(
        "Articles that several pages were taken from",
        (">pages", ">hosts", "article", "pages of it"),
        [
            (f"{group.pages:,}", f"{group.hosts:,}", _article(group), _few(group))
            for group in traced.groups[:most]
        ],
    )
    yield Section(
        "Where the pages stand",
        ("host", ">pages", ">articles", ">others have too"),
        [
            (named(host.host), f"{host.pages:,}", f"{host.sources:,}", f"{host.shared:,}")
            for host in traced.hosts[:most]
        ],
    )
    yield Section(
        "Hosts with pages from the same articles",
        (">articles", "host", "host"),
        [(f"{pair.sources:,}", *map(named, pair.hosts)) for pair in traced.pairs[:most]],
    )
    yield Section(
        "Why pages were not traced",
        ("reason", ">pages"),
        [(named(reason.name), f"{reason.documents:,}") for reason in traced.reasons[:most]],
    )
    yield faults(traced.bad_shards, most)


def _article(group: Group) -> str:
    name = named(f"{group.title} ({group.id})" if group.title else group.id)
    return f"{name} and {len(group.copies):,} more like it" if group.copies else name


def _few(group: Group) -> str:
    names = ", ".join(named(page, 60) for page in group.first_pages[:2])
    return f"{names}, …" if group.pages > 2 else names
