"""What do programs ask for? The routes of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from unspin import __version__, families
from unspin.reader import CLEAN, SPUN
from unspin.web import objects, schemas, work
from unspin.web.description import document, told, told_of_pages
from unspin.web.metrics import Metrics
from unspin.web.problems import ProblemError
from unspin.web.settings import Settings
from unspin.web.workers import Workers

PAGES = ("/v1/read", "/v1/read/batch", "/v1/trace", "/v1/report")
HEALTH, MODEL, METRICS = "/v1/health", "/v1/model", "/metrics"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Server:
    """What answers need: `articles` is the number of those that pages are traced to, and `families`
    are those of the settings, by their names, with the number of their pairs of words."""

    settings: Settings
    articles: int
    families: Mapping[str, int]
    workers: Workers
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings) -> Server:
        """Return what a server with these settings answers with; no process starts yet.

        Raises:
            FamilyError: a file of a family cannot be read.
            TraceError: an index cannot be opened.
        """
        tables = [families.read(path) for path in settings.families]
        articles = 0
        if settings.indexes:
            from unspin.trace.index import Index

            articles = sum(len(Index.open(path)) for path in settings.indexes)
        metrics = Metrics()
        pairs = {table.name: len(table.entries) for table in tables}
        return cls(settings, articles, pairs, Workers(settings, metrics), metrics)


async def _server(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


Here = Annotated[Server, Depends(_server)]


@router.post(
    "/v1/read",
    operation_id="read",
    tags=["pages"],
    summary="Read a page",
    response_model=objects.Reading,
    responses=told_of_pages(),
)
async def read(asked: schemas.ReadRequest, request: Request, here: Here) -> Response:
    """Say whether a page is spun, and what it said before: as `unspin read --json` does."""
    body = await _read(here, asked.page, asked, request)
    return Response(body, media_type="application/json")


@router.post(
    "/v1/read/batch",
    operation_id="readBatch",
    tags=["pages"],
    summary="Read several pages",
    response_model=schemas.Batch,
    responses=told_of_pages(),
)
async def read_batch(asked: schemas.BatchRequest, request: Request, here: Here) -> Response:
    """Read pages one after the other, each within the time for one.

    Other requests are answered in between. A page that cannot be read has a problem in place of
    its reading.
    """
    results = []
    for page in asked.pages:
        try:
            reading = await _read(here, page, asked, request)
            results.append(b'{"reading": %b, "problem": null}' % reading)
        except ProblemError as error:
            problem = dumps(error.to_dict()).encode()
            results.append(b'{"reading": null, "problem": %b}' % problem)
    return Response(b'{"results": [%b]}' % b", ".join(results), media_type="application/json")


async def _read(
    here: Server,
    page: str,
    asked: schemas.ReadRequest | schemas.BatchRequest,
    request: Request,
) -> bytes:
    answer = await here.workers.run(
        work.read,
        page,
        here.settings.families,
        asked.min_confidence,
        asked.science,
        gone=request.is_disconnected,
    )
    here.metrics.read(answer.verdict)
    return answer.body


@router.post(
    "/v1/trace",
    operation_id="trace",
    tags=["pages"],
    summary="Find the source of a page",
    response_model=objects.Trace,
    responses={200: document("text/html"), **told_of_pages(404)},
)
async def trace(asked: schemas.TraceRequest, request: Request, here: Here) -> Response:
    """Say which article of the index a page was taken from: as `unspin trace --json` does."""
    indexes, known = here.settings.indexes, here.settings.families
    if not indexes:
        raise ProblemError(404, "this server has no index of articles: start it with --index IX")
    if asked.format == "html":
        answer = await here.workers.run(
            work.trace_report, asked.page, indexes, known, gone=request.is_disconnected
        )
        return _attached(answer.body, "text/html", "trace.html")
    answer = await here.workers.run(
        work.trace,
        asked.page,
        indexes,
        known,
        asked.sides,
        asked.restore,
        gone=request.is_disconnected,
    )
    return Response(answer.body, media_type="application/json")


@router.post(
    "/v1/report",
    operation_id="report",
    tags=["pages"],
    summary="Write a reading down",
    response_model=objects.Reading,
    responses={200: document("text/markdown", "text/html"), **told_of_pages()},
)
async def report(asked: schemas.ReportRequest, request: Request, here: Here) -> Response:
    """Write a reading down as JSON, as Markdown, or as HTML that fetches and runs nothing.

    Its edits may have been changed since it was read: the text and the quotations follow them.
    """
    reading = asked.reading.model_dump(exclude={"unspin", "text", "quotations"})
    answer = await here.workers.run(
        work.report, reading, asked.format, gone=request.is_disconnected
    )
    return _attached(answer.body, *_DOCUMENTS[asked.format])


_DOCUMENTS = {
    "json": ("application/json", "reading.json"),
    "markdown": ("text/markdown", "reading.md"),
    "html": ("text/html", "reading.html"),
}


def _attached(body: bytes, media_type: str, name: str) -> Response:
    """A document to keep: it has a policy of its own, and is not shown as a page of this server."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media_type)


@router.get(
    HEALTH,
    operation_id="health",
    tags=["server"],
    summary="Ask whether the server works",
    response_model=schemas.Health,
    responses=told(),
)
async def health(here: Here) -> dict[str, Any]:
    """Say that the server works, and how many pages wait. Never asks for a token."""
    return {
        "status": "ok",
        "workers": here.settings.workers,
        "waiting": here.workers.waiting,
    }


@router.get(
    MODEL,
    operation_id="model",
    tags=["server"],
    summary="Ask what the server reads with",
    response_model=schemas.Model,
    responses=told(401),
)
async def model(here: Here) -> dict[str, Any]:
    """Say what the verdicts mean, what the server takes at most, and what else it goes by."""
    settings = here.settings
    return {
        "unspin": __version__,
        "language": "en",
        "spun_from": SPUN,
        "clean_below": CLEAN,
        "limits": {
            "max_bytes": settings.max_bytes,
            "seconds": settings.seconds,
            "queue": settings.queue,
            "pages": schemas.MOST_PAGES,
        },
        "index": {"articles": here.articles} if settings.indexes else None,
        "families": [{"name": name, "pairs": pairs} for name, pairs in here.families.items()],
    }


@router.get(
    METRICS,
    operation_id="metrics",
    tags=["server"],
    summary="Ask how busy the server is",
    response_class=Response,
    responses={200: {"description": "Counts.", **document("text/plain")}, **told(401)},
)
async def metrics(here: Here) -> Response:
    """Return counts in the text format of Prometheus."""
    return Response(here.metrics.text(), media_type=CONTENT_TYPE_LATEST)
