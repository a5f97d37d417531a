"""The tables of spinners that nobody has described, learned from their pages.

from unspin.learn import learn

learned = learn(texts, "wave")        # a table for each spinner: Reader(families=learned.tables)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["LearnError", "Learned", "Learner", "learn"]

if TYPE_CHECKING:
    from unspin.learn.errors import LearnError
    from unspin.learn.learner import Learned, Learner, learn

# The command's room answers before numpy is imported.
_ROOMS = {"LearnError": "errors", "Learned": "learner", "Learner": "learner", "learn": "learner"}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unspin.learn.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
