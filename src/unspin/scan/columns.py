"""What is spun in a column of texts? Scores for data frames, data sets and pipelines of others.

Beside polars and pandas, as columns to add to a frame:

    frame.with_columns(*polars.from_arrow(score(frame["text"])))
    frame.join(score(frame["text"]).to_pandas().set_index(frame.index))

Hugging Face `datasets`, where the texts are in the column `content`:

    dataset.map(add_scores, batched=True, fn_kwargs={"text": "content"})
    dataset.filter(is_clean, batched=True, fn_kwargs={"text": "content"})

Ray Data:

    dataset.map_batches(TableScorer(text="content"), batch_format="pyarrow")

None of these libraries is imported here. The model is opened once a process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, update_wrapper
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

import pyarrow as pa

from unspin import __version__
from unspin.reader import MODEL
from unspin.scan.batch import DOCUMENTS, SCORES, Limits, Scorer
from unspin.scan.job import keeps
from unspin.scan.manifest import model_digest

COLUMNS = pa.schema([field for field in SCORES if field.name not in ("id", "source")])
ROWS = 1_000  # scored together

# A Series of polars or pandas, an Array or ChunkedArray of Arrow, or a sequence of `str | None`.
Texts: TypeAlias = Any

P = ParamSpec("P")
R = TypeVar("R")

_SURROGATE = re.compile("[\ud800-\udfff]")


def score(texts: Texts, limits: Limits = Limits()) -> pa.Table:  # noqa: B008
    """Return the scores of a column of texts, a row each and in their order.

    The columns are those of the side tables of a scan: probability, verdict, llr_per_word, rate,
    words, family, suspects and reason. A text that is null, no Unicode or beyond the limits has
    nulls and a reason.

    Args:
        texts: a Series of polars or pandas, an Array or ChunkedArray of Arrow, or a sequence.
        limits: what one text may cost.

    Raises:
        TypeError: it is no column of texts.

    >>> table = score(["Too short.", None])
    >>> table.select(["verdict", "words"]).to_pylist()
    [{'verdict': 'unsure', 'words': 2}, {'verdict': None, 'words': None}]
    """
    column = _column(texts)
    scorer = _scorer(limits)
    batches = [
        scorer(_documents(column.slice(first, ROWS))) for first in range(0, len(column), ROWS)
    ]
    return pa.Table.from_batches(batches, SCORES).select(COLUMNS.names)


class _Versioned(Generic[P, R]):
    """A function that is another one with every model: `datasets` finds results by what it pickles.

    A function of a package is pickled by its name alone, and a newer model would be given the
    scores that an older one left in the cache.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        return _named, (self._function.__name__, __version__, model_digest(MODEL))


def _named(name: str, *_version: str) -> object:
    return globals()[name]


@_Versioned
def add_scores(
    batch: Mapping[str, Any],
    text: str = "text",
    limits: Limits = Limits(),  # noqa: B008
) -> dict[str, list[Any]]:
    """Return the scores of a batch of a data set of Hugging Face, for its `map`.

    >>> add_scores({"text": ["Too short."]})["verdict"]
    ['unsure']
    """
    table = score(batch[text], limits)
    return {
        name: _TypedList(column) for name, column in zip(table.column_names, table, strict=True)
    }


@_Versioned
def is_clean(
    batch: Mapping[str, Any],
    text: str = "text",
    limits: Limits = Limits(),  # noqa: B008
) -> list[bool]:
    """Return which documents of a batch are clean, for the `filter` of a data set.

    What was skipped is not. After `add_scores` there is no need to score again:
    `dataset.filter(lambda verdict: verdict == "clean", input_columns="verdict")`.

    >>> is_clean({"text": ["Too short.", None]})
    [False, False]
    """
    return [keeps("clean", verdict) for verdict in _verdicts(batch[text], limits)]


