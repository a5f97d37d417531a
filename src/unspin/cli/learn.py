"""`unspin learn`: the table of a spinner that nobody has described, from its pages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspin.cli.failures import GO_ON, UNREADABLE, explained, fail
from unspin.cli.options import Address, Engine, IdField, TextField, Workers
from unspin.cli.streams import say, write

if TYPE_CHECKING:
    from unspin.families import FamilyTable
    from unspin.learn.run import Show, Written
    from unspin.scan.job import Advance, Fields


def learn(
    pages: Annotated[
        list[str],
        typer.Argument(
            metavar="PAGES",
            help="Files, folders, patterns or addresses: JSONL, Parquet, WARC, texts, HTML.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FAMILY.tsv", help="The file for the table.")
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What it is called.  [default: as the file]"),
    ] = None,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="Learn from pages with their originals, exactly."),
    ] = False,
    index: Annotated[
        list[Path] | None,
        typer.Option("--index", metavar="IX", help="With --pairs: where the originals are found."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print what was learned as a JSON object.")
    ] = False,
    engine: Annotated[Engine, typer.Option(help="What the workers are.")] = Engine.local,
    workers: Workers = None,
    address: Address = None,
    text_field: TextField = None,
    id_field: IdField = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew, and replace the table.")
    ] = False,
) -> None:
    """Learn what a spinner prints for what, from pages that it has spun, without their originals.

    A few hundred pages of one site or one wave give most of the words that it replaces, if it
    prints the same word each time. Clean pages among them are left out, and where the pages are of
    several spinners each has a table of its own, in FAMILY-1.tsv and so on. A table is a text file:
    look through it, then name it with --family to whatever reads, scans or traces.

    What was interrupted goes on when the same command is run again.

    With --pairs the originals are there: PAGES are files of JSON lines, {"spun": TEXT, "original":
    TEXT} each, or with --index pages whose originals are looked up in an index of articles. A few
    such pages say as much as hundreds without.

    \b
    Examples:
      unspin learn wave/ -o wave.tsv                  needs: pip install 'unspin[learn]'
      unspin learn wave.jsonl.gz -o wave.tsv --name kelmouth-wave
      unspin learn 'wave/*.parquet' -o wave.tsv --engine ray --address auto
      unspin learn --pairs pairs.jsonl -o wave.tsv
      unspin learn --pairs wave/ --index ix -o wave.tsv
      unspin families show wave.tsv                   what was learned
      unspin read page.html --family wave.tsv
    """
    if address is not None and engine != "ray":
        raise typer.BadParameter("--address is that of a Ray cluster: add --engine ray")
    if index and not pairs:
        raise typer.BadParameter("--index is where originals are found: add --pairs")
    called = _name(name or out.stem)
    require_numpy()
    from unspin.scan.job import Fields, ScanError

    if pairs:
        fields = Fields(text_field, id_field)
        _from_pairs(pages, index or [], out, called, fields, json=json, overwrite=overwrite)
        return
    from unspin.learn.errors import LearnError
    from unspin.learn.run import learn as run
    from unspin.learn.work import Settings

    with explained(ScanError, LearnError, interrupted=GO_ON):
        found = run(
            pages,
            out,
            called,
            Settings(Fields(text_field, id_field)),
            engine=engine.value,
            workers=workers,
            address=address,
            overwrite=overwrite,
            show=passes(),
        )
    tell(found, json=json)
    if found.bad_shards:
        raise typer.Exit(UNREADABLE)


def _from_pairs(
    pages: list[str],
    indexes: list[Path],
    out: Path,
    name: str,
    fields: Fields,
    *,
    json: bool,
    overwrite: bool,
) -> None:
    """Learn a table from pages with their originals."""
    from unspin.cli.families import texts
    from unspin.learn.aligned import PairLearner
    from unspin.learn.errors import LearnError
    from unspin.learn.originals import read_pairs, traced_pairs
    from unspin.learn.run import check, dated, save
    from unspin.scan.job import ScanError
    from unspin.trace.articles import TraceError

    faults: list[str] = []
    with explained(ScanError, LearnError, TraceError):
        check(out, overwrite=overwrite)
        if indexes:
            found = traced_pairs(filter(None, texts(pages, fields, faults)), indexes)
        else:
            found = read_pairs(pages, faults.append)
        learner = PairLearner()
        counts = learner.count(found)
        table = dated(learner.table(counts, name))
        (path,) = save([table], out)
    for fault in faults:
        say(f"unspin: {fault}")
    if json:
        from json import dumps

        told = {"pages": counts.documents + counts.left_out, "left_out": counts.left_out}
        write(dumps(told | {"families": [_family(path, table)]}, ensure_ascii=False) + "\n")
    else:
        if counts.left_out:
            say(f"{_counted(counts.left_out, 'page')} left out: they are not of their originals")
        _tell_of(path, table)
    if faults:
        raise typer.Exit(UNREADABLE)


def require_numpy() -> None:
    """See that what tables are learned with is installed."""
    try:
        import numpy  # noqa: F401
    except ModuleNotFoundError:
        fail("tables are learned with numpy: pip install 'unspin[learn]'")


def passes() -> Show:
    """Return what shows the progress of every pass, under its number."""
    from itertools import count

    from unspin.learn.learner import PASSES
    from unspin.scan.progress import progress

    numbers = count(1)

    def show(shards: int, size: int) -> AbstractContextManager[Callable[[Advance], None]]:
        if sys.stderr.isatty():
            say(f"pass {next(numbers)} of {PASSES}")
        return progress(shards, size)

    return show


def tell(found: Written, *, json: bool) -> None:
    """Print what was learned."""
    for bad in found.bad_shards:
        say(f"unspin: {bad.shard} could not be read to the end: {bad.error}")
    if json:
        from json import dumps

        write(dumps(_object(found), ensure_ascii=False) + "\n")
        return
    learned = found.learned
    clean = learned.pages - learned.spun - learned.skipped
    say(
        f"{learned.spun:,} of {learned.pages:,} pages are spun"
        + (f", {clean:,} were left out as clean" if clean else "")
        + (f", {learned.skipped:,} could not be read" if learned.skipped else "")
    )
    for path, table in zip(found.files, learned.tables, strict=True):
        _tell_of(path, table)


def _tell_of(path: Path, table: FamilyTable) -> None:
    say(f"{path}: {_counted(len(table.entries), 'pair')} learned from {table.learned}")


def _object(found: Written) -> dict[str, object]:
    learned = found.learned
    return {
        "pages": learned.pages,
        "spun": learned.spun,
        "skipped": learned.skipped,
        "families": [
            _family(path, table) for path, table in zip(found.files, learned.tables, strict=True)
        ],
        "bad_shards": [{"shard": bad.shard, "error": bad.error} for bad in found.bad_shards],
    }


def _family(path: Path, table: FamilyTable) -> dict[str, object]:
    return {
        "file": str(path),
        "name": table.name,
        "pairs": len(table.entries),
        "learned": table.learned,
    }


def _counted(number: int, thing: str) -> str:
    from unspin.scan.summary import counted

    return counted(number, thing)


def _name(name: str) -> str:
    from unspin.families import check_name

    try:
        check_name(name)
    except ValueError as error:
        raise typer.BadParameter(f"--name {error}") from None
    return name
