"""What one request may cost: a body, a place in the queue, some seconds, and no other request."""

import json
import logging
import os
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("fastapi", reason="the web server needs the extra unspin[web]")
pytest.importorskip("uvicorn", reason="the web server needs the extra unspin[web]")

import anyio

from tests.serving import assert_problem, served
from unspin.arrays import ModelError
from unspin.pages import PageError
from unspin.trace.articles import TraceError
from unspin.web import admission, serve, work, workers
from unspin.web.metrics import Metrics
from unspin.web.problems import ProblemError, Told
from unspin.web.settings import Settings
from unspin.web.workers import Workers

DEMO = (Path(__file__).parent.parent / "examples" / "demo.html").read_text(encoding="utf-8")
WORDS = "words of the page"
HEAD = (
    b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100\r\n\r\n"
)


async def present():
    return False


def in_workers(ask, **settings):
    """What becomes of work in processes of their own, and the counts of it."""

    async def asked():
        metrics = Metrics()
        workers = Workers(Settings(**{"workers": 1, **settings}), metrics)
        return await ask(workers), metrics.text().decode()

    return anyio.run(asked)


# --- bodies


def test_a_body_that_says_that_it_is_too_long_is_refused_unread():
    with served(Settings(port=0, max_bytes=1_000)) as server:
        with server.raw(HEAD.replace(b"100", b"1001")) as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
        assert_problem(server.post("/v1/read", {"page": "x" * 1_000}), 413, "0.001 MB")


def test_a_body_that_does_not_say_how_long_it_is_is_read_up_to_the_limit():
    with (
        served(Settings(port=0, max_bytes=1_000)) as server,
        server.raw(
            HEAD.replace(b"Content-Length: 100", b"Transfer-Encoding: chunked"),
            b"3e8\r\n" + b"x" * 1_000 + b"\r\n1\r\nx\r\n",
        ) as connection,
    ):
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_just_the_limit_is_taken():
    body = json.dumps({"page": "At noon."}).encode()
    with served(Settings(port=0, workers=1, max_bytes=len(body))) as server:
        assert server.post("/v1/read", body, Content_Type="application/json").status == 200
        too_long = server.post("/v1/read", body + b" ", Content_Type="application/json")
        assert_problem(too_long, 413)


def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr(admission, "BODY_SECONDS", 0.01)
    with served(Settings(port=0)) as server, server.raw(HEAD, b'{"page": ') as connection:
        answer = b"".join(iter(partial(connection.recv, 10_000), b""))
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nconnection: close\r\n" in answer.lower()


def test_a_body_longer_than_it_says_is_cut_and_the_rest_is_no_request():
    with served(Settings(port=0)) as server:
        body = HEAD.replace(b"100", b"5") + b'{"page": "GET / HTTP/1.1"}'
        with server.raw(body) as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
        assert server.get("/v1/health").status == 200


def test_who_goes_away_before_the_body_has_come_leaves_nothing_behind():
    with served(Settings(port=0, queue=1, workers=1)) as server:
        server.raw(HEAD).close()
        ends = time.monotonic() + 30
        while server.post("/v1/read", {"page": "At noon."}).status != 200:
            assert time.monotonic() < ends


# --- the queue


def test_when_the_queue_is_full_others_are_told_when_to_try_again():
    with served(Settings(port=0, queue=1, workers=1)) as server:
        body = b'{"page": "At noon."}'
        head = HEAD.replace(b"100", str(len(body)).encode())
        with server.raw(head, body[:5]) as connection:
            ends = time.monotonic() + 30
            while (answer := server.post("/v1/read", {"page": ""})).status != 429:
                assert time.monotonic() < ends
            assert_problem(answer, 429, "1 requests are waiting", "try again in")
            assert int(answer.headers["retry-after"]) >= 1
            # What does not wait for a process is answered meanwhile.
            assert server.get("/v1/health").status == 200
            assert server.get("/").status == 200
            connection.sendall(body[5:])
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        assert server.post("/v1/read", {"page": ""}).status == 200


