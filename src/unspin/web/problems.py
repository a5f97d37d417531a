"""How is a program told what is wrong? By an object of RFC 9457 that says what to do about it.

Nothing of what was sent is repeated in it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unspin.web import objects, schemas
from unspin.web.work import whereabouts

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20  # told of one body

_log = logging.getLogger(__name__)

_DETAILS = {
    404: "there is nothing at this address: GET /openapi.json says what there is",
    405: "this address does not take this method: the Allow header says which it takes",
    500: "something went wrong on the server, which has noted where; nothing of the text was noted",
}

# As RFC 9110 has them, which older versions of Python do not.
_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}


class ProblemError(Exception):
    """A request cannot be answered as it was asked; `detail` says why and what to do."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def to_dict(self) -> dict[str, Any]:
        """Return the problem as an object of RFC 9457."""
        return problem(self.status, self.detail)

    def response(self) -> Response:
        """Return the answer that tells of it."""
        return response(self.status, self.detail, self.headers)


def problem(
    status: int, detail: str, errors: Sequence[Mapping[str, object]] = ()
) -> dict[str, Any]:
    """Return an object of RFC 9457.

    >>> problem(404, "no such page")["title"]
    'Not Found'
    """
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
    }
    if errors:
        told["errors"] = list(errors)
    return told


def response(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, object]] = (),
) -> Response:
    """Return the answer that tells of a problem."""
    told = json.dumps(problem(status, detail, errors))
    return Response(told, status, headers, MEDIA_TYPE)


class Told:
    """An application whose problems are told to who asked.

    What goes wrong unexpectedly is noted by its place in the code alone: messages of errors may
    have words of the text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with a problem if need be."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except ProblemError as error:
            await error.response()(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 - the server would print its message
            problem = noted(whereabouts(error))
            if not begun:
                await problem.response()(scope, receive, sent)


def register(app: FastAPI) -> None:
    """Have an application tell of everything that goes wrong in this way."""
    app.add_exception_handler(ProblemError, _asked)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    # It is raised again behind the answer, and then noted.
    app.add_exception_handler(Exception, _unexpected)


async def _asked(_: Request, error: Exception) -> Response:
    return cast(ProblemError, error).response()


async def _http(_: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    if error.status_code == 400:
        return _no_json()
    detail = _DETAILS.get(error.status_code, _title(error.status_code))
    return response(error.status_code, detail, error.headers)


async def _validation(_: Request, error: Exception) -> Response:
    errors = cast(RequestValidationError, error).errors()
    if any(found["type"] == "json_invalid" for found in errors):
        return _no_json()
    told = [_told(found) for found in errors[:MOST_ERRORS]]
    return response(422, "the body is not as it should be: see errors", errors=told)


async def _unexpected(_: Request, __: Exception) -> Response:
    return response(500, _DETAILS[500])


def noted(where: str) -> ProblemError:
    """Note where something went wrong that is our own fault, and return what is told of it."""
    _log.error("unspin: unexpected: %s", where)
    return ProblemError(500, _DETAILS[500])


def _no_json() -> Response:
    return response(400, "the body is no JSON: send one object in UTF-8")


def _told(found: Mapping[str, Any]) -> dict[str, str]:
    location = found["loc"]
    if found["type"] == "extra_forbidden":
        # Its name is what was sent.
        return {"location": _joined(location[:-1]), "message": "It has a field that is not known."}
    return {"location": _joined(location), "message": f"{found['msg']}."}


def _joined(location: Iterable[object]) -> str:
    """Where in the body, without names that were sent."""
    return ".".join(
        str(step) if isinstance(step, int) or step in _fields() else "…" for step in location
    )


@cache
def _fields() -> frozenset[str]:
    """The names that are ours: those of all fields of all objects."""
    names = [*vars(objects).values(), *vars(schemas).values()]
    models = (model for model in names if isinstance(model, type))
    named = (model.model_fields for model in models if issubclass(model, BaseModel))
    return frozenset(("body", *chain.from_iterable(named)))


def _title(status: int) -> str:
    return _RENAMED.get(status) or HTTPStatus(status).phrase
