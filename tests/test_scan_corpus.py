"""The corpus of a scan: who is kept, what is restored, and that nothing else changes."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.scan.batch import DOCUMENTS
from unspin.scan.corpus import Fate, corpus, corpus_name, fate
from unspin.scan.job import Documents, Shard

CLEAN = {"verdict": "clean", "probability": 0.01, "reason": None}
UNSURE = {"verdict": "unsure", "probability": 0.714, "reason": None}
SPUN = {"verdict": "spun", "probability": 0.999, "reason": None}
SKIPPED = {"verdict": None, "probability": None, "reason": "no text"}

KEPT = Fate(True, "clean")
DROPPED = Fate(False, "spun")


def shard(form="jsonl", path="in/day.jsonl"):
    return Shard("day", form, (path,))


def documents(rows, texts):
    batch = pa.RecordBatch.from_pylist(
        [{"id": str(i), "source": "a.example", "text": text} for i, text in enumerate(texts)],
        DOCUMENTS,
    )
    return Documents(batch, rows, 0)


def rewritten(tmp_path, made_of, batches, text_field=None):
    """What is in the corpus, and which documents were written to it."""
    path = tmp_path / "corpus"
    with path.open("wb") as file, corpus(made_of, text_field, file) as write:
        written = [kept for batch, fates in batches for kept in write(batch, fates)]
    return path.read_bytes(), written


def rewritten_line(tmp_path, line, text, fate_, text_field=None):
    batch = documents([line], [text])
    stored, _ = rewritten(tmp_path, shard(), [(batch, [fate_])], text_field)
    return stored


# --- fates


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (None, [True, True, True, True]),
        ("clean", [True, False, False, False]),
        ("unsure", [True, True, False, True]),
    ],
)
def test_what_is_kept_follows_from_the_verdict(keep, kept):
    fates = [fate(score, keep, None) for score in (CLEAN, UNSURE, SPUN, SKIPPED)]
    assert [fate_.kept for fate_ in fates] == kept


def test_every_document_has_a_reason_in_both_tables(spun, clean):
    def told(score, keep, reading=None):
        decided = fate(score, keep, None if reading is None else lambda: reading)
        return decided.reason, decided.told

    assert told(CLEAN, "clean") == ("kept: clean", "clean")
    assert told(UNSURE, "unsure") == ("kept: unsure", "unsure: probability of being spun 0.71")
    assert told(SPUN, "clean") == ("dropped: spun", "spun")
    short = UNSURE | {"reason": "too short to tell"}
    assert told(short, "clean") == (
        "dropped: unsure (too short to tell)",
        "unsure (too short to tell)",
    )
    assert told(SKIPPED, "clean") == ("dropped: not read (no text)", "not read (no text)")
    assert told(SPUN, None, spun) == ("restored: 2 words put back",) * 2
    unsaved = ("kept: spun", "spun: no word could be put back surely")
    assert told(SPUN, None, clean) == unsaved


def test_what_is_dropped_is_not_restored():
    def read():
        raise AssertionError

    assert fate(SPUN, "clean", read).text is None
    assert fate(CLEAN, None, read).text is None


def test_a_spun_text_that_cannot_be_read_again_stays_as_it_is():
    assert fate(SPUN, None, lambda: None) == Fate(
        True, "spun", "no word could be put back surely", None
    )


# --- JSONL


def test_a_kept_line_keeps_its_bytes_and_says_why_it_is_there(tmp_path):
    line = b'{ "f":1.0E5,"text" : "caf\\u00e9", "deep": {"text": [1 ,2]}}'
    assert rewritten_line(tmp_path, line, "café", KEPT) == line[:-1] + b', "unspin": "clean"}\n'


def test_a_restored_line_changes_in_its_text_alone(tmp_path):
    line = b'{"f":1.0E5, "text" :"printed" , "n": 12345678901234567890 }'
    restored = Fate(True, "restored", "1 word put back", 'what it "said"')
    assert rewritten_line(tmp_path, line, "printed", restored) == (
        b'{"f":1.0E5, "text" :"what it \\"said\\"" , "n": 12345678901234567890 '
        b', "unspin": "restored: 1 word put back"}\n'
    )


def test_the_named_field_is_restored_where_two_have_the_same_text(tmp_path):
    line = b'{"body": "printed", "text": "printed"}'
    restored = rewritten_line(tmp_path, line, "printed", Fate(True, "restored", "", "said"), "body")
    assert json.loads(restored) == {"body": "said", "text": "printed", "unspin": "restored"}


def test_half_a_surrogate_pair_does_not_keep_a_line_from_being_restored(tmp_path):
    line = b'{"title": "\\ud83d", "text": "printed \\ud83d"}'
    text = "printed \ufffd"
    restored = rewritten_line(tmp_path, line, text, Fate(True, "restored", "", "said \ufffd"))
    assert restored == (b'{"title": "\\ud83d", "text": "said \\ufffd", "unspin": "restored"}\n')


def test_of_fields_with_one_name_the_last_is_restored_as_the_last_was_read(tmp_path):
    line = b'{"text": "printed", "text": "printed"}'
    restored = rewritten_line(tmp_path, line, "printed", Fate(True, "restored", "", "said"))
    assert restored == b'{"text": "printed", "text": "said", "unspin": "restored"}\n'


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ('{"text": "ключ"}', "ключ", '"замо́к"'),
        ('{"text": "\\u043a"}', "к", '"\\u0437\\u0430\\u043c\\u043e\\u0301\\u043a"'),
    ],
)
def test_a_restored_text_is_escaped_as_the_line_is(tmp_path, line, text, expected):
    restored = Fate(True, "restored", "", "замо́к")
    stored = rewritten_line(tmp_path, line.encode(), text, restored).decode()
    assert stored == f'{{"text": {expected}, "unspin": "restored"}}\n'


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"text": "a", "unspin": 1}', "unspin_reason"),
        (b'{"text": "a", "unspin": 1, "unspin_reason": 2}', "unspin_reason_"),
    ],
)
def test_no_field_of_a_record_is_overwritten(tmp_path, line, name):
    record = json.loads(rewritten_line(tmp_path, line, "a", KEPT))
    assert record == {**json.loads(line), name: "clean"}


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[1]", b'"text"', b"{1: 2}", b'{"a" 1}', b'{"a": 1} x', b'{"a": 1,}', b"\xff",
     b'{"a": ' + b"[" * 100_000, b'{"a": NaN'],
)  # fmt: skip
def test_what_is_no_record_is_not_written_even_if_it_would_be_kept(tmp_path, line):
    good = b'{"text": "a"}'
    batch = documents([line, good], [None, "a"])
    stored, written = rewritten(tmp_path, shard(), [(batch, [Fate(True, "not read (x)"), KEPT])])
    assert written == [False, True]
    assert stored == b'{"text": "a", "unspin": "clean"}\n'


def test_an_empty_record_gets_its_reason(tmp_path):
    assert rewritten_line(tmp_path, b" { } ", None, KEPT) == b' { "unspin": "clean"} \n'


@pytest.mark.parametrize("line", [b'\xef\xbb\xbf{"text": "a"}', b'{"text": "a"}\r'])
def test_byte_order_marks_and_carriage_returns_do_no_harm(tmp_path, line):
    stored = rewritten_line(tmp_path, line, "a", KEPT)
    assert json.loads(stored) == {"text": "a", "unspin": "clean"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.text(), st.text(), st.booleans())
def test_all_other_fields_stay_whatever_the_record(tmp_path_factory, others, text, said, ascii_):
    record = {**others, "text": text}
    line = json.dumps(record, ensure_ascii=ascii_).encode()
    restored = Fate(True, "restored", "", said)
    stored = rewritten_line(tmp_path_factory.getbasetemp(), line, text, restored, "text")
    added = "unspin" if "unspin" not in record else "unspin_reason"
    assert json.loads(stored) == {**record, "text": said, added: "restored"}


def test_a_compressed_corpus_is_one_member_without_clock_or_name(tmp_path):
    lines = [b'{"text": "a"}', b'{"text": "b"}']
    batches = [(documents([line], [line[10:11].decode()]), [KEPT]) for line in lines]
    expected = b'{"text": "a", "unspin": "clean"}\n{"text": "b", "unspin": "clean"}\n'

    stored, _ = rewritten(tmp_path, shard(path="in/day.jsonl.gz"), batches)
    assert gzip.decompress(stored) == expected
    # Flags, time and level of the header: neither a name nor a date.
    assert stored[3:8] == bytes(5)

    stored, _ = rewritten(tmp_path, shard(path="in/day.jsonl.zst"), batches)
    with pa.input_stream(pa.py_buffer(stored), compression="zstd") as stream:
        assert stream.read() == expected


# --- Parquet

RECORDS = pa.schema(
    [
        pa.field("body", pa.string(), metadata={"what": "the text"}),
        ("n", pa.int8()),
        ("deep", pa.list_(pa.struct([("x", pa.float32())]))),
    ],
    metadata={"made": "by a test"},
)


def records(texts):
    return pa.RecordBatch.from_pylist(
        [{"body": text, "n": i, "deep": [{"x": 0.5}]} for i, text in enumerate(texts)], RECORDS
    )


def rewritten_rows(tmp_path, rows, texts, fates, text_field=None):
    stored, written = rewritten(
        tmp_path, shard("parquet", "in/day.parquet"), [(documents(rows, texts), fates)], text_field
    )
    return pq.read_table(pa.BufferReader(stored)), written


def test_rows_keep_all_columns_types_and_metadata(tmp_path):
    texts = ["a", "b", "c"]
    rows = records(texts)
    restored = Fate(True, "restored", "1 word put back", "said")
    table, written = rewritten_rows(tmp_path, rows, texts, [KEPT, DROPPED, restored])
    assert written == [True, False, True]
    assert table.schema == RECORDS.append(pa.field("unspin", pa.string()))
    assert table.schema.metadata == RECORDS.metadata
    assert table.schema.field("body").metadata == {b"what": b"the text"}
    assert table["unspin"].to_pylist() == ["clean", "restored: 1 word put back"]
    assert table["body"].to_pylist() == ["a", "said"]
    others = ["n", "deep"]
    assert table.select(others).to_pylist() == rows.select(others).take([0, 2]).to_pylist()


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
)
def test_a_restored_column_keeps_its_type(tmp_path, kind):
    rows = pa.RecordBatch.from_arrays([pa.array(["a", None, "b"], kind)], ["text"])
    fates = [Fate(True, "restored", "", "said"), Fate(True, "not read (no text)"), KEPT]
    table, _ = rewritten_rows(tmp_path, rows, ["a", None, "b"], fates)
    assert table.schema.field("text").type == kind
    assert table["text"].cast(pa.binary()).to_pylist() == [b"said", None, b"b"]


def test_a_text_that_is_no_utf_8_does_not_keep_others_from_being_restored(tmp_path):
    raw = pa.array([b"a", b"\xff"], pa.binary())
    rows = pa.RecordBatch.from_arrays([raw.view(pa.string())], ["text"])
    fates = [Fate(True, "restored", "", "said"), Fate(True, "not read (no UTF-8)")]
    table, _ = rewritten_rows(tmp_path, rows, ["a", None], fates)
    assert table["text"].cast(pa.binary()).to_pylist() == [b"said", b"\xff"]


def test_of_columns_with_the_same_text_the_one_that_was_read_is_restored(tmp_path):
    rows = pa.RecordBatch.from_pydict({"summary": ["a"], "text": ["a"], "content": ["a"]})
    restored = [Fate(True, "restored", "", "said")]
    table, _ = rewritten_rows(tmp_path, rows, ["a"], restored)
    assert table.drop(["unspin"]).to_pylist() == [{"summary": "a", "text": "said", "content": "a"}]
    table, _ = rewritten_rows(tmp_path, rows, ["a"], restored, "summary")
    assert table.drop(["unspin"]).to_pylist() == [{"summary": "said", "text": "a", "content": "a"}]


def test_rows_that_were_not_read_can_be_kept(tmp_path):
    fates = [Fate(True, "not read (longer than 5 characters)"), KEPT]
    table, written = rewritten_rows(tmp_path, records(["too long", "a"]), [None, "a"], fates)
    assert written == [True, True]
    assert table["unspin"].to_pylist() == ["not read (longer than 5 characters)", "clean"]


def test_a_corpus_without_rows_has_the_columns_of_its_input(tmp_path):
    source = tmp_path / "empty.parquet"
    pq.write_table(RECORDS.empty_table(), source)
    stored, _ = rewritten(tmp_path, shard("parquet", str(source)), [])
    table = pq.read_table(pa.BufferReader(stored))
    assert table.schema.names == ["body", "n", "deep", "unspin"]
    assert table.num_rows == 0


@pytest.mark.parametrize("form", ["warc", "text"])
def test_archives_and_texts_become_parquet(tmp_path, form):
    batch = documents(None, ["a", None, "c"])
    fates = [Fate(True, "restored", "", "said"), Fate(True, "not read (x)"), KEPT]
    stored, written = rewritten(tmp_path, shard(form, "in/day.warc.gz"), [(batch, fates)])
    assert written == [True, False, True]
    assert pq.read_table(pa.BufferReader(stored)).to_pylist() == [
        {"id": "0", "source": "a.example", "text": "said", "unspin": "restored"},
        {"id": "2", "source": "a.example", "text": "c", "unspin": "clean"},
    ]


def test_the_name_of_a_corpus_tells_its_format():
    assert corpus_name(shard()) == "day.jsonl"
    assert corpus_name(shard(path="in/day.JSON.GZ")) == "day.jsonl.gz"
    assert corpus_name(shard(path="zip://day.json.gz::file://in/days.zip")) == "day.jsonl.gz"
    assert corpus_name(shard(path="in/day.jsonl.zst")) == "day.jsonl.zst"
    assert corpus_name(shard("parquet", "in/day.parquet")) == "day.parquet"
    assert corpus_name(shard("warc", "in/day.warc.gz")) == "day.parquet"
