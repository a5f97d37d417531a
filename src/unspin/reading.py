"""What did the page say, how sure are we, and why? The result of reading one page.

A `Reading` is the whole answer: the verdict and its numbers, the text as it was extracted, and
the edits that turn it into what it said before. All offsets are Unicode code points into
`Reading.source_text`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from unspin import __version__

if TYPE_CHECKING:
    from unspin.pages import Passage
    from unspin.quotations import Quotation
    from unspin.tortured import Finding

UNKNOWN_FAMILY = "unknown"
Verdict = Literal["spun", "clean", "unsure"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed word or phrase: `spun` was printed, `original` is put back.

    `confidence` is the posterior probability that `original` was the word; `alternatives` are
    the runners-up with theirs, best first. `reason` names the relation or the family through
    which one word became the other.
    """

    start: int
    end: int
    spun: str
    original: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A word judged spun but left as printed, for want of a sure original.

    `confidence` is the probability that the word was substituted at all.
    """

    start: int
    end: int
    spun: str
    confidence: float


_Judgement = TypeVar("_Judgement", Edit, Suspect)


@dataclass(frozen=True, slots=True)
class Family:
    """The spinner that explains the page best, and the shares of the relations it drew from.

    The name is `UNKNOWN_FAMILY` where no known spinner does.
    """

    name: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A passage of the page, from `start` to `end`, read by itself: a page can be spun in part."""

    start: int
    end: int
    verdict: Verdict
    probability: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The verdict on one page, and the edits that put its words back.

    `probability` is that of the page being spun, `llr_per_word` the evidence for it in nats a
    word, `rate` the share of words that were substituted. `reason` says in a sentence why the
    verdict is what it is. `parts` has the verdicts on the passages of a page with several,
    `findings` the tortured phrases if they were looked for.

    Raises:
        ValueError: an edit does not lie on `source_text`, or two edits overlap.

    >>> edit = Edit(8, 16, "astatine", "at", 0.97, (("on", 0.02),), "element: synonym")
    >>> reading = Reading(
    ...     verdict="spun", probability=0.99, llr_per_word=0.9, rate=0.25, words=4,
    ...     family=Family("element", {"element": 1.0}),
    ...     source_text="We meet astatine noon.", edits=(edit,), suspects=(), furniture=(),
    ...     reason="the element family explains it")
    >>> reading.text
    'We meet at noon.'
    >>> reading.at_confidence(0.995).text
    'We meet astatine noon.'
    """

    verdict: Verdict
    probability: float
    llr_per_word: float
    rate: float
    words: int
    family: Family | None
    source_text: str
    edits: tuple[Edit, ...]
    suspects: tuple[Suspect, ...]
    furniture: tuple[Passage, ...]
    reason: str
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        cursor = 0
        for edit in self.edits:
            printed = self.source_text[edit.start : edit.end]
            inside = cursor <= edit.start < edit.end <= len(self.source_text)
            if not inside or printed != edit.spun:
                raise ValueError(f"{edit} does not fit the text, or overlaps the edit before it")
            cursor = edit.end

    @property
    def text(self) -> str:
        """The restored text."""
        return self.apply()

    @property
    def quotations(self) -> tuple[Quotation, ...]:
        """The direct quotations of the page, as printed and as restored, with their speakers."""
        from unspin.quotations import find

        return find(self.source_text, self.edits, self.furniture)

    def apply(self) -> str:
        """Return the restored text by replaying the edits on the text as extracted."""
        return replay(self.source_text, self.edits)

    def at_confidence(self, min_confidence: float) -> Reading:
        """Return the reading that only makes edits of at least this confidence.

        The others become suspects: the word is still judged spun, by the edit and its
        alternatives together. Confidence can be raised this way, not lowered again.
        """
        kept = tuple(edit for edit in self.edits if edit.confidence >= min_confidence)
        doubted = [_suspect(edit) for edit in self.edits if edit.confidence < min_confidence]
        suspects = sorted([*self.suspects, *doubted], key=lambda suspect: suspect.start)
        return replace(self, edits=kept, suspects=tuple(suspects))

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as plain values, in the order in which JSON prints them."""
        return {
            "unspin": __version__,
            "verdict": self.verdict,
            "probability": self.probability,
            "llr_per_word": self.llr_per_word,
            "rate": self.rate,
            "words": self.words,
            "family": None
            if self.family is None
            else {"name": self.family.name, "weights": dict(self.family.weights)},
            "source_text": self.source_text,
            "text": self.text,
            "edits": [
                {
                    "start": edit.start,
                    "end": edit.end,
                    "spun": edit.spun,
                    "original": edit.original,
                    "confidence": edit.confidence,
                    "alternatives": [list(alternative) for alternative in edit.alternatives],
                    "reason": edit.reason,
                }
                for edit in self.edits
            ],
            "suspects": [
                {
                    "start": suspect.start,
                    "end": suspect.end,
                    "spun": suspect.spun,
                    "confidence": suspect.confidence,
                }
                for suspect in self.suspects
            ],
            "parts": [asdict(part) for part in self.parts],
            "findings": [asdict(finding) for finding in self.findings],
            "quotations": [asdict(quotation) for quotation in self.quotations],
            "furniture": [
                {
                    "start": passage.start,
                    "end": passage.end,
                    "text": passage.text,
                    "reason": passage.reason,
                }
                for passage in self.furniture
            ],
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Reading:
        """Return the reading of which `to_dict` told, or one whose edits were changed since.

        What follows from the rest is not asked for: "unspin", "text" and "quotations".

        Raises:
            ValueError: something is missing, is of another type, or does not lie on the text where
                it says it does.

        >>> empty = Reading("unsure", 0.5, 0.0, 0.0, 0, None, "", (), (), (), "no text to read")
        >>> Reading.from_dict(empty.to_dict()) == empty
        True
        """
        from unspin.pages import Passage
        from unspin.tortured import Finding

        try:
            family = told["family"]
            reading = cls(
                verdict=told["verdict"],
                probability=told["probability"],
                llr_per_word=told["llr_per_word"],
                rate=told["rate"],
                words=told["words"],
                family=None if family is None else Family(family["name"], dict(family["weights"])),
                source_text=told["source_text"],
                edits=tuple(map(_edit, told["edits"])),
                suspects=tuple(Suspect(**suspect) for suspect in told["suspects"]),
                furniture=tuple(Passage(**passage) for passage in told["furniture"]),
                reason=told["reason"],
                parts=tuple(Part(**part) for part in told["parts"]),
                findings=tuple(Finding(**finding) for finding in told["findings"]),
            )
            _refuse_mistyped(reading)
            _refuse_misplaced(reading)
        except KeyError as error:
            raise ValueError(f"the reading has no {error}") from None
        except TypeError as error:
            raise ValueError(f"the reading is of another shape: {error}") from None
        return reading

    def to_json(self) -> str:
        """Return `to_dict()` as one JSON object on one line, safe to encode as UTF-8."""
        printed = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)
        # Half a surrogate pair cannot be encoded, but JSON has an escape for it. It only ever
        # stands inside a JSON string, where the escape means the same.
        return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", printed)


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made; they must be sorted and must not overlap.

    >>> replay("now arsenic then", [Edit(4, 11, "arsenic", "as", 0.9, (), "element")])
    'now as then'
    """
    parts: list[str] = []
    cursor = 0
    for edit in edits:
        parts += (text[cursor : edit.start], edit.original)
        cursor = edit.end
    return "".join(parts) + text[cursor:]


def moved(edits: Iterable[Edit], distance: int) -> list[Edit]:
    """Return the edits for a text that stands this many characters further on.

    >>> moved([Edit(8, 16, "astatine", "at", 0.9, (), "element")], -8)[0].start
    0
    """
    return [replace(edit, start=edit.start + distance, end=edit.end + distance) for edit in edits]


def within(judgements: Sequence[_Judgement], start: int, end: int) -> Sequence[_Judgement]:
    """Return those edits or suspects that lie between two offsets; they must be sorted, apart.

    >>> suspects = [Suspect(0, 3, "aft", 0.7), Suspect(4, 7, "h2o", 0.6)]
    >>> [suspect.spun for suspect in within(suspects, 2, 7)]
    ['h2o']
    """
    first = bisect_left(judgements, start, key=attrgetter("start"))
    return judgements[first : bisect_right(judgements, end, lo=first, key=attrgetter("end"))]


def compose(first: Sequence[Edit], second: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the edits that do in one pass what `first` and then `second` do.

    `first` are edits on a text, `second` are edits on the text that `first` makes of it; the
    result are edits on the first text. Where a second edit overlaps first ones, they become one
    edit with the lowest confidence among them and the reason of the first. Both must be sorted,
    without overlaps, and replace something by something.

    >>> first = [Edit(3, 11, "astatine", "at", 0.9, (), "element")]
    >>> second = [Edit(3, 10, "at wage", "at work", 0.8, (), "synonym")]
    >>> [(edit.start, edit.end, edit.spun, edit.original) for edit in compose(first, second)]
    [(3, 16, 'astatine wage', 'at work')]
    """
    composed = []
    shift = 0  # from offsets between the passes to offsets before them
    for undo, late in _runs(_inverse(first), second):
        edits = [*undo, *late]
        start = min(edit.start for edit in edits)
        between = _between(edits, start)
        printed = replay(between, moved(undo, -start))
        restored = replay(between, moved(late, -start))
        if printed != restored:
            source = edits[0]
            composed.append(
                Edit(
                    start + shift,
                    start + shift + len(printed),
                    printed,
                    restored,
                    min(edit.confidence for edit in edits),
                    # Alternatives to one word are none to the phrase it has become part of.
                    source.alternatives if printed in (source.spun, source.original) else (),
                    source.reason,
                )
            )
        shift += len(printed) - len(between)
    return tuple(composed)