def test_more_requests_than_processes_are_all_answered():
    with served(Settings(port=0, workers=2)) as server:
        statuses = []
        asking = [
            Thread(target=lambda: statuses.append(server.post("/v1/read", {"page": DEMO}).status))
            for _ in range(12)
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert statuses == [200] * 12


def test_the_time_to_wait_grows_with_the_queue_and_stays_within_bounds():
    workers = Workers(Settings(workers=2), Metrics())
    waits = [workers.wait_for(requests) for requests in (0, 1, 8, 64, 10_000)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, 60)


def test_work_that_nobody_waits_for_is_not_begun():
    async def ask(workers):
        async def gone():
            return True

        with pytest.raises(ProblemError, match="gone away"):
            await workers.run(work.read, "At noon.", (), 0.5, False, gone=gone)

    in_workers(ask)


# --- time, and processes that die


def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read():
    async def ask(workers):
        await workers.start()
        with pytest.raises(ProblemError, match=r"longer than 0\.5 s: split it") as raised:
            await workers.run(time.sleep, 600, gone=present)
        assert raised.value.status == 422
        return await workers.run(work.read, "At noon.", (), 0.5, False, gone=present)

    answer, counted = in_workers(ask, seconds=0.5)
    assert answer.verdict == "unsure"
    assert 'unspin_workers_killed_total{cause="time"} 1.0' in counted


def test_a_process_killed_in_the_middle_of_a_page_is_a_problem_and_the_next_page_is_read():
    async def ask(workers):
        process = await workers.run(os.getpid, gone=present)
        with pytest.raises(ProblemError, match="was killed: send it again") as raised:
            await workers.run(os.kill, process, signal.SIGKILL, gone=present)
        assert raised.value.status == 500
        assert await workers.run(os.getpid, gone=present) != process

    _, counted = in_workers(ask)
    assert 'unspin_workers_killed_total{cause="died"} 1.0' in counted


def test_a_process_killed_between_pages_is_replaced_unnoticed():
    async def ask(workers):
        process = await workers.run(os.getpid, gone=present)
        os.kill(process, signal.SIGKILL)
        assert await workers.run(os.getpid, gone=present) != process

    in_workers(ask)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_process_that_does_not_answer_is_killed_and_replaced(monkeypatch):
    monkeypatch.setattr(workers, "OPEN_SECONDS", 5)

    async def ask(workers):
        process = await workers.run(os.getpid, gone=present)
        os.kill(process, signal.SIGSTOP)
        assert await workers.run(os.getpid, gone=present) != process
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)

    _, counted = in_workers(ask)
    assert 'unspin_workers_killed_total{cause="died"} 1.0' in counted


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_who_no_longer_waits_does_not_wait_for_a_process_that_does_not_answer():
    async def ask(workers):
        process = await workers.run(os.getpid, gone=present)
        os.kill(process, signal.SIGSTOP)
        with anyio.move_on_after(0.1) as asking:
            await workers.run(os.getpid, gone=present)
        assert asking.cancelled_caught

    in_workers(ask)


def test_processes_that_do_not_start_are_a_problem(monkeypatch):
    monkeypatch.setattr(workers, "OPEN_SECONDS", 0)

    async def ask(workers):
        with pytest.raises(ProblemError) as raised:
            await workers.run(os.getpid, gone=present)
        assert raised.value.status == 500

    in_workers(ask)


def test_processes_are_kept_from_page_to_page():
    async def ask(workers):
        await workers.start()
        return {await workers.run(os.getpid, gone=present) for _ in range(5)}

    processes, _ = in_workers(ask)
    assert len(processes) == 1
    assert os.getpid() not in processes


def test_an_index_that_is_not_there_is_told_at_the_start(tmp_path):
    async def ask(workers):
        await workers.start()

    with pytest.raises((TraceError, ModelError)):
        in_workers(ask, indexes=(tmp_path / "missing",), workers=2)


# --- what goes wrong is noted without a word of the page


def test_an_error_in_a_process_is_noted_by_its_name_and_place_alone(caplog, capfd):
    async def ask(workers):
        with pytest.raises(ProblemError) as raised:
            await workers.run(json.loads, WORDS, gone=present)
        return raised.value

    problem, _ = in_workers(ask)
    assert (problem.status, WORDS in problem.detail) == (500, False)
    (noted,) = [record for record in caplog.records if record.name.startswith("unspin")]
    assert noted.levelno == logging.ERROR
    assert "JSONDecodeError at work.py:" in noted.message
    assert "decoder.py:" in noted.message
    assert WORDS not in caplog.text
    assert WORDS not in "".join(capfd.readouterr())


def test_an_error_in_the_server_is_noted_in_the_same_way(caplog, capfd, monkeypatch):
    def fail(_):
        raise ValueError(WORDS)

    with served(Settings(port=0)) as server:
        monkeypatch.setattr(Workers, "waiting", property(fail))
        answer = server.get("/v1/health")
        assert_problem(answer, 500)
        assert WORDS not in answer.body.decode()
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert any("ValueError at" in record.message for record in caplog.records)
    assert WORDS not in caplog.text
    assert WORDS not in "".join(capfd.readouterr())


def test_an_error_after_the_answer_has_begun_is_noted_too(caplog):
    async def fails(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(WORDS)

    sent = []

    async def ask():
        async def send(message):
            sent.append(message["type"])

        await Told(fails)({"type": "http"}, None, send)

    anyio.run(ask)
    assert sent == ["http.response.start"]
    assert "ValueError at" in caplog.text
    assert WORDS not in caplog.text


def test_a_page_that_is_refused_is_no_error(caplog):
    def refuse():
        raise PageError("split it")

    assert work.attempt(refuse, ()) == work.Refused("split it")
    assert caplog.text == ""


def test_memory_that_runs_out_is_told_with_advice():
    def fail():
        raise MemoryError

    assert "split it" in work.attempt(fail, ()).detail


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process so")
def test_a_page_gets_no_more_memory_than_a_process_has():
    async def ask(workers):
        with pytest.raises(ProblemError, match="not enough memory for this page") as raised:
            await workers.run(bytes, work.MEMORY, gone=present)
        assert raised.value.status == 422
        return await workers.run(work.read, "At noon.", (), 0.5, False, gone=present)

    answer, _ = in_workers(ask)
    assert answer.verdict == "unsure"


def test_a_group_of_one_error_is_noted_as_that_error():
    assert work.whereabouts(ExceptionGroup("", [ValueError(WORDS)])).startswith("ValueError at")


def test_answers_are_sent_at_once():
    with serve._bound(Settings(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
