"""What the command reads and prints: results on standard output, messages on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console


def page_bytes(page: str, instead: str) -> bytes:
    """The page's bytes, one more than the limit at most: enough for the reader to refuse it.

    `instead` is the command that reads an address from standard input.
    """
    from unspin.pages import MAX_BYTES

    if page.startswith(("http://", "https://")):
        raise typer.BadParameter(f"addresses are not opened; try: curl -s {page} | {instead}")
    if page == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(page).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def say(line: str) -> None:
    """Tell the person at the terminal, whatever standard output is used for."""
    print(line, file=sys.stderr)  # noqa: T201


def save(path: Path, text: str) -> None:
    """Write a report to where it was asked for."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from None


def write(text: str) -> None:
    """Print a result as UTF-8 wherever we run, with half surrogate pairs as question marks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def draw(picture: Callable[[Console], None]) -> None:
    """Print what `picture` prints to the console that it is given."""
    from rich.console import Console

    console = Console(highlight=False)
    with console.capture() as printed:
        picture(console)
    write(printed.get())


def discard_output() -> None:
    """Send what Python still flushes on its way out where no closed pipe complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
