"""What do people know of one spinner, in a file that they can read, review, sign and share?

A family file is UTF-8 with tabs between its columns:

    # unspin family 1
    # name: moby-wave
    # language: en
    # habits: spares capitals; inflects
    # learned: 300 pages
    # date: 2026-11-23
    # licence: CC0-1.0
    original	spun	probability	count
    about	astir	0.97	120
    in front of	successful beforehand of	0.6	4

The first line, the name and the line of the columns have to be there. Lines `# key: value` with
other keys are kept, other comments are not. Words are in lower case, as `text.tokenize` cuts them,
and a phrase has up to `MAX_WORDS`. The probability is P(spun | original, and something replaced
it); those of one original sum to 1 at most. The count is how often the pair was seen.
"""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

FIRST = "# unspin family 1"
COLUMNS = "original\tspun\tprobability\tcount"
SUFFIX = ".tsv"

MAX_WORDS = 4  # of a phrase; `thesaurus.PHRASE` is no less
MAX_ENTRIES = 1_000_000
MAX_OTHERS = 1_000  # lines that are no entries
MAX_LINE = 1_000  # bytes
MAX_COUNT = 1e15  # beyond which whole numbers are not told apart
TOLERANCE = 1e-3  # by which probabilities may sum to more than 1: people round them
# What no family can be called: the sources of the channel that ships, where their names could be
# one's, and what is said where no family is known.
TAKEN = frozenset(["element", "inflection", "number", "phrase", "unknown"])

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HEADER = re.compile(r"# ([a-z][a-z0-9-]*):(?: +(.*))?")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# The tokens that a spinner may have printed, or have replaced: words, and "2" or "h2o".
_WORD = re.compile(r"[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*|[^\W\d_]*\d[^\W\d_]*")
_FIELDS = ("name", "language", "habits", "learned", "date", "licence")


class FamilyError(Exception):
    """A family cannot be read, written or used; the message says where and why."""


class Entry(NamedTuple):
    """A word or phrase, and one that is printed for it: how likely, and how often it was seen."""

    original: str
    spun: str
    probability: float
    count: float  # type: ignore[assignment]  # tuples have a method of this name


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """What a family file says; its entries are sorted by original, the likeliest spun one first.

    `habits` say in words what the spinner spares and does, `learned` what the table was learned
    from, and `more` are lines of the header with other keys.

    >>> table = FamilyTable("wave", entries=(Entry("of", "for", 0.2, 1), Entry("of", "by", 0.8, 4)))
    >>> [entry.spun for entry in table.entries]
    ['by', 'for']
    """

    name: str
    language: str = "en"
    habits: tuple[str, ...] = ()
    learned: str = ""
    date: str = ""
    licence: str = ""
    more: tuple[tuple[str, str], ...] = ()
    entries: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        entries = sorted(self.entries, key=lambda e: (e.original, -e.probability, e.spun))
        object.__setattr__(self, "entries", tuple(entries))


