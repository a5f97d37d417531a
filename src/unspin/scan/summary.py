"""What did a scan find? Totals, rates by source and by family, and the pages to look at first.

Here it becomes words and tables for the terminal, which the report shares, and plain values for
programs. What is counted, and in which bounds, is in `tally.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.filesize import decimal

from unspin import __version__
from unspin.render import percent, visible
from unspin.scan.job import Done
from unspin.scan.tally import BINS, Count, Rate, Tally, Worst

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

CAUTION = (
    "A finding is evidence about a text, not a verdict on its author: read a page before you act"
    " on it."
)
SHOWN = 10  # rows of a table on the terminal


@dataclass(frozen=True, slots=True)
class BadShard:
    """A shard that could not be read to its end, and what was read before that."""

    shard: str
    documents: int
    error: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a scan found.

    `sources` begins with those that have the most spun documents, `families` and `reasons` with
    the most frequent; `Tally` says which are left out. `histogram` has the documents in each of
    `BINS` ranges of the probability, skipped ones left out. `worst` are the spun pages of the
    highest probability, the longer ones first. `written` are the documents of the corpus, None if
    none is written.
    """

    documents: int
    spun: int
    unsure: int
    clean: int
    skipped: int
    words: int
    bytes: int
    shards: int
    written: int | None
    histogram: tuple[int, ...]
    sources: tuple[Rate, ...]
    families: tuple[Count, ...]
    reasons: tuple[Count, ...]
    bad_shards: tuple[BadShard, ...]
    worst: tuple[Worst, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain values, in the order in which JSON prints them.

        Keys: `unspin` (version); `documents`, of which `spun`, `unsure`, `clean`, `skipped`;
        `words`, `bytes` (of the input as stored), `shards`, `written`; `histogram`, a list of
        `from`, `to`, `documents`; `sources`, a list of `source`, `documents`, `spun`, `share`,
        and `other_sources`, the `documents` and `spun` of those not listed; `families` of the
        spun documents and `reasons` of the skipped ones, lists of `name`, `documents`;
        `bad_shards`, a list of `shard`, `documents` (read before the fault), `error`; `worst`, a
        list of `id`, `source`, `shard`, `row` (from 0), `probability`, `words`, `rate` (share of
        words substituted), `family`.
        """
        return {
            "unspin": __version__,
            "documents": self.documents,
            "spun": self.spun,
            "unsure": self.unsure,
            "clean": self.clean,
            "skipped": self.skipped,
            "words": self.words,
            "bytes": self.bytes,
            "shards": self.shards,
            "written": self.written,
            "histogram": [
                {"from": bin_ / BINS, "to": (bin_ + 1) / BINS, "documents": documents}
                for bin_, documents in enumerate(self.histogram)
            ],
            "sources": [asdict(rate) | {"share": rate.share} for rate in self.sources],
            "other_sources": {
                "documents": self.documents - sum(rate.documents for rate in self.sources),
                "spun": self.spun - sum(rate.spun for rate in self.sources),
            },
            "families": [asdict(count) for count in self.families],
            "reasons": [asdict(count) for count in self.reasons],
            "bad_shards": [asdict(bad) for bad in self.bad_shards],
            "worst": [
                {key: value for key, value in asdict(page).items() if key != "table"}
                for page in self.worst
            ],
        }


class Section(NamedTuple):
    """A table for people, which can be empty: a head that begins with `>` is that of numbers."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def summarise(out: Path, done: Sequence[Done]) -> Summary:
    """Return what the tables of these shards, below the folder `out`, say together.

    The order of the shards does not matter.

    Raises:
        ScanError: a table is not there any more, or cannot be read.
    """
    done = sorted(done, key=lambda shard: shard.shard)
    tally = Tally()
    for shard in done:
        tally.add(shard.shard, out / shard.table)
    return Summary(
        documents=sum(shard.documents for shard in done),
        spun=sum(shard.spun for shard in done),
        unsure=sum(shard.unsure for shard in done),
        clean=sum(shard.clean for shard in done),
        skipped=sum(shard.skipped for shard in done),
        words=tally.words,
        bytes=sum(shard.bytes for shard in done),
        shards=len(done),
        written=sum(shard.written for shard in done)
        if any(shard.corpus is not None for shard in done)
        else None,
        histogram=tuple(tally.histogram),
        sources=tally.sources(),
        families=tally.families(),
        reasons=tally.reasons(),
        bad_shards=tuple(
            BadShard(shard.shard, shard.documents, shard.error)
            for shard in done
            if shard.error is not None
        ),
        worst=tuple(tally.worst),
    )


def headline(summary: Summary) -> str:
    """Return what was found in one sentence.

    >>> nothing = Summary(0, 0, 0, 0, 0, 0, 0, 0, None, (), (), (), (), (), ())
    >>> headline(nothing)
    'No document was found'
    """
    if not summary.documents:
        return "No document was found"
    return (
        f"{summary.spun:,} of {counted(summary.documents, 'document')} "
        f"({share(summary.spun, summary.documents)}) {'is' if summary.spun == 1 else 'are'} spun"
    )


def extent(summary: Summary) -> str:
    """Return how much was read, and written, in one sentence."""
    line = (
        f"{counted(summary.words, 'word')}, {decimal(summary.bytes)}"
        f" in {counted(summary.shards, 'shard')}"
    )
    if summary.written is None:
        return line
    return f"{line}; {counted(summary.written, 'document')} written to the corpus"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "shard"), counted(80_000, "document")
    ('1 shard', '80,000 documents')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """Return a share of things counted: none and all are certain, what lies between is not.

    >>> share(0, 9), share(9, 9), share(99_999, 100_000), share(1_204, 80_000)
    ('0 %', '100 %', '> 99.9 %', '1.5 %')
    """
    if part == whole:
        return "100 %"
    return percent(part / whole) if part else "0 %"


