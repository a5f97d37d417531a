"""What does a page say, and which of its lines are no part of the article?

A page comes in as HTML or plain text, in any encoding and any state; out comes its text with the
furniture (counters, credits, share lines, captions) pointed out line by line. Plain text stays
as it is, character by character. What is furniture is decided in `furniture.py`.
"""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass

from unspin import furniture

# A page of an encyclopaedia has 0.5 MB, a long novel 3 M characters.
MAX_BYTES = 20_000_000
MAX_CHARACTERS = 4_000_000
# What the article extractor costs grows with the tags: 3 s and 100 MB at this many, in the worst
# case. A long article has 10,000; beyond the limit a page is cut into lines by its tags alone.
MAX_ARTICLE_TAGS = 60_000
# So is one with a tag of more attributes than this, on which the extractors take minutes.
MAX_ATTRIBUTES = 1_000


class PageError(Exception):
    """A page cannot be read; the message says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of furniture: `text` stands at `start` to `end` of the page's text."""

    start: int
    end: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """The text of a page in reading order, and the passages of it that are furniture."""

    text: str
    furniture: tuple[Passage, ...]


def extract(page: str | bytes) -> Page:
    """Return the text of a page, HTML or plain, with its furniture pointed out.

    A page without text, broken HTML included, gives an empty text.

    Raises:
        PageError: the page is binary, or larger than `MAX_BYTES` or `MAX_CHARACTERS`.

    >>> page = extract("Bridge closed\\n\\nSedang Trending 3 bulan yang lalu 6\\n\\nIt is shut.")
    >>> [(passage.text, passage.reason) for passage in page.furniture]
    [('Sedang Trending 3 bulan yang lalu 6', 'trending counter')]
    >>> extract(b"<html><body><p>Caf\\xe9 <b>Harbour</b></p><p>Open.</p></body></html>").text
    'Café Harbour\\nOpen.'
    """
    if len(page) > MAX_BYTES:
        raise PageError(
            f"the page is larger than {MAX_BYTES // 1_000_000} MB: split it into documents "
            "and read one at a time"
        )
    source = _decode(page) if isinstance(page, bytes) else page
    text = _article(source) if _is_html(source) else source
    return plain(text)


def plain(text: str) -> Page:
    """Return the page of a text that is no HTML, or no longer is, with its furniture pointed out.

    Raises:
        PageError: the text is longer than `MAX_CHARACTERS`.

    >>> plain("<b> is how HTML begins bold print").text
    '<b> is how HTML begins bold print'
    """
    if len(text) > MAX_CHARACTERS:
        raise PageError(
            f"the text is longer than {MAX_CHARACTERS:,} characters: split it into documents "
            "and read one at a time"
        )
    passages = tuple(
        Passage(start, end, text[start:end], reason) for start, end, reason in furniture.find(text)
    )
    return Page(text, passages)


# --- bytes to characters


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b")) + b"\x7f"
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)


def _decode(raw: bytes) -> str:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace")
    # Compressed and compiled formats are a tenth control bytes; a crawled page may have a few.
    if 100 * (len(raw) - len(raw.translate(None, _CONTROLS))) > len(raw):
        raise PageError(
            "the page looks binary, not like HTML or text: convert it to text first "
            "(UTF-16 needs its byte order mark)"
        )
    text = raw.decode("utf-8", "replace")
    broken = text.count("\ufffd") - raw.count("\ufffd".encode())
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    # Chance hardly ever makes a UTF-8 sequence, so where most are whole the rest are accidents.
    # This goes before what the page declares, which is wrong more often.
    if broken <= whole:
        return text
    return _decode_declared(raw) or _decode_guessed(raw, foreign=broken + whole)


def _decode_declared(raw: bytes) -> str | None:
    head = raw[:4096]
    declared = _CHARSET.search(head) if b"<" in head else None
    if declared is None:
        return None
    name = declared[1].decode("ascii", "replace").lower()
    # Browsers read these as their superset; they have already failed to be UTF-8.
    if name in ("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"):
        name = "cp1252"
    if name.startswith(("utf", "unicode", "raw", "idna", "punycode")):
        return None
    try:
        return raw.decode(name, "replace")
    except (LookupError, ValueError):
        return None


