"""How is a trace shown in the terminal? The page beside its source, passage by passage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from unspin.render import percent, shorten, visible
from unspin.scan.summary import counted, named
from unspin.trace.match import Match, Trace
from unspin.trace.sides import Kind, Piece, Row, altered, rows

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

ALTERED = "Names, numbers and the like, which spinners leave alone. None of them is ever put back."
LONGEST = 60  # words without a change that are shown; of more, the middle is left out
KEPT = 15  # of them at either end
OPENING, GLIMPSE = 300, 80  # characters shown of what aligns with no article, and with another
SHOWN = 12  # alterations, and copies
_STYLES: dict[tuple[Kind, int], str] = {
    ("changed", 0): "red",
    ("changed", 1): "bold green",
    ("altered", 0): "bold black on yellow",
    ("altered", 1): "bold black on yellow",
    ("alone", 0): "dim italic",
    ("alone", 1): "dim italic",
}
# Without colours the words stand in brackets.
_BRACKETS: dict[Kind, tuple[str, str]] = {
    "changed": ("[", "]"),
    "altered": ("[[", "]]"),
    "alone": ("{", "}"),
}


_Mark = Callable[[str, Kind, int], "Text"]  # words, of a kind, on the page (0) or in the source (1)


def summary(trace: Trace) -> str:
    """Return where the page was taken from, in one line.

    >>> summary(Trace("It is noon.", 3, (), "nothing indexed has a passage of it"))
    'no source found — nothing indexed has a passage of it'
    """
    if not trace.matches:
        return f"no source found — {trace.reason}" if trace.reason else "no source found"
    best = trace.matches[0]
    share = percent(trace.coverage, digits=0)
    if len(trace.matches) == 1:
        return (
            f"taken from {headline(best)} — {percent(best.probability)} probability, "
            f"{share} of the page's words"
        )
    return (
        f"taken from {len(trace.matches)} articles, together {share} of the page's words; "
        f"first of {headline(best)} — {percent(best.probability)} probability"
    )


def headline(match: Match) -> str:
    """Return the article's title, or its id if it has none, on one line."""
    return f"“{named(match.title)}”" if match.title and match.title.strip() else named(match.id)


def facts(match: Match) -> str:
    """Return how much of the page was taken from an article, and what was done to it."""
    swaps = [swap for swap in match.substitutions if not swap.is_protected]
    share = percent(match.coverage, digits=0)
    parts = [
        f"{percent(match.probability)} probability",
        f"{share} of the page's words in {counted(len(match.passages), 'passage')}",
        f"{counted(len(swaps), 'substitution')}",
    ]
    if alterations := len(match.substitutions) - len(swaps):
        parts.append(f"{alterations:,} altered")
    return ", ".join(parts)


def copies(match: Match) -> str:
    """Return which other articles match as well, in a sentence; empty if none does."""
    if not match.copies:
        return ""
    ids = ", ".join(named(id_) for id_ in match.copies[:SHOWN])
    more = len(match.copies) - SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f"The same stands in {counted(len(match.copies), 'other article')}: {ids}{rest}"


def terminal(trace: Trace, console: Console) -> None:
    """Print each match: page and source side by side, as wide as the console.

    Where the console has no colours the words that differ stand in brackets.
    """
    has_colours = console.color_system is not None and not console.no_color
    mark = _coloured if has_colours else _bracketed
    for number, match in enumerate(trace.matches):
        if number:
            console.print()
        for block in _match(trace, number, match, mark):
            console.print(block)


def _match(trace: Trace, number: int, match: Match, mark: _Mark) -> Iterator[RenderableType]:
    from rich.text import Text

    many = f"{number + 1}. " if len(trace.matches) > 1 else ""
    yield Text(f"{many}{headline(match)}", "bold")
    about = [named(match.id)] if match.title else []
    about += [named(fact) for fact in (match.date, match.url) if fact]
    if about:
        yield Text(" · ".join(about), "dim")
    yield Text(facts(match))
    if sentence := copies(match):
        yield Text(sentence, "dim")
    if found := altered(match):
        yield Text.assemble("\n", ("Altered", "bold"), "\n", (ALTERED, "dim"))
        yield _alterations(found)
    yield Text()
    yield _legend(match, mark)
    yield Text()
    yield _side_by_side(trace, number, mark)


def _alterations(found: list[tuple[str, str, int]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for head in ("page", "source", ""):
        table.add_column(head, overflow="fold")
    for spun, original, count in found[:SHOWN]:
        times = f"{count:,} times" if count > 1 else ""
        table.add_row(Text(visible(spun), "bold"), Text(visible(original)), Text(times, "dim"))
    if len(found) > SHOWN:
        table.add_row(Text(f"and {len(found) - SHOWN:,} more", "dim"))
    return table


def _legend(match: Match, mark: _Mark) -> Text:
    from rich.text import Text

    kinds: list[tuple[str, Kind]] = [("substituted", "changed")]
    if any(swap.is_protected for swap in match.substitutions):
        kinds.append(("altered", "altered"))
    kinds.append(("on one side only", "alone"))
    legend = Text.assemble(("Words: ", "dim"))
    for at, (name, kind) in enumerate(kinds):
        legend.append("  " if at else "")
        legend.append_text(_styled([Piece(name, kind)], 0, mark))
    return legend


def _side_by_side(trace: Trace, number: int, mark: _Mark) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.MINIMAL, expand=True, leading=1, pad_edge=False, header_style="dim", show_edge=False
    )
    for head in ("page", "source"):
        table.add_column(head, ratio=1, overflow="fold")
    for row in rows(trace, number):
        table.add_row(*_cells(trace, row, mark))
    return table


def _cells(trace: Trace, row: Row, mark: _Mark) -> tuple[Text, Text]:
    from rich.text import Text

    if row.passage is not None:
        return _styled(row.page, 0, mark), _styled(row.source, 1, mark)
    words = visible("".join(piece.text for piece in row.page))
    opening = shorten(words, OPENING if row.elsewhere is None else GLIMPSE)
    return Text(opening, "dim italic"), Text(f"({whereabouts(trace, row)})", "dim")


def whereabouts(trace: Trace, row: Row) -> str:
    """Return why nothing stands beside a row of the page."""
    if row.elsewhere is not None:
        return f"taken from article {row.elsewhere + 1}"
    return "in none of these articles" if len(trace.matches) > 1 else "not in this article"


def _styled(pieces: Iterable[Piece], side: int, mark: _Mark) -> Text:
    from rich.text import Text

    styled = Text()
    for piece in pieces:
        text = visible(piece.text)
        styled.append_text(_folded(text) if piece.kind == "same" else mark(text, piece.kind, side))
    return styled


def _coloured(text: str, kind: Kind, side: int) -> Text:
    from rich.text import Text

    return Text(text, _STYLES[kind, side])


def _bracketed(text: str, kind: Kind, _side: int) -> Text:
    from rich.text import Text

    before, after = _BRACKETS[kind]
    return Text(f"{before}{text}{after}")


def _folded(text: str) -> Text:
    """The text without its middle, if that is long."""
    from rich.text import Text

    words = text.split(" ")
    if len(words) <= LONGEST:
        return Text(text)
    head, tail = " ".join(words[:KEPT]), " ".join(words[-KEPT:])
    left_out = f"… {len(words) - 2 * KEPT:,} words the same …"
    return Text.assemble(head, " ", (left_out, "dim"), " ", tail)
