"""Where was a page taken from? An index of trusted articles, and what of a page stands in them.

    from unspin.trace import Index

    index = Index.open("articles.index")
    index.trace(page)           # the articles that it was taken from, the best match first

`unspin index build` makes the index.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Index",
    "Match",
    "Passage",
    "Substitution",
    "Trace",
    "TraceError",
    "Tracer",
]

if TYPE_CHECKING:
    from unspin.trace.articles import TraceError
    from unspin.trace.index import Index
    from unspin.trace.match import Match, Passage, Substitution, Trace
    from unspin.trace.tracer import Tracer

# What reads articles is imported when one is read, and other people's packages when an index is
# opened.
_ROOMS = {
    "Index": "index",
    "Match": "match",
    "Passage": "match",
    "Substitution": "match",
    "Trace": "match",
    "TraceError": "articles",
    "Tracer": "tracer",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unspin.trace.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
