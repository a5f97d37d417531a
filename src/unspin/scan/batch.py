"""The one batch function of a scan: documents in, their rows of the side table out.

Every engine runs it, and nothing but it says what is spun. It is pure: a document's row depends on
the document and the settings alone, so neither the number of workers nor the size of the batches
shows in a table.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from unspin.families import FamilyTable
from unspin.reader import MODEL, Reader
from unspin.reranker import Reranker
from unspin.scan.judge import Judge, Score
from unspin.screen import Glance

DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),  # host or file that it comes from
        ("text", pa.large_string()),
        ("reason", pa.string()),  # why it could not be read; null where there is a text
    ]
)
SCORES = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("probability", pa.float32()),  # of being spun; null where there is too little to judge by
        ("verdict", pa.string()),  # spun, clean, unsure; null where skipped
        ("llr_per_word", pa.float32()),  # nats; null where the screen found it clean
        ("rate", pa.float32()),  # share of words substituted
        ("words", pa.int32()),
        ("family", pa.string()),  # null where clean
        (
            "suspects",  # words likely substituted: code points into the text, P(substituted)
            pa.list_(
                pa.struct(
                    [("start", pa.int32()), ("end", pa.int32()), ("confidence", pa.float32())]
                )
            ),
        ),
        ("reason", pa.string()),  # why it was skipped, or what else there is to say
    ]
)

Batch = TypeVar("Batch", pa.RecordBatch, pa.Table)


class Limits(NamedTuple):
    """What one document may cost: beyond it is skipped, with a reason in the table.

    Raise `characters` for corpora of books; raise `seconds` on slow machines, where tables would
    otherwise differ from run to run.
    """

    characters: int = 1_000_000
    seconds: float = 60.0


class Scorer:
    """Scores batches of `DOCUMENTS`; opening one maps the model, which processes share.

    For one thread at a time.

    >>> documents = pa.RecordBatch.from_pylist([{"id": "a", "text": "Too short."}], DOCUMENTS)
    >>> Scorer()(documents).to_pylist()[0]["verdict"]
    'unsure'
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008
        model: Path = MODEL,
        without: Collection[str] = (),
        families: Sequence[FamilyTable] = (),
        rerank: Reranker | None = None,
    ) -> None:
        """`without`, `families` and `rerank` are those of `Reader`."""
        self._judge = Judge(model, without, families, rerank)
        self._limits = limits

    @property
    def reader(self) -> Reader:
        """The reader of the same model, to put words back with."""
        return self._judge.reader

    def __call__(self, documents: Batch) -> Batch:
        """Return the rows of `SCORES`, one a document and in their order."""
        if isinstance(documents, pa.Table):
            return pa.Table.from_batches([self(batch) for batch in documents.to_batches()], SCORES)
        texts = documents["text"].cast(pa.large_string())
        scores = list(self._scores(texts, documents["reason"]))
        columns = zip(*scores, strict=True) if scores else [()] * len(Score._fields)
        said: list[pa.Array] = [
            pa.array(list(column), field.type)
            for column, field in zip(columns, list(SCORES)[2:], strict=True)
        ]
        return pa.RecordBatch.from_arrays(
            [documents["id"], documents["source"], *said], schema=SCORES
        )

    def _scores(self, texts: pa.LargeStringArray, reasons: pa.StringArray) -> Iterator[Score]:
        text, bounds = _utf8(texts)
        lengths = pc.fill_null(pc.utf8_length(texts), -1).to_pylist()
        glances = self._judge.screen.glance(text, bounds)
        for i, (length, seen) in enumerate(zip(lengths, glances, strict=True)):
            if length < 0:
                yield Score(reason=reasons[i].as_py() or "no text")
            elif length > self._limits.characters:
                yield Score(reason=f"longer than {self._limits.characters:,} characters")
            else:
                yield self._judge.by_glance(seen) or self._look(
                    bytes(text[bounds[i] : bounds[i + 1]]), seen
                )

    def _look(self, text: bytes, seen: Glance) -> Score:
        found = self._judge.by_look(text, seen)
        if found is None:
            deadline = time.monotonic() + self._limits.seconds
            found = self._judge.by_lattice(text.decode(), deadline)
        return found


def _utf8(texts: pa.LargeStringArray) -> tuple[memoryview, memoryview]:
    """The bytes of all texts, and where each begins and the last one ends."""
    _, bounds, text = texts.buffers()
    if not len(texts):
        return memoryview(b""), memoryview(bytes(8)).cast("q")
    places = memoryview(bounds).cast("B").cast("q")[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(text or b"").cast("B"), places
