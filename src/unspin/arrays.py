"""Named arrays in one file, memory-mapped: how the model's numbers are kept on disk.

Layout: the magic line, a little-endian u32 with the length of the header, a u32 with its CRC, the
header (JSON: `kind`, `version`, `meta`, `size` of the whole file, and per array its element type,
offset and count), then the arrays, each aligned to 64 bytes. Opening reads the header alone;
pages of the arrays come in as they are used and are shared between processes.
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

CHECKSUMS = "checksums.json"
MAGIC = b"unspin arrays 1\n"
_SIZES = {"b": 1, "B": 1, "H": 2, "I": 4, "f": 4}


class ModelError(Exception):
    """A model file is missing, damaged or of another version; the message names the file."""


class ArrayFile(NamedTuple):
    """What a file holds: its free-form `meta` and its arrays by name."""

    meta: dict[str, Any]
    arrays: dict[str, memoryview]


def write(path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write arrays (any one-dimensional buffer of element type b, B, H, I or f) to one file.

    The file appears whole or not at all.
    """
    views = {name: memoryview(array) for name, array in arrays.items()}
    table: dict[str, tuple[str, int, int]] = {}
    offset = 0
    for name, view in views.items():
        table[name] = (view.format, offset, len(view))
        offset += -(-view.nbytes // 64) * 64
    header = json.dumps({"kind": kind, "meta": meta, "arrays": table, "size": offset}).encode()
    start = _start(len(header))
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(MAGIC + struct.pack("<II", len(header), zlib.crc32(header)) + header)
        for name, view in views.items():
            file.seek(start + table[name][1])
            file.write(view.cast("B"))
        file.truncate(start + offset)
    partial.replace(path)


def read(path: Path, kind: str) -> ArrayFile:
    """Map the arrays of a file of this kind into memory.

    Raises:
        ModelError: the file is missing, damaged, cut short or of another kind.
    """
    try:
        with path.open("rb") as file:
            # Copy-on-write, since a typed view in a compiled kernel wants a writable buffer;
            # nobody writes, so the pages stay shared.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except FileNotFoundError:
        raise ModelError(f"model file {path} is missing: install unspin again") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"model file {path} cannot be read: {error}") from None
    prefix = len(MAGIC) + 8
    if mapped[: len(MAGIC)] != MAGIC or len(mapped) < prefix:
        raise ModelError(f"{path} is not a model file of this version of unspin")
    length, crc = struct.unpack("<II", mapped[len(MAGIC) : prefix])
    encoded = mapped[prefix : prefix + length]
    if zlib.crc32(encoded) != crc:
        raise ModelError(f"model file {path} is damaged (its header): install unspin again")
    header = json.loads(encoded)
    start = _start(length)
    if header["kind"] != kind:
        raise ModelError(f"{path} holds {header['kind']}, not {kind}")
    if len(mapped) != start + header["size"]:
        raise ModelError(f"model file {path} is cut short: install unspin again")
    view = memoryview(mapped)
    arrays = {
        name: view[start + offset : start + offset + count * _SIZES[code]].cast(code)
        for name, (code, offset, count) in header["arrays"].items()
    }
    return ArrayFile(header["meta"], _Arrays(path, arrays))


class _Arrays(dict[str, memoryview]):
    """The arrays of a file; to ask for one that it lacks is to want another version of it."""

    def __init__(self, path: Path, arrays: Mapping[str, memoryview]) -> None:
        super().__init__(arrays)
        self._path = path

    def __missing__(self, name: str) -> memoryview:
        raise ModelError(
            f"model file {self._path} is of another version of unspin (it lacks {name!r}):"
            " install unspin again"
        )


def seal(folder: Path) -> None:
    """Write down the CRC of every `.bin` and `.onnx` file of a model's folder."""
    files = sorted([*folder.glob("*.bin"), *folder.glob("*.onnx")])
    sums = {path.name: _crc(path) for path in files}
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")


def verify(folder: Path) -> None:
    """Compare the files of a model with the checksums beside them; 4 ms for 10 MB.

    Raises:
        ModelError: a file is missing or differs, or there are no checksums.
    """
    sums = folder / CHECKSUMS
    try:
        expected = json.loads(sums.read_text(encoding="utf-8"))
        damaged = [name for name, crc in expected.items() if _crc(folder / name) != crc]
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"model in {folder} cannot be read: {error}") from None
    if damaged:
        raise ModelError(f"model file {folder / damaged[0]} is damaged: install unspin again")


def _crc(path: Path) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return zlib.crc32(mapped)


def _start(header_length: int) -> int:
    return -(-(len(MAGIC) + 8 + header_length) // 64) * 64
