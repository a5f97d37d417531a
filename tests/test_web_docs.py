"""What is written about the server holds: options, addresses, and what it never does."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from tests.running import end_all
from unspin import cli

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/web.md").read_text("utf-8")
UNIT = (ROOT / "docs/unspin.service").read_text("utf-8")
CONTAINER = (ROOT / "docs/Containerfile").read_text("utf-8")
PROMISES = (ROOT / "SECURITY.md").read_text("utf-8")

needs_web = pytest.mark.skipif(
    not all(map(find_spec, ("fastapi", "uvicorn", "prometheus_client"))),
    reason="the web server needs the extra unspin[web]",
)

# Notes every file that is opened for writing, and every connection, in each Python process.
WATCH = """
import os, sys
noted = os.open({noted!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def note(event, arguments):
    if event == "open":
        path, _, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not writes or isinstance(path, int) or path == os.devnull:
            return
    elif event not in ("socket.connect", "socket.sendto", "os.mkdir", "os.rename", "os.remove"):
        return
    os.write(noted, f"{{event}} {{arguments}}\\n".encode("utf-8", "replace"))
sys.addaudithook(note)
note("os.mkdir", "begun")
"""


def options():
    """The options of the command."""
    serve = typer.main.get_command(cli.app).commands["serve"]
    return {name for option in serve.params for name in option.opts if name.startswith("--")}


def named(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


def sections(text):
    """The sections of a page by their headings."""
    return dict(part.split("\n", 1) for part in re.split(r"^##+ ", text, flags=re.MULTILINE)[1:])


def test_every_option_is_explained_and_no_other():
    rows = [line for line in sections(GUIDE)["Options"].splitlines() if line.startswith("| `--")]
    explained = {name for row in rows for name in named(row.split("|")[1])}
    assert explained == options() - {"--help"}


def test_the_unit_and_the_container_name_only_options_that_there_are():
    started = [line for line in UNIT.splitlines() if "ExecStart=" in line]
    started += re.findall(r"^ENTRYPOINT .*", CONTAINER, re.MULTILINE)
    assert len(started) == 3
    for line in started:
        assert re.search(r'unspin"?,? "?serve', line)
        assert named(line) <= options()


def test_the_container_takes_from_the_checkout_what_there_is():
    (copied,) = re.findall(r"^COPY (.*) /unspin/$", CONTAINER, re.MULTILINE)
    assert all((ROOT / name).is_file() for name in copied.split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "unspin.service"
    unit.write_text(UNIT.replace("/opt/unspin/bin/unspin", sys.executable))
    command = ["systemd-analyze", "verify", str(unit)]
    verified = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "unspin.service" not in verified.stderr


@needs_web
def test_every_address_and_every_status_of_the_api_is_explained():
    from unspin.web.api import Server
    from unspin.web.app import described
    from unspin.web.settings import Settings

    paths = described(Server.of(Settings())).openapi()["paths"]
    api = sections(GUIDE)["The API"]
    explained = set(re.findall(r"^\| `(GET|POST) (/\S+)`", api, re.MULTILINE))
    there = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert explained == there | {("GET", "/openapi.json")}
    told = {
        status
        for methods in paths.values()
        for operation in methods.values()
        for status in operation["responses"]
    }
    rows = re.findall(r"^\| ([\d, ]+) \|", sections(GUIDE)["Errors"], re.MULTILINE)
    assert told - {"200"} <= {status for row in rows for status in row.split(", ")}


def test_the_promises_name_tests_that_there_are():
    tests = set(re.findall(r"`(test_\w+\.py)`", PROMISES))
    assert len(tests) > 10
    assert [name for name in sorted(tests) if not (ROOT / "tests" / name).is_file()] == []


@needs_web
def test_nothing_is_written_and_nobody_is_asked(tmp_path):
    noted = tmp_path / "noted"
    (tmp_path / "sitecustomize.py").write_text(WATCH.format(noted=str(noted)))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT / "src"))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    page = "<!doctype html><p>Officials acknowledged <img src=http://127.0.0.2:9/x> aft noon.</p>"
    server = subprocess.Popen(
        [sys.executable, "-m", "unspin", "serve", "--port", "0", "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    try:
        address = server.stderr.readline().split("http://")[1].split("/")[0]
        reading = json.loads(post(address, "/v1/read", {"page": page, "science": True}))
        assert "Officials" in reading["text"]
        for form in ("markdown", "html"):
            post(address, "/v1/report", {"reading": reading, "format": form})
    finally:
        end_all(server)
    begun = "os.mkdir begun"
    assert noted.read_text().splitlines() == [begun, begun]  # the server and its process


def post(address, path, body):
    with closing(HTTPConnection(address, timeout=60)) as connection:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200
        return response.read()
