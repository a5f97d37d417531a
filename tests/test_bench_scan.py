"""The benchmarks of the scan measure what they say."""

from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

import pyarrow as pa

from bench import scan, screen
from unspin import pages
from unspin.scan import inputs
from unspin.scan.batch import DOCUMENTS, Scorer
from unspin.scan.job import Fields

EXAMPLES = Path(__file__).parents[1] / "examples"
CLEAN = (EXAMPLES / "demo-original.txt").read_text("utf-8")
SPUN = pages.extract((EXAMPLES / "demo.html").read_bytes()).text


def corpus(*texts):
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    size = sum(len(text.encode()) for text in texts)
    return scan.Corpus(pa.Table.from_pylist(rows, DOCUMENTS), size)


def test_a_part_has_the_size_of_its_texts():
    half = scan.part(corpus("é" * 10, "b", "c", "d"), 0.5)
    assert half.documents["text"].to_pylist() == ["é" * 10, "b"]
    assert half.size == 21


def test_long_documents_are_cut_at_a_paragraph():
    text = "\n".join(["one two three"] * 1000)
    cut = scan._cut(text)
    assert text.startswith(cut)
    assert scan.LONGEST <= len(cut.split()) < scan.LONGEST + 3
    assert scan._cut("short\ntext") == "short\ntext"


def test_every_document_is_in_the_archive(tmp_path):
    pytest.importorskip("fastwarc")
    archive = tmp_path / "pages.warc.gz"
    scan.warc(list(scan.html_pages(corpus(CLEAN, SPUN))), archive)
    (shard,) = inputs.find([str(archive)])
    (documents,) = inputs.read(shard, Fields())
    scores = Scorer()(documents.batch)
    assert scores["verdict"].to_pylist() == ["clean", "spun"]


def test_rates_are_of_text_by_time():
    rates = scan.rates({"count": (scan.count, corpus(CLEAN * 200))}, 2)
    assert len(rates["count"]) == 2
    assert all(rate > 0 for rate in rates["count"])


def test_a_page_is_judged_by_the_steps_and_by_the_lattice():
    clean, spun = screen.judge(screen.Job("any", (), [CLEAN, SPUN]))
    assert clean == screen.Judged("glance", "clean", "clean")
    assert spun == screen.Judged("look", "spun", "spun")


def test_what_is_lost_and_gained_is_counted_by_the_step():
    found = [
        screen.Judged("glance", "clean", "spun"),
        screen.Judged("look", "spun", "unsure"),
        screen.Judged("lattice", "spun", "spun"),
    ]
    name, pages, spun, *lost, gained, by_glance, _, by_look, by_lattice = screen._row("any", found)
    assert (name, pages, spun, lost, gained) == ("any", 3, 2, [1, 0, 0], 1)
    assert by_glance == by_look == by_lattice == pytest.approx(1 / 3)
