"""The command line that the benchmarks share, and work spread over processes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Options(NamedTuple):
    """The folders of the texts and the word relations; `quick` for a small run."""

    corpora: Path
    lexicons: Path
    workers: int
    quick: bool


def parser(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark is asked with, for one that is asked for more."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the clean texts")
    parser.add_argument("--lexicons", type=Path, required=True, help="folder of word relations")
    parser.add_argument("--workers", type=int, default=2, help="processes to use (default 2)")
    parser.add_argument("--quick", action="store_true", help="a small run, printed and not kept")
    return parser


def given(parsed: argparse.Namespace) -> Options:
    """What every benchmark was asked with."""
    return Options(parsed.corpora, parsed.lexicons, parsed.workers, parsed.quick)


def options(description: str | None) -> Options:
    """What the command line says."""
    return given(parser(description).parse_args())


def command(name: str, given: Options, more: str = "") -> str:
    """The command that makes a result again, with names in place of folders.

    >>> command("rerank", Options(Path("a"), Path("b"), 2, True), " --models MODELS")
    'python -m bench.rerank --corpora CORPORA --lexicons LEXICONS --models MODELS --quick'
    """
    quick = " --quick" if given.quick else ""
    return f"python -m bench.{name} --corpora CORPORA --lexicons LEXICONS{more}{quick}"


def spread(work: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> list[Result]:
    """The results of all tasks, in their order; a terminal sees how many are done."""
    results: list[Result] = []
    with ProcessPoolExecutor(workers) as pool:
        for result in pool.map(work, tasks):
            results.append(result)
            if sys.stderr.isatty():
                end = "\r" if len(results) < len(tasks) else "\n"
                print(f"{len(results)} of {len(tasks)}", end=end, file=sys.stderr, flush=True)
    return results


def spread_lists(
    work: Callable[[Task], list[Result]], tasks: Sequence[Sequence[Task]], workers: int
) -> list[list[Result]]:
    """The results of tasks in batches that keep all workers busy, those of one task as one list."""
    results = iter(spread(work, [batch for batches in tasks for batch in batches], workers))
    return [[result for _ in batches for result in next(results)] for batches in tasks]
