"""How busy is the server, and how do its answers come out? Counted for Prometheus.

unspin_requests_total{route,status}     requests answered
unspin_request_seconds{route}           how long each took, waiting included: a histogram
unspin_verdicts_total{verdict}          pages read
unspin_waiting                          pages that wait for a process
unspin_workers_killed_total{cause}      processes killed for taking too long, or that died
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Metrics:
    """The counts of one server, apart from those of others in the same process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "unspin_requests", "Requests answered.", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "unspin_request_seconds",
            "Seconds that answers took, waiting included.",
            ("route",),
            registry=registry,
            buckets=SECONDS,
        )
        self._verdicts = Counter("unspin_verdicts", "Pages read.", ("verdict",), registry=registry)
        self._waiting = Gauge("unspin_waiting", "Pages that wait for a process.", registry=registry)
        self._killed = Counter(
            "unspin_workers_killed",
            "Processes killed for taking too long (time), or that died.",
            ("cause",),
            registry=registry,
        )

    def watch_waiting(self, count: Callable[[], int]) -> None:
        """Ask `count` how many pages wait, whenever somebody wants to know."""
        self._waiting.set_function(count)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def read(self, verdict: str | None) -> None:
        """Count a page that was read."""
        if verdict is not None:
            self._verdicts.labels(verdict).inc()

    def killed(self, cause: str) -> None:
        """Count a process that was killed, or died."""
        self._killed.labels(cause).inc()

    def text(self) -> bytes:
        """Return all counts in the format of Prometheus."""
        return generate_latest(self._registry)


class Counted:
    """An application whose requests are counted.

    Addresses other than `routes` are counted as one: there are as many as somebody thinks of.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = get_route_path(scope)
        route = path if path in self._routes else "other"
        began = time.monotonic()
        status = 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._metrics.answered(route, status, time.monotonic() - began)
