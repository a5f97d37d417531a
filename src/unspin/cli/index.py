"""`unspin index`: the articles that pages may be taken from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspin.cli.failures import UNREADABLE, explained
from unspin.cli.options import IdField, TextField
from unspin.cli.streams import say, write

if TYPE_CHECKING:
    from unspin.scan.job import Advance
    from unspin.trace.index import Added, Stats

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Index the articles that pages may be taken from.",
)

Articles = Annotated[
    list[str],
    typer.Argument(
        metavar="ARTICLES",
        help="Files, folders, patterns or addresses: JSONL, Parquet, WARC, texts, HTML.",
    ),
]
TitleField = Annotated[
    str | None, typer.Option(metavar="F", help="The field or column of the title.")
]
UrlField = Annotated[
    str | None, typer.Option(metavar="F", help="The field or column of the address.")
]
DateField = Annotated[
    str | None, typer.Option(metavar="F", help="The field or column of the date.")
]
# The index that is changed, and the one that is looked at.
Changed = Annotated[Path, typer.Option("--index", metavar="IX", help="The index, a folder.")]
Asked = Annotated[Path, typer.Argument(metavar="IX", help="The index, a folder.")]


@app.command()
def build(
    articles: Articles,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="IX", help="The folder for it.")],
    text_field: TextField = None,
    id_field: IdField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
    date_field: DateField = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Put it in the place of an index that is there.")
    ] = False,
) -> None:
    """Index articles.

    What each article has besides its text (id, title, address, date) is found by the usual names
    of the fields, or in the head of a page. An index that is not whole is never there: when this
    is interrupted, the folder is as it was.

    \b
    Examples:
      unspin index build news.jsonl.gz -o ix
      unspin index build 'archive/*.parquet' --text-field body --title-field headline -o ix
      unspin index build pages/ -o ix               a folder of texts or HTML
      unspin index build crawl.warc.gz -o ix        needs: pip install 'unspin[warc]'
    """
    from unspin.trace.articles import Named, TraceError

    named = Named(text_field, id_field, title_field, url_field, date_field)
    with explained(TraceError, interrupted="no index was built, and what was there stays"):
        from unspin.trace import index as room

        with _shown(articles) as advance:
            added = room.build(articles, out, named, overwrite=overwrite, advance=advance)
        write(f"{_told(added, 'indexed')}\n")


@app.command()
def add(
    articles: Articles,
    index: Changed,
    text_field: TextField = None,
    id_field: IdField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
    date_field: DateField = None,
) -> None:
    """Add articles to an index; one with an id that is there replaces it.

    Either all are added or, if something is wrong, none.

    \b
    Examples:
      unspin index add today.jsonl --index ix
    """
    from unspin.trace.articles import Named, TraceError

    named = Named(text_field, id_field, title_field, url_field, date_field)
    with explained(TraceError, interrupted="either all were added or none"):
        from unspin.trace import index as room

        with _shown(articles) as advance:
            added = room.add(articles, index, named, advance=advance)
        write(f"{_told(added, 'added')}\n")


@app.command()
def remove(
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID", help="Ids of articles; - is standard input, one a line."),
    ],
    index: Changed,
) -> None:
    """Remove articles from an index.

    \b
    Examples:
      unspin index remove story-17 story-18 --index ix
      unspin index remove - --index ix < ids.txt
    """
    from unspin.trace.articles import TraceError

    with explained(TraceError, interrupted="either all were removed or none"):
        from unspin.scan.summary import counted
        from unspin.trace import index as room

        unique = dict.fromkeys(_lines() if ids == ["-"] else ids)
        wanted = [id_ for id_ in unique if id_]
        removed = room.remove(wanted, index)
        missing = len(wanted) - removed
        rest = f", {counted(missing, 'id')} not in the index" if missing else ""
        write(f"{counted(removed, 'article')} removed{rest}\n")


@app.command()
def stats(
    index: Asked,
    json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False,
) -> None:
    """Say what is in an index, and how large it is.

    \b
    Examples:
      unspin index stats ix
      unspin index stats ix --json | jq .articles
    """
    from unspin.trace.articles import TraceError

    with explained(TraceError):
        from unspin.trace import index as room

        found = room.stats(index)
        if json:
            from json import dumps

            write(dumps(found.to_dict(), ensure_ascii=False) + "\n")
        else:
            write(_table(found))


@app.command()
def check(index: Asked) -> None:
    """Say whether an index is whole, and what is wrong with it if it is not.

    The exit status is 3 if something is wrong.

    \b
    Examples:
      unspin index check ix
    """
    from unspin.trace.articles import TraceError

    with explained(TraceError):
        from unspin.render import visible
        from unspin.trace import index as room

        faults = room.check(index)
        if not faults:
            write(f"{visible(str(index))}: all is well\n")
            return
        write("".join(f"{visible(fault)}\n" for fault in faults))
    say(f"unspin: {index} is damaged: build it again")
    raise typer.Exit(UNREADABLE)


@contextmanager
def _shown(articles: Sequence[str]) -> Iterator[Callable[[Advance], None]]:
    """Show how the reading of articles gets on; call what it gives with each advance."""
    from unspin.scan.progress import progress
    from unspin.scan.shards import stored
    from unspin.trace.articles import find

    shards = find(articles)
    with progress(len(shards), sum(map(stored, shards)), found="") as advance:
        yield advance


def _told(added: Added, done: str) -> str:
    """What came of the articles, in a line."""
    from unspin.render import visible
    from unspin.scan.summary import counted

    parts = [f"{counted(added.articles, 'article')} {done}"]
    if added.replaced:
        parts.append(f"{added.replaced:,} in the place of one with the same id")
    line = ", ".join(parts)
    if not added.skipped:
        return line
    reasons = ", ".join(f"{visible(why)} ({n:,})" for why, n in added.skipped.most_common())
    return f"{line}; {added.skipped.total():,} left out: {reasons}"


def _table(stats: Stats) -> str:
    """What is in an index, a line for each fact."""
    from rich.filesize import decimal

    from unspin.scan.summary import counted

    share = f" ({stats.bytes / stats.text_bytes:.0%} of the texts)" if stats.text_bytes else ""
    facts = {
        "articles": f"{stats.articles:,}",
        "near copies": f"{stats.near_copies:,} in {counted(stats.groups, 'group')}",
        "texts": decimal(stats.text_bytes),
        "index": f"{decimal(stats.bytes)}{share.replace('%', ' %')}",
        "parts": f"{stats.parts:,} in {counted(stats.segments, 'segment')}",
        "built by": f"unspin {stats.unspin}",
    }
    return "".join(f"{name:<13}{fact}\n" for name, fact in facts.items())


def _lines() -> list[str]:
    """The lines of standard input, whatever bytes are in them."""
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    return text.replace("\r\n", "\n").split("\n")
