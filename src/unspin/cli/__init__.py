"""The command `unspin`: reads arguments, files and streams, and says what went wrong.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 with
`--fail-on spun` when the page is spun, 2 wrong usage, 3 input or an index that cannot be read (or
a part of it, in a scan), 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

from unspin.cli import families, index, learn, read, scan, serve, trace
from unspin.cli.options import Reranking

app = typer.Typer(
    # Plain help starts faster than a decorated one, and reads as well in a pager.
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Reranking)(read.read)
app.command(cls=Reranking)(scan.scan)
app.add_typer(index.app, name="index")
app.command()(trace.trace)
app.command()(serve.serve)
app.command()(learn.learn)
app.add_typer(families.app, name="families")


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
      unspin scan pages/ -o out          which documents of a corpus are spun
      unspin index build news/ -o ix     articles that pages may be taken from
      unspin trace page.html --index ix  which of them a page was taken from
      unspin serve --open                a page to paste texts into, and an API
      unspin learn wave/ -o wave.tsv     what the spinner of these pages prints for what
      unspin families list               spinners that you have files of
      unspin read --help                 more of what `read` can do
      unspin scan --help                 more of what `scan` can do
    """