@_Versioned
def is_not_spun(
    batch: Mapping[str, Any],
    text: str = "text",
    limits: Limits = Limits(),  # noqa: B008
) -> list[bool]:
    """Return which documents of a batch are clean, unsure or skipped, for the same `filter`.

    >>> is_not_spun({"text": ["Too short.", None]})
    [True, True]
    """
    return [keeps("unsure", verdict) for verdict in _verdicts(batch[text], limits)]


@dataclass(frozen=True)
class TableScorer:
    """Adds the scores of the texts in a column to the tables of Arrow that it is called with.

    For Ray Data's `map_batches` with `batch_format="pyarrow"`, and for anything else that hands
    tables around. All other columns stay as they are; one that has the name of a score is an error,
    for it would be lost.

    >>> TableScorer("body")(pa.table({"id": [7], "body": ["Too short."]})).column_names
    ['id', 'body', 'probability', 'verdict', 'llr_per_word', 'rate', 'words', 'family', 'suspects',
     'reason']
    """

    text: str = "text"
    limits: Limits = Limits()  # noqa: RUF009

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the table with the scores at its end.

        Raises:
            TypeError: it is no table of Arrow.
            ValueError: it has no such column, or has a column by the name of a score.
        """
        if not isinstance(table, pa.Table):
            raise TypeError(
                f"a batch is {type(table).__name__}, not a table of Arrow: pass"
                " batch_format='pyarrow'"
            )
        if self.text not in table.column_names:
            raise ValueError(f"there is no column {self.text!r} among {table.column_names}")
        if taken := [name for name in COLUMNS.names if name in table.column_names]:
            raise ValueError(f"scores would take the place of columns: rename {', '.join(taken)}")
        scores = score(table[self.text], self.limits)
        for field, column in zip(scores.schema, scores, strict=True):
            table = table.append_column(field, column)
        return table


class _TypedList(list[Any]):
    """The values of a column as a list that knows their type, by the protocol of Arrow.

    `datasets` guesses the types of its columns from the first batch, and would take a family that
    is null in all of it for one that is null forever.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        super().__init__(column.to_pylist())
        self._type = column.type

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.Array:  # noqa: A002
        return pa.array(list(self), type or self._type)


def _verdicts(texts: Texts, limits: Limits) -> list[str | None]:
    verdicts: list[str | None] = score(texts, limits)["verdict"].to_pylist()
    return verdicts


def _column(texts: Texts) -> pa.Array | pa.ChunkedArray:
    """Texts as a column of Arrow, of whatever type it has for them."""
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else _imported(texts)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if kind not in (pa.string(), pa.large_string(), pa.string_view(), pa.null()):
        raise TypeError(f"a column of {column.type}, not of texts")
    return column


def _imported(texts: Texts) -> pa.Array | pa.ChunkedArray:
    if isinstance(texts, str | bytes):
        raise TypeError("one text, not a column of them: put it into a list")
    try:
        return _by_protocol(texts)
    except UnicodeEncodeError:
        # Half of a pair, as JSON can spell it. Another character keeps the places of the rest.
        return pa.array([_without_surrogates(text) for text in texts], from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TypeError(f"not a column of texts: {error}") from error


def _by_protocol(texts: Texts) -> pa.Array | pa.ChunkedArray:
    if hasattr(texts, "__arrow_c_stream__"):
        return pa.chunked_array(texts)
    return pa.array(texts, from_pandas=True)


def _without_surrogates(text: object) -> object:
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text) if isinstance(text, str) else text


def _documents(column: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
    try:
        rows = [{"text": text} for text in column.to_pylist()]
    except UnicodeDecodeError:
        rows = list(_checked(column))
    return pa.RecordBatch.from_pylist(rows, DOCUMENTS)


def _checked(texts: Iterable[pa.Scalar]) -> Iterator[dict[str, str | None]]:
    """Rows of a column some of whose texts are not what Arrow takes on trust."""
    for text in texts:
        try:
            yield {"text": text.as_py()}
        except UnicodeDecodeError:
            yield {"reason": "not UTF-8"}


@cache
def _scorer(limits: Limits) -> Scorer:
    return Scorer(limits)
