"""What goes wrong, as a message and an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from unspin.cli import streams

SPUN, UNREADABLE, INTERRUPTED = 1, 3, 130
GO_ON = "run the same command again to go on"
MENDED = "once mended, run the same command again"


@contextmanager
def explained(*more: type[Exception], interrupted: str = "") -> Iterator[None]:
    """Turn what can be wrong with input and output into a message and an exit status.

    `more` are errors whose message says it all; `interrupted` is what to do after an interruption.
    """
    from unspin.arrays import ModelError
    from unspin.families import FamilyError
    from unspin.pages import PageError

    known: tuple[type[Exception], ...] = (PageError, ModelError, FamilyError, *more)
    try:
        yield
    except KeyboardInterrupt:
        if interrupted:
            streams.say(f"unspin: interrupted; {interrupted}")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        streams.discard_output()
        raise typer.Exit from None
    except known as error:
        fail(str(error))
    except FileNotFoundError as error:
        fail(f"{error.filename}: no such file; a single - reads standard input")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}; name one file that can be read")
    except MemoryError:
        fail("not enough memory for this page: split it and read one document at a time")


def fail(message: str) -> NoReturn:
    """End with a message, as for input that cannot be read."""
    streams.say(f"unspin: {message}")
    raise typer.Exit(UNREADABLE)
