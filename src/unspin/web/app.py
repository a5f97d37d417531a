"""What answers a request? The page and the API, behind all that guards them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from unspin import __version__
from unspin.web import api, problems
from unspin.web.admission import Admission
from unspin.web.api import Server
from unspin.web.description import SUMMARY, TAGS, TEXT, lock
from unspin.web.guard import Guard, Locked, Shared
from unspin.web.metrics import Counted
from unspin.web.problems import Told
from unspin.web.settings import Settings

STATIC = Path(__file__).with_name("static")
DESCRIPTION = "/openapi.json"
ROUTES = ("/", DESCRIPTION, *api.PAGES, api.HEALTH, api.MODEL, api.METRICS)


def create_app(settings: Settings) -> ASGIApp:
    """Return the application of a server, to be run by anything that speaks ASGI.

    Its processes start when the first pages come. They may import files of the folder that the
    program runs in, unless PYTHONSAFEPATH is in its environment.

    Raises:
        FamilyError: a file of a family cannot be read.
        TraceError: an index cannot be opened.
    """
    return application(Server.of(settings))


def application(server: Server) -> ASGIApp:
    """Return the application that answers with what the server has."""
    settings = server.settings
    app: ASGIApp = described(server)
    app = Admission(app, settings, api.PAGES, server.workers.wait_for)
    if settings.token is not None:
        app = Locked(app, settings.token, (api.HEALTH,))
    app = Told(app)
    if settings.origins:
        app = Shared(
            app,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type"),
            expose_headers=("Retry-After",),
        )
    return Counted(Guard(app, settings), server.metrics, ROUTES)


def described(server: Server) -> FastAPI:
    """Return what answers, without what guards it."""
    app = _Described(
        title="unspin",
        summary=SUMMARY,
        description=TEXT,
        version=__version__,
        openapi_tags=TAGS,
        openapi_url=DESCRIPTION,
        # They would fetch their looks from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.server = server
    app.include_router(api.router)
    # Not mounted, for then it would answer what an address of the API does not take.
    app.router.default = _Page(directory=STATIC, html=True)
    problems.register(app)
    return app


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        description = super().openapi()
        if self.state.server.settings.token is not None:
            lock(description, (api.HEALTH,))
        return description


class _Page(StaticFiles):
    """The files of the page, of which a browser asks each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] != "GET" and not self.lookup_path(path)[0]:
            raise HTTPException(404)
        return await super().get_response(path, scope)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            return super().lookup_path(path)
        except (ValueError, OSError):
            return "", None  # no file can have such a name: it has a NUL, or is too long

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response
