"""The tutorial shows what its commands print."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("numpy", reason="tables are learned with numpy: the extra unspin[learn]")

from unspin import cli

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs/learn.md").read_text("utf-8").partition("## What it needs")[0]
SHOWN = re.compile(r"^    \$ unspin (.+)\n((?:(?:    .*)?\n)*?)(?=\n?    \$|\n\S|\Z)", re.MULTILINE)
# What depends on the day, or on the lines that do.
UNLIKE = re.compile(r"date +|sha256 +")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def words(text):
    return " ".join(text.split())


def test_the_tutorial_shows_what_its_commands_print(folder):
    compared = 0
    for command, shown in SHOWN.findall(TUTORIAL):
        if not command.startswith(("learn ", "families show", "families test", "read ")):
            continue
        result = CliRunner().invoke(cli.app, command.split())
        assert result.exit_code == 0, result.output
        printed = words(result.stderr + "\n" + result.stdout)
        for part in re.split(r"…|\n\n", shown):
            lines = part.splitlines()
            alike = [line for line in lines if not UNLIKE.match(line.strip())]
            # Texts are cut into other lines than the terminal has.
            for passage in [part] if alike == lines else alike:
                assert words(passage) in printed, (command, passage)
        compared += 1
    assert compared == 5
    assert (folder / "wave.tsv").exists()
