"""How is the API described to programs and their authors? What OpenAPI says beside the objects."""

from __future__ import annotations

from typing import Any

from unspin.web.problems import MEDIA_TYPE
from unspin.web.schemas import MOST_PAGES

Responses = dict[int | str, dict[str, Any]]

SUMMARY = "Finds machine-spun text, puts the original words back, and says where it was taken from."
TEXT = f"""\
Send a page, HTML or plain text, and get what `unspin read --json` and `unspin trace --json` print.

Nothing is fetched, nothing is stored, and nothing of what was sent is noted anywhere. Offsets are
Unicode code points. A batch has {MOST_PAGES} pages at most. Errors are objects of RFC 9457, whose
`detail` says what to do.
"""
TAGS = [
    {"name": "pages", "description": "What a page said, and where it was taken from."},
    {"name": "server", "description": "How the server is."},
]

_PROBLEMS = {
    400: "The body is no JSON.",
    401: "The server asks for a token, and this is not it.",
    403: "Pages of this origin may not ask this server.",
    404: "The server has no index of articles.",
    408: "The body did not come in time.",
    413: "The body is longer than the server takes.",
    415: "The body is not declared to be JSON.",
    421: "The server does not answer to this name.",
    422: "The body is not as it should be, or the page cannot be read.",
    429: "Too many requests are waiting: Retry-After says in how many seconds to try again.",
    500: "Something went wrong on the server.",
}
_ALWAYS = (403, 421)
_OF_BODIES = (400, 408, 413, 415, 422, 429, 500)
_RETRY = {
    "Retry-After": {
        "description": "Seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}


def told(*statuses: int) -> Responses:
    """Return what OpenAPI says of some problems, and of those that any request may have."""
    schema = {"$ref": "#/components/schemas/Problem"}
    responses: Responses = {
        status: {
            "description": _PROBLEMS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*_ALWAYS, *statuses})
    }
    if 429 in responses:
        responses[429]["headers"] = _RETRY
    return responses


def told_of_pages(*statuses: int) -> Responses:
    """Return what OpenAPI says of the problems that a request with a page may have."""
    return told(401, *_OF_BODIES, *statuses)


def document(*media_types: str) -> dict[str, Any]:
    """Return what OpenAPI says of an answer that is a document."""
    schema = {"schema": {"type": "string"}}
    return {"content": dict.fromkeys(media_types, schema)}


def lock(description: dict[str, Any], open_routes: tuple[str, ...]) -> None:
    """Say in a description of the API that all but some routes ask for the token."""
    schemes = description["components"].setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer"}
    for path, operations in description["paths"].items():
        if path not in open_routes:
            for operation in operations.values():
                operation["security"] = [{"token": []}]
