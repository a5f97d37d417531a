"""Scores of a column: the same from every kind of column, and at home in other people's tools."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import scan
from unspin.scan import columns
from unspin.scan.batch import DOCUMENTS, Limits, Scorer
from unspin.scan.columns import COLUMNS, TableScorer, add_scores, is_clean, is_not_spun, score

CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))
SPUN, CLEAN = CASES[0]["text"], CASES[0]["restored"]
TEXTS = [SPUN, None, CLEAN, "Too short."]
VERDICTS = ["spun", None, "clean", "unsure"]


@pytest.fixture(scope="module")
def scores():
    return score(TEXTS)


def verdicts(table):
    return table["verdict"].to_pylist()


# The public surface of the room


def test_every_public_name_of_the_room_is_there():
    names = set(scan.__all__) - {"SpunFilter"}
    assert all(getattr(scan, name) is not None for name in names)
    assert dir(scan) == sorted(scan.__all__) == sorted(scan._ROOMS)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'unspun'"):
        _ = scan.unspun


def test_importing_the_room_imports_nothing_that_is_optional():
    code = (
        "import sys, unspin.scan; print(*(m for m in sys.modules if m.startswith('unspin.scan.')));"
        "from unspin.scan import score; score(['Too short.']);"
        "print(*({'ray', 'datatrove', 'datasets', 'polars'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.split() == []


# Columns


def test_a_column_is_scored_as_a_scan_scores_documents(scores):
    documents = pa.RecordBatch.from_pylist([{"text": text} for text in TEXTS], DOCUMENTS)
    assert scores.schema == COLUMNS
    assert scores.to_pylist() == Scorer()(documents).select(COLUMNS.names).to_pylist()
    assert verdicts(scores) == VERDICTS


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_every_type_of_text_in_arrow_is_scored_alike(scores, kind):
    array = pa.array(TEXTS, kind)
    assert score(array).equals(scores)
    assert score(pa.chunked_array([array[:1], array[1:]])).equals(scores)


def test_texts_that_repeat_may_be_in_a_dictionary(scores):
    assert score(pa.array(TEXTS).dictionary_encode()).equals(scores)


def test_columns_longer_than_a_batch_are_scored_whole(monkeypatch, scores):
    monkeypatch.setattr(columns, "ROWS", 3)
    assert score(TEXTS).combine_chunks().equals(scores)


def test_an_empty_column_has_no_scores():
    assert score([]).equals(COLUMNS.empty_table())
    assert verdicts(score(pa.nulls(2))) == [None, None]


def test_a_text_beyond_the_limits_has_a_reason():
    row = score([SPUN], Limits(characters=10)).to_pylist()[0]
    assert (row["verdict"], row["reason"]) == (None, "longer than 10 characters")


@pytest.mark.parametrize("texts", [[1, 2], ["a", 1], [b"bytes"], [["a"]], "text", pa.array([1.5])])
def test_what_is_no_column_of_texts_is_refused(texts):
    with pytest.raises(TypeError, match=r"text"):
        score(texts)


def test_half_a_surrogate_pair_moves_no_suspect(scores):
    broken = SPUN + " \ud83d"
    row = score([None, broken]).to_pylist()[1]
    assert row["verdict"] == "spun"
    assert row["suspects"] == scores.to_pylist()[0]["suspects"]


def test_a_text_that_is_not_utf8_leaves_the_others_alone(scores):
    whole = pa.array([SPUN, "bad?", CLEAN])
    data = pa.py_buffer(whole.buffers()[2].to_pybytes().replace(b"bad?", b"bad\xff"))
    broken = pa.Array.from_buffers(pa.string(), 3, [None, whole.buffers()[1], data])
    table = score(broken)
    assert table["reason"].to_pylist() == [None, "not UTF-8", None]
    assert table.take([0, 2]).to_pylist() == scores.take([0, 2]).to_pylist()


@given(st.lists(st.none() | st.text(st.characters(), max_size=40), max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_texts_have_a_row_each(texts):
    table = score(texts)
    assert table.num_rows == len(texts)
    table.validate(full=True)


# polars and pandas


def test_scores_are_columns_of_a_frame_of_polars(scores):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"id": [1, 2, 3, 4], "text": TEXTS})
    scored = frame.with_columns(*polars.from_arrow(score(frame["text"])))
    assert scored.columns == ["id", "text", *COLUMNS.names]
    assert scored["verdict"].to_list() == VERDICTS
    assert scored["suspects"].to_list() == scores["suspects"].to_pylist()
    categories = frame["text"].cast(polars.Categorical)
    assert score(categories).equals(scores)


def test_scores_are_an_expression_of_a_lazy_frame_of_polars(scores):
    polars = pytest.importorskip("polars")
    kind = polars.Struct(polars.from_arrow(scores).schema)
    scored = (
        polars.LazyFrame({"text": TEXTS})
        .with_columns(
            polars.col("text")
            .map_batches(lambda texts: polars.from_arrow(score(texts)).to_struct(), kind)
            .alias("unspin")
        )
        .filter(polars.col("unspin").struct.field("verdict") == "spun")
        .collect()
    )
    assert scored["text"].to_list() == [SPUN]


@pytest.mark.parametrize("kind", ["str", "object", "string[python]", "category", "arrow"])
def test_scores_are_columns_of_a_frame_of_pandas(scores, kind):
    pandas = pytest.importorskip("pandas")
    dtype = pandas.ArrowDtype(pa.string()) if kind == "arrow" else kind
    frame = pandas.DataFrame({"text": pandas.Series(TEXTS, dtype=dtype)})
    frame.index = [7, 5, 3, 1]
    assert score(frame["text"]).equals(scores)
    scored = frame.join(score(frame["text"]).to_pandas().set_index(frame.index))
    assert scored.loc[7, "verdict"] == "spun"
    assert scored.loc[3, "verdict"] == "clean"


def test_half_a_surrogate_pair_in_a_column_of_objects_is_no_failure():
    pandas = pytest.importorskip("pandas")
    assert verdicts(score(pandas.Series([CLEAN, "\ud800", None], dtype=object)))[0] == "clean"


# Data sets of Hugging Face


@pytest.fixture
def datasets():
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    yield datasets
    datasets.enable_progress_bars()


def test_a_data_set_is_scored_by_map(datasets, scores):
    dataset = datasets.Dataset.from_dict({"content": TEXTS, "id": [1, 2, 3, 4]})
    scored = dataset.map(add_scores, batched=True, fn_kwargs={"text": "content"})
    assert scored.column_names == ["content", "id", *COLUMNS.names]
    assert scored["verdict"][:] == VERDICTS
    assert scored.select_columns(COLUMNS.names).with_format("arrow")[:].to_pylist() == (
        scores.to_pylist()
    )


def test_a_first_batch_without_anything_spun_settles_no_types(datasets, scores):
    dataset = datasets.Dataset.from_dict({"text": TEXTS[::-1]}).select([1, 2, 0, 3])
    scored = dataset.map(add_scores, batched=True, batch_size=1)
    assert scored["verdict"][:] == ["clean", None, "unsure", "spun"]
    assert scored["family"][3] == scores["family"].to_pylist()[0]
    assert scored["suspects"][3] == scores["suspects"].to_pylist()[0]


def test_a_streamed_data_set_is_scored_too(datasets):
    dataset = datasets.Dataset.from_dict({"text": TEXTS}).to_iterable_dataset()
    scored = dataset.map(add_scores, batched=True, batch_size=2)
    assert [row["verdict"] for row in scored] == VERDICTS


def test_a_data_set_is_filtered_as_a_corpus_is(datasets):
    dataset = datasets.Dataset.from_dict({"text": TEXTS})
    assert dataset.filter(is_clean, batched=True)["text"][:] == [CLEAN]
    assert dataset.filter(is_not_spun, batched=True)["text"][:] == TEXTS[1:]


def test_processes_share_a_data_set(datasets):
    dataset = datasets.Dataset.from_dict({"text": TEXTS})
    assert dataset.map(add_scores, batched=True, num_proc=2)["verdict"][:] == VERDICTS


def test_a_tables_scorer_maps_a_data_set_of_arrow(datasets):
    dataset = datasets.Dataset.from_dict({"text": TEXTS}).with_format("arrow")
    scored = dataset.map(TableScorer(), batched=True, batch_size=1)
    assert scored.with_format(None)["verdict"][:] == VERDICTS


def test_results_in_a_cache_are_found_again_until_the_model_is_another(datasets, monkeypatch):
    hash_of = datasets.fingerprint.Hasher.hash
    before = [hash_of(function) for function in (add_scores, is_clean, is_not_spun)]
    assert before == [hash_of(function) for function in (add_scores, is_clean, is_not_spun)]
    assert len(set(before)) == 3
    monkeypatch.setattr(columns, "model_digest", lambda _: "another")
    assert not set(before) & {hash_of(function) for function in (add_scores, is_clean, is_not_spun)}


@pytest.mark.parametrize("function", [add_scores, is_clean, is_not_spun])
def test_functions_come_back_from_a_pickle(function):
    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301


# Tables of other pipelines


def test_a_table_keeps_its_columns_and_gets_scores(scores):
    table = pa.table({"body": pa.array(TEXTS), "n": [1, 2, 3, 4]}, metadata={"made": "by hand"})
    scorer = pickle.loads(pickle.dumps(TableScorer("body")))  # noqa: S301
    scored = scorer(table)
    assert scored.select(["body", "n"]).equals(table, check_metadata=True)
    assert scored.select(COLUMNS.names).equals(scores)


def test_a_table_without_rows_has_the_same_columns():
    table = pa.table({"text": pa.array([], pa.string())})
    assert TableScorer()(table).schema.names == ["text", *COLUMNS.names]


def test_a_table_that_cannot_take_the_scores_is_refused():
    table = pa.table({"text": TEXTS, "words": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="rename words"):
        TableScorer()(table)
    with pytest.raises(ValueError, match="no column 'body'"):
        TableScorer("body")(table)
    with pytest.raises(TypeError, match="batch_format='pyarrow'"):
        TableScorer()({"text": TEXTS})


def test_tables_are_scored_within_the_limits_given():
    scorer = replace(TableScorer(), limits=Limits(characters=10))
    assert verdicts(scorer(pa.table({"text": TEXTS})))[0] is None
