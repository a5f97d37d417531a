"""Other people's language models as second readers: a GGUF file, or a server that is running.

Both tell log P of a text that may follow, token after token up to its last. Servers that repeat
what they are given with its log-probabilities (OpenAI's `echo`: vLLM, SGLang, llama-cpp-python)
are given the whole. llama.cpp's own repeats nothing, but tells the log-probability of a token that
it prints, before any bias: each token in turn is made the one that it has to print. That is exact,
and a step of the model for a token; what it has read stays in its cache. So `gguf` serves a file.
"""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from unspin.reranker import ADDRESSES, Continuations, RerankError, Scorer

PATIENCE = 20.0  # seconds in which a server has to say what it is
LONGEST = 600.0  # seconds that one call may take
LARGEST = 2**24  # bytes of an answer
LINES = 8  # questions that are asked at once
BEFORE, AFTER = 1500, 500  # characters before a text, and of it, that are read
TOKENS = 1024  # of both
LISTED = 100  # likeliest tokens that are told with the one asked for
LEAST = -100.0  # log P of a token, about where single precision ends
PLAIN = Continuations("The children went home after school", (" because it was getting dark.",))
STRANGE = -40.0  # log P of that from which a model knows English: -60 are six tokens by chance


def scorer(name: str) -> Scorer:
    """Return the model in a file (*.gguf) or of a server (http://localhost:8080).

    Raises:
        RerankError: there is none, or it cannot be used.
    """
    if name.startswith(ADDRESSES):
        return Server(name)
    if name.lower().endswith(".gguf"):
        from unspin.gguf import Gguf

        return Gguf(Path(name))
    raise RerankError(
        f"{name} is no model: name a file (*.gguf) or the address of a server "
        "(http://localhost:8080)"
    )


class Server:
    """The model of a server."""

    def __init__(
        self, address: str, *, key: str = "", name: str = "", patience: float = PATIENCE
    ) -> None:
        """Find out what a server speaks, by a question whose answer is known.

        Args:
            address: like http://localhost:8080.
            key: that it asks for.
            name: what errors call it.
            patience: seconds that this may take.

        Raises:
            RerankError: none answers there, or none of its answers are log-probabilities.
        """
        self._name = name or f"the server at {address}"
        self._line = partial(_Line, address.rstrip("/").removesuffix("/v1"), key, self._name)
        with self._line(time.monotonic() + patience) as line:
            self._reader, self._lines = _reader(line, self._name)
            if self._reader(line, PLAIN)[0] < STRANGE:
                raise StrangeError(f"{self._name} has no model of English text: take another")

    def log_p(self, asked: Sequence[Continuations], deadline: float) -> list[list[float]]:
        """Return the natural logs of P(text | before), of one question after the other.

        Raises:
            RerankError: the server does not answer all of them by the deadline.
        """
        ends = min(deadline, time.monotonic() + LONGEST)
        # Neighbours begin alike: they are asked one after the other on one line.
        share = max(1, math.ceil(len(asked) / self._lines))
        parts = [asked[first : first + share] for first in range(0, len(asked), share)]
        lines = [self._line(ends) for _ in parts]
        with ThreadPoolExecutor(self._lines) as pool:
            futures = [
                pool.submit(_answers, self._reader, line, part)
                for line, part in zip(lines, parts, strict=True)
            ]
            try:
                done, late = wait(futures, max(0.0, ends - time.monotonic()), FIRST_EXCEPTION)
                answers = [future.result() for future in futures if future in done]
            finally:
                for line in lines:
                    line.hang_up()
        if late:
            raise RerankError(f"{self._name} does not answer in time: take a smaller model")
        return [logs for part in answers for logs in part]


# --- what servers are asked


class StrangeError(RerankError):
    """Something answers, but not as the server of a model of text does."""


_Reader = Callable[["_Line", Continuations], list[float]]


def _reader(line: _Line, name: str) -> tuple[_Reader, int]:
    """What asks a server, and on how many lines it can."""
    try:
        model = str(line.ask("/v1/models")["data"][0]["id"])
    except (KeyError, IndexError, TypeError):
        raise RerankError(f"{name} names no model: it is no server of models") from None
    try:
        echoed = partial(_echoed, model)
        echoed(line, PLAIN)
        return echoed, LINES
    except StrangeError as error:
        told = str(error)
    try:
        props = line.ask("/props")
        room = int(props["default_generation_settings"]["n_ctx"]) - 1
        printed = partial(_printed, min(room, TOKENS))
        printed(line, PLAIN)
        return printed, max(1, min(int(props["total_slots"]), LINES))
    except (StrangeError, KeyError, IndexError, TypeError, ValueError):
        raise StrangeError(
            f"{name} tells no log-probabilities of a text that it is given: take the server of "
            f"llama.cpp, of llama-cpp-python (with logits_all) or of vLLM ({told})"
        ) from None


def _answers(reader: _Reader, line: _Line, asked: Sequence[Continuations]) -> list[list[float]]:
    with line:
        return [reader(line, question) for question in asked]


