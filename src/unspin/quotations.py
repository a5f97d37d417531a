"""Which words does the page put into whose mouth, and what were they before it was spun?

Quotation marks are paired within a paragraph, whose end is the end of every quotation: a mark
that is missing costs no more than that. Who speaks is decided in `speakers.py`.

A *direct quotation* is more than a nickname, a title or scare quotes. It has `MIN_WORDS` words
or more, or a speaker and the punctuation that ends speech: "Never," he said. Two words or more,
most of them with a capital, are a title.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from unspin.reading import Edit, moved, replay, within
from unspin.speakers import REACH, attributed, continues

if TYPE_CHECKING:
    from unspin.pages import Passage

MIN_WORDS = 5  # of a quotation without a speaker
WRAPPED = range(45, 101)  # characters of a line that was wrapped to a width


@dataclass(frozen=True, slots=True)
class Quotation:
    """One direct quotation: the words between its marks, from `start` to `end` of the page's text.

    `speaker` is whom the text names, as the restored text has it, or None; a pronoun stays one.
    `restored` has the edits made that lie between the marks, and `altered` says whether it differs
    from what was `printed`. A speech over several paragraphs is a quotation for each of them.
    """

    start: int
    end: int
    speaker: str | None
    printed: str
    restored: str
    altered: bool


def find(
    source_text: str, edits: Sequence[Edit] = (), furniture: Sequence[Passage] = ()
) -> tuple[Quotation, ...]:
    """Return the direct quotations of a text, in order and without overlaps.

    A quotation within another is part of it, and none is looked for in furniture. Edits and
    furniture must be sorted, without overlaps. The work grows with the length of the text.

    >>> edits = [Edit(4, 13, "privation", "want", 0.9, (), "element")]
    >>> (quotation,) = find("“We privation more,” said Nora Pell of the “gift”.", edits)
    >>> quotation.speaker, quotation.printed, quotation.restored
    ('Nora Pell', 'We privation more,', 'We want more,')
    """
    marked = [
        words
        for paragraph in _paragraphs(source_text, furniture)
        for words in _marked(source_text, *paragraph)
    ]
    found = []
    for words, speaker in zip(marked, _speakers(source_text, edits, marked), strict=True):
        if _is_direct(source_text, words, speaker):
            start, end = words.start, words.end
            printed, put_back = source_text[start:end], restored(source_text, edits, start, end)
            found.append(Quotation(start, end, speaker, printed, put_back, printed != put_back))
    return tuple(found)


def restored(source_text: str, edits: Sequence[Edit], start: int, end: int) -> str:
    """Return what the text from `start` to `end` reads with the edits made.

    An edit across one of the two borders stays outside with all its words: nobody can say which
    of them belong inside, and no one must be quoted with more than they said.

    >>> edits = [Edit(0, 2, "1", "one", 0.9, (), ""), Edit(3, 9, "of “us", "of “them", 0.9, (), "")]
    >>> restored("1 of “us all”", edits, 5, 12)
    'all'
    """
    left = bisect_right(edits, start, key=_END)
    if left < len(edits) and edits[left].start < start:
        start = min(edits[left].end, end)
    right = bisect_left(edits, end, key=_START)
    if right and edits[right - 1].end > end:
        end = max(edits[right - 1].start, start)
    return replay(source_text[start:end], moved(within(edits, start, end), -start))


class _Marked(NamedTuple):
    """Words between marks, whatever they are, from `start` to `end`.

    `opening` is where the opening mark begins, `closing` where the closing one ends: at `end`, if
    there is none. `first` and `last` are the ends of their paragraph.
    """

    opening: int
    start: int
    end: int
    closing: int
    first: int
    last: int


def _is_direct(text: str, words: _Marked, speaker: str | None) -> bool:
    """Whether words between marks are a direct quotation, by the rule of this module."""
    said = _WORD.findall(text, words.start, words.end)
    # Neither "I" nor a word shouted in capitals is one of a title.
    of_title = sum(word[0].isupper() and word[1:2].islower() for word in said)
    if len(said) > 1 and 2 * of_title > len(said):
        return False
    if len(said) >= MIN_WORDS:
        return True
    ending = text[words.end - 1] + text[words.closing : words.closing + 1]
    return speaker is not None and len(said) > 0 and not _SPEECH_ENDS.isdisjoint(ending)


# --- whose they are


def _speakers(text: str, edits: Sequence[Edit], marked: Sequence[_Marked]) -> list[str | None]:
    """The speakers of words between marks, one for one."""
    closings = [0, *(words.closing for words in marked)]
    openings = [*(words.opening for words in marked[1:]), len(text)]
    speakers = [
        _speaker(text, edits, words, max(words.first, closing), min(words.last, opening))
        for words, closing, opening in zip(marked, closings, openings, strict=False)
    ]
    pairs = list(enumerate(pairwise(marked), 1))
    for i, (before, words) in pairs:
        if speakers[i] is None and speakers[i - 1] and _same_speech(text, edits, before, words):
            speakers[i] = speakers[i - 1]
    for i, (before, words) in reversed(pairs):
        if speakers[i - 1] is None and speakers[i] and _goes_on(text, before, words):
            speakers[i - 1] = speakers[i]
    return speakers


def _speaker(text: str, edits: Sequence[Edit], words: _Marked, first: int, last: int) -> str | None:
    """The speaker of words, as the text around them from `first` to `last` has it restored, or
    else printed."""
    first, last = max(first, words.opening - REACH), min(last, words.closing + REACH)
    if not (text[first : words.opening].strip() or text[words.closing : last].strip()):
        return None
    for made in (edits, ()) if within(edits, first, last) else ((),):
        speaker = attributed(
            restored(text, made, first, words.opening),
            restored(text, made, words.start, words.end),
            restored(text, made, words.closing, last),
        )
        if speaker is not None:
            return speaker
    return None


def _same_speech(text: str, edits: Sequence[Edit], before: _Marked, words: _Marked) -> bool:
    """Whether words go on with the speech of those before: “No,” he said. “Never.”"""
    if before.first == words.first:
        quoted = restored(text, edits, before.start, before.end)
        return continues(quoted, restored(text, edits, before.closing, words.opening))
    return _goes_on(text, before, words)


def _goes_on(text: str, before: _Marked, words: _Marked) -> bool:
    """Whether the words before were left open for these: each paragraph of a speech is opened by
    a mark, only its last is closed."""
    return before.end == before.closing and not text[before.end : words.opening].strip()


# --- what stands between marks


# Where an opening mark begins and ends, and where the closing one does: twice the same place if
# there is none.
_Span = tuple[int, int, int, int]


def _marked(text: str, first: int, last: int) -> Iterator[_Marked]:
    """The outermost words between marks of one paragraph, in order."""
    for opening, inside, outside, closing in _outermost(text, first, last):
        if words := text[inside:outside].strip():
            start = text.index(words, inside)
            end = start + len(words)
            yield _Marked(opening, start, end, end if closing == outside else closing, first, last)


def _outermost(text: str, first: int, last: int) -> list[_Span]:
    """The spans of one paragraph that are not within others."""
    found: list[_Span] = []
    for span in sorted(
        [*_in_double_marks(text, first, last), *_in_single_marks(text, first, last)]
    ):
        if found and span[0] < found[-1][3]:
            if span[3] <= found[-1][3] or text[span[0]] in _SINGLES:
                continue
            found.pop()  # it crosses this span: its mark was an apostrophe
        found.append(span)
    return found


def _in_double_marks(text: str, start: int, end: int) -> Iterator[_Span]:
    """Words between double marks.

    Pages mix straight marks with curly ones, and close with one what the other has opened. Words
    that nothing closes end where the next are opened, or with the paragraph.
    """
    opened: re.Match[str] | None = None
    opener, nested = "", False
    for mark in _DOUBLE.finditer(text, start, end):
        kind = _KINDS.get(mark[0][:2], mark[0][0])
        before, after = _neighbours(text, mark, start, end)
        if opened is None:
            if _can_open(kind, before, after):
                opened, opener, nested = mark, kind, False
        elif (opener == "«") != (kind in "«»"):
            continue
        elif before.isspace() and _can_open(kind, before, after):
            nested = kind != opener
            if not nested:
                yield opened.start(), opened.end(), mark.start(), mark.start()
                opened = mark
        elif nested and kind != _CLOSING[opener]:
            nested = False
        elif not (kind == '"' and before.isalnum() and after.isalnum()):
            yield opened.start(), opened.end(), mark.start(), mark.end()
            opened = None
    if opened is not None:
        yield opened.start(), opened.end(), end, end


def _neighbours(text: str, mark: re.Match[str], start: int, end: int) -> tuple[str, str]:
    """The characters before and after a mark; a paragraph has space around it."""
    before = text[mark.start() - 1] if mark.start() > start else " "
    return before, text[mark.end()] if mark.end() < end else " "


def _can_open(kind: str, before: str, after: str) -> bool:
    """Whether a double mark between two characters may open a quotation."""
    if kind in "„“«":
        return before.isspace() or not after.isspace()
    return kind != "»" and not before.isalnum() and not after.isspace() and after not in _CLOSERS


def _in_single_marks(text: str, start: int, end: int) -> Iterator[_Span]:
    """Words between single marks, as far as these cannot be apostrophes.

    A mark opens before the first letter of a word. The first mark behind a word then closes, if
    there is punctuation on one of its sides: in "the 'workers' rights" there is none.
    """
    opened: re.Match[str] | None = None
    for mark in _SINGLE.finditer(text, start, end):
        if mark["opening"]:
            opened = mark
        elif opened is not None and mark[0] == _CLOSING[opened[0]]:
            before, after = _neighbours(text, mark, start, end)
            if mark.end() == end or before in _SPEECH_ENDS or after in _CLOSERS:
                yield opened.start(), opened.end(), mark.start(), mark.end()
            opened = None


# --- where paragraphs are


def _paragraphs(text: str, furniture: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    """Start and end of every paragraph that is no furniture: one line, unless it was wrapped.

    Lines between empty ones were wrapped if all but the last are as long as `WRAPPED` allows and
    one of those stops within a sentence.
    """
    for lines in _blocks(text, furniture):
        wrapped = lines[:-1]
        if all(end - start in WRAPPED for start, end in wrapped) and any(
            text[end - 1] not in _SENTENCE_ENDS for _, end in wrapped
        ):
            yield lines[0][0], lines[-1][1]
        else:
            yield from lines


def _blocks(text: str, furniture: Sequence[Passage]) -> Iterator[list[tuple[int, int]]]:
    """Lines that follow each other with neither an empty line nor furniture between them."""
    lines: list[tuple[int, int]] = []
    for match in _LINE.finditer(text):
        start = match.start()
        end = start + len(match[0].rstrip())
        passage = bisect_right(furniture, start, key=_END)
        apart = passage < len(furniture) and furniture[passage].start < end
        if end > start and not apart:
            lines.append((start, end))
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


_START, _END = attrgetter("start"), attrgetter("end")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_DOUBLE = re.compile(r"([\"“”„«»])\1*|``|‘‘|''|’’")
_KINDS = {"``": "“", "‘‘": "“", "''": "”", "’’": "”"}  # as typewriters and some newspapers do
_SINGLE = re.compile(
    r"""(?P<opening>(?<![^\s(\[—–"“„«])['‘](?=[^\W\d_]))|(?<=[^\s(\[—–"“„«])['’](?!\w)"""
)
_SINGLES = "'‘"  # that open
_CLOSING = {'"': '"', "“": "”", "„": "“", "”": "”", "«": "»", "'": "'", "‘": "’"}
_CLOSERS = frozenset(",.;:!?)]}'’")  # what may follow a closing mark
_SPEECH_ENDS = frozenset(",.!?…—–-")
_SENTENCE_ENDS = frozenset(".!?:\"”'’")
