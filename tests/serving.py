"""Servers that tests ask: each in a thread, on a free port of the loopback."""

import json
import socket
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.routing import Mount

from unspin.web import schemas, serve
from unspin.web.api import Server
from unspin.web.app import application

JSON = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    """What a server answered; the names of headers are in lower case."""

    status: int
    headers: dict
    body: bytes

    @property
    def told(self):
        return json.loads(self.body)


class Client:
    """Asks one server, each time over a connection of its own."""

    def __init__(self, address):
        self.address = address
        self.host, self.port = urlsplit(address).hostname, urlsplit(address).port

    def ask(self, method, path, body=None, **headers):
        """`headers` are named with underscores; a body that is no bytes is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body, sent = json.dumps(body).encode(), {**JSON, **sent}
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def raw(self, *pieces):
        """A connection on which some bytes were sent as they are."""
        connection = socket.create_connection((self.host, self.port), timeout=60)
        connection.sendall(b"".join(pieces))
        return connection


@contextmanager
def served(settings, under=None):
    """A client of a server with these settings, whose processes start when they are needed.

    `under` is where in another application it is mounted.
    """
    app = application(Server.of(settings))
    http = serve._http(app if under is None else Starlette(routes=[Mount(under, app=app)]))
    with serve._bound(settings) as listener:
        listener.listen()
        thread = Thread(target=anyio.run, args=(http.serve, [listener]))
        thread.start()
        try:
            yield Client(serve._address(listener))
        finally:
            http.should_exit = True
            thread.join()


def assert_problem(answer, status, *words):
    """An answer is a problem with this status, which says these words."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (answer.told["type"], answer.told["status"]) == ("about:blank", status)
    assert answer.headers["cache-control"] == "no-store"
    schemas.Problem.model_validate(answer.told)
    for word in words:
        assert word in answer.body.decode()