def named(name: str, length: int = 200) -> str:
    """Return an id, a source or a message on one line that commands and reorders nothing.

    >>> named("a.example/\\x1b[31m\\u202egpj.exe\\n")
    'a.example/␛[31m\\ufffdgpj.exe'
    """
    line = visible(" ".join(name[: 2 * length].split())).translate(_REORDERING)
    return line if len(line) <= length else f"{line[:length]}…"


def place(page: Worst) -> str:
    """Return where a page is to be found: by its id, and by its shard if that is a mere number."""
    return named(f"{page.id} in {page.shard}" if page.id.isdigit() else page.id)


def terminal(summary: Summary, console: Console) -> None:
    """Print the summary for people: what was found, where, and what to look at first."""
    from rich.text import Text

    console.print(Text(headline(summary), "bold"))
    console.print(Text(extent(summary), "dim"))
    for section in (
        _verdicts(summary),
        *sections(summary, SHOWN),
        _first_look(summary),
        faults(summary.bad_shards, SHOWN),
    ):
        if section.rows:
            console.print()
            console.print(Text(section.title, "bold"))
            console.print(grid(section))
    console.print()
    console.print(Text(CAUTION, "italic"))


def sections(summary: Summary, most: int) -> Iterator[Section]:
    """Rates by source, families and reasons, `most` rows each and one for all that is left out."""
    rates = [*summary.sources[:most]] if summary.spun else []
    others = Rate(
        "all others",
        summary.documents - sum(rate.documents for rate in rates),
        summary.spun - sum(rate.spun for rate in rates),
    )
    yield Section(
        "Sources, those with the most spun documents first",
        ("source", ">documents", ">spun", ">share"),
        [
            (
                named(rate.source),
                f"{rate.documents:,}",
                f"{rate.spun:,}",
                share(rate.spun, rate.documents),
            )
            for rate in (*rates, others)
            if rates and rate.documents
        ],
    )
    yield Section(
        "Families of the spun documents",
        ("family", ">documents", ">share"),
        _counts(summary.families[:most], summary.spun),
    )
    yield Section(
        "Why documents were skipped",
        ("reason", ">documents", ">share"),
        _counts(summary.reasons[:most], summary.skipped),
    )


def faults(bad_shards: Sequence[BadShard], most: int) -> Section:
    """The shards, `most` of them, that could not be read to their ends."""
    return Section(
        f"{counted(len(bad_shards), 'shard')} could not be read to the end",
        ("shard", ">read before", "fault"),
        [
            (named(bad.shard), counted(bad.documents, "document"), named(bad.error))
            for bad in bad_shards[:most]
        ],
    )


def _verdicts(summary: Summary) -> Section:
    verdicts = {name: getattr(summary, name) for name in ("spun", "unsure", "clean", "skipped")}
    return Section(
        "Verdicts",
        ("verdict", ">documents", ">share"),
        [
            (name, f"{documents:,}", share(documents, summary.documents))
            for name, documents in verdicts.items()
            if summary.documents
        ],
    )


def _counts(counts: Sequence[Count], whole: int) -> list[tuple[str, ...]]:
    others = Count("all others", whole - sum(count.documents for count in counts))
    return [
        (named(count.name), f"{count.documents:,}", share(count.documents, whole))
        for count in (*counts, others)
        if count.documents
    ]


def _first_look(summary: Summary) -> Section:
    return Section(
        "Pages to look at first",
        (">probability", ">words", "page"),
        [
            (percent(page.probability), f"{page.words:,}", place(page))
            for page in summary.worst[: SHOWN // 2]
        ],
    )


def grid(section: Section) -> Table:
    """Return a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in section.heads:
        number = head.startswith(">")
        table.add_column(
            head.removeprefix(">"),
            justify="right" if number else "left",
            no_wrap=number,
            overflow="fold",
            min_width=6,
        )
    for row in section.rows:
        table.add_row(*map(Text, row))
    return table


# What makes a line read in another order than it is written: `moc.elgoog` for `google.com`.
_REORDERING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")
