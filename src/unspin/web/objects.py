"""What is in a reading and in a trace, field by field, as they pass between programs?

They are made by `Reading.to_dict` and `Trace.to_dict` and pass through the server unparsed: what
stands here says what is in them, and a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    Strict,
    model_validator,
)
from pydantic_core import PydanticCustomError

from unspin.scan.records import encodable

MOST_FIELDS = 100  # of one object

READING: dict[str, Any] = {
    "unspin": "0.1.0",
    "verdict": "spun",
    "probability": 0.998,
    "llr_per_word": 0.91,
    "rate": 0.25,
    "words": 4,
    "family": {"name": "element", "weights": {"element": 1.0}},
    "source_text": "We meet astatine noon.",
    "text": "We meet at noon.",
    "edits": [
        {
            "start": 8,
            "end": 16,
            "spun": "astatine",
            "original": "at",
            "confidence": 0.97,
            "alternatives": [["on", 0.02]],
            "reason": "element",
        }
    ],
    "suspects": [],
    "parts": [],
    "findings": [],
    "quotations": [],
    "furniture": [],
    "reason": "25 % of the words fit badly where words that they may stand for fit well",
}


def _whole(sent: object) -> object:
    """The number 1.0 as 1: to JSON, and to its schemas, they are the same."""
    return int(sent) if isinstance(sent, float) and sent.is_integer() else sent


def _few(sent: object) -> object:
    """What was sent, unless it has so many fields that the errors in them would fill the memory.

    Raises:
        PydanticCustomError: it has.
    """
    if isinstance(sent, dict) and len(sent) > MOST_FIELDS:
        raise PydanticCustomError(
            "too_many_fields", "Object should have at most {most} fields", {"most": MOST_FIELDS}
        )
    return sent


# Half a surrogate pair is no character, and no UTF-8; browsers send one that was cut in two.
Text = Annotated[
    str, BeforeValidator(lambda sent: encodable(sent) if isinstance(sent, str) else sent)
]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Offset = Annotated[Count, Field(description="In code points, from the start of the text.")]
Verdict = Annotated[
    Literal["spun", "clean", "unsure"],
    Field(
        description="“spun”: words were substituted; “clean”: none were; “unsure”: cannot be told."
    ),
]


class Object(BaseModel):
    """Whose fields are all known, and are what they say.

    Each error takes a kilobyte: lists that are sent have to fail at their first.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, sent: object) -> object:
        return _few(sent)


# --- a reading


class Family(Object):
    """The spinner that explains the page best."""

    name: str = Field(description="Its name, “unknown” where no known spinner does.")
    weights: Annotated[dict[str, float], BeforeValidator(_few)] = Field(
        description="The share of the substitutions that came from each source of words.",
        json_schema_extra={"maxProperties": MOST_FIELDS},
    )


class Edit(Object):
    """One changed word or phrase."""

    start: Offset
    end: Offset
    spun: Text = Field(description="What was printed.")
    original: Text = Field(description="What is put back.")
    confidence: Probability = Field(description="The probability that “original” was the word.")
    alternatives: Annotated[
        list[Annotated[tuple[Text, Probability], Strict(strict=False)]], FailFast()
    ] = Field(description="The runners-up with their probabilities, best first.")
    reason: str = Field(description="The relation or family by which one became the other.")


class Suspect(Object):
    """A word judged spun but left as printed, for want of a sure original."""

    start: Offset
    end: Offset
    spun: Text = Field(description="What was printed.")
    confidence: Probability = Field(description="The probability that it was substituted at all.")


class Part(Object):
    """A passage of the page, read by itself: a page can be spun in part."""

    start: Offset
    end: Offset
    verdict: Verdict
    probability: Probability


class Finding(Object):
    """A printed phrase that may stand for an established term: a tortured phrase."""

    start: Offset
    end: Offset
    printed: Text
    expected: Text = Field(description="The term that it may stand for.")
    probability: Probability
    reason: str = Field(description="The list that has it, or what the channel goes by.")


class Quotation(Object):
    """A direct quotation, from “start” to “end” between its marks."""

    start: Offset
    end: Offset
    speaker: Text | None = Field(description="Whom the text names; null if it names nobody.")
    printed: Text
    restored: Text = Field(description="With the edits made that lie between the marks.")
    altered: bool = Field(description="Whether “restored” differs from “printed”.")


class Furniture(Object):
    """A line that is no part of the article: a counter, a credit, a share line."""

    start: Offset
    end: Offset
    text: Text
    reason: str


