"""The API does what its description says, whatever is sent: schemathesis tries it."""

import subprocess
import sys

import pytest

pytest.importorskip("fastapi", reason="the web server needs the extra unspin[web]")
pytest.importorskip("uvicorn", reason="the web server needs the extra unspin[web]")
pytest.importorskip(
    "schemathesis", reason="trying the API by its description needs the extra schemathesis"
)
pytest.importorskip("tantivy", reason="tracing needs the extra unspin[trace]")

from pathlib import Path

from tests.serving import served
from unspin.trace.index import build
from unspin.web.settings import Settings

ARTICLES = Path(__file__).parent.parent / "examples" / "articles.jsonl"
# A page may be refused for what is in it, and a reading for not fitting together: no schema tells.
REFUSABLE = """
[[operations]]
include-path-regex = "^/v1/(read|trace|report)"
checks.positive_data_acceptance.expected-statuses = ["2xx", "422"]
"""


def test_schemathesis_finds_nothing(tmp_path):
    build([str(ARTICLES)], tmp_path / "ix")
    config = tmp_path / "schemathesis.toml"
    config.write_text(REFUSABLE, encoding="utf-8")
    with served(Settings(port=0, workers=1, indexes=(tmp_path / "ix",))) as server:
        tried = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run"),
                *("--checks", "all", "--max-examples", "200", "--seed", "1"),
                *("--generation-database", "none", "--no-color", f"{server.address}openapi.json"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "No issues found" in tried.stdout
