"""The second reader of a command: without it the page is read all the same, and that is said."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from unspin.cli.streams import say

if TYPE_CHECKING:
    from unspin.reranker import Reranker


@contextmanager
def second_reader(name: str | None) -> Iterator[Reranker | None]:
    """Open the second reader that was asked for; None if none was, or it cannot be opened."""
    if name is None:
        yield None
        return
    from unspin.reranker import RerankError, RerankWarning, find

    with ExitStack() as shown, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RerankWarning)
        second = None
        try:
            second = find(name, shown.enter_context(_progress()))
        except RerankError as error:
            _without(str(error))
        yield second
    for told in warned:
        if issubclass(told.category, RerankWarning):
            _without(str(told.message))
        else:
            warnings.showwarning(told.message, told.category, told.filename, told.lineno)


def _without(reason: str) -> None:
    say(f"unspin: {reason}")
    say("unspin: the page was read without a second reader")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar of the questions on standard error, where someone looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("second reader"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)

        def progress(done: int, questions: int) -> None:
            bar.update(task, completed=done, total=questions, visible=True)

        yield progress
