"""Piles of pages that made-up spinners have spun, from clean texts of many kinds."""

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from random import Random

from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.thesaurus import Thesaurus

CASES = Path(__file__).parent / "cases"
# No thesaurus swaps any of these.
TABLE = {
    "from": "warehouse",
    "have": "breakfast",
    "there": "lantern",
    "when": "copper",
    "which": "pencil",
    "about": "velvet",
    "their": "granite",
    "into": "marble",
    "would": "timber",
    "they": "saddle",
    "only": "harvest",
    "before": "cotton",
}
# The same words by another spinner.
OTHER = dict(zip(TABLE, [*list(TABLE.values())[1:], "warehouse"], strict=True))


def spin(text, table=None):
    table = TABLE if table is None else table
    return re.sub(r"(?<=\s)[a-z]+(?=\s)", lambda word: table.get(word[0], word[0]), text)


def clean_texts():
    cases = json.loads((CASES / "hard-clean.json").read_text("utf-8"))
    return [case["text"] for case in cases]


@cache
def printed_for():
    """What the thesauri have for each of the commonest words that they have much for."""
    model, thesaurus = LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin")
    found = defaultdict(list)
    for printed in sorted(thesaurus.number):
        if printed in model.number:
            for choice in thesaurus.choices(printed, model.words):
                found[choice.original].append(printed)
    common = (word for word in model.words[30:3_000] if word.isalpha())
    return {word: found[word] for word in common if len(found[word]) > 5}


def drawn(seed):
    """The table of a spinner that has drawn one word of the thesauri for each of the commonest."""
    chance = Random(seed)
    return {word: chance.choice(choices) for word, choices in printed_for().items()}
