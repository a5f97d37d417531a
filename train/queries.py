"""Which pages is tracing measured with? Spun ones with known sources, and ones without any.

As in `train.samples`: sources and pages come from documents that no model is trained on, half of
which the fit of tracing sees and the other half the benchmarks. The rest of an index is text that
the models were trained on, divided alike. Some documents are left out of the index: pages of them
have no source there, though the index may hold another report of the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, get_args

from train import samples
from train.corpus import HELD_OUT, Document, documents, held_out, training_files
from train.events import COPIED, SAME_EVENT, neighbours
from train.families import FAMILIES
from train.provenance import Page, lower_cased, middle_third, mixed, shuffled, traced
from train.samples import NEWS, Part, count_words
from train.spin import Family, Spun, spin

# What pages are spun by; nothing is measured with what something was fitted to.
SPINNERS: Mapping[Part, tuple[str, ...]] = {
    "calibrate": ("wordnet random", "ppdb random", "mixed fixed"),
    "bench": ("moby random", "phrases"),
}
WORDS = 1_000  # of an article at most, unless one paragraph is longer
LEAST_WORDS = 100  # of an article that a page is made of
SEED = 1
LEFT_OUT = 0.5  # share of the held-out news that is not indexed
LEFT_OUT_NEWS = 0.25  # share of the news of `ALLSIDES` that is not indexed
ALLSIDES = "allsides:"  # its outlets tell of the same events; part of the training text
EVENTS = "fnc1"  # a held-out source of many reports on few events
NEGATIVES = 2  # pages without a source for every page of a condition, of each of two kinds

AS_WRITTEN, MIXED = "as written", "two sources"
SHARES = {"30%": 0.3, "50%": 0.5, "70%": 0.7, "100%": 1.0}  # of the words that a family replaces

# Whether the index has what a page was made of, and if not, whether it has the event.
Origin = Literal["indexed", "ordinary", "same event", "same event, news"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)


class Article(NamedTuple):
    """A document, or a part of a long one; `source` is the label of its corpus."""

    id: str
    text: str
    source: str


class Indexed(NamedTuple):
    """Articles to index, those of them that pages may be made of, and those that are left out."""

    articles: list[Article]
    sources: list[Article]
    left_out: list[Article]


class Query(NamedTuple):
    """A page to trace.

    `condition` is one of `CONDITIONS`, or `AS_WRITTEN` for a page that is not spun; `sources` are
    the ids of the indexed articles that it was made of, none unless its origin is "indexed".
    `rate` is the share of the sources' words that were substituted. `truth` has the same text,
    and knows where it comes from even if that is not indexed.
    """

    text: str
    condition: str
    family: str
    rate: float
    origin: Origin
    sources: tuple[str, ...]
    truth: Page


# --- conditions


class Material(NamedTuple):
    """What a page is made from: its article and another one, its spinner and another one."""

    article: Article
    other: Article
    family: Family
    second: Family


Spinning = Callable[[Material], tuple[Page, Sequence[Spun]]]


def _share(share: float, material: Material) -> tuple[Page, Sequence[Spun]]:
    """A share of what the family could replace in the article."""
    spun = _spun(material.article, material.family, share)
    return traced(spun), [spun]


def _all(change: Callable[[Page], Page], material: Material) -> tuple[Page, Sequence[Spun]]:
    spun = _spun(material.article, material.family, 1.0)
    return change(traced(spun)), [spun]


def _shuffled(material: Material) -> tuple[Page, Sequence[Spun]]:
    return _all(lambda page: shuffled(page, Random(material.article.id)), material)


def _mixed(material: Material) -> tuple[Page, Sequence[Spun]]:
    one = _spun(material.article, material.family, 1.0)
    other = _spun(material.other, material.family, 1.0)
    return mixed(traced(one), traced(other)), [one, other]


def _twice(material: Material) -> tuple[Page, Sequence[Spun]]:
    """By another family after the first, each replacing all that it could."""
    family = replace(material.family, then=material.second)
    spun = spin(material.article.text, family, 1.0, SEED)
    return traced(spun), [spun]


def _as_written(material: Material) -> tuple[Page, Sequence[Spun]]:
    spun = Spun(material.article.text, material.article.text, ())
    return traced(spun), [spun]


CONDITIONS: Mapping[str, Spinning] = {
    **{name: partial(_share, share) for name, share in SHARES.items()},
    "lower-cased": partial(_all, lower_cased),
    "middle third": partial(_all, middle_third),
    "shuffled": _shuffled,
    MIXED: _mixed,
    "spun twice": _twice,
}


def _spun(article: Article, family: Family, share: float) -> Spun:
    """The article with a share of the words replaced that the family could replace."""
    everything = spin(article.text, family, 1.0, SEED)
    if share == 1.0:
        return everything
    return spin(article.text, family, share * samples.share_swapped([everything]), SEED)


# --- articles


def indexed(corpora: Path, part: Part, articles: int) -> Indexed:
    """So many articles to index, from the held-out documents and then from training text, and
    the news that is left out; everything in a stable order that mixes the sources."""
    sources: list[Article] = []
    kept: list[Article] = []
    left_out: list[Article] = []
    for document in held_out(corpora):
        if samples.part(document) != part:
            continue
        of_news = document.source in NEWS
        chosen = sources if of_news else kept
        (left_out if of_news and _draw(document) < LEFT_OUT else chosen).extend(cut(document))
    others: list[Article] = []
    for document in _training(corpora, part):
        of_outlet = document.source.startswith(ALLSIDES)
        is_left_out = of_outlet and _draw(document) < LEFT_OUT_NEWS
        (left_out if is_left_out else others).extend(cut(document))
    own = [*sources, *kept]
    chosen = sorted(_unlike([*own, *sorted(others)])[:articles])
    return Indexed(chosen, sorted(sources), sorted(_unlike(left_out)))


def _training(corpora: Path, part: Part) -> Iterator[Document]:
    for file in training_files(corpora):
        for document in documents(file):
            if not document.source.startswith(HELD_OUT) and samples.part(document) == part:
                yield document


def _unlike(articles: Iterable[Article]) -> list[Article]:
    """The articles without those whose text came before."""
    return list({article.id: article for article in articles}.values())


def cut(document: Document, most: int = WORDS) -> Iterator[Article]:
    """The document in articles of so many words at most, which end where paragraphs do."""
    lines: list[str] = []
    words = 0
    for line in [*document.text.split("\n"), None]:
        length = 0 if line is None else count_words(line)
        if lines and (line is None or words + length > most):
            text = "\n".join(lines)
            yield Article(_digest(text), text, document.source)
            lines, words = [], 0
        if line is not None:
            lines.append(line)
            words += length


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _draw(document: Document) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int(_digest(document.text)[:8], 16) / 16**8


# --- queries


def queries(collection: Indexed, lexicons: Path, part: Part, count: int) -> list[Query]:
    """Pages with a source, `count` of every condition, and `NEGATIVES * count` without of each
    kind, in the same conditions or as written; fewer where there is too little text."""
    families = [FAMILIES[name](lexicons) for name in SPINNERS[part]]
    found: list[Query] = []
    sources = [a for a in collection.sources if count_words(a.text) >= LEAST_WORDS][:count]
    for name in CONDITIONS:
        found += _made(sources, families, "indexed", [name])
    left_out = [a for a in collection.left_out if count_words(a.text) >= LEAST_WORDS]
    for origin, articles in negatives(collection.articles, left_out, NEGATIVES * count).items():
        found += _made(articles, families, origin, [*CONDITIONS, AS_WRITTEN])
    return found


def negatives(
    articles: Sequence[Article], left_out: Sequence[Article], count: int
) -> dict[Origin, list[Article]]:
    """Those left out, by what the index has on them: so many ordinary ones, and so many that are
    most like an indexed article, the held-out ones first. Near copies are none of them."""
    kinds: dict[Origin, list[tuple[float, Article]]] = {
        "ordinary": [], "same event": [], "same event, news": []
    }  # fmt: skip
    for found, article in zip(neighbours(articles, left_out), left_out, strict=True):
        if found.copied > COPIED:
            continue
        if article.source != EVENTS and article.source in NEWS:
            kinds["ordinary"].append((0.0, article))
        elif found.nearness >= SAME_EVENT:
            kind: Origin = "same event" if article.source == EVENTS else "same event, news"
            kinds[kind].append((-found.nearness, article))
    nearest = {kind: [article for _, article in sorted(found)] for kind, found in kinds.items()}
    rest = max(count - len(nearest["same event"]), 0)
    return {
        "ordinary": nearest["ordinary"][:count],
        "same event": nearest["same event"][:count],
        "same event, news": nearest["same event, news"][:rest],
    }


def _made(
    articles: Sequence[Article],
    families: Sequence[Family],
    origin: Origin,
    conditions: Sequence[str],
) -> list[Query]:
    """A page of every article, the conditions and families in turns."""
    found = []
    for i, article in enumerate(articles):
        condition = conditions[i % len(conditions)]
        turn = i // len(conditions)
        family, second = families[turn % len(families)], families[(turn + 1) % len(families)]
        other = articles[(i + 1) % len(articles)]
        make = CONDITIONS.get(condition, _as_written)
        page, texts = make(Material(article, other, family, second))
        ids = (article.id, other.id) if condition == MIXED else (article.id,)
        name = "" if condition == AS_WRITTEN else family.name
        sources = ids if origin == "indexed" else ()
        rate = samples.share_swapped(texts)
        found.append(Query(page.text, condition, name, rate, origin, sources, page))
    return found
