"""How is what a scan found shown as a web page? One file that fetches nothing and runs nothing.

The worst pages stand in it with the text around their suspects, which is read again from the
input: the side tables have no text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import unspin.scan.inputs as inputs
from unspin import report as one_page
from unspin.reader import CLEAN, SPUN
from unspin.reading import Suspect
from unspin.render import percent, visible
from unspin.scan.job import Fields, ScanError, Shard, ShardError
from unspin.scan.summary import (
    CAUTION,
    Section,
    Summary,
    counted,
    extent,
    faults,
    headline,
    named,
    place,
    sections,
    share,
)
from unspin.scan.tally import BINS, Worst

EXCERPT = 1_500  # characters of a page that are shown
MARGIN = 60  # of them at either end, within which the excerpt is cut between words
ROWS = 20  # of a table
PLOT = 180  # height of the histogram in pixels


@dataclass(frozen=True, slots=True)
class WorstPage:
    """A page to look at first, with the part of its text that has the densest suspects.

    `suspects` stand in `excerpt`, which is None where the text could not be read again; then
    `missing` says why.
    """

    page: Worst
    excerpt: str | None
    suspects: tuple[Suspect, ...] = ()
    missing: str = ""


def fetch_worst(summary: Summary, shards: Sequence[Shard], fields: Fields) -> list[WorstPage]:
    """Return the worst pages with their texts, which are read again from the shards they are in.

    A shard is read up to the last page that is wanted of it, and no shard is read that has none.
    """
    there = {shard.name: shard for shard in shards}
    wanted: dict[str, list[Worst]] = {}
    for page in summary.worst:
        wanted.setdefault(page.shard, []).append(page)
    fetched = {}
    for name, pages in wanted.items():
        for found in _fetch(there.get(name), sorted(pages, key=lambda page: page.row), fields):
            fetched[found.page] = found
    return [fetched[page] for page in summary.worst]


def html(summary: Summary, worst: Sequence[WorstPage]) -> str:
    """Return the summary and its worst pages as one HTML document.

    All that comes from the corpus is escaped, and the document's policy allows nothing but its
    own style sheet: neither a page nor the report can run or fetch anything.
    """
    # The look of the report of one page, and what only this one has.
    styles = (Path(module).with_name("report.css") for module in (one_page.__file__, __file__))
    style = "".join(path.read_text(encoding="utf-8") for path in styles)
    body = chain(
        _header(summary),
        ["<main>"],
        _section(faults(summary.bad_shards, ROWS)),
        _histogram(summary.histogram),
        chain.from_iterable(_section(section) for section in sections(summary, ROWS)),
        _worst(worst),
        ["</main>"],
    )
    return one_page.document(headline(summary), style, body)


def excerpt(text: str, suspects: Iterable[Suspect]) -> tuple[str, tuple[Suspect, ...]]:
    """Return the part of a text with the densest suspects, and those of them that stand in it.

    It has `EXCERPT` characters at most, and an ellipsis where something was cut off.

    >>> excerpt("It was astatine noon.", [Suspect(7, 15, "astatine", 0.9)])[0]
    'It was astatine noon.'
    """
    apart: list[Suspect] = []
    for suspect in sorted(suspects, key=lambda suspect: suspect.start):
        before = apart[-1].end if apart else 0
        if before <= suspect.start < suspect.end <= len(text):
            apart.append(suspect)
    start, end = _cut(text, *_densest(apart))
    lead = "… " if start else ""
    trail = " …" if end < len(text) else ""
    shift = len(lead) - start
    return f"{lead}{text[start:end]}{trail}", tuple(
        Suspect(suspect.start + shift, suspect.end + shift, suspect.spun, suspect.confidence)
        for suspect in apart
        if start <= suspect.start and suspect.end <= end
    )


def _fetch(shard: Shard | None, pages: Sequence[Worst], fields: Fields) -> Iterator[WorstPage]:
    """The pages of one shard, which come in the order of their rows."""
    missing = "Its input is not among those given."
    waiting = list(pages)
    if shard is not None:
        try:
            suspects = _suspects(pages)
            for page, id_, text in _texts(shard, pages, fields):
                waiting.remove(page)
                yield _shown(page, id_, text, suspects[page.row])
            missing = "Its input has fewer records than when it was scanned."
        except (ScanError, ShardError, OSError, ValueError, KeyError, pa.ArrowException) as error:
            missing = f"Its input cannot be read any more: {error}"
    for page in waiting:
        yield WorstPage(page, None, missing=missing)


def _texts(
    shard: Shard, pages: Sequence[Worst], fields: Fields
) -> Iterator[tuple[Worst, str | None, str | None]]:
    """The pages of a shard with the id and the text that now stand in their rows."""
    first, position = 0, 0
    for documents in inputs.read(shard, fields, rows=False):
        batch = documents.batch
        while pages[position].row < first + batch.num_rows:
            row = pages[position].row - first
            yield pages[position], batch["id"][row].as_py(), batch["text"][row].as_py()
            position += 1
            if position == len(pages):
                return
        first += batch.num_rows


def _shown(
    page: Worst, id_: str | None, text: str | None, suspects: Iterable[dict[str, Any]]
) -> WorstPage:
    if text is None or (id_ or str(page.row)) != page.id:
        return WorstPage(page, None, missing="Its input has changed since it was scanned.")
    marked = (
        Suspect(found["start"], found["end"], text[found["start"] : found["end"]], confidence)
        for found in suspects
        if (confidence := found["confidence"]) is not None
    )
    return WorstPage(page, *excerpt(text, marked))


def _suspects(pages: Sequence[Worst]) -> dict[int, list[dict[str, Any]]]:
    """The suspects of some rows, in order, of one side table."""
    table = pages[0].table
    rows = [page.row for page in pages]
    if table.suffix == ".parquet":
        return dict(zip(rows, _parquet_suspects(table, rows), strict=True))
    suspects = {}
    with table.open(encoding="utf-8") as lines:
        read = 0
        for row in rows:
            line = next(islice(lines, row - read, None), "{}")
            suspects[row] = json.loads(line).get("suspects") or []
            read = row + 1
    return suspects


def _parquet_suspects(table: Path, rows: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
    with pq.ParquetFile(table) as file:
        group, first = 0, 0
        for row in rows:
            while row >= first + file.metadata.row_group(group).num_rows:
                first += file.metadata.row_group(group).num_rows
                group += 1
            column = file.read_row_group(group, columns=["suspects"])["suspects"]
            yield column[row - first].as_py() or []


def _densest(suspects: Sequence[Suspect]) -> tuple[int, int]:
    """From where to where those suspects stand that are worth most and fit into an excerpt."""
    best, span = 0.0, (0, 0)
    worth, first = 0.0, 0
    for last, suspect in enumerate(suspects):
        worth += suspect.confidence
        while first < last and suspect.end - suspects[first].start > EXCERPT - 2 * MARGIN:
            worth -= suspects[first].confidence
            first += 1
        if worth > best:
            best, span = worth, (suspects[first].start, suspect.end)
    return span


def _cut(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the excerpt around a span begins and ends: in the middle of it, and at words."""
    spare = EXCERPT - min(end - start, EXCERPT)
    start = max(0, min(start - spare // 2, len(text) - EXCERPT))
    end = min(len(text), start + EXCERPT)
    # A text without blanks is cut where it has to be.
    if start:
        near = range(start, min(start + MARGIN, end))
        start = next((at for at in near if text[at - 1].isspace()), start)
    if end < len(text):
        near = range(end, max(end - MARGIN, start), -1)
        end = next((at for at in near if text[at].isspace()), end)
    return start, end


def _header(summary: Summary) -> Iterator[str]:
    yield f"<header><h1>{headline(summary)}</h1>"
    yield f'<p class="reason">{_sentence(extent(summary))} {CAUTION}</p>'
    yield '<dl class="figures">'
    for name in ("spun", "unsure", "clean", "skipped"):
        documents = getattr(summary, name)
        part = _safe(share(documents, summary.documents)) if summary.documents else ""
        yield f"<div><dt>{name.title()}</dt><dd>{documents:,}<small>{part}</small></dd></div>"
    yield "</dl></header>"


def _section(section: Section) -> Iterator[str]:
    if section.rows:
        yield f"<section><h2>{section.title}</h2>"
        yield from _table(section)
        yield "</section>"


def _table(section: Section) -> Iterator[str]:
    numbers = [head.startswith(">") for head in section.heads]
    classes = [' class="number"' if number else "" for number in numbers]
    heads = [head.removeprefix(">") for head in section.heads]
    yield '<div class="scroll"><table><thead><tr>'
    for class_, head in zip(classes, heads, strict=True):
        yield f'<th scope="col"{class_}>{head.capitalize()}</th>'
    yield "</tr></thead><tbody>"
    for name, *cells in section.rows:
        data = (
            f"<td{class_}>{_safe(cell)}</td>"
            for class_, cell in zip(classes[1:], cells, strict=True)
        )
        yield f'<tr><th scope="row">{_safe(name)}</th>{"".join(data)}</tr>'
    yield "</tbody></table></div>"


def _histogram(histogram: Sequence[int]) -> Iterator[str]:
    """Bars of the logarithm: of most corpora all but a few documents are in the first one."""
    most = max(histogram)
    if not most:
        return
    title = "How probable it is that a document is spun"
    ranges = [f"{100 * at // BINS} to {100 * (at + 1) // BINS} %" for at in range(BINS)]
    yield f'<section><h2>{title}</h2><figure class="histogram">'
    yield f'<svg height="{PLOT + 24}" role="img" aria-label="{title}: a bar for each 5 %">'
    for tick in (10**power for power in range(len(str(most)))):
        y = PLOT - _height(tick, most)
        yield f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{tick:,}</text>'
    for at, documents in enumerate(histogram):
        height = _height(documents, most)
        yield (
            f'<rect class="{_verdict(at)}" x="{100 * at / BINS + 0.4:.1f}%"'
            f' width="{100 / BINS - 0.8:.1f}%" y="{PLOT - height:.1f}" height="{height:.1f}">'
            f"<title>{ranges[at]}: {counted(documents, 'document')}</title></rect>"
        )
    yield f'<line class="axis" x1="0" x2="100%" y1="{PLOT}" y2="{PLOT}"/>'
    for at, anchor in ((0, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end")):
        yield f'<text x="{at}%" y="{PLOT + 18}" text-anchor="{anchor}">{at} %</text>'
    yield (
        f"</svg><figcaption>"
        f'<ul class="legend"><li class="clean">below {percent(CLEAN, digits=0)}: clean</li>'
        f'<li class="unsure">between: unsure</li>'
        f'<li class="spun">from {percent(SPUN)}: spun</li></ul>'
        f"<p>The scale is logarithmic. The last bar has some unsure documents too, and documents"
        f" too short to tell are unsure whatever their probability.</p></figcaption></figure>"
    )
    rows = [(name, f"{documents:,}") for name, documents in zip(ranges, histogram, strict=True)]
    yield "<details><summary>As a table</summary>"
    yield from _table(Section(title, ("probability", ">documents"), rows))
    yield "</details></section>"


def _height(documents: int, most: int) -> float:
    return PLOT * math.log1p(documents) / math.log1p(most)


def _verdict(at: int) -> str:
    if at == BINS - 1:
        return "spun"
    return "clean" if at / BINS < CLEAN else "unsure"


def _worst(worst: Sequence[WorstPage]) -> Iterator[str]:
    if not worst:
        return
    yield "<section><h2>Pages to look at first</h2>"
    yield (
        '<p class="reason">The spun pages of the highest probability, each with the passage that'
        " has the most <mark>words likely substituted</mark>.</p>"
    )
    for number, found in enumerate(worst, 1):
        page = found.page
        facts = {
            "Probability": percent(page.probability),
            "Words replaced": f"{percent(page.rate, digits=0)} of {page.words:,}",
            "Family": page.family,
            "Source": page.source,
            "Shard": f"{page.shard}, row {page.row}",
        }
        yield f"<article><h3>{number}. {_safe(place(page))}</h3><dl>"
        for name, fact in facts.items():
            yield f"<div><dt>{name}</dt><dd>{_safe(named(fact))}</dd></div>"
        yield "</dl>"
        if found.excerpt is None:
            yield f'<p class="missing">No text to show. {_safe(named(found.missing, 500))}</p>'
        else:
            marked = "".join(_marked(found.excerpt, found.suspects))
            yield f'<blockquote dir="auto">{marked}</blockquote>'
        yield "</article>"
    yield "</section>"


def _marked(text: str, suspects: Iterable[Suspect]) -> Iterator[str]:
    cursor = 0
    for suspect in suspects:
        yield _safe(_lines(text[cursor : suspect.start]))
        sure = _safe(percent(suspect.confidence, digits=0))
        word = _safe(_lines(text[suspect.start : suspect.end]))
        yield f'<mark title="{sure} likely substituted">{word}</mark>'
        cursor = suspect.end
    yield _safe(_lines(text[cursor:]))


def _lines(text: str) -> str:
    """The text with one line end where there were several, or one of another kind."""
    lines = text.replace("\r", "\n").split("\n")
    return "\n".join([*lines[:1], *filter(str.strip, lines[1:-1]), *lines[1:][-1:]])


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _safe(text: str) -> str:
    return escape(visible(text))