def _edit(told: Mapping[str, Any]) -> Edit:
    alternatives = tuple((word, share) for word, share in told["alternatives"])
    return Edit(**{**told, "alternatives": alternatives})


_TYPES: Mapping[object, type | tuple[type, ...]] = {"int": int, "float": (int, float), "str": str}


def _is(value: object, kind: object) -> bool:
    """Whether a value is of a type that is named in `_TYPES`."""
    return isinstance(value, _TYPES[kind]) and not isinstance(value, bool)


def _refuse_mistyped(reading: Reading) -> None:
    """Refuse a reading whose values are not what their fields say.

    Raises:
        TypeError: one is not.
    """
    parts = (reading.edits, reading.suspects, reading.furniture, reading.parts, reading.findings)
    family = () if reading.family is None else (reading.family,)
    for told in (reading, *family, *chain.from_iterable(parts)):
        for field in fields(told):
            # Written as they are in the code: its modules do not evaluate annotations.
            if field.type in _TYPES and not _is(getattr(told, field.name), field.type):
                raise TypeError(f"{field.name} has to be of type {field.type}")
    for edit in reading.edits:
        if not all(_is(word, "str") and _is(share, "float") for word, share in edit.alternatives):
            raise TypeError("alternatives have to be of a str and a float each")
    for judged in family:
        if not all(
            _is(name, "str") and _is(share, "float") for name, share in judged.weights.items()
        ):
            raise TypeError("weights have to be of a str and a float each")


