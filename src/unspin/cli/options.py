"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

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

Rerank = Annotated[
    str | None,
    typer.Option(
        "--rerank",
        metavar="[MODEL]",
        help="Have a second reader choose among the originals: unspin's own, or a .gguf file, or"
        " the address of a server like OpenAI's.",
    ),
]


class Reranking(TyperCommand):
    """A command whose `--rerank` may stand without a model, which then is unspin's own."""

    # Whose `Context` it is depends on the version of typer.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """Read the arguments, the model's name filled in."""
        if "--rerank" not in args:
            return super().parse_args(ctx, args)
        from unspin.reranker import OWN, is_model

        given: list[str] = []
        for argument, following in zip(args, [*args[1:], ""], strict=True):
            given.append(argument)
            if argument == "--rerank" and not is_model(following):
                given.append(OWN)
        return super().parse_args(ctx, given)


def tables(families: list[str] | None) -> tuple[FamilyTable, ...]:
    """Read the families that were asked for.

    Raises:
        FamilyError: one is not there or cannot be read.
    """
    from unspin.families import find, read

    return tuple(read(find(name)) for name in families or ())
