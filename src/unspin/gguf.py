"""A language model in a GGUF file as a second reader: llama.cpp serves it, by xllamacpp.

It is served to this process alone, in a process of its own, for llama.cpp may crash of a damaged
file.
"""

from __future__ import annotations

import math
import os
import secrets
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Timer
from typing import Any

from unspin.llm import LINES, TOKENS, Server, StrangeError
from unspin.reranker import Continuations, RerankError

LOADING = 300.0  # seconds that loading a file may take
THREADS = 4  # of llama.cpp at most: they wait in busy loops, and all stand still if cores lack


class Gguf:
    """The model in a GGUF file."""

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises:
            RerankError: it cannot be read, or is no model of text; or xllamacpp is missing.
        """
        if find_spec("xllamacpp") is None:
            raise RerankError("GGUF files are read with xllamacpp: pip install 'unspin[llm]'")
        _look_at(path)
        self._path = path
        self._process = Popen(  # noqa: S603 - this module
            [sys.executable, "-P", "-m", "unspin.gguf", path],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            text=True,
            start_new_session=True,
        )
        weakref.finalize(self, _end, self._process)
        key = secrets.token_hex()
        address = _address(self._process, key)
        if not address:
            raise RerankError(
                f"llama.cpp cannot load {path}: it is damaged, cut short, no model of text, or "
                "newer than the xllamacpp installed"
            )
        with self._alive():
            try:
                self._server = Server(address, key=key, name=str(path), patience=LOADING)
            except StrangeError:
                raise RerankError(
                    f"{path} is no model that continues English text (is it one for embeddings?): "
                    "take another"
                ) from None

    def log_p(self, asked: Sequence[Continuations], deadline: float) -> list[list[float]]:
        """Return the natural logs of P(text | before), of one question after the other.

        Raises:
            RerankError: the model does not answer all of them by the deadline.
        """
        with self._alive():
            return self._server.log_p(asked, deadline)

    @contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except RerankError:
            with suppress(TimeoutExpired):
                self._process.wait(0.1)
                raise RerankError(f"llama.cpp crashed with {self._path}: take another") from None
            raise


def _look_at(path: Path) -> None:
    """Look whether a file may be a model that can be loaded.

    Raises:
        RerankError: it is none, or too large.
    """
    try:
        with path.open("rb") as file:
            magic, size = file.read(4), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise RerankError(f"{path} cannot be read: {error.strerror}") from None
    if magic != b"GGUF":
        raise RerankError(f"{path} is no GGUF file: take one that llama.cpp can load")
    free = _free_memory()
    if size > free:
        raise RerankError(
            f"{path} has {size / 1e9:.1f} GB, but {free / 1e9:.1f} GB of memory are free: "
            "take a smaller model, or one of fewer bits"
        )


def _free_memory() -> float:
    """Bytes that a model may take, as far as the system tells."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(told.split()[1]) * 1024
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return math.inf


def _address(process: Popen[str], key: str) -> str:
    """Where a process serves its file; nothing if it could not load it."""
    guard = Timer(LOADING, process.kill)
    guard.start()
    try:
        print(key, file=process.stdin, flush=True)
        return next((line.strip() for line in process.stdout or () if "http://" in line), "")
    except OSError:
        return ""
    finally:
        guard.cancel()


def _end(process: Popen[str]) -> None:
    with suppress(OSError), process:
        process.kill()


def _serve(path: str) -> None:
    """Serve a file to the process that started this one, until that ends."""
    llama: Any = import_module("xllamacpp")
    settings = llama.CommonParams()
    settings.model.path = path
    settings.api_keys = [sys.stdin.readline().strip()]
    settings.port = 0
    settings.warmup = False
    settings.verbosity = -1
    settings.n_parallel, settings.n_ctx = LINES, LINES * (TOKENS + 1)
    settings.cache_ram_mib = 512  # of sentences that are read on in the next round
    settings.swa_full = True  # what a sliding window has left behind would be read again
    threads = min(THREADS, max(1, (os.cpu_count() or 1) // 2))
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = llama.Server(settings)
    sys.stdout.write(f"\n{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # in the midst of whatever is still asked


if __name__ == "__main__":
    _serve(sys.argv[1])