def _refuse_misplaced(reading: Reading) -> None:
    """Refuse a reading whose judgements, edits apart, do not lie on its text.

    Raises:
        ValueError: one does not.
    """
    verdicts = get_args(Verdict)
    if not all(told in verdicts for told in (reading.verdict, *(p.verdict for p in reading.parts))):
        raise ValueError(f"a verdict is one of {', '.join(verdicts)}")
    text = reading.source_text
    suspects = [(suspect.start, suspect.end, suspect.spun) for suspect in reading.suspects]
    furniture = [(passage.start, passage.end, passage.text) for passage in reading.furniture]
    for judged in (suspects, furniture):
        cursor = 0
        for start, end, printed in judged:
            if not cursor <= start < end or text[start:end] != printed:
                raise ValueError(
                    "a suspect or a line of furniture does not fit the text, or overlaps the one "
                    "before it"
                )
            cursor = end
    parts = [(part.start, part.end) for part in reading.parts]
    findings = [(finding.start, finding.end) for finding in reading.findings]
    if not all(0 <= start <= end <= len(text) for start, end in (*parts, *findings)):
        raise ValueError("a part or a finding does not lie on the text")


def _suspect(edit: Edit) -> Suspect:
    substituted = edit.confidence + sum(
        confidence for word, confidence in edit.alternatives if word != edit.spun
    )
    return Suspect(edit.start, edit.end, edit.spun, min(substituted, 1.0))


def _inverse(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits that undo these, on the text that these make."""
    shift = 0
    for edit in edits:
        start = edit.start + shift
        end = start + len(edit.original)
        yield replace(edit, start=start, end=end, spun=edit.original, original=edit.spun)
        shift = end - edit.end


def _runs(undo: Iterable[Edit], late: Iterable[Edit]) -> Iterator[tuple[list[Edit], list[Edit]]]:
    """Edits of two passes on the same text, in runs of edits that overlap each other."""
    run: tuple[list[Edit], list[Edit]] = ([], [])
    run_end = 0
    both = [*((edit, 0) for edit in undo), *((edit, 1) for edit in late)]
    for edit, which in sorted(both, key=lambda entry: entry[0].start):
        if edit.start >= run_end and any(run):
            yield run
            run = ([], [])
        run[which].append(edit)
        run_end = max(run_end, edit.end)
    if any(run):
        yield run


def _between(edits: Iterable[Edit], start: int) -> str:
    """The text that a run of overlapping edits covers, put together from what each replaces."""
    letters: dict[int, str] = {}
    for edit in edits:
        letters.update(enumerate(edit.spun, edit.start - start))
    return "".join(letters[i] for i in range(len(letters)))
