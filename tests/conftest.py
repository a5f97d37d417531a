"""Readings and pages that several rooms are tested with."""

import re
from functools import reduce
from itertools import accumulate
from pathlib import Path

import pytest

from unspin import families
from unspin.pages import Passage
from unspin.reading import Edit, Family, Reading, Suspect
from unspin.scan import local
from unspin.trace.match import Match, Substitution, Trace
from unspin.trace.match import Passage as SourcePassage

TESTS = Path(__file__).parent
SOURCE = "We meet astatine noon, helium said.\nShare this\nBring h2o & <b>bread</b>."


@pytest.fixture
def inline(monkeypatch):
    """What workers do is done in this process; the list has the names of what was done."""
    done = []

    def run(shards, job, _workers, advance):
        work = job.open()
        for shard in shards:
            done.append(shard.name)
            yield work(shard, advance)

    monkeypatch.setattr(local, "run", run)
    return done


@pytest.fixture
def spun():
    """A spun page of three lines: two edits, a suspect, a line of furniture, and markup."""
    return Reading(
        verdict="spun",
        probability=0.998,
        llr_per_word=0.91,
        rate=0.25,
        words=11,
        family=Family("element", {"element": 0.9, "synonym": 0.1}),
        source_text=SOURCE,
        edits=(
            Edit(8, 16, "astatine", "at", 0.97, (("on", 0.02),), "element: synonym"),
            Edit(23, 29, "helium", "he", 0.6, (("she", 0.3),), "element: synonym"),
        ),
        suspects=(Suspect(53, 56, "h2o", 0.4),),
        furniture=(Passage(36, 46, "Share this", "share line"),),
        reason="substitution explains the text better than its being printed so",
    )


@pytest.fixture
def clean():
    """A clean page of one line."""
    return Reading(
        verdict="clean",
        probability=0.003,
        llr_per_word=-0.2,
        rate=0.0,
        words=4,
        family=None,
        source_text="We meet at noon.",
        edits=(),
        suspects=(),
        furniture=(),
        reason="the text explains itself as printed",
    )


@pytest.fixture
def empty():
    """A page without text."""
    return Reading("unsure", 0.5, 0.0, 0.0, 0, None, "", (), (), (), "no text to read")


def marked(*parts, order=None, **others):
    """A page and the match that it has, out of marked-up parts of page and source.

    Each part is headed `[page]`, `[source]` or `[both]`. In one of both `{astatine|at}` is a
    substitution (the page has the first), `{!Dora|Nora}` an altered name, and `{+really|}` what
    is on one side only. `order` is that of the parts in the source.
    """
    page, passages, swaps = "", {}, []
    sources = dict.fromkeys(order or range(len(parts)), "")
    for number, part in enumerate(parts):
        side, text = re.fullmatch(r"\[(\w+)\]\n(.*)", part, re.DOTALL).groups()
        passages[number] = [side, len(page)]
        for same, mark, spun, original in re.findall(
            r"([^{}]+)|\{([!+]?)([^|{}]*)\|([^{}]*)\}", text
        ):
            if not same and mark != "+":
                swaps.append((number, len(page), len(sources[number]), spun, original, mark == "!"))
            page += spun or same * (side != "source")
            if number in sources:
                sources[number] += original or same * (side != "page")
        passages[number].append(len(page))
    text = "".join(sources.values())
    place = dict(zip(sources, accumulate(map(len, sources.values()), initial=0), strict=False))
    match = Match(
        id=others.pop("id", "a-17"),
        title=others.pop("title", None),
        url=others.pop("url", None),
        date=others.pop("date", None),
        text=text,
        probability=others.pop("probability", 0.987),
        coverage=sum(e - s for side, s, e in passages.values() if side == "both") / len(page),
        passages=tuple(
            SourcePassage(start, end, place[number], place[number] + len(sources[number]))
            for number, (side, start, end) in passages.items()
            if side == "both"
        ),
        substitutions=tuple(
            Substitution(
                start,
                start + len(spun),
                place[number] + source_start,
                place[number] + source_start + len(original),
                spun,
                original,
                "" if is_protected else "wordnet",
                is_protected,
            )
            for number, start, source_start, spun, original, is_protected in swaps
        ),
        **others,
    )
    return page, match


@pytest.fixture
def mark():
    """What makes a page and its match out of marked-up parts."""
    return marked


@pytest.fixture
def taken():
    """The trace of a page in which two passages of an article stand, with four facts altered."""
    parts = (Path(__file__).parent / "cases" / "harbour.txt").read_text(encoding="utf-8")
    page, match = marked(
        *re.split(r"(?m)^(?=\[\w+\]$)", parts)[1:],
        order=(3, 4, 1),
        title="New sea wall at Port Ellery holds in first storm",
        url="https://news.example/2024/05/sea-wall?from=front&page=1",
        date="2024-05-05",
        copies=("a-18", "b-2"),
    )
    return Trace(page, len(page.split()), (match,))


@pytest.fixture(scope="session")
def tide_file():
    """The file of a family whose words no thesaurus has."""
    return TESTS / "cases" / "tide.tsv"


@pytest.fixture(scope="session")
def tide(tide_file):
    """The family whose words no thesaurus has."""
    return families.read(tide_file)


@pytest.fixture(scope="session")
def tidal(tide):
    """A page that this family has spun, and what it said before."""
    original = (TESTS.parent / "examples" / "demo-original.txt").read_text(encoding="utf-8")
    original += "\nA crowd waited in front of the gate that night, and most had come on foot.\n"
    # Words within lower case, away from punctuation.
    spun = reduce(
        lambda text, e: re.sub(rf"(?<=[a-z] ){e.original}(?= [a-z])", e.spun, text),
        tide.entries,
        original,
    )
    return spun, original
