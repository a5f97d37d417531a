"""What of the work is finished, and who may write? The output folder: settings, lock and manifest.

    settings.json     what shows in the tables; a run with other settings is refused
    manifest.jsonl    a line for every finished shard
    scores/, corpus/  their tables, and the documents that were kept
    families/         tables of spinners that were learned from them
    .lock             held by a scan, and by its workers, for as long as they live

Other work than a scan has folders of other names, and is kept in the same way.

A file comes to be under a temporary name and gets its own when it is whole, and the line of a
shard is written last. So whatever has a line is whole, and whatever dies before is done again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar
from uuid import uuid4

from unspin import __version__
from unspin.arrays import CHECKSUMS
from unspin.reader import CALIBRATION
from unspin.scan.job import Line, ScanError, Shard

if sys.platform != "win32":
    import fcntl

SETTINGS, MANIFEST, LOCK = "settings.json", "manifest.jsonl", ".lock"
SCORES, CORPUS, FAMILIES = "scores", "corpus", "families"
TEMPORARY = ".unspin-tmp"
# Workers whose parent was killed end within a moment, and hold the folder until then.
PATIENCE = 5.0  # seconds


L = TypeVar("L", bound=Line)


class Settings(Protocol):
    """What shows in the files of an output folder, and with which model."""

    @property
    def model(self) -> Path:
        """The model's folder."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""


class Manifest(Generic[L]):
    """The finished shards of an output folder that is `opened`; `kind` is what their lines are."""

    def __init__(self, out: Path, kind: type[L]) -> None:
        self._out = out
        self._path = out / MANIFEST
        self._lines = {done.shard: done for done in _read(self._path, kind)}

    def finished(self, shard: Shard, size: int) -> L | None:
        """Return the line of a shard whose tables are there, or None if it is to be done.

        It is to be done again if it could not be read to its end, for what was wrong with it may be
        mended, or if its input has another size by now, or its folder of texts other files.

        Raises:
            ScanError: the tables are those of another file, which has the same name.
        """
        done = self._lines.get(shard.name)
        if done is None:
            return None
        if done.inputs != shard.paths and shard.format != "text":
            raise ScanError(
                f"{self._out} has the table of {_few(done.inputs)} under the name that that of"
                f" {_few(shard.paths)} would have: if they are the same, name it as before; else"
                " scan it into another folder, or add --overwrite to discard what is there"
            )
        if done.error is not None or (done.inputs, done.bytes) != (shard.paths, size):
            return None
        whole = all(_digest(self._out / path) == sum_ for path, sum_ in done.files)
        return done if whole else None

    def start(self, undone: Iterable[Shard]) -> None:
        """Strike out the lines of shards that are done again, and what is left of a torn line."""
        for shard in undone:
            self._lines.pop(shard.name, None)
        self._rewrite()

    def add(self, done: L) -> None:
        """Note that a shard is finished.

        Raises:
            ScanError: the line could not be written.
        """
        self._lines[done.shard] = done
        with saving(self._path), self._path.open("ab") as file:
            file.write(_line(done))
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Sort the lines, so that nothing shows in what order the shards were finished."""
        self._lines = dict(sorted(self._lines.items()))
        self._rewrite()

    def _rewrite(self) -> None:
        with written(self._path) as file:
            file.writelines(map(_line, self._lines.values()))


@contextmanager
def opened(
    out: Path,
    settings: Settings,
    *,
    folders: Collection[str] = (SCORES, CORPUS, FAMILIES),
    overwrite: bool = False,
) -> Iterator[None]:
    """Open an output folder for one scan, a new one or one to go on with.

    Other work than a scan names the `folders` that it writes to there. With `overwrite` what was
    written to them goes, and nothing else.

    Raises:
        ScanError: the folder cannot be written, is in use, or holds what is not of this scan.
    """
    _refuse_foreign(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScanError(_unwritable(out, error)) from None
    with _alone(out):
        if overwrite:
            _discard(out, folders)
        _settle(out, settings)
        _sweep(out, folders)
        try:
            yield
        finally:
            _sweep(out, folders)


def removed(out: Path, folders: Collection[str], files: Collection[str] = ()) -> None:
    """Remove an output folder that was only kept to go on with, but what is not of that work.

    It has what was written to the `folders`, and the `files`.
    """
    if (out / SETTINGS).exists():
        for name in folders:
            shutil.rmtree(out / name, ignore_errors=True)
        # The settings late, for they say whose it is.
        for name in (*files, MANIFEST, SETTINGS):
            (out / name).unlink(missing_ok=True)
    with suppress(OSError):
        (out / LOCK).unlink(missing_ok=True)
        out.rmdir()


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """Write a file that has its name only once it is whole; what fails leaves nothing behind.

    Raises:
        ScanError: it cannot be written; the message says why.
    """
    temporary = path.parent / f".{uuid4().hex}{TEMPORARY}"
    with saving(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("xb")
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()
            temporary.replace(path)
        except BaseException:
            # Closing flushes, which fails again where the disk is full.
            with suppress(OSError):
                file.close()
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Say of what goes wrong with the disk here that this file cannot be written."""
    try:
        yield
    except OSError as error:
        raise ScanError(_unwritable(path, error)) from error


