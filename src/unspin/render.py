"""How is a reading shown to a person? In the terminal, and as Markdown.

The report as a web page is in `report.py`. JSON, for programs, is `Reading.to_json`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from unspin.reading import Edit, Reading, Suspect, within

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.text import Text

    from unspin.pages import Passage
    from unspin.quotations import Quotation
    from unspin.tortured import Finding

NOBODY = "speaker not named"
CAUTION = "A marker of risk to look into: no phrase establishes who wrote a text, or how."
OPENING = 70  # characters of a passage that tell which one it is


def pieces(reading: Reading) -> Iterator[str | Edit | Suspect | Passage]:
    """Cut the source text, in order and without gaps, into what was judged and what was not.

    Text between judgements comes as `str`. Where two judgements overlap the first stands.
    """
    judged: list[Edit | Suspect | Passage] = [*reading.edits, *reading.furniture, *reading.suspects]
    return _cut(reading.source_text, judged, 0)


def quoted(reading: Reading, quotation: Quotation) -> Iterator[str | Edit | Suspect | Passage]:
    """Cut the words of a quotation, and only these, like `pieces`."""
    edits = within(reading.edits, quotation.start, quotation.end)
    suspects = within(reading.suspects, quotation.start, quotation.end)
    return _cut(quotation.printed, [*edits, *suspects], quotation.start)


def least_sure(reading: Reading, quotation: Quotation) -> str:
    """Return the lowest confidence among the changes of a quotation, as a percentage."""
    edits = within(reading.edits, quotation.start, quotation.end)
    # A change across the marks leaves it open what was quoted at all.
    return percent(min((edit.confidence for edit in edits), default=0.0), digits=0)


def unaltered(quotations: Iterable[Quotation]) -> str:
    """Return how many quotations nothing was changed in, in one line; empty if there is none.

    >>> from unspin.quotations import Quotation
    >>> unaltered([Quotation(1, 9, None, "It is so", "It is so", altered=False)])
    '1 quotation more, left as printed'
    """
    count = sum(not quotation.altered for quotation in quotations)
    return f"{count} quotation{'' if count == 1 else 's'} more, left as printed" if count else ""


def told(findings: Sequence[Finding]) -> list[str]:
    """Return the tortured phrases of a page, a line for each, below one that says what they are.

    >>> told([])
    []
    """
    if not findings:
        return []
    count = f"{len(findings)} phrase{'' if len(findings) == 1 else 's'}"
    return [f"{count} that may be tortured. {CAUTION}", *map(_told, findings)]


def _told(finding: Finding) -> str:
    sure = percent(finding.probability, digits=0)
    told = f"{finding.printed}: {finding.expected}? ({sure}; {finding.reason})"
    return f"  {visible(told)}"


def spun_parts(reading: Reading) -> list[tuple[str, str]]:
    """Return how the spun passages of a page that is not spun as a whole begin, each with its
    probability as a percentage."""
    if reading.verdict == "spun":
        return []
    return [
        (shorten(reading.source_text[part.start : part.end], OPENING), percent(part.probability))
        for part in reading.parts
        if part.verdict == "spun"
    ]


def shorten(text: str, length: int) -> str:
    """Return the beginning of a text on one line, cut between words if it is longer.

    >>> shorten("It was cold.\\nNobody came.", 15)
    'It was cold. …'
    """
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length].rpartition(' ')[0] or line[:length]} …"


def summary(reading: Reading) -> str:
    """Return the verdict and its numbers in one line.

    >>> empty = Reading("unsure", 0.5, 0.0, 0.0, 0, None, "", (), (), (), "no text to read")
    >>> summary(empty)
    'unsure — no text to read'
    """
    probability = percent(reading.probability)
    if reading.verdict == "unsure":
        line = f"unsure — {reading.reason}"
        return line if reading.words == 0 else f"{line} ({probability} probability that it is spun)"
    if reading.verdict == "clean":
        return f"clean — {probability} probability that it is spun"
    family = f", family {reading.family.name}" if reading.family else ""
    return (
        f"spun — {probability} probability, "
        f"{percent(reading.rate, digits=0)} of words replaced{family}"
    )


def tally(reading: Reading) -> str:
    """Return how much was done, in one line; empty when there is nothing to count.

    >>> tally(Reading("clean", 0.0, 0.0, 0.0, 1, None, "Noon.", (), (), (), "nothing found"))
    ''
    """
    counts = (
        (len(reading.edits), "change", "put back"),
        (len(reading.suspects), "suspect", "left as printed"),
        (len(reading.furniture), "line", "set apart as furniture"),
    )
    return ", ".join(
        f"{count} {noun}{'' if count == 1 else 's'} {done}" for count, noun, done in counts if count
    )


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage that never rounds to certainty.

    >>> percent(0.9982), percent(0.99999), percent(0.0), percent(0.231, digits=0)
    ('99.8 %', '> 99.9 %', '< 0.1 %', '23 %')
    """
    least = 10.0**-digits
    if 100 * share > 100 - least:
        return f"> {100 - least:.{digits}f} %"
    if 100 * share < least:
        return f"< {least:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


