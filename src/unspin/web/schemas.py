"""What is asked of the server, and what does it answer beside readings and traces?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, FailFast, Field

from unspin.web.objects import READING, ChangedReading, Object, Probability, Reading, Text

MOST_PAGES = 64  # of one batch

SPUN = (
    "Officials acknowledged aft the gathering that the span would enactment much wealth than the "
    "municipality had, and that nary 1 knew wherever the remainder would travel from."
)
CLEAN = "The council meets at noon on Saturday to hear what the repair of the old bridge has cost."


# --- what is asked


class _Asked(Object):
    min_confidence: Probability = Field(
        0.5, description="How sure a change has to be to be made; the rest is reported."
    )
    science: bool = Field(default=False, description="Also look for tortured phrases.")


class ReadRequest(_Asked):
    """A page to read."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"page": SPUN}, {"page": CLEAN, "science": True}]}
    )

    page: Text = Field(description="HTML or plain text.")


class BatchRequest(_Asked):
    """Pages to read one after the other."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pages": [SPUN, CLEAN]}]})

    pages: Annotated[list[Text], FailFast()] = Field(
        min_length=1, max_length=MOST_PAGES, description="HTML or plain text."
    )


class TraceRequest(Object):
    """A page to trace to the articles of the server's index."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"page": SPUN, "sides": True}, {"page": CLEAN}]}
    )

    page: Text = Field(description="HTML or plain text.")
    format: Literal["json", "html"] = Field("json", description="“html” is a report to look at.")
    sides: bool = Field(
        default=False, description="Also tell how page and source stand side by side."
    )
    restore: bool = Field(
        default=False, description="Also read the page, and put the source's own words back."
    )


class ReportRequest(Object):
    """A reading to write down."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reading": READING, "format": "markdown"}]}
    )

    reading: ChangedReading
    format: Literal["json", "markdown", "html"]


# --- what else is told


class Error(Object):
    """One thing that is wrong with a body."""

    location: str = Field(description="Where in the body, as in “body.pages.3”.")
    message: str


class Problem(Object):
    """What is wrong, after RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": "the body is not as it should be: see errors",
                    "errors": [{"location": "body.page", "message": "Field required."}],
                }
            ]
        }
    )

    type: Literal["about:blank"]
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="What is wrong and what to do about it.")
    errors: list[Error] | None = Field(None, description="What is wrong with the body.")


class Result(Object):
    """What became of one page of a batch: a reading or a problem."""

    reading: Reading | None
    problem: Problem | None


class Batch(Object):
    """What became of the pages of a batch, in their order."""

    results: list[Result]


class Health(Object):
    """Whether the server works."""

    status: Literal["ok"]
    workers: int = Field(description="Processes that work on pages.")
    waiting: int = Field(description="Pages that wait for one of them.")


class Limits(Object):
    """What the server takes at most."""

    max_bytes: int = Field(description="Of a request's body.")
    seconds: float = Field(description="Of work on one page, once it has begun.")
    queue: int = Field(description="Requests that wait or are worked on.")
    pages: int = Field(description="Of one batch.")


class Articles(Object):
    """What pages are traced to."""

    articles: int


class FamilyFile(Object):
    """A spinner that the server was given a file of."""

    name: str
    pairs: int = Field(description="Pairs of an original and what is printed for it.")


class Model(Object):
    """What the server reads with."""

    unspin: str = Field(description="Its version.")
    language: Literal["en"]
    spun_from: Probability = Field(description="The probability from which a page is spun.")
    clean_below: Probability = Field(description="The probability below which a page is clean.")
    limits: Limits
    index: Articles | None = Field(description="null if the server has no index.")
    families: list[FamilyFile] = Field(description="Those that the model itself does not know.")
