"""Tables as Markdown and JSON, with what is needed to make them again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).parent / "results"

Cell = str | int | float | None


class Column(NamedTuple):
    """A heading and the format of the numbers below it, as in `format(number, style)`."""

    heading: str
    style: str = ""


class Table(NamedTuple):
    """One table; a cell without a value is None."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


class Run(NamedTuple):
    """What was run: the name of the benchmark, the command, and what a reader has to know."""

    name: str
    command: str
    note: str


def publish(run: Run, tables: Sequence[Table], *, keep: bool) -> None:
    """Print the tables, and keep them as `bench/results/NAME.md` and `.json`."""
    facts = {
        "command": run.command,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "processors": os.cpu_count() or 1,
    }
    told = ", ".join(
        (f"`{facts['command']}`", f"{facts['date']}", f"Python {facts['python']}",
         f"{facts['processors']} CPUs")
    )  # fmt: skip
    parts = [f"# {run.name}", told, run.note, *(part for t in tables for part in _markdown(t))]
    text = "\n\n".join(parts) + "\n"
    print(text, end="")
    if not keep:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{run.name}.md").write_text(text, encoding="utf-8")
    record = {"name": run.name, **facts, "note": run.note, "tables": [_plain(t) for t in tables]}
    lines = json.dumps(record, ensure_ascii=False, indent=1)
    (RESULTS / f"{run.name}.json").write_text(lines + "\n", encoding="utf-8")


def markdown(table: Table) -> str:
    """The table as Markdown, numbers to the right.

    >>> columns = [Column("system"), Column("put back", ".1%")]
    >>> print(markdown(Table("", columns, [("unspin", 0.925), ("nothing", None)])))
    | system | put back |
    | --- | ---: |
    | unspin | 92.5% |
    | nothing | – |
    """
    rule = ["---:" if column.style else "---" for column in table.columns]
    lines = [
        [column.heading for column in table.columns],
        rule,
        *(
            [_shown(cell, column) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown(table: Table) -> tuple[str, str]:
    return f"## {table.title}", markdown(table)


def _shown(cell: Cell, column: Column) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else format(cell, column.style)


def _plain(table: Table) -> dict[str, object]:
    return {
        "title": table.title,
        "columns": [column.heading for column in table.columns],
        "rows": [
            [round(cell, 6) if isinstance(cell, float) else cell for cell in row]
            for row in table.rows
        ],
    }