class Disagreement(NamedTuple):
    """An original for which two families mostly print different words."""

    original: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two families have in common.

    `pairs` of each, and those `shared`; `in_other` is the share of the substitutions counted for
    the one whose pairs the other has too, and `in_one` the same the other way round. Originals of
    both that `disagree` are sorted by how often they are replaced.
    """

    pairs: tuple[int, int]
    shared: int
    in_other: float
    in_one: float
    disagree: tuple[Disagreement, ...]

    @property
    def overlap(self) -> float:
        """The share of the substitutions of both, each counted alike, whose pairs both have."""
        return (self.in_other + self.in_one) / 2


# --- files


def read(path: Path) -> FamilyTable:
    """Return what a family file says.

    Time and memory are bounded, whatever is in it.

    Raises:
        FamilyError: it cannot be read; the message names the line that is wrong, and why.
    """
    try:
        with path.open("rb") as file:
            return _parsed(file, str(path))
    except OSError as error:
        raise FamilyError(f"{path} cannot be read: {error.strerror}") from None


def write(table: FamilyTable) -> str:
    """Return the text of a family's file; reading it gives the table again.

    Raises:
        FamilyError: there can be no such file, as where a probability is none.

    >>> print(write(FamilyTable("wave", entries=(Entry("about", "astir", 0.97, 120),))), end="")
    # unspin family 1
    # name: wave
    # language: en
    original    spun    probability     count
    about       astir   0.97    120
    """
    written = _text(table)
    where = f"the family {table.name} would be no file"
    if _parsed(BytesIO(written.encode("utf-8", "surrogatepass")), where) != table:
        raise FamilyError(f"{where}: its header could not be told apart again")
    return written


def find(name: str) -> Path:
    """Return the file of a family: one named by its path, or by its name among the user's own.

    Raises:
        FamilyError: there is none.
    """
    path = Path(name)
    if path.exists():
        return path
    if not _NAME.fullmatch(name):
        raise FamilyError(f"{name}: no such file")
    mine = directory() / f"{name}{SUFFIX}"
    if mine.exists():
        return mine
    raise FamilyError(
        f"{name}: no such file, and no family of this name in {mine.parent}: `unspin families list`"
        " shows those that are there"
    )


def directory() -> Path:
    """Return the folder of the user's own families, by the XDG Base Directory Specification."""
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    if not data.is_absolute():
        data = Path.home() / ".local" / "share"
    return data / "unspin" / "families"


def digest(table: FamilyTable) -> str:
    """Return the SHA-256 of all that a family says."""
    return sha256(_text(table).encode("utf-8", "surrogatepass")).hexdigest()


def digests(tables: Iterable[FamilyTable]) -> dict[str, dict[str, str]]:
    """Return what settings say of families: a digest of each by its name; nothing of none."""
    found = {table.name: digest(table) for table in tables}
    return {"families": found} if found else {}


def _text(table: FamilyTable) -> str:
    values = (
        table.name,
        table.language,
        "; ".join(table.habits),
        table.learned,
        table.date,
        table.licence,
    )
    header = [(key, value) for key, value in zip(_FIELDS, values, strict=True) if value]
    lines = [FIRST, *(f"# {key}: {value}".rstrip(" ") for key, value in (*header, *table.more))]
    lines.append(COLUMNS)
    lines += (
        "\t".join((e.original, e.spun, _told(e.probability), _told(e.count))) for e in table.entries
    )
    return "".join(f"{line}\n" for line in lines)


def _told(number: float) -> str:
    """A number that reads as the same again, without the point where there is nothing behind."""
    number = float(number)
    return f"{number:.0f}" if number.is_integer() and abs(number) <= MAX_COUNT else repr(number)


def _parsed(file: BinaryIO, where: str) -> FamilyTable:
    parser = _Parser(file)
    try:
        return parser.table()
    except ValueError as fault:
        raise FamilyError(f"{where}, line {max(parser.line, 1)}: {fault}") from None


