"""How does a server start and stop? On an address of its own, with all its processes ready."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import anyio
import uvicorn
from anyio import BrokenWorkerProcess
from starlette.types import ASGIApp

from unspin.web.api import Server
from unspin.web.app import application
from unspin.web.settings import ServeError, Settings

PATIENCE = 5  # seconds that what is being answered is given when the server has to stop


def serve(settings: Settings, listening: Callable[[str], None]) -> None:
    """Answer requests until the process is told to stop by SIGINT or SIGTERM.

    `listening` is told the address once requests are answered there. What is being worked on is
    given some seconds to end. SIGINT raises KeyboardInterrupt in the end; SIGTERM ends the process.

    Raises:
        ServeError: the address cannot be listened on, or no process can be started.
        ModelError: a file of the model is missing or damaged.
        FamilyError: a file of a family cannot be read.
        TraceError: an index cannot be opened.
    """
    # It prints messages of errors, which may have words of the text, and remarks on how processes
    # ended when we end them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    server = Server.of(settings)
    with _bound(settings) as listener, _safe_path():
        anyio.run(_serve, server, listener, listening)


async def _serve(server: Server, listener: socket.socket, listening: Callable[[str], None]) -> None:
    try:
        await server.workers.start()
    except BrokenWorkerProcess:
        raise ServeError(
            "the processes that work on pages do not start: there may be too little memory; try "
            "--workers 1"
        ) from None
    # From here on connections wait in the socket until they are answered.
    listener.listen()
    listening(_address(listener))
    await _http(application(server)).serve([listener])


@contextmanager
def _safe_path() -> Iterator[None]:
    """Have the processes that start import nothing from the folder that we were started in.

    Whoever could put a `pickle.py` there could have it run.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _http(app: ASGIApp) -> uvicorn.Server:
    """What speaks HTTP, and prints nothing."""
    config = uvicorn.Config(
        app,
        # One way of speaking HTTP wherever we run: others are taken if they happen to be there.
        http="h11",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config)


def _bound(settings: Settings) -> socket.socket:
    """A socket that has the address, but does not listen yet."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise ServeError(f"{host} is no host that is known here: name one with --host") from None
    # Without its protocol asyncio does not know it for TCP, and answers wait for 40 ms to be sent.
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEPORT"):
            # A server that was just stopped does not hold up the next one; not so on Windows,
            # where two could have the address at once.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ServeError(
            f"{host} port {port} cannot be listened on: {error.strerror}; name another with --port"
        ) from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
