"""The command `unspin`: reads arguments, files and streams, and says what went wrong.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 with
`--fail-on spun` when the page is spun, 2 wrong usage, 3 input that cannot be read.
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
      unspin read --help                 more of what `read` can do
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
