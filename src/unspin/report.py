"""How is a reading shown as a web page? One file that fetches nothing and runs nothing.

Printed and restored text stand side by side, paragraph by paragraph. Every changed word links
to its row in the table of changes; the same facts appear beside it when the pointer or the
focus is on it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from itertools import chain
from pathlib import Path

from unspin import __version__
from unspin.quotations import Quotation
from unspin.reading import Edit, Reading, Suspect
from unspin.render import (
    CAUTION,
    NOBODY,
    alternatives,
    least_sure,
    percent,
    pieces,
    quoted,
    spun_parts,
    summary,
    unaltered,
    visible,
)

SURE, LIKELY = 0.95, 0.8  # from which confidence on a change is shown as sure, and as likely
_TITLES = {
    "spun": "This page is spun",
    "clean": "This page is clean",
    "unsure": "Spun or clean? Unsure",
}


def html(reading: Reading) -> str:
    """Return the reading as one HTML document.

    The page's text is escaped, and the document's policy allows nothing but its own style sheet:
    neither the page that was read nor the report can run or fetch anything.

    >>> edit = Edit(0, 8, "astatine", "at", 0.97, (("on", 0.02),), "element: synonym")
    >>> spun = Reading("spun", 0.99, 0.9, 0.5, 2, None, "astatine <b>", (edit,), (), (), "element")
    >>> "&lt;b&gt;" in html(spun), "<b>" in html(spun)
    (True, False)
    """
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = chain(
        _header(reading),
        _texts(reading),
        _details(
            "Phrases that may be tortured",
            [
                (
                    f"{finding.printed}: {finding.expected}?",
                    f"{percent(finding.probability, digits=0)} — {finding.reason}",
                )
                for finding in reading.findings
            ],
            CAUTION,
        ),
        _details("Passages that look spun", spun_parts(reading)),
        _quotations(reading),
        _changes(reading.edits),
        _details(
            "Suspects, left as printed",
            [
                (suspect.spun, f"{percent(suspect.confidence, digits=0)} substituted")
                for suspect in reading.suspects
            ],
        ),
        _details(
            "Furniture, not read", [(passage.text, passage.reason) for passage in reading.furniture]
        ),
    )
    return document(_safe(summary(reading)), style, body)


def document(title: str, style: str, body: Iterable[str]) -> str:
    """Return an HTML document whose policy allows nothing but its own style sheet.

    The title and the lines of the body are HTML: what comes from elsewhere is escaped in them.

    >>> "<title>Found</title>" in document("Found", "p { color: red }", ["<p>Two pages.</p>"])
    True
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            *body,
            f"<footer>unspin {__version__}</footer>",
            "</html>\n",
        )
    )


