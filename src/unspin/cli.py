"""The command `unspin`: reads arguments, files and streams, and says what went wrong.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 with
`--fail-on spun` when the page is spun, 2 wrong usage, 3 input that cannot be read (or a part of
it, in a scan), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from unspin.reading import Reading
    from unspin.scan.job import Fields
    from unspin.scan.run import Scanned
    from unspin.scan.summary import Summary

SPUN, UNREADABLE, INTERRUPTED = 1, 3, 130

app = typer.Typer(
    # Plain help starts faster than a decorated one, and reads as well in a pager.
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class FailOn(StrEnum):
    """Verdicts that can make the command fail."""

    spun = "spun"


class Keep(StrEnum):
    """Documents that the corpus of a scan is made of."""

    clean = "clean"
    unsure = "unsure"


class TableFormat(StrEnum):
    """Formats of the side tables of a scan."""

    parquet = "parquet"
    jsonl = "jsonl"


class Engine(StrEnum):
    """What the workers of a scan are: processes of this machine, or of Ray."""

    local = "local"
    ray = "ray"


def main() -> None:
    """Run the command."""
    app(prog_name="unspin")


def _print_version(asked: bool) -> None:
    if asked:
        from unspin import __version__

        typer.echo(f"unspin {__version__}")
        raise typer.Exit


@app.callback()
def unspin(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Find machine-spun text and put the original words back.

    \b
    Examples:
      unspin read page.html              what a page said before it was spun
      unspin scan pages/ -o out       which documents of a corpus are spun
      unspin read --help                 more of what `read` can do
      unspin scan --help                 more of what `scan` can do
    """


@app.command()
def read(
    page: Annotated[str, typer.Argument(help="An HTML or text file; - is standard input.")],
    json: Annotated[
        bool, typer.Option("--json", help="Print everything as one JSON object.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the text and its changes as Markdown.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="OUT", help="Write a report to open in a browser."),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Only make changes at least this sure; the rest is reported."
        ),
    ] = None,
    science: Annotated[
        bool, typer.Option("--science", help="Also look for tortured phrases.")
    ] = False,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with status 1 when this is the verdict.")
    ] = None,
) -> None:
    """Say whether a page is spun, and print what it originally said.

    In a terminal each word put back is shown in colour beside what was printed. In a pipe the
    restored text comes alone, and the verdict goes to standard error.

    \b
    Examples:
      unspin read page.html                       look at a page
      unspin read page.html > restored.txt        keep the restored text
      curl -s https://example.org/ | unspin read -
      unspin read page.html --html report.html    printed and restored side by side
      unspin read page.html --json | jq .family
      unspin read page.html --min-confidence 0.95 make only the surest changes
      unspin read page.html --fail-on spun        for scripts: status 1 if spun
      unspin read paper.html --science            with tortured phrases, as screeners look for
    """
    if json and markdown:
        raise typer.BadParameter("choose one of --json and --markdown")
    with _explained():
        reading = _read(page, min_confidence, science)
        if html is not None:
            from unspin.report import html as report

            _save(html, report(reading))
        if json:
            _write(reading.to_json() + "\n")
        elif markdown:
            from unspin.render import markdown as as_markdown

            _write(as_markdown(reading))
        else:
            _show(reading, text=html is None)
    if fail_on == reading.verdict:
        raise typer.Exit(SPUN)


