"""What is in the folder of an index, and is it one that can be read?

    index.json    the version of the format, and what the rest is checked against; never changed
    words.zdict   the dictionary of zstd that the texts are compressed with; never changed
    tantivy/      the articles, in tantivy's own format

The dictionary is missing where there were too few articles to train one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from unspin import __version__
from unspin.scan.manifest import written
from unspin.trace.articles import TraceError

if TYPE_CHECKING:
    import tantivy

FORMAT = 1
INDEX, WORDS, TANTIVY, META = "index.json", "words.zdict", "tantivy", "meta.json"
REBUILD = "build the index again, or fetch it again from where it was copied from"


class Libraries(NamedTuple):
    """The modules that index and store."""

    tantivy: ModuleType
    zstandard: ModuleType


def libraries() -> Libraries:
    """Return what an index is made with.

    Raises:
        TraceError: it is not installed; the message says how to.
    """
    try:
        import tantivy
        import zstandard
    except ImportError:
        raise TraceError(
            "pages are traced with tantivy and zstandard: pip install 'unspin[trace]'"
        ) from None
    return Libraries(tantivy, zstandard)


# --- what is not tantivy's


class Settings(NamedTuple):
    """What index.json says: the version that wrote it, and what its other files must be like."""

    unspin: str
    words_sha256: str | None
    schema: Any  # of tantivy


def write_settings(path: Path, words: bytes | None) -> None:
    """Write the files of an index that are not tantivy's; index.json is the last.

    Raises:
        ScanError: they cannot be written.
    """
    if words is not None:
        with written(path / WORDS) as file:
            file.write(words)
    settings = Settings(
        __version__,
        None if words is None else sha256(words).hexdigest(),
        json.loads((path / TANTIVY / META).read_bytes())["schema"],
    )
    values = {"format": FORMAT, **settings._asdict()}
    with written(path / INDEX) as file:
        file.write(json.dumps(values | {"sha256": _digest(values)}, indent=2).encode() + b"\n")


def read_settings(path: Path) -> Settings:
    """Return what index.json of an index says.

    Raises:
        TraceError: there is no index, or one of another version or whose index.json is damaged.
    """
    if path.exists() and not path.is_dir():
        raise TraceError(f"{path} is a file and no index, which is a folder")
    if not (path / INDEX).exists() and not (path / TANTIVY).exists():
        what = "no index" if path.is_dir() else "no such folder"
        raise TraceError(f"{path}: {what}; make one with `unspin index build ARTICLES -o {path}`")
    try:
        values = json.loads((path / INDEX).read_bytes())
        version = values["format"]
    except OSError as error:
        raise TraceError(f"{path / INDEX} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise TraceError(f"{path / INDEX} is damaged: {REBUILD}") from None
    if version != FORMAT:
        raise TraceError(
            f"{path} is an index of format {version!r}, and this unspin reads format {FORMAT}:"
            " build it again"
        )
    sum_ = values.pop("sha256", None)
    if sum_ != _digest(values) or not values.keys() >= set(Settings._fields):
        raise TraceError(f"{path / INDEX} is damaged: {REBUILD}")
    return Settings(**{name: values[name] for name in Settings._fields})


def _digest(values: dict[str, Any]) -> str:
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read_words(path: Path, settings: Settings) -> bytes | None:
    """Return the dictionary of an index, None if it has none.

    Raises:
        TraceError: it is missing or damaged.
    """
    if settings.words_sha256 is None:
        return None
    try:
        words = (path / WORDS).read_bytes()
    except OSError as error:
        raise TraceError(f"{path / WORDS} cannot be read: {error.strerror}; {REBUILD}") from None
    if sha256(words).hexdigest() != settings.words_sha256:
        raise TraceError(f"{path / WORDS} is damaged: {REBUILD}")
    return words


# --- tantivy


@contextmanager
def asking(path: Path) -> Iterator[None]:
    """Say of what goes wrong with tantivy's files here that the index is damaged.

    Raises:
        TraceError: they cannot be read.
    """
    try:
        yield
    except ValueError as error:
        raise TraceError(_damaged(path, error)) from error
    except BaseException as error:
        # A panic of tantivy is no exception to Python.
        if type(error).__name__ != "PanicException":
            raise
        raise TraceError(_damaged(path, error)) from error


def _damaged(path: Path, error: BaseException) -> str:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return f"{path} cannot be read ({reason}): `unspin index check {path}` says what is wrong"


def open_tantivy(path: Path) -> tantivy.Index:
    """Return tantivy's index of a folder.

    Raises:
        TraceError: it cannot be opened.
    """
    with asking(path):
        index: tantivy.Index = libraries().tantivy.Index.open(str(path / TANTIVY))
        # Nothing watches the folder: who wants to see what was added asks.
        index.config_reader("manual")
        return index
