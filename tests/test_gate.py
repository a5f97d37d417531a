"""The program is as good as it was: floors under its accuracy, on pages that are committed.

`gate/pages.json` holds the clean texts of `cases`, spun by every family (`train.gate`); each page
is read with what describes its family left out of the channel. `gate/floors.json` pins the least
that is accepted, a little below what was reached, and the digest of the texts it was reached on.
Lowering a floor, or changing the texts, needs a reason in the commit message.
"""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from bench.metrics import Change, Tally, auc, tally, true_positive_rate
from train.spin import Swap
from unspin import Reader

GATE = Path(__file__).parent / "gate"
CASES = Path(__file__).parent / "cases"
DATA = [CASES / "negative.json", CASES / "hard-clean.json", GATE / "pages.json"]
FLOORS = json.loads((GATE / "floors.json").read_text("utf-8"))


def texts(path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def reached():
    """What is reached, by the names of the floors."""
    open_reader = cache(lambda *without: Reader(without=without))
    scores, total, called = [], Tally(), 0
    pages = texts(DATA[2])
    for page in pages:
        reading = open_reader(*page["without"]).read(page["text"])
        scores.append(reading.probability)
        called += reading.verdict == "spun"
        changes = [Change(edit.start, edit.end, edit.original) for edit in reading.edits]
        total += tally(page["text"], [Swap(*swap) for swap in page["swaps"]], changes)
    reader = Reader()
    clean = [reader.read(case["text"]) for path in DATA[:2] for case in texts(path)]
    probabilities = [reading.probability for reading in clean]
    words = sum(reading.words for reading in clean)
    return {
        "AUC": auc(probabilities, scores),
        "found at 1 % false positives": true_positive_rate(probabilities, scores, 0.01),
        "called spun": called / len(pages),
        "put back": total.put_back,
        "right": total.precision,
        "unharmed": 1 - total.harm,
        "clean words left alone": 1 - sum(len(reading.edits) for reading in clean) / words,
        "clean texts not called spun": sum(r.verdict != "spun" for r in clean) / len(clean),
    }


def test_the_floors_were_set_on_these_texts():
    digest = sha256(b"".join(path.read_bytes() for path in DATA)).hexdigest()
    assert digest == FLOORS["digest"]


@pytest.mark.parametrize("measure", FLOORS["least"])
def test_nothing_falls_below_its_floor(reached, measure):
    assert reached[measure] >= FLOORS["least"][measure]


def test_every_measure_has_a_floor(reached):
    assert set(reached) == set(FLOORS["least"])
