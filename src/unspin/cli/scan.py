"""`unspin scan`: which documents of a corpus are spun."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspin.cli.failures import GO_ON, MENDED, SPUN, UNREADABLE, explained
from unspin.cli.learn import passes, require_numpy, tell
from unspin.cli.options import (
    Address,
    Engine,
    FailOn,
    Families,
    IdField,
    Rerank,
    TextField,
    Workers,
    tables,
)
from unspin.cli.streams import draw, save, say, write

if TYPE_CHECKING:
    from unspin.scan.job import Fields, Settings
    from unspin.scan.run import Scanned
    from unspin.scan.summary import Summary


class Keep(StrEnum):
    """Documents that the corpus of a scan is made of."""

    clean = "clean"
    unsure = "unsure"


class TableFormat(StrEnum):
    """Formats of the side tables of a scan."""

    parquet = "parquet"
    jsonl = "jsonl"


def scan(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files, folders, patterns or addresses: JSONL, Parquet, WARC, WET, texts.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="OUT", help="The folder for the tables."),
    ],
    workers: Workers = None,
    engine: Annotated[Engine, typer.Option(help="What runs the workers.")] = Engine.local,
    address: Address = None,
    text_field: TextField = None,
    id_field: IdField = None,
    table: Annotated[
        TableFormat, typer.Option("--format", help="How the tables are stored.")
    ] = TableFormat.parquet,
    keep: Annotated[
        Keep | None,
        typer.Option(help="Write the corpus of what is clean, or clean or unsure, to OUT/corpus."),
    ] = None,
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Write the corpus with the words of spun texts put back."),
    ] = False,
    rerank: Rerank = None,
    family: Families = None,
    learn: Annotated[
        bool,
        typer.Option("--learn", help="Learn what spinners print that none of the families does."),
    ] = False,
    max_characters: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Skip documents longer than this (1,000,000)."),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="S", min=0.001, help="Skip documents that take longer than this (60)."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Discard what a scan has written to OUT before.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="OUT.html", help="Write a report to open in a browser."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object.")
    ] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit with status 1 when there is a document of this kind."),
    ] = None,
) -> None:
    """Say which documents of a corpus are spun, in a table for every file of it.

    The tables are in OUT/scores, what was kept or restored is in OUT/corpus, and the input is
    never changed. A scan that was interrupted goes on when the same command is run again. A file
    that is broken does not stop it: what could be read is scored, the others are finished, and
    the exit status is 3.

    \b
    Examples:
      unspin scan pages.jsonl.gz -o out              look at a corpus
      unspin scan 'crawl/*.parquet' --text-field body -o out
      unspin scan crawl.warc.gz -o out               needs: pip install 'unspin[warc]'
      unspin scan crawl/ -o out --report report.html with the worst pages, to look at
      unspin scan crawl/ -o out --json | jq .spun
      unspin scan crawl/ -o cleaned --keep clean        the documents that are clean
      unspin scan crawl/ -o restored --restore          all documents, with words put back
      unspin scan crawl/ -o restored --restore --rerank   needs: pip install 'unspin[neural]'
      unspin scan crawl/ -o out --family wave.tsv       also looking for a family of your own
      unspin scan crawl/ -o out --learn                 and offering tables of other families
      unspin scan crawl/ -o out --engine ray --address auto
      unspin scan crawl/ -o out --fail-on spun       for scripts: status 1 if any is spun
    """
    if address is not None and engine != "ray":
        raise typer.BadParameter("--address is that of a Ray cluster: add --engine ray")
    if keep is not None and restore:
        raise typer.BadParameter("choose one of --keep and --restore: what is kept is not spun")
    if rerank is not None and not restore:
        raise typer.BadParameter("--rerank chooses the words that are put back: add --restore")
    if report is not None and not (report.parent.is_dir() or report.is_relative_to(out)):
        # Said now, for at the end of a scan it would be hours later.
        raise typer.BadParameter(f"{report} cannot be written: there is no folder {report.parent}")
    if learn:
        # Before a scan of hours.
        require_numpy()
    from unspin.scan.batch import Limits
    from unspin.scan.job import Fields, ScanError, Settings

    limits = Limits()
    with explained(ScanError, interrupted=GO_ON):
        settings = Settings(
            fields=Fields(text_field, id_field),
            table=table.value,
            keep=keep.value if keep else None,
            restore=restore,
            rerank=rerank,
            limits=Limits(max_characters or limits.characters, max_seconds or limits.seconds),
            families=tables(family),
        )
        from unspin.scan.run import scan as run

        means: dict[str, Any] = {
            "engine": engine.value,
            "workers": workers,
            "address": address,
            "overwrite": overwrite,
        }
        scanned = run(inputs, out, settings, **means)
        summary = _told(out, settings.fields, scanned, report, json)
        if learn:
            _learn(inputs, out, settings, means)
    if summary.bad_shards:
        raise typer.Exit(UNREADABLE)
    if fail_on == "spun" and summary.spun:
        raise typer.Exit(SPUN)


def _learn(inputs: list[str], out: Path, settings: Settings, means: dict[str, Any]) -> None:
    """Learn tables from the spun documents of unknown family, and say where they are."""
    from unspin.learn.errors import LearnError
    from unspin.learn.run import learn, there
    from unspin.learn.work import Settings as Known
    from unspin.scan.manifest import FAMILIES, SCORES

    table = out / FAMILIES / "learned.tsv"
    if not means["overwrite"] and (path := there(table)) is not None:
        say(f"{path} is there: it is left as it is, and nothing else is learned")
        return
    table.parent.mkdir(exist_ok=True)
    known = Known(settings.fields, settings.limits, settings.model, out / SCORES)
    try:
        found = learn(inputs, table, table.stem, known, **means, show=passes())
    except LearnError as error:
        say(f"no table is learned from documents of unknown family: {error}")
        return
    say("Of the documents of unknown family")
    tell(found, json=False)
    say("Look through it with `unspin families show`, then scan again with --family")


def _told(out: Path, fields: Fields, scanned: Scanned, report: Path | None, json: bool) -> Summary:
    """Print the summary of a scan, and write its report."""
    from unspin.scan.summary import counted, summarise, terminal

    summary = summarise(out, scanned.done)
    if report is not None:
        from unspin.scan.report import fetch_worst, html

        save(report, html(summary, fetch_worst(summary, scanned.shards, fields)))
    if json:
        from json import dumps

        write(dumps(summary.to_dict(), ensure_ascii=False) + "\n")
    else:
        draw(partial(terminal, summary))
    if summary.bad_shards:
        bad = f"{len(summary.bad_shards):,} of {counted(summary.shards, 'shard')}"
        say(f"unspin: {bad} could not be read to the end; {MENDED}")
    return summary