class _Parser:
    """Reads one file; `line` is the number of the one that was read last, or is wrong."""

    def __init__(self, file: BinaryIO) -> None:
        self.line = 0
        self._file = file
        self._others = 0

    def table(self) -> FamilyTable:
        """The table of the file.

        Raises:
            ValueError: it is wrong in the line that was read last.
        """
        lines = self._lines()
        if next(lines, None) != FIRST:
            raise ValueError(f"the first line of a family file is {FIRST!r}")
        header, more = self._header(lines)
        entries = tuple(self._entries(lines))
        habits = (habit.strip() for habit in header.get("habits", "").split(";"))
        return FamilyTable(
            name=header["name"],
            language=header.get("language") or "en",
            habits=tuple(filter(None, habits)),
            learned=header.get("learned", ""),
            date=header.get("date", ""),
            licence=header.get("licence", ""),
            more=tuple(more),
            entries=entries,
        )

    def _lines(self) -> Iterator[str]:
        """The lines, but for those that are blank, without their ends."""
        while raw := self._file.readline(MAX_LINE + 1):
            self.line += 1
            if len(raw) > MAX_LINE:
                raise ValueError(f"longer than {MAX_LINE:,} bytes")
            try:
                line = raw.decode("utf-8-sig" if self.line == 1 else "utf-8")
            except UnicodeDecodeError:
                raise ValueError("not UTF-8") from None
            line = line.removesuffix("\n").removesuffix("\r")
            hidden = next((c for c in line if not c.isprintable() and c != "\t"), None)
            if hidden is not None:
                raise ValueError(f"has the character U+{ord(hidden):04X}, which cannot be seen")
            if not line or line.startswith("#"):
                self._others += 1
                if self._others > MAX_OTHERS:
                    raise ValueError(f"more than {MAX_OTHERS:,} lines that are no pairs of words")
            if line:
                yield line

    def _header(self, lines: Iterable[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """The values of the header by their keys, and those that have other keys."""
        known: dict[str, str] = {}
        more: list[tuple[str, str]] = []
        for line in lines:
            if not line.startswith("#"):
                if line != COLUMNS:
                    raise ValueError(f"the columns have to be {' '.join(COLUMNS.split())}")
                if "name" not in known:
                    raise ValueError("there is no line `# name: NAME` before the columns")
                return known, more
            match = _HEADER.fullmatch(line)
            if match is None:
                continue
            key, value = match[1], (match[2] or "").strip()
            if key not in _FIELDS:
                more.append((key, value))
            elif key in known:
                raise ValueError(f"there is another {key}")
            else:
                known[key] = value
            if key == "name":
                check_name(value)
        raise ValueError("it ends before the columns")

    def _entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        seen: set[tuple[str, str]] = set()
        sums: dict[str, float] = defaultdict(float)
        for line in lines:
            if line.startswith("#"):
                continue
            entry = _entry(line)
            original = entry.original
            if (original, entry.spun) in seen:
                raise ValueError(f"{_shown(original)} and {_shown(entry.spun)} are there already")
            if len(seen) == MAX_ENTRIES:
                raise ValueError(f"more than {MAX_ENTRIES:,} pairs")
            sums[original] += entry.probability
            if sums[original] > 1 + TOLERANCE:
                total = f"{sums[original]:.6g}"
                raise ValueError(f"the probabilities of {_shown(original)} sum to {total}, over 1")
            seen.add((original, entry.spun))
            yield entry


def check_name(name: str) -> None:
    """See that a family may be called so.

    Raises:
        ValueError: it may not; the message says why.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{_shown(name)} is no name: up to 64 of a-z, 0-9, '.', '_' and '-', the first of them"
            " a letter or a digit"
        )
    if name in TAKEN:
        raise ValueError(f"the name {name} is taken by what unspin knows already")


def _entry(line: str) -> Entry:
    columns = line.split("\t")
    if len(columns) != 4:
        raise ValueError(f"{len(columns)} columns between tabs, not 4")
    original, spun, probability, count = columns
    for phrase in (original, spun):
        _check_phrase(phrase)
    if original == spun:
        raise ValueError(f"{_shown(original)} stands for itself")
    share = _number(probability)
    if share is None or not 0 < share <= 1:
        raise ValueError(f"{_shown(probability)} is no probability over 0 and up to 1")
    often = _number(count)
    if often is None or often > MAX_COUNT:
        raise ValueError(f"{_shown(count)} is no count")
    return Entry(original, spun, share, often)


def _check_phrase(phrase: str) -> None:
    words = phrase.split(" ")
    if len(words) > MAX_WORDS:
        raise ValueError(f"{_shown(phrase)} has more than {MAX_WORDS} words")
    for word in words:
        if not (_WORD.fullmatch(word) and (word.islower() or word.isdecimal())):
            shown = f"{_shown(word)} in {_shown(phrase)}" if word != phrase else _shown(word)
            raise ValueError(f"{shown} is no word in lower case")


def _number(text: str) -> float | None:
    """A number that is finite and not negative."""
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


# --- several families


def merge(tables: Sequence[FamilyTable], name: str) -> FamilyTable:
    """Return one family of several tables of it, as different people learned them.

    Counts add up, and a probability is the mean of those in the tables, each as much as it has
    counted of the original. A table that never did counts as if it had once.

    Raises:
        FamilyError: they are of different languages, or the name is none.

    >>> one = FamilyTable("one", entries=(Entry("of", "by", 1.0, 3),))
    >>> two = FamilyTable("two", entries=(Entry("of", "by", 0.5, 2), Entry("of", "for", 0.5, 2)))
    >>> merged = merge([one, two], "both")
    >>> [(entry.spun, round(entry.probability, 3), entry.count) for entry in merged.entries]
    [('by', 0.714, 5.0), ('for', 0.286, 2.0)]
    """
    languages = {table.language for table in tables}
    if len(languages) != 1:
        raise FamilyError(f"families of one language are merged, not of {sorted(languages)}")
    try:
        check_name(name)
    except ValueError as fault:
        raise FamilyError(str(fault)) from None
    counts: dict[tuple[str, str], float] = defaultdict(float)
    weighted: dict[tuple[str, str], float] = defaultdict(float)
    weights: dict[str, float] = defaultdict(float)
    for table in tables:
        weight = {original: max(often, 1.0) for original, often in _often(table).items()}
        for original, often in weight.items():
            weights[original] += often
        for entry in table.entries:
            pair = entry.original, entry.spun
            counts[pair] += entry.count
            weighted[pair] += weight[entry.original] * entry.probability
    habits = [habit for habit in tables[0].habits if all(habit in t.habits for t in tables)]
    return FamilyTable(
        name=name,
        language=languages.pop(),
        habits=tuple(habits),
        learned=" + ".join(filter(None, (table.learned for table in tables))),
        date=max(table.date for table in tables),
        licence=" AND ".join(dict.fromkeys(t.licence for t in tables if t.licence)),
        more=tuple(dict.fromkeys(line for table in tables for line in table.more)),
        entries=tuple(
            # However small, it is none that could not be.
            Entry(*pair, min(max(weighted[pair] / weights[pair[0]], math.ulp(0.0)), 1.0), count)
            for pair, count in counts.items()
        ),
    )


def _often(table: FamilyTable) -> dict[str, float]:
    """How often every original was replaced, as far as it was counted."""
    often: dict[str, float] = defaultdict(float)
    for entry in table.entries:
        often[entry.original] += entry.count
    return often


def compare(one: FamilyTable, other: FamilyTable) -> Comparison:
    """Return what two families have in common.

    Where a family has no counts its probabilities stand for them.
    """
    left, right = _shares(one), _shares(other)
    shared = left.keys() & right.keys()
    mostly, instead = _likeliest(one), _likeliest(other)
    weight: dict[str, float] = defaultdict(float)
    for shares in (left, right):
        for (original, _), share in shares.items():
            weight[original] += share
    disagree = [
        Disagreement(original, spun, instead[original])
        for original, spun in mostly.items()
        if instead.get(original, spun) != spun
    ]
    disagree.sort(key=lambda found: (-weight[found.original], found.original))
    return Comparison(
        pairs=(len(left), len(right)),
        shared=len(shared),
        in_other=math.fsum(left[pair] for pair in shared),
        in_one=math.fsum(right[pair] for pair in shared),
        disagree=tuple(disagree),
    )


def _shares(table: FamilyTable) -> dict[tuple[str, str], float]:
    """The share of the substitutions that each pair has."""
    counted = any(entry.count for entry in table.entries)
    often = [entry.count if counted else entry.probability for entry in table.entries]
    total = math.fsum(often)
    return {
        (entry.original, entry.spun): count / total
        for entry, count in zip(table.entries, often, strict=True)
    }


def _likeliest(table: FamilyTable) -> dict[str, str]:
    likeliest: dict[str, str] = {}
    for entry in table.entries:
        likeliest.setdefault(entry.original, entry.spun)
    return likeliest