@app.command()
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
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What runs the workers.")] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", metavar="RAY", help="A Ray cluster, instead of one started here."
        ),
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(metavar="F", help="The field or column of the text.")
    ] = None,
    id_field: Annotated[
        str | None, typer.Option(metavar="F", help="The field or column of the id.")
    ] = None,
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
      unspin scan crawl/ -o out --engine ray --address auto
      unspin scan crawl/ -o out --fail-on spun       for scripts: status 1 if any is spun
    """
    if address is not None and engine != "ray":
        raise typer.BadParameter("--address is that of a Ray cluster: add --engine ray")
    if keep is not None and restore:
        raise typer.BadParameter("choose one of --keep and --restore: what is kept is not spun")
    if report is not None and not (report.parent.is_dir() or report.is_relative_to(out)):
        # Said now, for at the end of a scan it would be hours later.
        raise typer.BadParameter(f"{report} cannot be written: there is no folder {report.parent}")
    from unspin.scan.batch import Limits
    from unspin.scan.job import Fields, Settings

    limits = Limits()
    settings = Settings(
        fields=Fields(text_field, id_field),
        table=table.value,
        keep=keep.value if keep else None,
        restore=restore,
        limits=Limits(max_characters or limits.characters, max_seconds or limits.seconds),
    )
    with _explained_scan():
        from unspin.scan.run import scan as run

        scanned = run(
            inputs,
            out,
            settings,
            engine=engine.value,
            workers=workers,
            address=address,
            overwrite=overwrite,
        )
        summary = _told(out, settings.fields, scanned, report, json)
    if summary.bad_shards:
        raise typer.Exit(UNREADABLE)
    if fail_on == "spun" and summary.spun:
        raise typer.Exit(SPUN)


def _told(out: Path, fields: Fields, scanned: Scanned, report: Path | None, json: bool) -> Summary:
    """Print the summary of a scan, and write its report."""
    from unspin.scan.summary import counted, summarise, terminal

    summary = summarise(out, scanned.done)
    if report is not None:
        from unspin.scan.report import fetch_worst, html

        _save(report, html(summary, fetch_worst(summary, scanned.shards, fields)))
    if json:
        from json import dumps

        _write(dumps(summary.to_dict(), ensure_ascii=False) + "\n")
    else:
        from rich.console import Console

        console = Console(highlight=False)
        with console.capture() as printed:
            terminal(summary, console)
        _write(printed.get())
    if summary.bad_shards:
        bad = f"{len(summary.bad_shards):,} of {counted(summary.shards, 'shard')}"
        _say(f"unspin: {bad} could not be read to the end; once mended, run the same command again")
    return summary


def _read(page: str, min_confidence: float | None, science: bool) -> Reading:
    source = _bytes_of(page)
    from unspin.reader import Reader

    if min_confidence is None:
        return Reader(science=science).read(source)
    return Reader(min_confidence, science=science).read(source)


def _bytes_of(page: str) -> bytes:
    """The page's bytes, one more than the limit at most: enough for the reader to refuse it."""
    from unspin.pages import MAX_BYTES

    if page.startswith(("http://", "https://")):
        raise typer.BadParameter(f"addresses are not opened; try: curl -s {page} | unspin read -")
    if page == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(page).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _show(reading: Reading, *, text: bool) -> None:
    from unspin.render import summary, tally, terminal, told

    _say(summary(reading))
    for line in told(reading.findings):
        _say(line)
    if counted := tally(reading):
        _say(counted)
    if not text:
        return
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        _say("")
        _write(terminal(reading).rstrip("\n") + "\n")
    else:
        # To the letter: what was read from a clean page can be compared with what was printed.
        _write(reading.text)


def _say(line: str) -> None:
    """Tell the person at the terminal, whatever standard output is used for."""
    print(line, file=sys.stderr)  # noqa: T201


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from None


def _write(text: str) -> None:
    """Print a result as UTF-8 wherever we run, with half surrogate pairs as question marks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


@contextmanager
def _explained_scan() -> Iterator[None]:
    """Turn what can keep a scan from its end into a message and an exit status."""
    from unspin.scan.job import ScanError

    with _explained():
        try:
            yield
        except ScanError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            _say("unspin: interrupted; run the same command again to go on")
            raise


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what can be wrong with input and output into a message and an exit status."""
    from unspin.arrays import ModelError
    from unspin.pages import PageError

    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _discard_output()
        raise typer.Exit from None
    except (PageError, ModelError) as error:
        _fail(str(error))
    except FileNotFoundError as error:
        _fail(f"{error.filename}: no such file; a single - reads standard input")
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}; name one file that can be read")
    except MemoryError:
        _fail("not enough memory for this page: split it and read one document at a time")


def _discard_output() -> None:
    """Send what Python still flushes on its way out where no closed pipe complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> NoReturn:
    _say(f"unspin: {message}")
    raise typer.Exit(UNREADABLE)
