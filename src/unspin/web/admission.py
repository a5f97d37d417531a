"""How much is taken in at once? So many requests, each with so long a body, in so much time.

Who is turned away is told so before anything of the body is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import anyio
from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unspin.web.problems import ProblemError
from unspin.web.settings import Settings

BODY_SECONDS = 10.0  # in which a body has to have come


class Admission:
    """An application that only gets as many requests with bodies as it can take.

    `wait_for` says in how many seconds so many requests will be answered. A request counts until
    its answer begins: who is slow to take it holds up nobody.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        routes: Collection[str],
        wait_for: Callable[[int], int],
    ) -> None:
        self._app = app
        self._settings = settings
        self._routes = frozenset(routes)
        self._wait_for = wait_for
        self._admitted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if there is room for it."""
        if not self._is_bounded(scope):
            await self._app(scope, receive, send)
            return
        self._refuse_unread(Headers(scope=scope))
        self._admitted += 1
        admitted = True

        def dismiss() -> None:
            nonlocal admitted
            self._admitted -= admitted
            admitted = False

        async def answering(message: Message) -> None:
            dismiss()
            await send(message)

        try:
            body = await self._body(receive)
            if body is not None:
                await self._app(scope, _replayed(body, receive), answering)
        finally:
            dismiss()

    def _is_bounded(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and get_route_path(scope) in self._routes
        )

    def _refuse_unread(self, headers: Headers) -> None:
        """Refuse what can be refused without the body.

        Raises:
            ProblemError: it is no JSON, too long, or one too many.
        """
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise ProblemError(415, "send JSON, with “Content-Type: application/json”")
        if int(headers.get("content-length", "0")) > self._settings.max_bytes:
            raise self._too_long()
        if self._admitted >= self._settings.queue:
            seconds = self._wait_for(self._admitted)
            raise ProblemError(
                429,
                f"{self._admitted} requests are waiting already: try again in {seconds} s",
                {"Retry-After": str(seconds)},
            )

    async def _body(self, receive: Receive) -> bytes | None:
        """The body, or None if whoever was sending it has gone.

        Raises:
            ProblemError: it is too long, or does not come.
        """
        body = bytearray()
        try:
            with anyio.fail_after(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._settings.max_bytes:
                        raise self._too_long()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            detail = f"the body has not come within {BODY_SECONDS:g} s: send it at once"
            raise ProblemError(408, detail, {"Connection": "close"}) from None

    def _too_long(self) -> ProblemError:
        most = f"{self._settings.max_bytes / 1e6:g} MB"
        return ProblemError(
            413, f"the body is longer than the {most} that this server takes: split the text"
        )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What gives the body that was received, and then what else there is to receive."""
    waiting = [body]

    async def replayed() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed
