"""A page to look at, and an API for programs: both are served by `unspin serve`.

    from unspin.web import Settings, create_app

    app = create_app(Settings())        # for a server of your own that speaks ASGI

`unspin serve` keeps to what stands in its settings, and works on pages in processes of their own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["ServeError", "Settings", "create_app", "serve"]

if TYPE_CHECKING:
    from unspin.web.app import create_app
    from unspin.web.serve import serve
    from unspin.web.settings import ServeError, Settings

# The processes that work on pages import a room of this one, and have no use for a web server.
_ROOMS = {
    "ServeError": "settings",
    "Settings": "settings",
    "create_app": "app",
    "serve": "serve",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unspin.web.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
