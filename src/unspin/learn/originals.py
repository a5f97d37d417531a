"""Which pages come with their originals? Those of a file of pairs, and those that can be traced."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from unspin.learn.errors import LearnError
from unspin.pages import PageError
from unspin.reader import MODEL
from unspin.scan import inputs
from unspin.scan.batch import Limits
from unspin.scan.job import Fields, Shard, ShardError
from unspin.trace.index import Index
from unspin.trace.tracer import Tracer

SPUN, ORIGINAL = "spun", "original"  # fields of a line


def read_pairs(
    paths: Sequence[str], skipped: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, str]]:
    """Yield the pages of files of JSON lines, each with its original.

    Args:
        paths: files, folders, patterns and addresses, as a scan takes them. Each line is
            `{"spun": TEXT, "original": TEXT}`; other members are passed over.
        skipped: is told of every line that is none, and of every file that cannot be read to its
            end, with the reason.

    Raises:
        LearnError: one of them is no file of JSON lines.
        ScanError: a path names nothing.
    """
    for shard in inputs.find(paths):
        if shard.format != "jsonl":
            raise LearnError(
                f"{shard.paths[0]}: pages with their originals are read from JSON lines: write them"
                f' to a file that ends in .jsonl, as {{"{SPUN}": TEXT, "{ORIGINAL}": TEXT}}'
            )
        yield from _of_file(shard, skipped)


def traced_pairs(
    pages: Iterable[str],
    indexes: Sequence[Path],
    *,
    model: Path = MODEL,
    skipped: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, str]]:
    """Yield the pages whose source is found in an index, each with the article.

    Args:
        pages: texts, or HTML.
        indexes: the folders of the indexes; several make up one collection.
        model: the folder of the model.
        skipped: is told why a page is passed over.

    Raises:
        TraceError: an index cannot be opened or asked.
        ModelError: a file of the model is missing or damaged.
    """
    tracer = Tracer([Index.open(path) for path in indexes], model=model)
    for number, page in enumerate(pages, 1):
        try:
            trace = tracer.trace(page, time.monotonic() + Limits().seconds)
        except PageError as error:
            skipped(f"page {number:,}: {error}")
            continue
        if trace.matches:
            yield trace.text, trace.matches[0].text
        else:
            skipped(f"page {number:,}: {trace.reason}")


def _of_file(shard: Shard, skipped: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    path = shard.paths[0]
    number = 0
    try:
        for documents in inputs.read(shard, Fields(text=SPUN)):
            columns = (documents.batch[name].to_pylist() for name in ("text", "reason"))
            for spun, reason, line in zip(*columns, documents.rows or (), strict=True):
                number += 1
                original = None if spun is None else json.loads(line).get(ORIGINAL)
                if isinstance(original, str):
                    yield spun, original
                else:
                    fault = reason or f"no text in the field {ORIGINAL!r}"
                    skipped(f"{path}, record {number:,}: {fault}")
    except ShardError as error:
        # What else it says is about an option of other commands.
        skipped(f"{path}: {str(error).partition(': name ')[0]}")
