"""The one batch function of a scan: documents in, their rows of the side table out.

Every engine runs it, and nothing but it says what is spun. It is pure: a document's row depends on
the document and the settings alone, so neither the number of workers nor the size of the batches
shows in a table.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa

from unspin.pages import PageError
from unspin.reader import MODEL, Reader

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
        ("probability", pa.float32()),  # of being spun; null where skipped
        ("verdict", pa.string()),  # spun, clean, unsure; null where skipped
        ("llr_per_word", pa.float32()),  # nats; null where the screen decided
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

    >>> documents = pa.RecordBatch.from_pylist([{"id": "a", "text": "Too short."}], DOCUMENTS)
    >>> Scorer()(documents).to_pylist()[0]["verdict"]
    'unsure'
    """

    def __init__(self, limits: Limits = Limits(), model: Path = MODEL) -> None:  # noqa: B008
        self.reader = Reader(model=model)
        self._limits = limits

    def __call__(self, documents: Batch) -> Batch:
        """Return the rows of `SCORES`, one a document and in their order."""
        rows = [
            {"id": document["id"], "source": document["source"]}
            | self._score(document["text"], document["reason"])
            for document in documents.to_pylist()
        ]
        return type(documents).from_pylist(rows, SCORES)

    def _score(self, text: str | None, reason: str | None) -> dict[str, object]:
        if text is None:
            return {"reason": reason or "no text"}
        if len(text) > self._limits.characters:
            return {"reason": f"longer than {self._limits.characters:,} characters"}
        try:
            reading = self.reader.judge(text, time.monotonic() + self._limits.seconds)
        except PageError as error:
            return {"reason": str(error)}
        return {
            "probability": reading.probability,
            "verdict": reading.verdict,
            "llr_per_word": reading.llr_per_word if math.isfinite(reading.llr_per_word) else None,
            "rate": reading.rate,
            "words": reading.words,
            "family": reading.family.name if reading.family else None,
            "suspects": [
                {"start": s.start, "end": s.end, "confidence": s.confidence}
                for s in reading.suspects
            ],
            "reason": None,
        }