@contextmanager
def sharing(out: Path) -> Iterator[bool]:
    """Hold an output folder as a worker of the scan that has it; False if there is none any more.

    As long as a worker holds it no other scan begins there, even if its own was killed.
    """
    with (out / LOCK).open("ab") as file:
        yield _locks(file, exclusively=False)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def model_digest(folder: Path) -> str:
    """Return a digest of a model; its checksums say what is in the other files.

    Raises:
        ScanError: it cannot be read.
    """
    try:
        parts = [(folder / name).read_bytes() for name in (CHECKSUMS, CALIBRATION)]
    except OSError as error:
        raise ScanError(f"model in {folder} cannot be read: {error.strerror}") from None
    return sha256(b"".join(parts)).hexdigest()


def part_digest(model: Path, name: str) -> str:
    """Return the SHA-256 of one file of a model.

    Raises:
        ScanError: it cannot be read.
    """
    try:
        return digest(model / name)
    except OSError as error:
        raise ScanError(f"model in {model} cannot be read: {error.strerror}") from None


# --- lines


def _line(done: Line) -> bytes:
    # Names of files may hold what is no Unicode, but never what JSON has no escape for.
    return json.dumps(asdict(done), sort_keys=True).encode() + b"\n"


def _read(path: Path, kind: type[L]) -> Iterator[L]:
    """The lines that are whole; of those that a killed run tore, or others edited, none is."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ScanError(f"{path} cannot be read: {error.strerror}") from None
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            values = json.loads(line)
            if line.endswith(b"\n"):
                yield kind(**values | {"inputs": tuple(values["inputs"])})


def _digest(path: Path) -> str | None:
    try:
        return digest(path)
    except OSError:
        return None


def _few(paths: tuple[str, ...]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


# --- the folder


def _refuse_foreign(out: Path) -> None:
    """See to it that nobody else's files get among ours, nor ours among theirs."""
    try:
        if _settings(out) is not None:
            return
        others = [path.name for path in out.iterdir() if not _temporary(path)]
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise ScanError(f"{out} is no folder: name one for the tables with -o") from None
    except OSError as error:
        raise ScanError(f"{out} cannot be read: {error.strerror}") from None
    if others:
        raise ScanError(
            f"{out} is not empty, and no scan has written it (it has {min(others)}): name a new"
            " folder with -o"
        )


def _settings(out: Path) -> dict[str, Any] | None:
    """The settings that a scan has written, None if none has."""
    try:
        settings = json.loads((out / SETTINGS).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    ours = isinstance(settings, dict) and {"unspin", "model_sha256", "settings"} <= settings.keys()
    return settings if ours else None


def _temporary(path: Path) -> bool:
    return path.name == LOCK or path.name.endswith(TEMPORARY)


def _settle(out: Path, settings: Settings) -> None:
    """Write the settings of a new folder, and compare those of one that is there."""
    given = {
        "unspin": __version__,
        "model_sha256": model_digest(settings.model),
        # As they come back from JSON.
        "settings": json.loads(json.dumps(settings.to_dict())),
    }
    found = _settings(out)
    if found is None:
        with written(out / SETTINGS) as file:
            file.write(json.dumps(given, indent=2, sort_keys=True).encode() + b"\n")
        return
    before, now = _flat(found), _flat(given)
    differing = [
        f"{name} was {_shown(before.get(name))}, is {_shown(now.get(name))}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise ScanError(
            f"{out} was written with other settings ({'; '.join(differing)}): name another"
            " folder with -o, or add --overwrite to discard what is there"
        )


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, "" if name == "settings" else f"{name}.")
        else:
            flat[above + name] = value
    return flat


def _shown(value: object) -> str:
    return f"{value[:8]}…" if isinstance(value, str) and len(value) == 64 else json.dumps(value)


def _discard(out: Path, folders: Collection[str]) -> None:
    """Remove what a scan wrote; the settings last, for they say that it was a scan."""
    with saving(out):
        (out / MANIFEST).unlink(missing_ok=True)
        for name in folders:
            if (out / name).exists():
                shutil.rmtree(out / name)
        (out / SETTINGS).unlink(missing_ok=True)


def _sweep(out: Path, folders: Collection[str]) -> None:
    """Remove what killed runs have left behind half written."""
    with saving(out):
        for folder in (out, *(out / name for name in folders)):
            for path in folder.glob(f"*{TEMPORARY}" if folder == out else f"**/*{TEMPORARY}"):
                path.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> str:
    advice = "name a folder that you may write to with -o"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "make room and run the same command again; what is finished stays"
    return f"{path} cannot be written: {error.strerror or error}; {advice}"


# --- the lock


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold a folder that no other scan holds, nor any worker that one has left behind."""
    with saving(out):
        file = (out / LOCK).open("ab")
    with file:
        ends = time.monotonic() + PATIENCE
        while not _locks(file, exclusively=True):
            if time.monotonic() > ends:
                raise ScanError(
                    f"another run is writing to {out}: wait for it, or write elsewhere with -o"
                )
            time.sleep(0.05)
        # From here on our own workers hold it too.
        if not _locks(file, exclusively=False):
            raise ScanError(f"another run has begun to write to {out}: write elsewhere with -o")
        yield


def _locks(file: BinaryIO, *, exclusively: bool) -> bool:
    """Lock a file for as long as it is open, which the death of the process ends."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusively else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems know no locks; there one has to take care oneself.
        return True
    return True
