"""Tokens of a text with exact offsets: where are its words, and which of them must never change?

Everything downstream (the language model in training and at run time, the lattice, the edits)
sees a text through `tokenize`, so that the model is asked about the same symbols it has counted.
Offsets are code points into the text as given; nothing is normalised in place.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

# Kinds of token.
WORD, CAPITAL, ACRONYM, NUMBER, PUNCTUATION, QUOTE, WEB, CODE = range(8)

# Flags of a token.
PROTECTED = 1  # must never change: names, acronyms, numbers, links, code, other languages
FREE = 2  # stands between white space: some spinners replace nothing else
INITIAL = 4  # first word of its sentence, where a capital says nothing

# `plain` only saves time: letters before white space or a comma are a word in any case, but the
# other alternatives take longer to come to that.
_TOKEN = re.compile(
    r"""
    (?P<plain> [A-Za-z]+(?=[\s,]) )
  | (?P<web> (?i:https?://|www\.)[^\s<>"]{1,2048}(?<![.,;:!?'’”)\]])
           | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}
           | (?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|gov|info|io|co|uk|de|fr|ru|tv|me|ly)\b
             (?:/[^\s<>"]{0,2048}(?<![.,;:!?'’”)\]]))?
           | [@\#]\w{1,100} )
  | (?P<number> \d+(?:[.,:/-]\d+)*(?:%|(?!\w|[.,:/-]\d)) )
  | (?P<code> `[^`\n]{1,500}`
           | (?=\w{0,99}[\d_])\w+(?:[.,:/-]\d\w*)* )
  | (?P<initials> (?:[^\W\d_]\.){2,8} )
  | (?P<clitic> ['’]s\b )
  | (?P<word> [^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)* )
  | (?P<quote> ["“”„‟«»‘’'`]+ )
  | (?P<mark> \.{3,}|-{2,}|[^\w\s] )
    """,
    re.VERBOSE,
)
_KINDS = {
    "plain": WORD,
    "web": WEB,
    "number": NUMBER,
    "code": CODE,
    "initials": ACRONYM,
    "clitic": WORD,
    "word": WORD,
    "quote": QUOTE,
    "mark": PUNCTUATION,
}
_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.DOTALL | re.MULTILINE)
_CODE_MARKS = re.compile(r"[{}\[\]<>=;|\\$&^~_*()+]")
_LETTERS = re.compile(r"[^\W\d_]+")
# Letters beyond Latin with its extensions.
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_BREAK = re.compile(r"\n\s*\n|\r|\n")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr gen col capt lt sgt rep sen gov pres no vs etc inc ltd co corp"
    " jan feb mar apr jun jul aug sep sept oct nov dec fig eq al approx dept est vol pp ca cf eg"
    " ie rev hon mt ft univ".split()
)
MAX_SENTENCE = 250  # tokens; a longer run without a full stop is cut, which bounds the lattice

_DASHES = {"–": "-", "—": "-", "--": "-", "−": "-", "…": "...", "‐": "-", "‑": "-"}
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")


class Tokens(NamedTuple):
    """The tokens of one text, as parallel columns.

    `start` and `end` are code-point offsets, `symbol` is what the language model sees,
    `kind` and `flags` are one byte a token, `sentences` holds the first token of every
    sentence and, last, the number of tokens.
    """

    start: array[int]
    end: array[int]
    symbol: list[str]
    kind: bytearray
    flags: bytearray
    sentences: list[int]

    def __len__(self) -> int:
        return len(self.start)


def tokenize(text: str) -> Tokens:
    """Cut a text into tokens and sentences, and flag the tokens that must never change.

    >>> text = "Mr. Sokol paid 30 coins. It's done, he said."
    >>> tokens = tokenize(text)
    >>> [text[a:b] for a, b in zip(tokens.start, tokens.end)][:6]
    ['Mr', '.', 'Sokol', 'paid', '30', 'coins']
    >>> tokens.symbol[4:8], tokens.sentences
    (['<number>', 'coins', '.', 'it'], [0, 7, 14])
    """
    start, end = array("I"), array("I")
    symbols: list[str] = []
    kinds, flags = bytearray(), bytearray()
    touching = -1
    for match in _TOKEN.finditer(text):
        first, last = match.span()
        word = match.group()
        kind = _KINDS[match.lastgroup or "mark"]
        flag = 0
        if kind == WORD:
            symbol = word.lower().replace("’", "'")
            if word[0] in "'’":
                flag = PROTECTED
            elif not word.islower():
                kind = CAPITAL if len(word) == 1 or word[1:].islower() else ACRONYM
                flag = PROTECTED if kind == ACRONYM else 0
        elif kind == ACRONYM:
            symbol = word.lower()
            flag = PROTECTED
        elif kind in (PUNCTUATION, QUOTE):
            symbol = _DASHES.get(word, word)
        elif kind == NUMBER:
            symbol = word if len(word) == 1 else _number_symbol(word)
            flag = PROTECTED if len(word) > 1 else 0
        else:
            symbol = word.lower() if kind == CODE else "<web>"
            flag = PROTECTED if kind == WEB or not _spinnable(word) else 0
        # Every character but white space is in a token, so a gap is white space.
        if first > touching:
            flag |= FREE
        elif flags:
            flags[-1] &= ~FREE
        touching = last
        start.append(first)
        end.append(last)
        symbols.append(symbol)
        kinds.append(kind)
        flags.append(flag)
    sentences = _sentences(text, start, end, symbols, kinds)
    _flag_initials(kinds, flags, sentences)
    _flag_wrapped_names(text, start, end, kinds, flags, sentences)
    _flag_lines(text, start, flags)
    return Tokens(start, end, symbols, kinds, flags, sentences)


def protected_spans(text: str) -> list[tuple[int, int]]:
    """Offsets of every token of a text that must never change, in order.

    >>> text = "the border guard told @kyiv_post that Igor Sokol left on 24/02"
    >>> [text[a:b] for a, b in protected_spans(text)]
    ['@kyiv_post', 'Igor', 'Sokol', '24/02']
    """
    tokens = tokenize(text)
    return [
        (tokens.start[i], tokens.end[i]) for i in range(len(tokens)) if tokens.flags[i] & PROTECTED
    ]


def transfer_case(printed: str, word: str) -> str:
    """Give a word the case that another one stands in.

    >>> transfer_case("Whitethorn", "may"), transfer_case("erstwhile", "when")
    ('May', 'when')
    """
    if printed[:1].isupper():
        return word[:1].upper() + word[1:]
    return word


def foreign(line: str) -> bool:
    """Whether a line is written in another language than English, on positive evidence only.

    >>> foreign("Sedang Trending 3 bulan yang lalu 6"), foreign("Apple pie, quick and easy")
    (True, False)
    """
    words = _LETTERS.findall(line.lower())
    if not line.isascii():
        letters = sum(map(len, words))
        if letters >= 3 and 2 * len(_OTHER_SCRIPT.findall(line)) > letters:
            return True
    if len(words) < 3 or _OTHER_LANGUAGES.isdisjoint(words):
        return False
    english = sum(word in _ENGLISH for word in words)
    other = sum(word in _OTHER_LANGUAGES for word in words)
    return (other >= 2 and other > english) or (len(words) >= 5 and english == 0)


def _number_symbol(word: str) -> str:
    if _YEAR.fullmatch(word):
        return "<year>"
    return "<percent>" if word.endswith("%") else "<number>"


def _spinnable(word: str) -> bool:
    """A spinner prints "2nd" for second and "h2o" for water; "v2.0" is the page's own."""
    return word.islower() and word.isalnum() and sum(c.isdigit() for c in word) == 1


def _sentences(
    text: str, start: array[int], end: array[int], symbols: list[str], kinds: bytearray
) -> list[int]:
    """First token of every sentence, and the number of tokens last."""
    breaks = [match.span() for match in _BREAK.finditer(text)]
    firsts = [0]
    next_break = 0
    closed = False
    for i in range(1, len(start)):
        gap = (end[i - 1], start[i])
        kind = kinds[i - 1]
        if kind == PUNCTUATION and symbols[i - 1] not in ")]":
            closed = symbols[i - 1] in ".!?..." and not _abbreviated(symbols, kinds, i - 1)
        elif kind not in (PUNCTUATION, QUOTE):
            closed = False
        starts = closed and gap[1] > gap[0] and text[start[i]] not in ",;:)" and (kinds[i] != WORD)
        while next_break < len(breaks) and breaks[next_break][0] < gap[1]:
            starts = starts or _ends_line(text, breaks[next_break], kinds[i], closed=closed)
            next_break += 1
        if starts or i - firsts[-1] >= MAX_SENTENCE:
            firsts.append(i)
            closed = False
    if len(start):
        firsts.append(len(start))
    return firsts


def _abbreviated(symbols: list[str], kinds: bytearray, stop: int) -> bool:
    if symbols[stop] != "." or stop == 0:
        return False
    before = symbols[stop - 1]
    return before in _ABBREVIATIONS or (len(before) == 1 and kinds[stop - 1] == CAPITAL)


def _ends_line(text: str, line_break: tuple[int, int], next_kind: int, *, closed: bool) -> bool:
    """Whether a line break ends a sentence, or only wraps a long line of one."""
    first, last = line_break
    if last - first > 1 or closed or next_kind != WORD:
        return True
    return not _is_long(text, first)


def _is_long(text: str, line_end: int) -> bool:
    """Whether the line that ends here is long enough to have been wrapped."""
    return line_end >= 45 and line_end - text.rfind("\n", max(0, line_end - 60), line_end) >= 45


def _flag_initials(kinds: bytearray, flags: bytearray, sentences: list[int]) -> None:
    """A capital inside a sentence is a name; at its start (or behind a quote there) it is not."""
    for first, last in pairwise(sentences):
        initial = True
        for i in range(first, last):
            if kinds[i] == CAPITAL:
                flags[i] |= INITIAL if initial else PROTECTED
            if initial and kinds[i] not in (QUOTE, PUNCTUATION):
                flags[i] |= INITIAL
                initial = False


def _flag_wrapped_names(
    text: str,
    start: array[int],
    end: array[int],
    kinds: bytearray,
    flags: bytearray,
    sentences: list[int],
) -> None:
    """A capital at the start of a line may be a name where a long line before it just stops."""
    for i in sentences[1:-1]:
        stopped = kinds[i - 1] in (WORD, CAPITAL, ACRONYM, NUMBER)
        wrapped = stopped and text[end[i - 1] : start[i]].strip(" \t\r") == "\n"
        if wrapped and kinds[i] == CAPITAL and _is_long(text, end[i - 1]):
            flags[i] |= PROTECTED


def _flag_lines(text: str, start: array[int], flags: bytearray) -> None:
    """Protect what stands in a fenced block, in a line of code or in another language."""
    spans = (
        [match.span() for match in _FENCE.finditer(text)] if "```" in text or "~~~" in text else []
    )
    position = 0
    for line in text.splitlines(keepends=True):
        if _looks_like_code(line) or foreign(line):
            spans.append((position, position + len(line)))
        position += len(line)
    for first, last in spans:
        i = bisect_right(start, first - 1)
        while i < len(start) and start[i] < last:
            flags[i] |= PROTECTED
            i += 1


def _looks_like_code(line: str) -> bool:
    marks = len(_CODE_MARKS.findall(line))
    return marks >= 4 and 8 * marks > len(line.strip())


_ENGLISH = frozenset(
    "the of and to in is was for that it with as on be by this are from at or an have not he she"
    " they we you his her their its but had has were which will would can been one all there what"
    " so if no out up when who more about into than then do my your our me him them these those"
    " a i how why where after before over under between through during while because".split()
)
_OTHER_LANGUAGES = frozenset(
    "yang lalu bulan dan untuk dengan tidak adalah ini itu dari pada sedang oleh akan"  # Indonesian
    " que los las una por con para del como pero más este esta sus fue"  # Spanish
    " les des une dans pour qui est pas sur avec sont ce cette aux leur nous vous était"  # French
    " der das und ist nicht mit ein eine auf für dem den von sich auch wird sind war"  # German
    " il di che non per sono della nel alla gli anche più"  # Italian
    " não uma os dos ao mais foi pelo são"  # Portuguese
    " het een van niet zijn voor maar ook wordt"  # Dutch
    " och att det som är av på inte till har jag"  # Swedish
    " ve bir bu için ile olarak daha çok"  # Turkish
    " nie jest się na że do jak przez"  # Polish
    " și să nu care cu pe mai din"  # Romanian
    " ang mga ng sa ay na".split()  # Tagalog
)
