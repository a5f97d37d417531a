"""`unspin serve`: a page to look at and an API for programs."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated

import typer

from unspin.cli.failures import explained, fail
from unspin.cli.options import Families, Workers
from unspin.cli.streams import say

TOKEN = "UNSPIN_TOKEN"  # noqa: S105 - the name of the variable, not what is in it


def _finite(number: float) -> float:
    if not math.isfinite(number * 1e6):
        raise typer.BadParameter("choose a finite number")
    return number


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any that is free.")] = 8080,
    index: Annotated[
        list[Path] | None,
        typer.Option("--index", metavar="IX", help="Trace pages to it; several are shards of one."),
    ] = None,
    family: Families = None,
    open: Annotated[  # noqa: A002 - so it is called
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    workers: Workers = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin",
            metavar="URL",
            help="An address by which a proxy reaches the server, or whose pages may call it.",
        ),
    ] = None,
    max_megabytes: Annotated[
        float,
        typer.Option(callback=_finite, help="The longest body of a request that is taken."),
    ] = 5,
    seconds: Annotated[float, typer.Option(callback=_finite, help="The time for one page.")] = 30,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait.")] = 64,
) -> None:
    """Serve a page where texts are pasted and looked at, and an API for programs.

    Everything stays on this machine: nothing is fetched, stored or noted of the texts. Only this
    machine reaches the server unless --host says otherwise; then set a token, which is asked of
    everybody, in the environment variable UNSPIN_TOKEN.

    \b
    Examples:
      unspin serve --open                    look at texts in a browser
      unspin serve --index ix                and at where they were taken from
      unspin serve --family wave.tsv         also as spun by a family of your own
      curl -s localhost:8080/v1/read --json '{"page": "We meet astatine noon."}'
      UNSPIN_TOKEN=secret unspin serve --host 0.0.0.0 --origin https://unspin.example.org
    """
    from unspin.web.settings import ServeError, Settings

    with explained():
        from unspin.families import find

        families = tuple(find(name) for name in family or ())
    try:
        settings = Settings(
            host=host,
            port=port,
            indexes=tuple(index or ()),
            families=families,
            workers=workers or os.cpu_count() or 1,
            token=os.environ.get(TOKEN),
            origins=tuple(origin or ()),
            max_bytes=round(max_megabytes * 1e6),
            seconds=seconds,
            queue=queue,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        from unspin.web.serve import is_loopback
        from unspin.web.serve import serve as run
    except ImportError:
        fail("pages are served with FastAPI and uvicorn: pip install 'unspin[web]'")
    from unspin.trace.articles import TraceError

    if not is_loopback(host) and settings.token is None:
        say(f"unspin: whoever reaches {host} can use this server: set {TOKEN} to ask for a token")

    def listening(address: str) -> None:
        say(f"unspin listens on {address} (Ctrl-C stops it)")
        if open:
            import webbrowser

            webbrowser.open(address)

    with explained(TraceError, ServeError):
        run(settings, listening)