def _decode_guessed(raw: bytes, foreign: int) -> str:
    """Guess from a window at the first byte that is not ASCII; `foreign` counts such letters.

    With few of them the language is written in ASCII but for its quotation marks and an accent
    here and there: too little to guess from, and nearly always Windows.
    """
    if foreign < 32 or 20 * foreign < len(raw):
        return raw.decode("cp1252", "replace")
    from charset_normalizer import from_bytes

    first = len(raw) - len(raw.lstrip(bytes(range(128))))
    guess = from_bytes(raw[max(0, first - 4096) : first + 16384]).best()
    return raw.decode(guess.encoding if guess else "cp1252", "replace")


# --- HTML to text


_DOCUMENT = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_KNOWN_TAG = re.compile(
    r"</?(?:a|article|aside|b|blockquote|body|br|center|div|em|font|footer|form|h[1-6]|head|header"
    r"|hr|html|i|iframe|img|input|li|link|main|meta|nav|ol|p|script|section|span|strong|style"
    r"|table|tbody|td|th|title|tr|u|ul)\b[^<>]*>",
    re.IGNORECASE,
)


def _is_html(source: str) -> bool:
    """A document tag at the top, any known tag first of all, or one known tag in 200 characters."""
    head = source[:20_000].lstrip("\ufeff \t\r\n")
    if _DOCUMENT.search(head, 0, 1024) or _KNOWN_TAG.match(head):
        return True
    tags = sum(1 for _ in _KNOWN_TAG.finditer(head))
    return tags > 1 and 200 * tags > len(head)


def _article(source: str) -> str:
    # The parser below stops at half a surrogate pair and would lose the rest of the page.
    source = re.sub("[\ud800-\udfff]", "\ufffd", source)
    if source.count("<") > MAX_ARTICLE_TAGS or crowded(source):
        return _lines(source)
    return _trafilatura(source) or _lines(source)


_ATTRIBUTE = r"""[\s/]*+[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+"""
_CROWDED = re.compile(rf"<[a-z][^\s/>]*+(?=(?:{_ATTRIBUTE}){{{MAX_ATTRIBUTES}}})", re.IGNORECASE)


def crowded(source: str) -> bool:
    """Return whether a tag of a page has more attributes than an extractor can take.

    >>> crowded("<p " + "a " * 2_000 + ">"), crowded("<p a b>")
    (True, False)
    """
    return _CROWDED.search(source) is not None


def _trafilatura(source: str) -> str | None:
    import logging

    import trafilatura

    # It reports what it discards. An application that wants to know sets up logging; without
    # this the reports would go to standard error of everyone else.
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())
    try:
        return trafilatura.extract(source, include_comments=False)
    except Exception:  # noqa: BLE001 - whatever breaks on a broken page, its tags remain
        return None


_MARKUP = re.compile(r"<!--|<(/?)([a-z][a-z0-9]*)[^<>]*>?|<[!?/][^<>]*>?", re.IGNORECASE)
_UNREAD = frozenset(("head", "noscript", "script", "style", "svg", "template", "textarea"))
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q rp rt ruby"
    " s samp small span strike strong sub sup time tt u var wbr".split()
)


def _lines(source: str) -> str:
    """All text of the page, a line for every block: for pages in which no article is found.

    It looks at one tag at a time and builds no tree, so neither depth nor size can break it.
    """
    parts = []
    position = 0
    while found := _MARKUP.search(source, position):
        parts.append(source[position : found.start()])
        name = (found[2] or "").lower()
        position = found.end()
        if name in _UNREAD and not found[1]:
            closing = re.compile(rf"</{name}\b|<body\b", re.IGNORECASE).search(source, position)
            position = closing.start() if closing else len(source)
        elif found[0] == "<!--":
            closed = source.find("-->", position)
            position = closed + 3 if closed >= 0 else len(source)
        if name not in _INLINE and found[0] != "<!--":
            parts.append("\0")
    parts.append(source[position:])
    blocks = html.unescape("".join(parts)).split("\0")
    return "\n".join(line for block in blocks if (line := " ".join(block.split())))
