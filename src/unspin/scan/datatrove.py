"""Which documents of a pipeline of datatrove are spun? A filter that says why it drops each.

from datatrove.pipeline.writers import JsonlWriter
from unspin.scan.datatrove import SpunFilter

pipeline = [
    reader,
    SpunFilter(exclusion_writer=JsonlWriter("dropped/")),
    writer,
]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

from unspin.scan.batch import Limits
from unspin.scan.columns import score
from unspin.scan.job import Keep, keeps

if TYPE_CHECKING:
    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter

try:
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ModuleNotFoundError as _error:
    if not (_error.name or "").startswith("datatrove"):
        raise
    BaseFilter = object

SKIPPED = "skipped"  # takes the place of a verdict where there is none
PREFIX = "unspin_"  # of the keys in the metadata of a document


class SpunFilter(BaseFilter):  # type: ignore[misc]
    """Drops the documents that are spun; the statistics count why (`dropped_spun`, ...).

    Every document gets `unspin_verdict`, `unspin_probability`, `unspin_llr_per_word`,
    `unspin_rate`, `unspin_words`, `unspin_family` and `unspin_reason` in its metadata. They are
    flat, so that names of files can be made of them (`${unspin_verdict}/${rank}.jsonl.gz`), and
    none of them is ever None, since writers infer the type of a column from the first document:
    without a family or a reason it is "", without a number NaN or no words. The suspects, whose
    lists would be of nothing there, are in the tables of `unspin scan`.

    Args:
        exclusion_writer: where dropped documents go, each with its `filter_reason`.
        keep: "clean" also drops what is unsure, or was skipped for its limits; "unsure" keeps it.
        batch_size: documents that are scored together, and held in memory.
        limits: what one document may cost.

    Raises:
        ImportError: datatrove is not installed.
        ValueError: `keep` is neither.
    """

    name = "Spun text"

    def __init__(
        self,
        exclusion_writer: DiskWriter | None = None,
        *,
        keep: Keep = "clean",
        batch_size: int = 1_000,
        limits: Limits = Limits(),  # noqa: B008
    ) -> None:
        if BaseFilter is object:
            raise ImportError("SpunFilter needs datatrove: pip install 'unspin[datatrove]'")
        if keep not in get_args(Keep):
            raise ValueError(f"keep is {keep!r}, not one of {', '.join(get_args(Keep))}")
        super().__init__(exclusion_writer, batch_size)
        self.keep = keep
        self.limits = limits

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Return whether a document is kept, and why it is not."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Return of every document whether it is kept, and why it is not."""
        scores = score([document.text for document in batch], self.limits).to_pylist()
        results: list[bool | tuple[bool, str]] = []
        for document, scored in zip(batch, scores, strict=True):
            metadata = _metadata(scored)
            document.metadata |= metadata
            verdict = metadata[f"{PREFIX}verdict"]
            results.append(keeps(self.keep, scored["verdict"]) or (False, verdict))
        return results


def _metadata(scored: dict[str, Any]) -> dict[str, Any]:
    """The scores of a document, none of them null."""
    known = {name: value for name, value in scored.items() if value is not None}
    values = {
        "verdict": SKIPPED,
        "probability": math.nan,
        "llr_per_word": math.nan,
        "rate": math.nan,
        "words": 0,
        "family": "",
        "reason": "",
    }
    return {f"{PREFIX}{name}": known.get(name, value) for name, value in values.items()}
