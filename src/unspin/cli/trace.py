"""`unspin trace`: which article a page was taken from."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspin.cli.failures import GO_ON, MENDED, UNREADABLE, explained
from unspin.cli.options import (
    Address,
    Engine,
    Families,
    IdField,
    TextField,
    Workers,
    tables,
)
from unspin.cli.read import show_text
from unspin.cli.streams import draw, page_bytes, save, say, write

if TYPE_CHECKING:
    from unspin.families import FamilyTable
    from unspin.pages import Page
    from unspin.trace.match import Trace
    from unspin.trace.network import Traced


def trace(
    pages: Annotated[
        list[str],
        typer.Argument(
            metavar="PAGE", help="An HTML or text file; - is standard input. With --batch, inputs."
        ),
    ],
    index: Annotated[
        list[Path],
        typer.Option("--index", metavar="IX", help="The index; several are shards of one."),
    ],
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print everything, of a batch its summary, as one JSON object."
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="OUT", help="Write a report to open in a browser."),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Print the page with the source's own words put back.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="Trace the pages of JSONL, Parquet, WARC, folders.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT.parquet", help="The table of a batch."),
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="What runs the workers of a batch.  [default: local]")
    ] = None,
    workers: Workers = None,
    address: Address = None,
    text_field: TextField = None,
    id_field: IdField = None,
    family: Families = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Discard what a batch has written to OUT before.")
    ] = False,
) -> None:
    """Say which article of an index a page was taken from, or that none is its source.

    The page is shown beside its source, passage by passage. What spinners leave alone, names and
    numbers above all, and differs nevertheless, is listed as altered. If no article is the
    source, that is said on standard error and nothing is printed. Articles are indexed by
    `unspin index build`.

    A batch that was interrupted goes on when the same command is run again.

    \b
    Examples:
      unspin trace page.html --index ix             page and source side by side
      unspin trace page.html --index ix --html report.html
      unspin trace page.html --index ix --json | jq '.matches[0].id'
      unspin trace page.html --index ix --restore > restored.txt
      unspin trace page.html --index ix --family wave.tsv
      curl -s https://example.org/ | unspin trace - --index ix
      unspin trace --batch pages.jsonl.gz --index ix -o traced.parquet
      unspin trace --batch crawl/ --index ix1 --index ix2 -o traced.parquet --engine ray
    """
    of_batch = {
        "-o": out,
        "--engine": engine,
        "--workers": workers,
        "--address": address,
        "--text-field": text_field,
        "--id-field": id_field,
        "--overwrite": overwrite,
    }
    if not batch:
        _refuse(of_batch, "is for many pages: add --batch")
        if len(pages) > 1:
            raise typer.BadParameter("name one page, or add --batch to trace many")
        if (
            html is not None
            and html.exists()
            and Path(pages[0]).exists()
            and html.samefile(pages[0])
        ):
            raise typer.BadParameter(f"{html} is the page itself: name another file with --html")
        _trace_page(pages[0], index, family, json=json, html=html, restore=restore)
        return
    _refuse({"--html": html, "--restore": restore}, "is for one page, not --batch")
    if out is None:
        raise typer.BadParameter("--batch needs -o OUT.parquet, for its table")
    if out.suffix != ".parquet":
        raise typer.BadParameter(f"{out}: the table of a batch ends in .parquet")
    if address is not None and engine != "ray":
        raise typer.BadParameter("--address is that of a Ray cluster: add --engine ray")
    from unspin.trace.articles import TraceError

    with explained(TraceError, interrupted=GO_ON):
        from unspin.scan.job import Fields
        from unspin.trace.batch import run

        traced = run(
            pages,
            out,
            index,
            Fields(text_field, id_field),
            engine="local" if engine is None else engine.value,
            workers=workers,
            address=address,
            overwrite=overwrite,
            families=tables(family),
        )
        _told(traced, json=json)
    if traced.bad_shards:
        raise typer.Exit(UNREADABLE)


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Refuse those of some options that were given."""
    for name, value in options.items():
        if value:
            raise typer.BadParameter(f"{name} {why}")


def _told(traced: Traced, *, json: bool) -> None:
    """Print what tracing many pages found."""
    if json:
        from json import dumps

        write(dumps(traced.to_dict(), ensure_ascii=False) + "\n")
    else:
        from unspin.trace.network import terminal

        draw(partial(terminal, traced))
    if traced.bad_shards:
        from unspin.scan.summary import counted

        bad = counted(len(traced.bad_shards), "shard")
        say(f"unspin: {bad} could not be read to the end; {MENDED}")


def _trace_page(
    name: str,
    indexes: Sequence[Path],
    families: list[str] | None,
    *,
    json: bool,
    html: Path | None,
    restore: bool,
) -> None:
    from unspin.trace.articles import TraceError

    with explained(TraceError):
        source = page_bytes(name, "unspin trace - --index IX")
        known = tables(families)
        from unspin.pages import extract
        from unspin.trace.index import Index
        from unspin.trace.tracer import Tracer

        page = extract(source)
        found = Tracer([Index.open(path) for path in indexes], families=known).trace(page)
        if html is not None:
            from unspin.trace.report import html as report

            save(html, report(found))
        if restore:
            _print_restored(found, page, known, json=json)
        elif json:
            write(found.to_json() + "\n")
        else:
            _show(found, sides=html is None)


def _print_restored(
    found: Trace, page: Page, families: Sequence[FamilyTable], *, json: bool
) -> None:
    from unspin.reader import Reader
    from unspin.trace.view import summary

    reading = found.restored(Reader(families=families).read(page))
    if json:
        write(reading.to_json() + "\n")
    else:
        say(summary(found))
        show_text(reading)


def _show(found: Trace, *, sides: bool) -> None:
    from unspin.trace.view import summary, terminal

    sides = sides and bool(found.matches)
    # Where both are seen together the one begins with what the other says.
    if not (sides and sys.stdout.isatty()):
        say(summary(found))
    if sides:
        draw(partial(terminal, found))
