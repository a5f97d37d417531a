"""The benchmark of the server measures what it says."""

import asyncio
import doctest
import os
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from bench import web


def answered(*raw):
    """The statuses of the answers that a connection brought."""

    async def read():
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(raw))
        reader.feed_eof()
        return [await web.answer(reader) for _ in raw]

    return asyncio.run(read())


def test_examples_in_docstrings_hold():
    found = doctest.testmod(web)
    assert found.attempted
    assert not found.failed


def test_an_answer_is_read_to_its_end_and_the_next_one_after_it():
    refused = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nContent-Length: 2\r\n\r\n{}"
    read = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nx: y\r\n\r\n{\r\n\r\n200"
    assert answered(refused, read, refused) == [429, 200, 429]


def test_an_answer_that_is_cut_off_is_an_error():
    with pytest.raises(asyncio.IncompleteReadError):
        answered(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{}")


def test_every_request_is_sent_once_however_many_clients_there_are():
    async def asked():
        seen = []

        async def serve(reader, writer):
            while head := await reader.readline():
                seen.append(head)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            answers = await web.ask(port, [b"%d\n" % i for i in range(20)], 8)
        return seen, answers

    seen, answers = asyncio.run(asked())
    assert sorted(seen) == sorted(b"%d\n" % i for i in range(20))
    assert [answered.status for answered in answers] == [200] * 20


def test_a_request_is_as_long_as_it_says():
    head, _, body = web.request("“Bridge” – 海").partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head


def test_texts_are_mixed_and_a_long_one_has_the_words_asked_for():
    texts = web.Texts(["clean one"] * 20, ["spun one two", "spun three"])
    assert sorted(texts.mixed()) == sorted([*texts.clean, *texts.spun])
    assert texts.mixed() == texts.mixed()
    assert texts.joined(7) == "spun one two\n\nspun three\n\nspun one two"


def test_rates_are_medians_and_are_compared_with_as_many_processes():
    def turns(*seconds):
        return [web.Turn([web.Answered(200, 0.1)] * 10, each) for each in seconds]

    def asked(seconds):
        answers = [web.Answered(200, 0.1)] * 8 + [web.Answered(429, 0.0), web.Answered(500, 0.0)]
        return [web.Turn(answers, seconds, server=0.02, clients=0.01)]

    found = {"one": turns(1, 2, 9), "two": turns(1), "first": asked(10), "rest": asked(2)}
    rows = web._answers(found).rows
    assert [row[1:3] for row in rows] == [[5, None], [10, None], [1, 0.2], [5, 0.5]]
    assert [row[5:7] for row in rows] == [[None, None], [None, None], [1, 1], [1, 1]]
    assert rows[3][7:] == [pytest.approx(2.0), pytest.approx(1.0)]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux has it")
def test_memory_and_processor_time_are_those_of_the_process():
    assert 0 < web._said(os.getpid(), "RssAnon") < web._said(os.getpid(), "VmHWM")
    assert web.processor(os.getpid()) == pytest.approx(sum(os.times()[:2]), abs=1)
