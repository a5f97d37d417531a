"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


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
