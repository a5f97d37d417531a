"""A pipeline of datatrove with the filter: what is dropped, why, and that every rank agrees."""

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("datatrove")

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers.base import BaseDiskReader
from datatrove.pipeline.writers import ParquetWriter
from loguru import logger

from unspin.scan import SpunFilter
from unspin.scan.batch import DOCUMENTS, Limits, Scorer

CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))
SPUN, CLEAN = CASES[0]["text"], CASES[0]["restored"]
TEXTS = {"a": CLEAN, "b": SPUN, "c": "Too short.", "d": CASES[1]["text"], "e": CASES[1]["restored"]}


class Lines(BaseDiskReader):
    """Reads JSONL, as datatrove's own reader does with a package that few have."""

    name = "Lines"

    def __init__(self, folder):
        super().__init__(folder)

    def read_file(self, filepath):
        with self.data_folder.open(filepath, "rt") as file:
            for number, line in enumerate(file):
                yield self.get_document_from_dict(json.loads(line), filepath, number)


@pytest.fixture(autouse=True)
def quiet():
    logger.disable("datatrove")
    yield
    logger.enable("datatrove")


@pytest.fixture
def pages(tmp_path):
    """A folder of two files with the documents, and one that is longer than the limit."""
    folder = tmp_path / "pages"
    folder.mkdir()
    records = [{"id": id_, "text": text} for id_, text in TEXTS.items()]
    records.append({"id": "f", "text": CLEAN * 10})
    for name, part in (("1.jsonl", records[:3]), ("2.jsonl", records[3:])):
        lines = (json.dumps(record) + "\n" for record in part)
        (folder / name).write_text("".join(lines), "utf-8")
    return folder


def run(pages, out, tasks=1, **filter_):
    """Run the pipeline; returns what it kept and what it dropped by id, and the statistics."""
    executor = LocalPipelineExecutor(
        pipeline=[
            Lines(str(pages)),
            SpunFilter(
                exclusion_writer=ParquetWriter(str(out / "dropped")),
                limits=Limits(characters=len(CLEAN) * 5),
                **filter_,
            ),
            ParquetWriter(str(out / "kept")),
        ],
        tasks=tasks,
        workers=tasks,
        logging_dir=str(out / "logs"),
    )
    stats = executor.run()
    return read(out / "kept"), read(out / "dropped"), stats


def read(folder):
    rows = [row for path in folder.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return {row["id"]: row for row in rows}


def counted(stats):
    return {
        label: stats.stats[1].stats[label].total
        for label in ("total", "forwarded", "dropped", "dropped_spun", "dropped_unsure")
    }


@pytest.mark.parametrize("tasks", [1, 2])
def test_a_pipeline_keeps_what_is_clean_and_says_why_the_rest_is_dropped(pages, tmp_path, tasks):
    kept, dropped, stats = run(pages, tmp_path / "out", tasks, batch_size=2)
    assert sorted(kept) == ["a", "e"]
    assert {id_: record["metadata"]["filter_reason"] for id_, record in dropped.items()} == {
        "b": "spun",
        "c": "unsure",
        "d": "spun",
        "f": "skipped",
    }
    assert counted(stats) == {
        "total": 6,
        "forwarded": 2,
        "dropped": 4,
        "dropped_spun": 2,
        "dropped_unsure": 1,
    }


def test_documents_have_the_scores_that_a_scan_gives(pages, tmp_path):
    kept, dropped, _ = run(pages, tmp_path / "out", keep="unsure")
    batch = pa.RecordBatch.from_pylist(
        [{"id": id_, "text": text} for id_, text in TEXTS.items()], DOCUMENTS
    )
    for row in Scorer()(batch).to_pylist():
        metadata = (kept | dropped)[row["id"]]["metadata"]
        for name in ("verdict", "probability", "llr_per_word", "rate", "words"):
            value = metadata[f"unspin_{name}"]
            assert math.isnan(value) if row[name] is None else value == row[name]
        assert metadata["unspin_family"] == (row["family"] or "")
    assert kept["f"]["metadata"]["unspin_reason"].startswith("longer than")


def test_keeping_what_is_unsure_drops_what_is_spun_alone(pages, tmp_path):
    kept, dropped, _ = run(pages, tmp_path / "out", keep="unsure")
    assert sorted(kept) == ["a", "c", "e", "f"]
    assert sorted(dropped) == ["b", "d"]


def test_ranks_that_are_completed_are_not_run_again(pages, tmp_path):
    out = tmp_path / "out"
    kept, _, _ = run(pages, out)
    (out / "kept" / "000_00000.parquet").unlink()
    _, dropped, stats = run(pages, out)
    assert stats is None
    assert not list((out / "kept").iterdir())
    assert kept
    assert dropped


def test_a_parquet_file_takes_documents_of_all_kinds(tmp_path):
    spun_filter = SpunFilter(keep="unsure", batch_size=2)
    texts = [CLEAN, "", "Too short.", CLEAN]
    documents = [Document(text or "-", str(n)) for n, text in enumerate(texts)]
    writer = ParquetWriter(str(tmp_path), batch_size=1, expand_metadata=True)
    with writer:
        for document in spun_filter.run(iter(documents)):
            writer.write(document)
    table = pq.read_table(tmp_path / "000_00000.parquet")
    assert table["unspin_verdict"].to_pylist() == ["clean", "unsure", "unsure", "clean"]


def test_the_filter_scores_a_single_document_and_travels_to_workers():
    spun_filter = pickle.loads(pickle.dumps(SpunFilter()))  # noqa: S301
    assert spun_filter.filter(Document(SPUN, "b")) == (False, "spun")
    assert spun_filter.filter(Document(CLEAN, "a")) is True


def test_a_word_that_is_no_rule_for_keeping_is_refused():
    with pytest.raises(ValueError, match="'spun'"):
        SpunFilter(keep="spun")


def test_without_datatrove_the_message_says_what_to_install():
    code = (
        "import sys; sys.modules['datatrove'] = None\n"
        "import unspin.scan.datatrove as room\n"
        "try: room.SpunFilter()\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"pip install 'unspin[datatrove]'" in result.stdout