def _echoed(model: str, line: _Line, question: Continuations) -> list[float]:
    """Of a server that tells the log-probabilities of what it is given."""

    def read(text: str) -> list[tuple[str, float]]:
        # A token more is asked for: not all take it that none is to follow.
        asked = {"model": model, "prompt": text, "echo": True, "logprobs": 1, "max_tokens": 1}
        answer = line.ask("/v1/completions", {**asked, "temperature": 0})
        try:
            told = answer["choices"][0]["logprobs"]
            printed = answer.get("usage", {}).get("completion_tokens", 1)
            pairs = list(zip(told["tokens"], told["token_logprobs"], strict=True))
            # Of the first nothing is told.
            return [(str(token), _log(log)) for token, log in pairs[1 : len(pairs) - printed]]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise StrangeError("its completions lack the log-probabilities of tokens") from None

    texts = [read(text) for text in _texts(question)]
    shared = _shared([[token for token, _ in text] for text in texts])
    if shared == len(texts[-1]):
        raise StrangeError("its completions do not echo the text")
    before, *after = (sum(log for _, log in text[shared:]) for text in texts)
    return [log - before for log in after]


def _printed(room: int, line: _Line, question: Continuations) -> list[float]:
    """Of llama.cpp's server, which tells the log-probabilities of what it prints."""
    told: dict[tuple[int, ...], dict[int, float]] = {}

    def log_p(before: list[int], token: int) -> float:
        known = told.setdefault(tuple(before), {})
        if token not in known:
            asked = {"prompt": before, "n_predict": 1, "n_probs": LISTED}
            forced = {"logit_bias": [[token, 1e9]], "temperature": 0, "samplers": ["temperature"]}
            (printed,) = line.ask("/completion", {**asked, **forced})["completion_probabilities"]
            told_here = [*printed["top_logprobs"], printed]
            known.update((entry["id"], _log(entry["logprob"])) for entry in told_here)
        return known[token]

    try:
        asked = {"add_special": True, "parse_special": False}
        texts = [
            list(map(int, line.ask("/tokenize", {"content": text, **asked})["tokens"]))
            for text in _texts(question)
        ]
        most = max(map(len, texts))
        texts = [tokens[max(0, most - room) :] for tokens in texts]
        shared = max(_shared(texts), 1)
        before, *after = (
            sum(log_p(tokens[:place], tokens[place]) for place in range(shared, len(tokens)))
            for tokens in texts
        )
    except (KeyError, TypeError, ValueError):
        raise StrangeError("its completions have no log-probabilities") from None
    return [log - before for log in after]


def _texts(question: Continuations) -> list[str]:
    """What is read for a question: the beginning alone, then with each of the texts."""
    before = question.before[-BEFORE:] or "\n"  # not every model has a mark for the beginning
    return [before, *(before + text[:AFTER] for text in question.texts)]


def _shared(texts: Sequence[Sequence[object]]) -> int:
    """How many tokens all of them begin with."""
    least = min(map(len, texts))
    return next((i for i in range(least) if len({tokens[i] for tokens in texts}) > 1), least)


def _log(told: float) -> float:
    """A log-probability that can be summed.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not told < 0.01:  # above zero by rounding
        raise ValueError(told)
    return max(float(told), LEAST)


class _Line:
    """A connection to a server, for as long as there is time."""

    def __init__(self, address: str, key: str, name: str, ends: float) -> None:
        self._name, self._ends = name, ends
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        try:
            parts = urlsplit(address)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            if not parts.hostname:
                raise ValueError(address)
            self._http = kind(parts.hostname, parts.port)
        except (ValueError, HTTPException):
            raise RerankError(
                f"{address} is no address of a server: it looks like http://localhost:8080"
            ) from None
        self._path = parts.path
        self._socket: socket.socket | None = None

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def hang_up(self) -> None:
        """Let whoever waits for an answer, in another thread, wait no longer."""
        self._ends = 0.0
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - is JSON
        """What a server answers.

        Raises:
            RerankError: it does not, or with what is no JSON.
        """
        kept = self._http.sock is not None
        try:
            try:
                status, answer = self._exchange(path, body)
            except (ConnectionError, HTTPException):
                if not kept:  # or else it may have been closed since
                    raise
                self._http.close()
                status, answer = self._exchange(path, body)
        except (OSError, HTTPException, UnicodeError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() > self._ends:
                raise RerankError(f"{self._name} does not answer in time") from None
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise RerankError(
                f"{self._name} cannot be asked: {reason}; is it running there?"
            ) from None
        if len(answer) > LARGEST:
            raise RerankError(f"{self._name} is no server of models: it answers with too much")
        if status != 200:
            told = " ".join(answer[:300].decode(errors="replace").split())
            raise StrangeError(f"{self._name} answers {path} with status {status}: {told}")
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise RerankError(
                f"{self._name} is no server of models: its answer to {path} is no JSON"
            ) from None

    def _exchange(self, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._http.timeout = left
        if self._http.sock is not None:
            self._http.sock.settimeout(left)
        sent = None if body is None else json.dumps(body)
        self._http.request("POST" if sent else "GET", self._path + path, sent, self._headers)
        self._socket = self._http.sock
        if time.monotonic() > self._ends:
            raise TimeoutError
        with self._http.getresponse() as response:
            return response.status, response.read(LARGEST + 1)
