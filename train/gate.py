"""Make the pages that the tests hold the program to: `python -m train.gate --lexicons L`.

The clean texts of `tests/cases`, each spun by one family after the other, so that the gate needs
neither corpora nor lexicons. Writes `tests/gate/pages.json`; `tests/test_gate.py` pins what must
be reached on it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from train.calibrate import CASES, hard_clean
from train.families import FAMILIES
from train.samples import count_words, tables_left_out
from train.spin import spin

PAGES = CASES.parent / "gate" / "pages.json"
LEAST_WORDS = 80
RATE, TYPES_RATE = 0.3, 0.9  # share of the words to swap; of the word types that a table has


def pages(lexicons: Path) -> list[dict[str, object]]:
    """The spun pages, each with its family, the sources that describe it, and its swaps."""
    texts = [text for text in hard_clean() if count_words(text) >= LEAST_WORDS]
    families = [load(lexicons) for load in FAMILIES.values()]
    found: list[dict[str, object]] = []
    for number, text in enumerate(texts):
        family = families[number % len(families)]
        spun = spin(text, family, TYPES_RATE if family.by_types else RATE, number)
        if spun.swaps:
            found.append(
                {
                    "family": family.name,
                    "without": tables_left_out(family.sources),
                    "text": spun.text,
                    "swaps": spun.swaps,
                }
            )
    return found


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lexicons", type=Path, required=True)
    options = parser.parse_args()
    found = pages(options.lexicons)
    PAGES.parent.mkdir(exist_ok=True)
    PAGES.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(found)} pages")


if __name__ == "__main__":
    main()