def _header(reading: Reading) -> Iterator[str]:
    figures = [
        ("Probability of being spun", percent(reading.probability), ""),
        ("Words replaced", percent(reading.rate, digits=0), f"of {reading.words:,} words"),
        ("Changes", f"{len(reading.edits):,}", f"{len(reading.suspects):,} more suspected"),
        ("Evidence", f"{reading.llr_per_word:.2f}", "nats a word"),
    ]
    if reading.family:
        shares = sorted(reading.family.weights.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{name} {percent(share, digits=0)}" for name, share in shares[:3])
        figures.append(("Family", reading.family.name, parts))
    yield f"<header><h1>{_TITLES[reading.verdict]}</h1>"
    yield f'<p class="reason">{_safe(reading.reason)}</p>'
    yield '<dl class="figures">'
    for name, figure, note in figures:
        small = f"<small>{_safe(note)}</small>" if note else ""
        yield f"<div><dt>{name}</dt><dd>{_safe(figure)}{small}</dd></div>"
    yield "</dl></header>"


def _texts(reading: Reading) -> Iterator[str]:
    yield "<main><h2>Text</h2>"
    if reading.edits or reading.suspects:
        yield (
            '<ul class="legend">'
            f'<li><span class="sure">sure</span> {percent(SURE, digits=0)} or more</li>'
            f'<li><span class="likely">likely</span> {percent(LIKELY, digits=0)} or more</li>'
            '<li><span class="open">open</span> less</li>'
            '<li><span class="suspect">suspected</span> but left as printed</li></ul>'
        )
    yield '<div class="pages">'
    yield '<div class="row heads"><div>As printed</div><div>Restored</div></div>'
    for printed, restored in _paragraphs(reading):
        yield (
            f'<div class="row"><p dir="auto" lang="">{printed}</p>'
            f'<p dir="auto">{restored}</p></div>'
        )
    yield "</div></main>"


def _paragraphs(reading: Reading) -> Iterator[tuple[str, str]]:
    """Each line of the text, as printed and as restored, with its judgements marked up."""
    printed: list[str] = []
    restored: list[str] = []
    number = 0
    for piece in chain(pieces(reading), ["\n"]):
        if isinstance(piece, str):
            first, *others = piece.replace("\r", "\n").split("\n")
            printed.append(_safe(first))
            restored.append(_safe(first))
            for line in others:
                if "".join(printed).strip():
                    yield "".join(printed), "".join(restored)
                printed, restored = [_safe(line)], [_safe(line)]
        elif isinstance(piece, Edit):
            number += 1
            printed.append(f"<s>{_safe(piece.spun)}</s>")
            restored.append(
                f'<a id="w{number}" href="#e{number}" class="{_sureness(piece.confidence)}"'
                f' data-note="{_safe(_note(piece))}">{_safe(piece.original)}</a>'
            )
        elif isinstance(piece, Suspect):
            marked = f'<span class="suspect">{_safe(piece.spun)}</span>'
            printed.append(marked)
            restored.append(marked)


def _quotations(reading: Reading) -> Iterator[str]:
    quotations = reading.quotations
    if not any(quotation.altered for quotation in quotations):
        return
    numbers = {edit.start: number for number, edit in enumerate(reading.edits, 1)}
    yield '<h2>Quotations</h2><div class="quotations">'
    for quotation in quotations:
        if quotation.altered:
            words = "".join(_quoted(reading, quotation, numbers))
            sure = least_sure(reading, quotation)
            yield (
                f"<figure><figcaption>{_safe(quotation.speaker or NOBODY)}"
                f"<small>least sure change {_safe(sure)}</small></figcaption>"
                f'<blockquote dir="auto">“{words}”</blockquote></figure>'
            )
    yield "</div>"
    if rest := unaltered(quotations):
        yield f'<p class="rest">{rest}.</p>'


def _quoted(reading: Reading, quotation: Quotation, numbers: dict[int, int]) -> Iterator[str]:
    """The words of a quotation, each changed one behind what was printed."""
    for piece in quoted(reading, quotation):
        if isinstance(piece, str):
            yield _safe(piece)
        elif isinstance(piece, Edit):
            yield (
                f"<s>{_safe(piece.spun)}</s> "
                f'<a href="#e{numbers[piece.start]}" class="{_sureness(piece.confidence)}"'
                f' data-note="{_safe(_note(piece))}">{_safe(piece.original)}</a>'
            )
        elif isinstance(piece, Suspect):
            yield f'<span class="suspect">{_safe(piece.spun)}</span>'


def _changes(edits: tuple[Edit, ...]) -> Iterator[str]:
    if not edits:
        return
    yield '<h2>Changes</h2><div class="scroll"><table><thead><tr>'
    yield "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Printed", "Restored", "Confidence", "Alternatives", "Reason")
    )
    yield "</tr></thead><tbody>"
    for number, edit in enumerate(edits, 1):
        yield (
            f'<tr id="e{number}"><td class="printed-word">{_safe(edit.spun)}</td>'
            f'<td><a href="#w{number}">{_safe(edit.original)}</a></td>'
            f'<td class="number"><meter value="{edit.confidence:.3f}"></meter>'
            f"{_safe(percent(edit.confidence, digits=0))}</td>"
            f'<td class="soft">{_safe(alternatives(edit))}</td>'
            f'<td class="soft">{_safe(edit.reason)}</td></tr>'
        )
    yield "</tbody></table></div>"


def _details(title: str, entries: list[tuple[str, str]], remark: str = "") -> Iterator[str]:
    if not entries:
        return
    yield f"<details><summary>{title} ({len(entries):,})</summary>"
    if remark:
        yield f"<p>{remark}</p>"
    yield "<ul>"
    for text, note in entries:
        yield f'<li dir="auto">{_safe(text)} <span>{_safe(note)}</span></li>'
    yield "</ul></details>"


def _note(edit: Edit) -> str:
    lines = [f"printed: {edit.spun}", f"{percent(edit.confidence, digits=0)} sure — {edit.reason}"]
    if edit.alternatives:
        lines.append(f"or: {alternatives(edit)}")
    return "\n".join(lines)


def _sureness(confidence: float) -> str:
    if confidence >= SURE:
        return "sure"
    return "likely" if confidence >= LIKELY else "open"


def _safe(text: str) -> str:
    return escape(visible(text))
