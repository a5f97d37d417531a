"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unspin.families import FamilyTable


class FailOn(StrEnum):
    """Verdicts that can make the command fail."""

    spun = "spun"


class Engine(StrEnum):
    """What the workers are: processes of this machine, or of Ray."""

    local = "local"
    ray = "ray"


TextField = Annotated[
    str | None, typer.Option(metavar="F", help="The field or column of the text.")
]
IdField = Annotated[str | None, typer.Option(metavar="F", help="The field or column of the id.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are cores.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="RAY", help="A Ray cluster, instead of one started here."),
]
Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="FAMILY",
        help="A spinner to look for: a family file, or the name of one of yours; several may be.",
    ),
]


def tables(families: list[str] | None) -> tuple[FamilyTable, ...]:
    """Read the families that were asked for.

    Raises:
        FamilyError: one is not there or cannot be read.
    """
    from unspin.families import find, read

    return tuple(read(find(name)) for name in families or ())
