"""However long a scan goes on, a worker needs no more memory than at first."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unspin import pages

EXAMPLES = Path(__file__).parents[1] / "examples"
STATUS = Path("/proc/self/status")

SCORE = """
import re, sys
from pathlib import Path
from unspin.scan import inputs
from unspin.scan.batch import Scorer
from unspin.scan.job import Fields

def megabytes(of):
    return int(re.search(rf"{of}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

scorer = Scorer()
(shard,) = inputs.find([sys.argv[1]])
for turn in range(12):
    for documents in inputs.read(shard, Fields()):
        scorer(documents.batch)
    if turn == 3:
        early = megabytes("VmRSS")
print(early, megabytes("VmRSS"), megabytes("VmHWM"))
"""


@pytest.mark.skipif(not STATUS.exists(), reason="memory is measured as Linux shows it")
def test_memory_stays_flat_over_many_documents(tmp_path):
    clean = (EXAMPLES / "demo-original.txt").read_text("utf-8")
    spun = pages.extract((EXAMPLES / "demo.html").read_bytes()).text
    texts = [f"{clean}\nNumber {i}." for i in range(1500)] + [spun] * 20
    texts += ["“" * 5000, "a " * 100_000, "\n" * 5000, "é" * 50_000, ""]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    result = subprocess.run(
        [sys.executable, "-c", SCORE, str(corpus)], check=True, capture_output=True, text=True
    )
    early, late, peak = map(float, result.stdout.split())
    assert late < early + 10, "MB"
    assert peak < 300, "MB"
