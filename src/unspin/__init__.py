"""Finds machine-spun text and puts the original words back.

A spinner is a noisy channel: it reads a word and prints one that a thesaurus relates to it.
This package runs that channel backwards, with a language model to choose among the words that
could have been there.

    import unspin

    reading = unspin.read(page)     # HTML or plain text, `str` or `bytes`
    reading.verdict                 # "spun", "clean" or "unsure"
    reading.text                    # what the page said before
    reading.edits                   # each changed word, with confidence, alternatives and reason
    reading.quotations              # who is quoted, as printed and as restored
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Edit",
    "Family",
    "ModelError",
    "PageError",
    "Quotation",
    "Reader",
    "Reading",
    "Suspect",
    "__version__",
    "read",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from unspin.arrays import ModelError
    from unspin.pages import PageError
    from unspin.quotations import Quotation
    from unspin.reader import Reader
    from unspin.reading import Edit, Family, Reading, Suspect

# A command answers before the model and its readers are imported: each name is fetched from its
# room when it is first asked for.
_ROOMS = {
    "Edit": "reading",
    "Family": "reading",
    "ModelError": "arrays",
    "PageError": "pages",
    "Quotation": "quotations",
    "Reader": "reader",
    "Reading": "reading",
    "Suspect": "reading",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unspin.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def read(page: str | bytes) -> Reading:
    """Return the reading of one page, HTML or plain text, with the default settings.

    Many pages are read faster by one `Reader`, which opens the model once.

    Raises:
        PageError: the page is binary or larger than the limits.
        ModelError: the model that ships with the package is missing or damaged.

    >>> read("").verdict
    'unsure'
    """
    from unspin.reader import Reader

    return Reader().read(page)
