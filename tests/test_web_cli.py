"""`unspin serve`: what it takes, what it says, and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.running import PATIENCE, assert_gone, end_all
from unspin import cli
from unspin.web.settings import ServeError, Settings

needs_web = pytest.mark.skipif(
    not all(map(find_spec, ("fastapi", "uvicorn", "prometheus_client"))),
    reason="the web server needs the extra unspin[web]",
)

SESAME = "open-sesame"


def run(*arguments, **settings):
    return CliRunner().invoke(cli.app, ["serve", *map(str, arguments)], **settings)


@pytest.fixture
def asked(monkeypatch):
    """The settings with which a server would have been started."""
    room = type(sys)("unspin.web.serve")
    settings = []

    def serve(given, listening):
        settings.append(given)
        listening("http://127.0.0.1:8080/")

    room.serve = serve
    room.is_loopback = lambda host: host.startswith("127.")
    monkeypatch.setitem(sys.modules, "unspin.web.serve", room)
    return settings


@contextmanager
def running(*arguments, folder=None):
    """A server in a process of its own, which was started in a folder, with its address."""
    serve = ("unspin", "serve", "--port", "0", "--workers", "2")
    server = subprocess.Popen(
        # As its script starts it: without the files of the folder.
        [sys.executable, "-P", "-m", *serve, *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        address = server.stderr.readline().split("http://")[1].split("/")[0]
        yield server, address
    finally:
        end_all(server)


def children(server):
    path = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    return [int(child) for child in path.read_text().split()]


@contextmanager
def reading(address, page):
    """A connection over which a page was sent to be read."""
    with closing(HTTPConnection(address, timeout=60)) as connection:
        body = json.dumps({"page": page})
        connection.request("POST", "/v1/read", body, {"Content-Type": "application/json"})
        yield connection


# --- what it takes and says


def test_the_defaults_are_for_this_machine_alone(asked, monkeypatch):
    monkeypatch.delenv("UNSPIN_TOKEN", raising=False)
    result = run()
    assert result.exit_code == 0
    assert asked == [Settings()]
    assert (asked[0].host, asked[0].token, asked[0].origins) == ("127.0.0.1", None, ())
    assert result.stderr == "unspin listens on http://127.0.0.1:8080/ (Ctrl-C stops it)\n"
    assert result.stdout == ""


def test_every_option_reaches_the_server(asked):
    result = run(
        *("--host", "127.0.0.2", "--port", 0, "--index", "a", "--index", "b", "--workers", 3),
        *("--origin", "https://unspin.example.org", "--origin", "https://b.example"),
        *("--max-megabytes", 0.5, "--seconds", 9, "--queue", 7),
        env={"UNSPIN_TOKEN": SESAME},
    )
    assert result.exit_code == 0
    assert asked == [
        Settings(
            host="127.0.0.2",
            port=0,
            indexes=(Path("a"), Path("b")),
            workers=3,
            token=SESAME,
            origins=("https://unspin.example.org", "https://b.example"),
            max_bytes=500_000,
            seconds=9,
            queue=7,
        )
    ]


def test_families_reach_the_server_as_files(asked, tide_file, tmp_path):
    run("--family", tide_file)
    assert asked == [Settings(families=(tide_file,))]
    result = run("--family", tmp_path / "surf.tsv")
    assert result.exit_code == 3
    assert "surf.tsv: no such file" in result.stderr


@pytest.mark.usefixtures("asked")
def test_the_page_is_opened_if_asked_for(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run()
    assert opened == []
    run("--open")
    assert opened == ["http://127.0.0.1:8080/"]


@pytest.mark.usefixtures("asked")
def test_a_server_that_others_reach_without_a_token_is_warned_of():
    open_to_all = run("--host", "192.0.2.1", env={"UNSPIN_TOKEN": None})
    assert open_to_all.stderr.startswith("unspin: whoever reaches 192.0.2.1 can use this server")
    assert "UNSPIN_TOKEN" in open_to_all.stderr
    locked = run("--host", "192.0.2.1", env={"UNSPIN_TOKEN": SESAME})
    assert "whoever" not in locked.stderr
    assert SESAME not in locked.stderr


def test_the_token_cannot_be_given_where_others_see_it():
    assert run("--token", "secret").exit_code == 2


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--origin unspin.example.org", "https://unspin.example.org"),
        ("--port 70000", "--port"),
        ("--workers 0", "--workers"),
        ("--queue 0", "--queue"),
        ("--seconds inf", "--seconds"),
        ("--seconds nan", "--seconds"),
        ("--max-megabytes inf", "--max-megabytes"),
        ("--max-megabytes nan", "--max-megabytes"),
        ("--max-megabytes 1e308", "--max-megabytes"),
        ("--seconds 0", "seconds has to be more than 0"),
        ("--max-megabytes 0", "max_bytes has to be more than 0"),
    ],
)
def test_wrong_usage_is_status_2(options, told):
    result = run(*options.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.split())


@pytest.mark.usefixtures("asked")
def test_an_empty_token_is_no_open_door():
    result = run(env={"UNSPIN_TOKEN": ""})
    assert result.exit_code == 2
    assert "token" in result.stderr


@pytest.mark.parametrize(
    ("failure", "status"), [(ServeError("it is taken"), 3), (KeyboardInterrupt, 130)]
)
def test_failures_have_a_status_and_interruption_is_quiet(asked, monkeypatch, failure, status):
    def serve(*_):
        raise failure

    monkeypatch.setattr(sys.modules["unspin.web.serve"], "serve", serve)
    result = run()
    assert result.exit_code == status
    assert result.stderr == ("unspin: it is taken\n" if status == 3 else "")
    assert asked == []


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "unspin.web.serve", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run()
    assert result.exit_code == 3
    assert result.stderr.endswith("pip install 'unspin[web]'\n")


def test_the_help_starts_without_the_web_server():
    slow = ["fastapi", "uvicorn", "pydantic", "unspin.web", "unspin.reader"]
    code = f"import sys, unspin.cli; sys.exit(str([m for m in {slow} if m in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.stderr.decode().strip() == "[]"


# --- as a process


@needs_web
def test_what_cannot_be_listened_on_is_status_3():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("--port", port)
    assert result.exit_code == 3
    assert f"port {port} cannot be listened on" in result.stderr
    assert "--port" in result.stderr


@needs_web
def test_a_host_that_is_not_known_is_status_3(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = run("--host", "nowhere.invalid")
    assert result.exit_code == 3
    assert "nowhere.invalid is no host that is known here" in result.stderr


@needs_web
def test_an_index_that_is_not_there_is_status_3(tmp_path):
    pytest.importorskip("tantivy", reason="tracing needs the extra unspin[trace]")
    result = run("--port", 0, "--index", tmp_path / "missing")
    assert result.exit_code == 3
    assert "unspin index build" in result.stderr


@needs_web
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes where Linux lists them")
@pytest.mark.parametrize(
    ("sent", "status"),
    [("SIGINT", 130), ("SIGTERM", -15), ("SIGKILL", -9)],
)
def test_no_process_outlives_the_server(sent, status):
    with running() as (server, address):
        with reading(address, "At noon.") as asked:
            assert asked.getresponse().status == 200
        workers = children(server)
        assert len(workers) == 2
        os.kill(server.pid, getattr(signal, sent))
        assert server.wait(PATIENCE) == status
        assert server.stderr.read() == ""
        assert_gone(workers)


@needs_web
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes where Linux lists them")
def test_no_process_outlives_the_server_in_the_middle_of_a_page():
    with running() as (server, address):
        workers = children(server)
        with reading(address, "We meet astatine noon. " * 150_000):
            os.kill(server.pid, signal.SIGKILL)
            assert_gone(workers)


@needs_web
def test_no_process_runs_a_file_of_the_folder_that_the_server_was_started_in(tmp_path):
    planted = tmp_path / "pickle.py"
    planted.write_text("open('run', 'w')\n", encoding="utf-8")
    with running(folder=tmp_path) as (_, address), reading(address, "At noon.") as asked:
        assert asked.getresponse().status == 200
    assert list(tmp_path.iterdir()) == [planted]
