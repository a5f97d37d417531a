"""What is done with one page? Each function here runs in a worker process, on plain values.

A worker opens the model once. It gives back bytes that the server passes on as they are.
"""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Thread
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from unspin import pages
from unspin.families import FamilyTable
from unspin.families import read as read_family
from unspin.pages import PageError
from unspin.reader import Reader
from unspin.reading import Reading

if TYPE_CHECKING:
    from unspin.trace.match import Trace
    from unspin.trace.tracer import Tracer


MEMORY = 2_000_000_000  # bytes of one process, enough for a text of 250,000 words


class Answer(NamedTuple):
    """What the work came to, encoded; the verdict is that of a page that was read."""

    body: bytes
    verdict: str | None = None


class Refused(NamedTuple):
    """The page is at fault; `detail` says how and what to do about it."""

    detail: str


class Failed(NamedTuple):
    """We are at fault; `where` names the error and its places in our code, and nothing else."""

    where: str


def attempt(
    work: Callable[..., Answer], arguments: tuple[object, ...]
) -> Answer | Refused | Failed:
    """Do some work and return how it went.

    >>> attempt(json.loads, ("A word of the page",)).where.partition(" at ")[0]
    'JSONDecodeError'
    """
    try:
        return work(*arguments)
    except PageError as error:
        return Refused(str(error))
    except MemoryError:
        return Refused("not enough memory for this page: split it and send one part at a time")
    except Exception as error:  # noqa: BLE001 - whatever it is, its message may have words of the page
        return Failed(whereabouts(error))


def whereabouts(error: BaseException) -> str:
    """Return the name of an error and where it was raised, without its message."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    frames = extract_tb(error.__traceback__)
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places or 'an unknown place'}"


# --- the work


def start(indexes: tuple[Path, ...], families: tuple[Path, ...]) -> Answer:
    """Make this process a worker, and open what pages are read and traced with, once.

    Raises:
        ModelError: a file of the model is missing or damaged.
        FamilyError: a file of a family cannot be read.
        TraceError: an index cannot be opened.
    """
    _belong_to_the_server()
    _reader(families, science=False)
    if indexes:
        _tracer(indexes, families)
    return Answer(b"")


def read(
    page: str,
    families: tuple[Path, ...],
    min_confidence: float,
    science: bool,  # noqa: FBT001 - by position
) -> Answer:
    """Return the reading of a page as JSON, as `unspin read --json` prints it."""
    reader = _reader(families, science=science)
    # The model is the same for every confidence, and takes longer to open than a page to read.
    reader.min_confidence = min_confidence
    reading = reader.read(_as_file(page))
    return Answer(reading.to_json().encode(), reading.verdict)


def trace(
    page: str,
    indexes: tuple[Path, ...],
    families: tuple[Path, ...],
    sides: bool,  # noqa: FBT001 - by position
    restore: bool,  # noqa: FBT001
) -> Answer:
    """Return the trace of a page as JSON, as `unspin trace --json` prints it.

    Args:
        page: HTML or text.
        indexes: the folders of the indexes.
        families: files of spinners that the model does not know.
        sides: also tell how page and source stand side by side, for each match.
        restore: also tell the reading of the page with the source's own words put back.
    """
    extracted = pages.extract(_as_file(page))
    found = _tracer(indexes, families).trace(extracted)
    told = found.to_dict()
    if sides:
        for number, match in enumerate(told["matches"]):
            match["sides"] = _sides(found, number)
    if restore:
        reader = _reader(families, science=False)
        reader.min_confidence = 0.5
        told["reading"] = found.restored(reader.read(extracted)).to_dict()
    return Answer(json.dumps(told, allow_nan=False).encode())


def trace_report(page: str, indexes: tuple[Path, ...], families: tuple[Path, ...]) -> Answer:
    """Return the report of a trace as HTML."""
    from unspin.trace.report import html

    found = _tracer(indexes, families).trace(_as_file(page))
    return Answer(html(found).encode("utf-8", "replace"))


def report(told: Mapping[str, Any], form: Literal["json", "markdown", "html"]) -> Answer:
    """Return a reading, which may have been changed since it was made, as a document.

    Raises:
        PageError: the reading does not fit together.
    """
    try:
        reading = Reading.from_dict(told)
    except ValueError:
        # Not the error's own words, which have the text's in them.
        raise PageError(
            "the reading does not fit together: every edit, suspect and line of furniture has to "
            "lie on source_text as it says, in order and without overlaps"
        ) from None
    return Answer(_written(reading, form).encode("utf-8", "replace"))


def _written(reading: Reading, form: Literal["json", "markdown", "html"]) -> str:
    if form == "json":
        return reading.to_json()
    if form == "html":
        from unspin.report import html

        return html(reading)
    from unspin.render import markdown

    return markdown(reading)


def _as_file(page: str) -> bytes:
    """The page as the command would find it in a file, so that it is read, or refused, alike."""
    return page.encode("utf-8", "replace")


def _sides(found: Trace, number: int) -> list[dict[str, Any]]:
    from unspin.trace.sides import rows

    return [
        {
            "page": [piece._asdict() for piece in row.page],
            "source": [piece._asdict() for piece in row.source],
            "passage": row.passage,
            "elsewhere": row.elsewhere,
        }
        for row in rows(found, number)
    ]


# --- the process


@cache
def _reader(families: tuple[Path, ...], *, science: bool) -> Reader:
    return Reader(science=science, families=_tables(families))


@cache
def _tracer(indexes: tuple[Path, ...], families: tuple[Path, ...]) -> Tracer:
    from unspin.trace.index import Index
    from unspin.trace.tracer import Tracer

    return Tracer([Index.open(path) for path in indexes], families=_tables(families))


@cache
def _tables(families: tuple[Path, ...]) -> list[FamilyTable]:
    return [read_family(path) for path in families]


@cache
def _belong_to_the_server() -> None:
    """Leave Ctrl-C, which the whole group gets, to the server, end when it does, and take no more
    than a share of its memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _bound_memory()
    if hasattr(select, "poll"):
        Thread(target=_end_with_server, daemon=True).start()


def _bound_memory() -> None:
    try:
        import resource

        # Files that are mapped, the model and an index, do not count.
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        least = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_DATA, (least, most))
    except (ImportError, OSError):
        return  # Windows has no such limit, and a service may be forbidden to set any


def _end_with_server() -> None:
    """End at once, also in the middle of a page, when the other end of our input is closed."""
    closed = select.poll()
    closed.register(0, 0)  # nothing is to be read here: that it was closed is told in any case
    closed.poll()
    os._exit(1)