def terminal(reading: Reading, width: int | None = None) -> str:
    """Return the restored text in colour: each word put back, beside what was printed.

    Below it stand the passages that look spun on a page that does not, and the quotations that
    were altered, each with its speaker.

    `width` is in columns; by default that of the terminal.
    """
    from rich.console import Console

    # Text from HTML has a line for every paragraph: in a terminal these want space between.
    gap = "\n" if "\n\n" in reading.source_text else "\n\n"
    console = Console(
        width=width or min(100, shutil.get_terminal_size().columns),
        force_terminal=True,
        color_system="standard",
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        console.print(_styled(pieces(reading), gap), end="")
        for block in (*_styled_parts(reading), *_styled_quotations(reading)):
            console.print(block)
    return captured.get()


def markdown(reading: Reading) -> str:
    """Return the reading as a Markdown document.

    The page's text is escaped: none of it becomes markup of the document.
    """
    blocks = [f"# {_cell(summary(reading))}", _line(_cell(reading.reason))]
    if counted := tally(reading):
        blocks.append(f"{counted}.")
    blocks += ["## Restored text", *_markdown_paragraphs(reading)]
    if reading.findings:
        lines = (
            f"- {_cell(finding.printed)}: {_cell(finding.expected)}?"
            f" ({percent(finding.probability, digits=0)}; {_cell(finding.reason)})"
            for finding in reading.findings
        )
        blocks += ["## Phrases that may be tortured", CAUTION, "\n".join(lines)]
    if parts := spun_parts(reading):
        lines = (f"- {_cell(opening)} ({probability})" for opening, probability in parts)
        blocks += ["## Passages that look spun", "\n".join(lines)]
    blocks += _markdown_quotations(reading)
    if reading.edits:
        blocks += ["## Changes", _markdown_edits(reading.edits)]
    if reading.suspects:
        suspects = (
            f"- {_cell(suspect.spun)} ({percent(suspect.confidence, digits=0)})"
            for suspect in reading.suspects
        )
        blocks += ["## Suspects, left as printed", "\n".join(suspects)]
    if reading.furniture:
        lines = (f"- {_cell(line.text)} ({line.reason})" for line in reading.furniture)
        blocks += ["## Furniture, not read", "\n".join(lines)]
    return "\n\n".join(blocks) + "\n"


def alternatives(edit: Edit) -> str:
    """Return the runners-up of an edit with their probabilities, best first.

    >>> alternatives(Edit(0, 8, "astatine", "at", 0.9, (("on", 0.07), ("by", 0.02)), "element"))
    'on 7 %, by 2 %'
    """
    return ", ".join(f"{word} {percent(share, digits=0)}" for word, share in edit.alternatives)


def visible(text: str) -> str:
    """Return the text with its control characters, which could command a terminal, made visible.

    >>> visible("red \\x1b[31mflag")
    'red ␛[31mflag'
    """
    return re.sub(
        "[\0-\x08\x0b-\x1f\x7f]",
        lambda control: "␡" if control[0] == "\x7f" else chr(0x2400 + ord(control[0])),
        text.replace("\r\n", "\n"),
    ).translate(_HIDDEN)


def _cut(
    text: str, judged: Iterable[Edit | Suspect | Passage], start: int
) -> Iterator[str | Edit | Suspect | Passage]:
    """The text, which stands at `start` of the page, cut into what was judged and what was not."""
    cursor = start
    for judgement in sorted(judged, key=lambda judgement: judgement.start):
        if judgement.start < cursor:
            continue
        if judgement.start > cursor:
            yield text[cursor - start : judgement.start - start]
        yield judgement
        cursor = judgement.end
    if cursor < start + len(text):
        yield text[cursor - start :]


def _styled(cut: Iterable[str | Edit | Suspect | Passage], gap: str) -> Text:
    from rich.text import Text

    styled = Text()
    for piece in cut:
        if isinstance(piece, str):
            styled.append(visible(piece).replace("\n", gap))
        elif isinstance(piece, Edit):
            styled.append(visible(piece.original), "bold green")
            styled.append(" ").append(visible(piece.spun), "dim strike")
        elif isinstance(piece, Suspect):
            styled.append(visible(piece.spun), "yellow underline")
        else:
            styled.append(visible(piece.text), "dim italic")
    return styled


def _styled_parts(reading: Reading) -> Iterator[Text]:
    """The spun passages of a page that is not spun as a whole, below a heading."""
    from rich.text import Text

    parts = spun_parts(reading)
    if parts:
        yield Text("\n\nPassages that look spun", "bold")
    for opening, probability in parts:
        yield Text.assemble("\n", (probability, "dim"), "  ", visible(opening))


def _styled_quotations(reading: Reading) -> Iterator[Text | Padding]:
    """The altered quotations below a heading, each below its speaker."""
    from rich.padding import Padding
    from rich.text import Text

    quotations = reading.quotations
    if not any(quotation.altered for quotation in quotations):
        return
    yield Text("\n\nQuotations", "bold")
    for quotation in quotations:
        if quotation.altered:
            speaker = visible(quotation.speaker or NOBODY)
            sure = f"least sure change {least_sure(reading, quotation)}"
            yield Text.assemble("\n", (speaker, "italic"), "  ", (sure, "dim"))
            words = Text.assemble("“", _styled(quoted(reading, quotation), " "), "”")
            yield Padding(words, (0, 0, 0, 2), expand=False)
    if rest := unaltered(quotations):
        yield Text(f"\n{rest}", "dim")


def _markdown_paragraphs(reading: Reading) -> Iterator[str]:
    for line in re.split(r"[\r\n]+", _markdown_text(pieces(reading))):
        if line.strip():
            yield _line(line.strip())


def _markdown_text(cut: Iterable[str | Edit | Suspect | Passage]) -> str:
    marked = []
    for piece in cut:
        if isinstance(piece, str):
            marked.append(_escaped(piece))
        elif isinstance(piece, Edit):
            marked.append(f"**{_cell(piece.original)}** ~~{_cell(piece.spun)}~~")
        elif isinstance(piece, Suspect):
            marked.append(f"*{_cell(piece.spun)}*")
    return "".join(marked)


def _markdown_quotations(reading: Reading) -> Iterator[str]:
    quotations = reading.quotations
    altered = [quotation for quotation in quotations if quotation.altered]
    if not altered:
        return
    yield "## Quotations"
    yield "\n".join(
        f"- {_cell(quotation.speaker or NOBODY)}:"
        f" “{' '.join(_markdown_text(quoted(reading, quotation)).split())}”"
        f" (least sure change {least_sure(reading, quotation)})"
        for quotation in altered
    )
    if rest := unaltered(quotations):
        yield f"{rest}."


def _markdown_edits(edits: tuple[Edit, ...]) -> str:
    rows = [
        "| printed | restored | confidence | alternatives | reason |",
        "| --- | --- | ---: | --- | --- |",
    ]
    for edit in edits:
        cells = (
            edit.spun,
            edit.original,
            percent(edit.confidence, digits=0),
            alternatives(edit),
            edit.reason,
        )
        rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(rows)


def _escaped(text: str) -> str:
    """The text with a backslash before every mark that could begin markup or a link."""
    return re.sub(r"[\\`*_\[\]<>|~&$@]|:(?=//)|(?<=\bwww)\.", r"\\\g<0>", text)


def _line(escaped: str) -> str:
    """The line without what begins a heading, a list or a rule, which only its start can."""
    return re.sub(r"^(\d*)([#+=.)-])", r"\1\\\2", escaped)


def _cell(text: str) -> str:
    """The text escaped, on one line."""
    return _escaped(" ".join(text.split()))


# Second control set, which some terminals obey, and half surrogate pairs, which none can print.
_HIDDEN = dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), "\ufffd")
