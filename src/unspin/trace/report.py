"""How is a trace shown as a web page? One file that fetches nothing and runs nothing.

The page stands beside its source, paragraph by paragraph. Every word that differs links to the
one in its place on the other side, every passage to where it stands in the article, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import chain, groupby
from pathlib import Path

from unspin import report as one_page
from unspin.render import percent, visible
from unspin.scan.summary import counted, named
from unspin.trace.match import Match, Substitution, Trace
from unspin.trace.sides import Piece, Row, altered, rows
from unspin.trace.view import ALTERED, copies, headline, whereabouts

WHOLE = 200_000  # characters of an article that is shown whole, below the passages
SIDES = "ps"  # page and source, in the names of places
_CLASSES = {"changed": ("printed-word", "sure"), "altered": ("altered", "altered")}


def html(trace: Trace) -> str:
    """Return the trace as one HTML document.

    The texts of page and articles are escaped, and the document's policy allows nothing but its
    own style sheet: neither they nor the report can run or fetch anything.

    >>> "<h1>No source found</h1>" in html(Trace("It is noon.", 3, (), "nothing indexed has it"))
    True
    """
    # The look of the report of one page, and what only this one has.
    styles = (Path(module).with_name("report.css") for module in (one_page.__file__, __file__))
    style = "".join(path.read_text(encoding="utf-8") for path in styles)
    body = chain(
        _header(trace),
        ["<main>"],
        chain.from_iterable(_match(trace, number) for number in range(len(trace.matches))),
        ["</main>"],
    )
    return one_page.document(_safe(_title(trace)), style, body)


def _title(trace: Trace) -> str:
    if not trace.matches:
        return "No source found"
    if len(trace.matches) == 1:
        return f"Taken from {headline(trace.matches[0])}"
    return f"Taken from {counted(len(trace.matches), 'article')}"


def _header(trace: Trace) -> Iterator[str]:
    yield f"<header><h1>{_safe(_title(trace))}</h1>"
    if not trace.matches:
        yield f'<p class="reason">{_safe(_sentence(trace.reason))}</p></header>'
        return
    swaps = [swap for match in trace.matches for swap in match.substitutions]
    alterations = sum(swap.is_protected for swap in swaps)
    explained = sum(bool(swap.reason) for swap in swaps)
    passages = sum(len(match.passages) for match in trace.matches)
    best = "of the first article" if len(trace.matches) > 1 else "that it was taken from there"
    figures = [
        ("Probability", percent(trace.matches[0].probability), best),
        ("Taken", percent(trace.coverage, digits=0), f"of {counted(trace.words, 'word')}"),
        ("Passages", f"{passages:,}", ""),
        (
            "Words substituted",
            f"{len(swaps) - alterations:,}",
            f"{explained:,} as known spinners do",
        ),
        ("Altered", f"{alterations:,}", "names, numbers and the like"),
    ]
    yield '<dl class="figures">'
    for name, figure, note in figures:
        small = f"<small>{_safe(note)}</small>" if note else ""
        yield f"<div><dt>{name}</dt><dd>{_safe(figure)}{small}</dd></div>"
    yield "</dl></header>"


def _match(trace: Trace, number: int) -> Iterator[str]:
    match = trace.matches[number]
    yield f'<section id="m{number + 1}">'
    if len(trace.matches) == 1:
        yield "<h2>Source</h2>"
        yield from _about(match, {})
    else:
        yield f"<h2>Article {number + 1}</h2><h3>{_safe(headline(match))}</h3>"
        shares = {
            "Probability": percent(match.probability),
            "Taken": f"{percent(match.coverage, digits=0)} of the page’s words",
        }
        yield from _about(match, shares)
    yield from _alterations(match)
    yield from _sides(trace, number)
    yield from _whole(match, number)
    yield "</section>"


def _about(match: Match, shares: Mapping[str, str]) -> Iterator[str]:
    """What is known of the article."""
    entries = {"Id": named(match.id), "Date": named(match.date or ""), **shares}
    yield '<dl class="facts">'
    yield "".join(
        f"<div><dt>{name}</dt><dd>{_safe(fact)}</dd></div>"
        for name, fact in entries.items()
        if fact
    )
    if match.url:
        yield f"<div><dt>Address</dt><dd>{_address(match.url)}</dd></div>"
    yield "</dl>"
    if sentence := copies(match):
        yield f'<p class="remark">{_safe(sentence)}.</p>'


def _address(url: str) -> str:
    """The address, which can be followed if it is one of the web."""
    shown = _safe(named(url))
    if not url.startswith(("http://", "https://")):
        return shown
    return f'<a href="{_safe(named(url, 2_000))}" rel="noreferrer noopener">{shown}</a>'


def _alterations(match: Match) -> Iterator[str]:
    found = altered(match)
    if not found:
        return
    yield f'<h2>Altered</h2><p class="remark">{_safe(ALTERED)}</p>'
    yield '<div class="scroll"><table class="alterations"><thead><tr>'
    yield '<th scope="col">This page</th><th scope="col">Source</th><td></td></tr></thead><tbody>'
    for spun, original, count in found:
        times = f"{count:,} times" if count > 1 else ""
        yield (
            f'<tr><td><span class="altered">{_safe(spun)}</span></td><td>{_safe(original)}</td>'
            f'<td class="soft">{times}</td></tr>'
        )
    yield "</tbody></table></div>"


def _sides(trace: Trace, number: int) -> Iterator[str]:
    match = trace.matches[number]
    yield (
        '<h2>Side by side</h2><ul class="legend"><li><span class="printed-word">substituted</span>'
        ' for <span class="sure">the source’s word</span></li>'
    )
    if any(swap.is_protected for swap in match.substitutions):
        yield '<li><span class="altered">altered</span> name, number or the like</li>'
    yield '<li><span class="alone">on one side only</span></li></ul>'
    yield '<div class="pages">'
    yield '<div class="row heads"><div>This page</div><div>Source</div></div>'
    for passage, group in groupby(rows(trace, number), key=lambda row: row.passage):
        if passage is None:
            yield from (_unaligned(trace, row) for row in group)
        else:
            yield _passage_head(match, number, passage)
            yield from (_row(row, match, number) for row in group)
    yield "</div>"


def _passage_head(match: Match, number: int, at: int) -> str:
    passage = match.passages[at]
    name = f"m{number + 1}-{at + 1}"
    place = f"characters {passage.source_start:,} to {passage.source_end:,} of the article"
    if len(match.text) <= WHOLE:
        place = f'<a href="#{name}a">{place}</a>'
    return (
        f'<div class="row passage" id="{name}"><div>Passage {at + 1}</div><div>{place}</div></div>'
    )


def _row(row: Row, match: Match, number: int) -> str:
    page, source = (
        "".join(_piece(piece, side, match, number) for piece in pieces)
        for side, pieces in enumerate((row.page, row.source))
    )
    return f'<div class="row"><p dir="auto" lang="">{page}</p><p dir="auto">{source}</p></div>'


def _unaligned(trace: Trace, row: Row) -> str:
    page = "".join(_safe(piece.text) for piece in row.page)
    why = whereabouts(trace, row)
    if row.elsewhere is not None:
        why = f'<a href="#m{row.elsewhere + 1}">{why}</a>'
    return f'<div class="row unaligned"><p dir="auto" lang="">{page}</p><p>{why}</p></div>'


def _piece(piece: Piece, side: int, match: Match, number: int) -> str:
    text = _safe(piece.text)
    if piece.kind == "same":
        return text
    if piece.number is None:
        return f'<span class="alone">{text}</span>'
    name = f"m{number + 1}{{}}{piece.number + 1}"
    swap = match.substitutions[piece.number]
    there = swap.original if side == 0 else swap.spun
    link = f' href="#{name.format(SIDES[1 - side])}"' if there.strip() else ""
    return (
        f'<a id="{name.format(SIDES[side])}"{link} class="{_CLASSES[piece.kind][side]}"'
        f' data-note="{_safe(_note(swap, side))}">{text}</a>'
    )


def _note(swap: Substitution, side: int) -> str:
    other = f"in the source: {swap.original}" if side == 0 else f"on the page: {swap.spun}"
    if swap.is_protected:
        return f"{other}\nno word that spinners change"
    return f"{other}\n{swap.reason or 'no known spinner swaps the two'}"


def _whole(match: Match, number: int) -> Iterator[str]:
    """The article, with its passages marked."""
    size = counted(len(match.text), "character")
    if len(match.text) > WHOLE:
        yield f'<p class="rest">The article has {size}: too long to show it whole.</p>'
        return
    # Where a line is a paragraph these want space between.
    gap = "\n" if "\n\n" in match.text else "\n\n"
    text = "".join(_marked(match, number)).replace("\n", gap)
    yield f"<details><summary>The whole article ({size})</summary>"
    yield f'<div class="article" dir="auto">{text}</div></details>'


def _marked(match: Match, number: int) -> Iterator[str]:
    cursor = 0
    passages = sorted(enumerate(match.passages, 1), key=lambda entry: entry[1].source_start)
    for at, passage in passages:
        # Two passages of the page can be made of the same part of the article.
        start = max(cursor, passage.source_start)
        end = max(start, passage.source_end)
        name = f"m{number + 1}-{at}"
        yield _safe(match.text[cursor:start])
        yield (
            f'<a class="mark" id="{name}a" href="#{name}">{at}</a>'
            f"<mark>{_safe(match.text[start:end])}</mark>"
        )
        cursor = end
    yield _safe(match.text[cursor:])


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:].rstrip('.')}." if line else ""


def _safe(text: str) -> str:
    return escape(visible(text))
