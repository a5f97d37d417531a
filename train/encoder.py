"""The transformer of the second reader, in PyTorch: what is tuned, and how it is written.

BERT's architecture (Devlin et al. 2019), with the weights of all-MiniLM-L6-v2 to begin with; the
vectors of its pieces serve at both ends, as what is read and as what is chosen from.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import minilm
from train.lattices import OUTSIDE, Lesson
from unspin import arrays
from unspin.neural import (
    DIMENSIONS,
    ENCODER,
    LEAST_LOG,
    WORDS,
    cut,
    shares,
    tokenizer,
    windows,
)

HEADS, LAYERS, POSITIONS = 12, 6, 512
EPSILON = 1e-12  # of layer normalisation
NOWHERE = -1e9  # score of what is not there
QUERY_SPREAD = 0.02  # standard deviation of the weights that are new
RARELY_NONE = -2.0  # score of there being no right option, to begin with


class Batch(NamedTuple):
    """Lessons in numbers.

    Every different word or phrase is a bag of `pieces`, from `first_piece` on. All words of the
    lessons, one after the other, have the number of their bag in `words`, and the share of it that
    their state is in `kept`; of the bags `other` they have the shares `share` at `other_at`.
    `windows` (window, word) are numbers of words, those that are `there`; a place has the numbers
    of its `first` and `last` word among all in the windows. `options` (place, option) are bags,
    where `is_option`; `answers` are the numbers of the right ones.
    """

    pieces: Tensor
    first_piece: Tensor
    words: Tensor
    kept: Tensor
    other: Tensor
    other_at: Tensor
    share: Tensor
    windows: Tensor
    there: Tensor
    first: Tensor
    last: Tensor
    options: Tensor
    is_option: Tensor
    log_posteriors: Tensor
    answers: Tensor


class Layer(nn.Module):
    """One layer: attention, and a network for every word."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Linear(DIMENSIONS, 3 * DIMENSIONS)
        self.attended = nn.Linear(DIMENSIONS, DIMENSIONS)
        self.inner = nn.Linear(DIMENSIONS, 4 * DIMENSIONS)
        self.outer = nn.Linear(4 * DIMENSIONS, DIMENSIONS)
        self.first_norm = nn.LayerNorm(DIMENSIONS, EPSILON)
        self.second_norm = nn.LayerNorm(DIMENSIONS, EPSILON)

    def begin(self, tensors: Mapping[str, Tensor], name: str) -> None:
        """Take over the weights of a layer of MiniLM."""
        attention = f"{name}.attention"
        for parameter in ("weight", "bias"):
            parts = [
                tensors[f"{attention}.self.{part}.{parameter}"]
                for part in ("query", "key", "value")
            ]
            getattr(self.attention, parameter).copy_(torch.cat(parts))
        _copy(self.attended, tensors, f"{attention}.output.dense")
        _copy(self.first_norm, tensors, f"{attention}.output.LayerNorm")
        _copy(self.inner, tensors, f"{name}.intermediate.dense")
        _copy(self.outer, tensors, f"{name}.output.dense")
        _copy(self.second_norm, tensors, f"{name}.output.LayerNorm")

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """The states after this layer; `mask` is added to the scores of the attention."""
        texts, words, _ = states.shape
        parts = self.attention(states).view(texts, words, 3, HEADS, DIMENSIONS // HEADS)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        scores = queries @ keys.transpose(2, 3) / math.sqrt(DIMENSIONS // HEADS) + mask
        told = (scores.softmax(-1) @ values).transpose(1, 2).reshape(states.shape)
        states = self.first_norm(states + self.attended(told))
        return self.second_norm(states + self.outer(functional.gelu(self.inner(states))))


class Encoder(nn.Module):
    """From the states of words to a query for the options at each, and a score for none."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(POSITIONS, DIMENSIONS))
        self.norm = nn.LayerNorm(DIMENSIONS, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.query = nn.Linear(DIMENSIONS, DIMENSIONS)
        self.none = nn.Linear(DIMENSIONS, 1)

    def forward(self, states: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """(text, word, number) and (text, word) to queries of the same shapes and scores."""
        mask = (1.0 - there)[:, None, None, :] * NOWHERE
        states = self.norm(states + self.positions[: states.shape[1]])
        for layer in self.layers:
            states = layer(states, mask)
        return self.query(states), self.none(states)[..., 0]


class SecondReader(nn.Module):
    """The encoder, the vectors of pieces, and the weights of what both say."""

    def __init__(self) -> None:
        super().__init__()
        self.cutter = tokenizer(list(minilm.vocabulary()))
        self.encoder = Encoder()
        self.pieces = nn.EmbeddingBag(self.cutter.get_vocab_size(), DIMENSIONS, sparse=True)
        self.leaning = nn.Parameter(torch.zeros(DIMENSIONS))  # to a word, whatever its place
        self.prior = nn.Parameter(torch.tensor(0.7))  # power of the lattice's posteriors
        self.kept = nn.Parameter(torch.tensor(0.0))  # score of being the word as printed
        self._begin()

    def _begin(self) -> None:
        """Take over the weights of MiniLM; what it lacks begins small."""
        tensors = {name: torch.from_numpy(t.copy()) for name, t in minilm.weights().items()}
        with torch.no_grad():
            self.pieces.weight.copy_(tensors["embeddings.word_embeddings.weight"])
            self.encoder.positions.copy_(
                tensors["embeddings.position_embeddings.weight"]
                + tensors["embeddings.token_type_embeddings.weight"][0]
            )
            _copy(self.encoder.norm, tensors, "embeddings.LayerNorm")
            for number, layer in enumerate(self.encoder.layers):
                layer.begin(tensors, f"encoder.layer.{number}")
            nn.init.normal_(self.encoder.query.weight, std=QUERY_SPREAD)
            for parameter in (self.encoder.query.bias, self.encoder.none.weight):
                nn.init.zeros_(parameter)
            nn.init.constant_(self.encoder.none.bias, RARELY_NONE)

    def forward(self, batch: Batch) -> Tensor:
        """The log-probabilities (place, option), those of there being no right option last."""
        vectors = self.pieces(batch.pieces, batch.first_piece)
        states = vectors.index_select(0, batch.words) * batch.kept[:, None]
        others = vectors.index_select(0, batch.other) * batch.share[:, None]
        states = states.index_add(0, batch.other_at, others)
        given = states.index_select(0, batch.windows.flatten())
        queries, none = self.encoder(given.view(*batch.windows.shape, -1), batch.there)
        queries, none = queries.flatten(0, 1), none.flatten()
        # Phrases are asked for at their first and last word.
        query = (queries.index_select(0, batch.first) + queries.index_select(0, batch.last)) / 2
        none = (none[batch.first] + none[batch.last]) / 2
        options = vectors.index_select(0, batch.options.flatten()).view(*batch.options.shape, -1)
        scores = torch.einsum("pd,pkd->pk", query + self.leaning, options)
        scores = scores + self.prior * batch.log_posteriors
        scores = torch.cat([scores[:, :1] + self.kept, scores[:, 1:]], 1)
        scores = scores.masked_fill(~batch.is_option, NOWHERE)
        return functional.log_softmax(torch.cat([scores, none[:, None]], 1), 1)

    def batch(self, lessons: Sequence[Lesson]) -> Batch:
        """Lessons in numbers."""
        bags: dict[str, int] = {}
        words: list[int] = []
        kept, parts = [], []
        other, other_at, share = [], [], []
        places: list[tuple[int, int, list[int], tuple[float, ...], int]] = []
        for text, answers in lessons:
            before = len(words)
            words += [bags.setdefault(word, len(bags)) for word in text.words]
            own, factor = shares(text)
            kept.append(own)
            for place, answer in zip(text.places, answers, strict=True):
                options = [bags.setdefault(option, len(bags)) for option in place.options]
                for word in range(place.first, place.last):
                    other += options[1:]
                    other_at += [before + word] * (len(options) - 1)
                    share += [factor[word] * p for p in place.posteriors[1:]]
                if answer != OUTSIDE:
                    ends = before + place.first, before + place.last - 1
                    places.append((*ends, options, place.posteriors, answer))
            parts += [(before + first, before + last) for first, last in windows(text)]
        longest = max(last - first for first, last in parts)
        window = np.zeros((len(parts), longest), np.int64)
        there = np.zeros((len(parts), longest), np.float32)
        number = np.zeros(len(words), np.int64)  # of a word among those of the windows
        for row, (first, last) in enumerate(parts):
            window[row, : last - first] = np.arange(first, last)
            there[row, : last - first] = 1.0
            number[first:last] = row * longest + np.arange(last - first)
        most = max(len(options) for _, _, options, _, _ in places)
        option = np.zeros((len(places), most), np.int64)
        posterior = np.zeros((len(places), most), np.float32)
        for row, (_, _, options, posteriors, _) in enumerate(places):
            option[row, : len(options)] = options
            posterior[row, : len(options)] = np.maximum(posteriors, LEAST_LOG)
        pieces = cut(self.cutter, list(bags))
        return Batch(
            pieces=torch.tensor([piece for bag in pieces for piece in bag]),
            first_piece=torch.tensor([0, *accumulate(map(len, pieces[:-1]))]),
            words=torch.tensor(words),
            kept=torch.from_numpy(np.concatenate(kept)),
            other=torch.tensor(other),
            other_at=torch.tensor(other_at),
            share=torch.tensor(share, dtype=torch.float32),
            windows=torch.from_numpy(window),
            there=torch.from_numpy(there),
            first=torch.from_numpy(number[[first for first, *_ in places]]),
            last=torch.from_numpy(number[[last for _, last, *_ in places]]),
            options=torch.from_numpy(option),
            is_option=torch.from_numpy(posterior > 0),
            log_posteriors=torch.from_numpy(np.log(np.where(posterior > 0, posterior, 1.0))),
            answers=torch.tensor(
                [answer if answer < len(options) else most for _, _, options, _, answer in places]
            ),
        )

    def write(self, folder: Path, edit: Sequence[float]) -> None:
        """Write the files of a model: the encoder in 8 bits a number, and the vectors.

        `edit` are the coefficients that turn its posteriors into confidences.
        """
        folder.mkdir(parents=True, exist_ok=True)
        table = self.pieces.weight.detach().numpy()
        scales = np.maximum(np.abs(table).max(1), 1e-9) / 127
        rows = np.rint(table / scales[:, None]).astype(np.int8)
        leaning = self.leaning.detach().numpy()
        names = "\n".join(minilm.vocabulary()).encode()
        meta = {"edit": list(edit), "prior": self.prior.item(), "kept": self.kept.item()}
        held = {
            "rows": rows.ravel(),
            "scales": scales.astype(np.float32),
            "leaning": leaning,
            "pieces": np.frombuffer(names, np.uint8),
        }
        arrays.write(folder / WORDS, "word pieces", meta, held)
        _export(self.encoder.eval(), folder / ENCODER)
        arrays.seal(folder)


def _copy(module: nn.Linear | nn.LayerNorm, tensors: Mapping[str, Tensor], name: str) -> None:
    module.weight.copy_(tensors[f"{name}.weight"])
    module.bias.copy_(tensors[f"{name}.bias"])


def _export(encoder: Encoder, path: Path) -> None:
    """Write the encoder as ONNX, its matrices in 8 bits a number."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    example = torch.zeros(2, 8, DIMENSIONS), torch.ones(2, 8)
    sizes = {0: "texts", 1: "words"}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            encoder,
            example,
            whole,
            input_names=["states", "there"],
            output_names=["queries", "none"],
            dynamic_shapes={"states": sizes, "there": sizes},
            external_data=False,
            verbose=False,
        )
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True)
    bare(path)


def bare(path: Path) -> None:
    """Take away what the exporter tells of the code that a network was made by."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)