class _Judged(Object):
    verdict: Verdict
    probability: Probability = Field(description="That the page is spun.")
    llr_per_word: float = Field(description="The evidence for it, in nats a word.")
    rate: Probability = Field(description="The share of words that were substituted.")
    words: Count = Field(description="Words of the text, furniture apart.")
    family: Family | None = Field(description="null for a clean page.")
    source_text: Text = Field(description="The text as extracted; all offsets are into it.")
    edits: Annotated[list[Edit], FailFast()] = Field(
        description="In order, without overlaps: replaying them on “source_text” gives “text”."
    )
    suspects: Annotated[list[Suspect], FailFast()] = Field(
        description="Words left as printed that are likely to have been substituted."
    )
    parts: Annotated[list[Part], FailFast()] = Field(
        description="The verdicts on the parts of a page that has several."
    )
    findings: Annotated[list[Finding], FailFast()] = Field(
        description="Tortured phrases, if they were looked for."
    )
    furniture: Annotated[list[Furniture], FailFast()] = Field(
        description="Lines of the text that are no part of the article."
    )
    reason: str = Field(description="Why the verdict is what it is, in a sentence.")


class Reading(_Judged):
    """The verdict on one page, and the edits that put its words back."""

    model_config = ConfigDict(json_schema_extra={"examples": [READING]})

    unspin: str = Field(description="The version that read the page.")
    text: Text = Field(description="The restored text.")
    quotations: list[Quotation] = Field(
        description="The direct quotations, as printed and as restored."
    )


class ChangedReading(_Judged):
    """A reading whose edits may have been changed: some undone, some with another original.

    “unspin”, “text” and “quotations” follow from the rest, and are not looked at.
    """

    unspin: str | None = None
    text: Text | None = None
    quotations: Annotated[list[Quotation], FailFast()] = []


# --- a trace


class Passage(Object):
    """A passage of the page and the passage of the article that it was made of."""

    start: Offset
    end: Offset
    source_start: int = Field(ge=0, description="In code points, from the start of the article.")
    source_end: int = Field(ge=0)


class Substitution(Object):
    """What the page prints, and what stands in its place in the article."""

    start: Offset
    end: Offset
    source_start: int = Field(ge=0, description="In code points, from the start of the article.")
    source_end: int = Field(ge=0)
    spun: str = Field(description="What the page prints.")
    original: str = Field(description="What the article has.")
    reason: str = Field(description="The sources of words that swap the two; empty if none does.")
    is_protected: bool = Field(
        description="One of them is a name, a number or the like, which spinners leave alone: "
        "somebody has changed what was said."
    )


class Piece(Object):
    """Some words of one side."""

    text: str
    kind: Literal["same", "changed", "altered", "alone"] = Field(
        description="“changed” words stand for others on the other side, “altered” ones are names "
        "and the like that do, and to those “alone” nothing corresponds there."
    )
    number: int | None = Field(description="That of their substitution in the match, from 0.")


class Row(Object):
    """A paragraph of the page, and what it was made of."""

    page: list[Piece]
    source: list[Piece]
    passage: int | None = Field(description="The number of its passage in the match, from 0.")
    elsewhere: int | None = Field(description="The number of the match it was taken from instead.")


class Match(Object):
    """An article that the page was taken from."""

    id: str = Field(description="By which the index knows it.")
    title: str | None = Field(description="null where none is known, as are url and date.")
    url: str | None = Field(description="Its address.")
    date: str | None = Field(description="When it was published, as it says itself.")
    probability: Probability = Field(description="That the page was taken from it, or from a copy.")
    coverage: Probability = Field(description="The share of the page's words in “passages”.")
    copies: list[str] = Field(description="Ids of other articles that match as these passages do.")
    passages: list[Passage] = Field(description="In the page's order, without overlaps.")
    substitutions: list[Substitution] = Field(
        description="Where the page has other words than the article within its passages."
    )
    sides: list[Row] | None = Field(
        None, description="Page and source side by side; only if asked for."
    )


class Trace(Object):
    """Where a page was taken from."""

    unspin: str = Field(description="The version that traced the page.")
    words: int = Field(ge=0, description="Words of the page, furniture apart.")
    coverage: Probability = Field(description="The share of its words in a passage of some match.")
    matches: list[Match] = Field(description="The best first; none if nothing indexed is a source.")
    reason: str = Field(description="Why there is no match; empty where there is one.")
    reading: Reading | None = Field(
        None, description="With the source's own words put back; only if asked for."
    )
