"""What can be decided about a server, and when would one decide otherwise?"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[^\s/:@\[\]?#]+)(?::\d+)?", re.IGNORECASE)


class ServeError(Exception):
    """A server cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is reached, and how much it does at once.

    - `host`, `port`: the address to listen on. Change the host only to be reached from other
      machines, and then set a token; port 0 is any that is free.
    - `indexes`: folders of the indexes that pages are traced to; several are shards of one.
    - `families`: files of spinners that pages may come from, and that the model does not know.
    - `workers`: processes that work on pages. Take fewer than the cores, which is the default, to
      leave some for others; each takes some 150 MB.
    - `token`: the secret that requests have to bear. Set it whenever others reach the server.
    - `origins`: addresses by which the server is reached through a proxy, or whose pages may
      call it: "https://unspin.example.org".
    - `max_bytes`: of a request's body. Raise it for books, lower it to save memory: as many bodies
      as the queue is long may be held at once.
    - `seconds`: of work on one page, once it has begun. Raise it for long pages on slow machines.
    - `queue`: requests that wait or are worked on at most. Lower it to turn callers away sooner
      than to let them wait.

    Raises:
        ValueError: one of them is out of its range, or an origin is none.

    >>> Settings(origins=("https://Unspin.example.org/",)).origins
    ('https://unspin.example.org',)
    """

    host: str = "127.0.0.1"
    port: int = 8080
    indexes: tuple[Path, ...] = ()
    families: tuple[Path, ...] = ()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    token: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()
    max_bytes: int = 5_000_000
    seconds: float = 30.0
    queue: int = 64

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"{self.port} is no port: choose one from 0 to 65535")
        for name in ("workers", "max_bytes", "seconds", "queue"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} has to be more than 0, and finite")
        if self.token is not None and not re.fullmatch(r"[\x21-\x7e]+", self.token):
            raise ValueError("a token is letters, digits and signs of ASCII, without blanks")
        origins = tuple(origin.lower().removesuffix("/") for origin in self.origins)
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin} is no origin: name one as https://unspin.example.org")
        object.__setattr__(self, "origins", origins)

    @property
    def names(self) -> frozenset[str]:
        """The host names, in lower case, by which requests may ask for the server."""
        named = (_ORIGIN.fullmatch(origin) for origin in self.origins)
        hosts = (match[1] for match in named if match)
        return frozenset(("localhost", self.host.lower(), *hosts))
