"""How does an article come to be stored? In parts, each a document of tantivy.

Long articles are cut into parts, each of which is found by itself. A document has the id of its
article, which part of how many it is, and at which code point it starts; `words` is the text for
the search, and `body` the text compressed. The first part has what is known `about` the article
and its `sketch`, by which near copies are seen. Articles stand in slices of some thousand, so
that all of them can be gone through with little memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from struct import pack, unpack
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from unspin.pages import MAX_CHARACTERS
from unspin.trace.articles import Article, TraceError
from unspin.trace.folder import libraries

if TYPE_CHECKING:
    import tantivy

PART = 10_000  # characters, at most, that are cut off a text
WHOLE = 15_000  # characters up to which a text stays whole

SLICES = 256
SLICE = 1_000  # articles that are added to a slice before it is the next one's turn

SKETCH = 8  # hashes, of four bytes each
_MIN_SENTENCE = 20  # letters and digits: shorter ones are the same in many texts

_LEVEL = 3  # of zstd


# --- parts


class Part(NamedTuple):
    """A part of an article, number `part` of `parts`; `text` begins at code point `start`."""

    id: str
    part: int
    parts: int
    start: int
    text: str


_SENTENCE_END = re.compile(r"[.!?…]['\"”’»)]*\s+")
_SPACE = re.compile(r"\s+")


def split(text: str) -> list[str]:
    """Return the parts of a text, which joined are the text.

    Only what is longer than `WHOLE` is cut, after at most `PART` characters: at the last end of a
    line in the second half of these, or else of a sentence, of a word, or where it must be.

    >>> split("One text.")
    ['One text.']
    """
    parts = []
    start = 0
    while len(text) - start > WHOLE:
        end = _cut(text, start + PART // 2, start + PART)
        parts.append(text[start:end])
        start = end
    parts.append(text[start:])
    return parts


def _cut(text: str, first: int, last: int) -> int:
    line = text.rfind("\n", first, last)
    if line >= 0:
        return line + 1
    for end in (_SENTENCE_END, _SPACE):
        places = [found.end() for found in end.finditer(text, first, last)]
        if places:
            return places[-1]
    return last


# --- sketches

_ENDS = b".!?\n\r"
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _CAPITALS + _CAPITALS.lower() + b"0123456789"
_FOLDED = bytes.maketrans(_ENDS + _CAPITALS, b"\n" * len(_ENDS) + _CAPITALS.lower())
# Marks beyond ASCII are left out by their bytes, each of which other letters have too: so that of
# some of these there is less to tell them by, and it takes one pass.
_MARKS = bytes(set(range(128)) - set(_ENDS + _LETTERS)) + "\u00a0‘’“”–—…".encode()


def sketch(text: str) -> bytes:
    """Return the smallest hashes of the sentences of a text, `SKETCH` at most.

    Case (of ASCII), spaces and punctuation make no difference.

    >>> sketch("The bridge - it is old - was shut.") == sketch("the bridge: it is old, was shut")
    True
    """
    letters = text.encode().translate(_FOLDED, _MARKS)
    found = {crc32(line) for line in letters.split(b"\n") if len(line) >= _MIN_SENTENCE}
    smallest = sorted(found)[:SKETCH]
    return pack(f"<{len(smallest)}I", *smallest)


def hashes(sketch: bytes) -> tuple[int, ...]:
    """Return the hashes of a sketch, the smallest first."""
    return unpack(f"<{len(sketch) // 4}I", sketch)


def near_copy(a: bytes, b: bytes) -> bool:
    """Return whether two sketches are those of near copies: half of their hashes are the same.

    >>> a = sketch("The bridge was shut on Monday. It will open again on Friday.")
    >>> near_copy(a, sketch("It will open again on Friday! The bridge was shut on Monday..."))
    True
    >>> near_copy(a, sketch("The bridge was shut on Monday. Nobody knows when it will open."))
    False
    """
    one, other = set(hashes(a)), set(hashes(b))
    return len(one & other) >= max(2, (min(len(one), len(other)) + 1) // 2)


# --- texts, compressed


class Codec:
    """Compresses the texts of an index, for one thread at a time."""

    def __init__(self, words: bytes | None) -> None:
        """`words` is the dictionary, None if there is none.

        Raises:
            TraceError: it is none that zstd can use, or zstandard is not installed.
        """
        zstandard = libraries().zstandard
        try:
            known = zstandard.ZstdCompressionDict(words) if words is not None else None
            self._compressor = zstandard.ZstdCompressor(_LEVEL, dict_data=known)
            self._decompressor = zstandard.ZstdDecompressor(dict_data=known)
        except zstandard.ZstdError as error:
            raise TraceError(f"the dictionary of the texts is damaged: {error}") from None
        self._error = zstandard.ZstdError

    def pack(self, text: str) -> bytes:
        """Return a text as it is stored."""
        packed: bytes = self._compressor.compress(text.encode())
        return packed

    def unpack(self, body: bytes) -> str:
        """Return a stored text.

        Raises:
            ValueError: it is damaged.
        """
        try:
            text: bytes = self._decompressor.decompress(body)
        except self._error as error:
            raise ValueError(str(error)) from None
        return text.decode()


# --- documents


def schema() -> tantivy.Schema:
    """Return the fields of a document."""
    builder = libraries().tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    # Where in a text a word stands is not asked, and would take a quarter of the text's bytes.
    builder.add_text_field("words", tokenizer_name="default", index_option="freq")
    builder.add_unsigned_field("part", stored=True, indexed=True)
    builder.add_unsigned_field("parts", stored=True)
    builder.add_unsigned_field("start", stored=True)
    builder.add_unsigned_field("slice", indexed=True)
    # A field of texts would be searched, and these are not.
    builder.add_bytes_field("about", stored=True)
    builder.add_bytes_field("sketch", stored=True)
    builder.add_bytes_field("body", stored=True)
    built: tantivy.Schema = builder.build()
    return built


def documents(article: Article, codec: Codec, slice_: int) -> Iterator[tantivy.Document]:
    """Yield the documents of an article, one a part."""
    make = libraries().tantivy.Document
    texts = split(article.text)
    start = 0
    for number, text in enumerate(texts):
        document = make()
        document.add_text("id", article.id)
        document.add_text("words", text)
        document.add_unsigned("part", number)
        document.add_unsigned("parts", len(texts))
        document.add_unsigned("start", start)
        document.add_unsigned("slice", slice_)
        document.add_bytes("body", codec.pack(text))
        if number == 0:
            about = [article.title, article.url, article.date]
            document.add_bytes("about", json.dumps(about, ensure_ascii=False).encode())
            document.add_bytes("sketch", sketch(article.text))
        yield document
        start += len(text)


def part(document: tantivy.Document, codec: Codec) -> Part:
    """Return the part of an article that a document has.

    Raises:
        ValueError: it is damaged.
    """
    id_, number, parts, start, body = (
        document.get_first(name) for name in ("id", "part", "parts", "start", "body")
    )
    if not isinstance(body, bytes):
        raise ValueError("it has no text")
    return Part(id_, number, parts, start, codec.unpack(body))  # type: ignore[arg-type]


def joined(documents: list[tantivy.Document], codec: Codec) -> Article:
    """Return the article of its documents.

    Raises:
        ValueError: they are damaged, or not all that there are.
    """
    parts = sorted((part(document, codec) for document in documents), key=lambda part: part.part)
    if [part.part for part in parts] != list(range(parts[0].parts)):
        raise ValueError(f"{len(parts)} of its {parts[0].parts} parts are there")
    first = next(document for document in documents if document.get_first("part") == 0)
    title, url, date = json.loads(first.get_first("about"))  # type: ignore[arg-type]
    return Article(parts[0].id, title, url, date, "".join(part.text for part in parts))


def articles(searcher: tantivy.Searcher, fields: tantivy.Schema) -> int:
    """Return the number of articles that are there."""
    first = libraries().tantivy.Query.term_query(fields, "part", 0, "basic")
    count: int = searcher.search(first, 1, count=True).count  # type: ignore[attr-defined]
    return count


def of_article(
    searcher: tantivy.Searcher, fields: tantivy.Schema, id_: str
) -> list[tantivy.Document]:
    """Return the documents of an article."""
    query = libraries().tantivy.Query.term_query(fields, "id", id_, "basic")
    # Longer texts than `MAX_CHARACTERS` are not indexed.
    found = searcher.search(query, 1 + MAX_CHARACTERS // (PART // 2), count=False)
    return [searcher.doc(address) for _, address in found.hits]
