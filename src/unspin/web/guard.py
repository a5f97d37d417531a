"""Who may ask, and what may a browser do with the answer?

A server on the loopback is reached by every page that is open in the browser beside it. It answers
only requests for a name of its own, so that no name can be made to point at it, and only pages of
its own or of the origins it was told of. What it sends may run and fetch nothing from elsewhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from ipaddress import ip_address

# By which requests are routed: another idea of what is asked for would be a way past the guard.
from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unspin.web.problems import ProblemError, response
from unspin.web.settings import Settings

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s/:@\[\]?#]+))(?::\d*)?", re.IGNORECASE)


class Guard:
    """An application that is only reached by its own names and from its own pages.

    Every answer has `HEADERS`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = settings.names
        self._origins = frozenset(settings.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if it is meant for us."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if not self._is_ours(host):
            refused: ASGIApp = response(
                421,
                "this server does not answer to the name in the Host header: start it with "
                "--origin and the address by which it is reached",
            )
        elif origin and origin not in (f"{scope['scheme']}://{host}", *self._origins):
            refused = response(
                403,
                "pages of this origin may not ask this server: start it with --origin and the "
                "origin, if they should",
            )
        else:
            refused = self._app
        await refused(_without_head(scope), receive, guarded)

    def _is_ours(self, host: str) -> bool:
        """Whether a host is one of our names, or an address, at which nobody can point a name."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1] or match[2]
        return name in self._names or _is_address(name)


class Shared(CORSMiddleware):
    """An application that pages of some other origins may ask.

    A browser that asks whether they may send what they may not gets a problem.
    """

    def preflight_response(self, request_headers: Headers) -> Response:
        """Tell a browser what those pages may send."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        refused = response(
            400,
            "pages of other origins may send GET and POST, and of headers Authorization and "
            "Content-Type",
        )
        refused.headers.update({**answer.headers, **refused.headers})
        return refused


class Locked:
    """An application of which some parts are open only to who bears the token.

    Raises:
        ProblemError: a request for another part does not.
    """

    def __init__(self, app: ASGIApp, token: str, open_routes: Collection[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._open = frozenset(open_routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if it bears the token or needs none."""
        if scope["type"] == "http" and self._is_closed(get_route_path(scope)):
            sent = Headers(scope=scope).get("authorization", "")
            scheme, _, token = sent.partition(" ")
            matches = secrets.compare_digest(token.strip().encode("latin-1"), self._token)
            if scheme.lower() != "bearer" or not matches:
                raise ProblemError(
                    401,
                    "this server asks for a token: send it as “Authorization: Bearer TOKEN”; who "
                    "started the server set it as UNSPIN_TOKEN",
                    {"WWW-Authenticate": 'Bearer realm="unspin"'},
                )
        await self._app(scope, receive, send)

    def _is_closed(self, path: str) -> bool:
        return path not in self._open and (path == "/metrics" or path.startswith("/v1/"))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _without_head(scope: Scope) -> Scope:
    """The request that HEAD stands for: the server leaves the body of its answer away."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
