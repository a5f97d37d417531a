"""`unspin read`: what one page said before it was spun."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspin.cli.failures import SPUN, explained
from unspin.cli.options import FailOn, Families, Rerank, tables
from unspin.cli.second import second_reader
from unspin.cli.streams import page_bytes, save, say, write

if TYPE_CHECKING:
    from unspin.reading import Reading


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
    family: Families = None,
    rerank: Rerank = None,
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
      unspin read page.html --family wave.tsv     as spun by a family that you have a file of
      unspin read page.html --rerank              needs: pip install 'unspin[neural]'
      unspin read page.html --rerank gemma.gguf   needs: pip install 'unspin[llm]'
    """
    if json and markdown:
        raise typer.BadParameter("choose one of --json and --markdown")
    with explained():
        reading = _read(page, min_confidence, science, family, rerank)
        if html is not None:
            from unspin.report import html as report

            save(html, report(reading))
        if json:
            write(reading.to_json() + "\n")
        elif markdown:
            from unspin.render import markdown as as_markdown

            write(as_markdown(reading))
        else:
            _show(reading, text=html is None)
    if fail_on == reading.verdict:
        raise typer.Exit(SPUN)


def _read(
    page: str,
    min_confidence: float | None,
    science: bool,
    families: list[str] | None,
    rerank: str | None,
) -> Reading:
    source = page_bytes(page, "unspin read -")
    known = tables(families)
    from unspin.reader import Reader

    with second_reader(rerank) as second:
        opened = partial(Reader, science=science, families=known, rerank=second)
        reader = opened() if min_confidence is None else opened(min_confidence)
        return reader.read(source)


def _show(reading: Reading, *, text: bool) -> None:
    from unspin.render import summary, tally, told

    say(summary(reading))
    for line in told(reading.findings):
        say(line)
    if counted := tally(reading):
        say(counted)
    if text:
        show_text(reading)


def show_text(reading: Reading) -> None:
    """Print the restored text: in colour in a terminal, and elsewhere to the letter."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        from unspin.render import terminal

        say("")
        write(terminal(reading).rstrip("\n") + "\n")
    else:
        # What was read from a clean page can be compared with what was printed.
        write(reading.text)
