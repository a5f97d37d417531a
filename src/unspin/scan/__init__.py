"""Whole corpora: what is spun in them, on one core or many.

`unspin scan` scores files, folders and archives into side tables. Behind it, and for pipelines of
other people's making, is one function that scores a batch:

    from unspin import scan

    scan.score(frame["text"])            # a column of polars, pandas or Arrow
    dataset.map(scan.add_scores, batched=True)            # Hugging Face datasets
    dataset.filter(scan.is_clean, batched=True)
    dataset.map_batches(scan.TableScorer(), batch_format="pyarrow")            # Ray Data
    scan.SpunFilter(exclusion_writer=writer)            # a step of a datatrove pipeline
    scan.Scorer()(documents)             # batches of Arrow: DOCUMENTS in, SCORES out
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "DOCUMENTS",
    "SCORES",
    "Limits",
    "ScanError",
    "Scorer",
    "SpunFilter",
    "TableScorer",
    "add_scores",
    "is_clean",
    "is_not_spun",
    "score",
]

if TYPE_CHECKING:
    from unspin.scan.batch import DOCUMENTS, SCORES, Limits, Scorer
    from unspin.scan.columns import TableScorer, add_scores, is_clean, is_not_spun, score
    from unspin.scan.datatrove import SpunFilter
    from unspin.scan.job import ScanError

# The command's room answers before pyarrow is imported, and other people's packages are imported
# for whoever asks for what needs them.
_ROOMS = {
    "DOCUMENTS": "batch",
    "SCORES": "batch",
    "Limits": "batch",
    "ScanError": "job",
    "Scorer": "batch",
    "SpunFilter": "datatrove",
    "TableScorer": "columns",
    "add_scores": "columns",
    "is_clean": "columns",
    "is_not_spun": "columns",
    "score": "columns",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unspin.scan.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
