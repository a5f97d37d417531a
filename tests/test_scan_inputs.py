import gzip
import json
import os
import sys

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.scan import inputs, jsonl, records
from unspin.scan.batch import DOCUMENTS
from unspin.scan.inputs import find, read, size
from unspin.scan.job import Fields, ScanError, Shard, ShardError

TEXTS = [f"Document {number} says nothing new." for number in range(40)]
DETECTED = Fields()


def names(*paths):
    return [shard.name for shard in find([str(path) for path in paths])]


def rows(path, fields=DETECTED):
    """All documents of the only shard of a path."""
    (shard,) = find([str(path)])
    read_ = list(read(shard, fields))
    assert all(documents.batch.schema == DOCUMENTS for documents in read_)
    assert all(
        documents.rows is None or len(documents.rows) == len(documents.batch) for documents in read_
    )
    return [row for documents in read_ for row in documents.batch.to_pylist()]


def until_fault(path, kind=None):
    """The texts before the fault of a file, and what is said of it."""
    (shard,) = find([str(path)]) if kind is None else [Shard("s", kind, (str(path),))]
    texts = []
    with pytest.raises(ShardError) as caught:  # noqa: PT012 - what precedes it counts too
        for documents in read(shard):
            texts += documents.batch["text"].to_pylist()
    assert f"after {len(texts):,} record" in str(caught.value)
    return texts, str(caught.value)


def lines(*values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def compressed(raw, ending):
    if ending == ".gz":
        return gzip.compress(raw)
    if ending == ".zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as file:
            file.write(raw)
        return sink.getvalue().to_pybytes()
    return raw


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


# --- what inputs name


def test_a_folder_is_searched_whole_and_what_is_hidden_or_unknown_is_left_out(tmp_path):
    for name in (
        *("b.jsonl", "deep/er/a.parquet", "deep/x.json.gz", "deep/y.warc.wet.gz"),
        *("_SUCCESS", "_tmp/c.jsonl", ".hidden.jsonl", ".git/d.jsonl", "script.py", "x.csv.gz"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    pytest.importorskip("fastwarc")
    shards = find([str(tmp_path)])
    assert [(shard.name, shard.format) for shard in shards] == [
        ("b", "jsonl"),
        ("deep/er/a", "parquet"),
        ("deep/x", "jsonl"),
        ("deep/y", "warc"),
    ]
    assert shards[1].paths == (f"{tmp_path}/deep/er/a.parquet",)


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.ndjson", "a.json", "a.JSONL", "a.json.gz", "a.jsonl.zst", "a.ndjson.gz"]
)
def test_json_lines_go_by_many_names(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert [(s.name, s.format) for s in find([str(tmp_path / name)])] == [("a", "jsonl")]


def test_patterns_match_files_and_folders(tmp_path, monkeypatch):
    for name in ("day/1.jsonl", "day/2.jsonl", "day/sub/3.jsonl", "night/1.jsonl", "day/no.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert names(tmp_path / "day/*.jsonl") == ["1", "2"]
    assert names(tmp_path / "d*/*") == ["day/1", "day/2", "day/sub/3"]
    assert names(tmp_path / "**/1.jsonl") == ["day/1", "night/1"]
    monkeypatch.chdir(tmp_path)
    assert [shard.paths for shard in find(["day/?.jsonl"])] == [("day/1.jsonl",), ("day/2.jsonl",)]
    assert [shard.paths for shard in find(["night/"])] == [("night/1.jsonl",)]


def test_a_file_whose_name_looks_like_a_pattern_is_found(tmp_path):
    (tmp_path / "part[1].jsonl").write_bytes(b"")
    assert names(tmp_path / "part[1].jsonl") == ["part[1]"]


def test_a_file_named_twice_is_one_shard_and_the_order_of_inputs_does_not_show(tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(b"")
    once = find([str(tmp_path)])
    assert find([str(tmp_path / "b.jsonl"), str(tmp_path), str(tmp_path / "*.jsonl")]) == [
        *find([str(tmp_path / "a.jsonl")]),
        *find([str(tmp_path / "b.jsonl")]),
    ]
    assert find([str(tmp_path), str(tmp_path / "a.jsonl")]) == once


def test_shards_that_would_have_one_name_are_told_apart_whatever_the_order(tmp_path):
    for name in ("x/a.jsonl", "y/a.jsonl", "x/b.jsonl", "x/b.parquet", "x/C.jsonl", "x/c.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = names(tmp_path / "x", tmp_path / "y")
    assert found == names(tmp_path / "y", tmp_path / "x")
    assert len({name.lower() for name in found}) == 6
    assert {"b.jsonl", "b.parquet", "C.jsonl", "c.json"} <= set(found)
    assert sum(name.startswith("a.jsonl-") for name in found) == 2


def test_no_name_of_a_shard_is_a_folder_of_another_ones_table(tmp_path):
    for name in ("x.jsonl", "x.parquet/part-0.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert names(tmp_path) == ["x", "x/part-0"]


def test_names_fit_into_any_file_system(tmp_path):
    (tmp_path / ("é" * 120 + ".jsonl")).write_bytes(b"")
    (name,) = names(tmp_path)
    assert len(name.encode()) < 200


@pytest.mark.skipif(sys.platform != "linux", reason="names are not bytes elsewhere")
def test_a_name_that_is_not_utf8_can_be_read_and_written(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(lines({"text": "Found."}))
    (shard,) = find([str(tmp_path)])
    shard.name.encode()
    assert [d.batch["text"].to_pylist() for d in read(shard)] == [["Found."]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "real.bin").write_bytes(b"")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.bin")
    assert names(tmp_path) == ["link"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.jsonl", "no such file or folder"),
        ("missing/*.jsonl", "nothing in it that can be read"),
        ("empty", "nothing in it that can be read, which is .jsonl"),
        ("table.csv", "the ending says no format that is known, which are .jsonl"),
    ],
)
def test_an_input_that_is_nothing_says_what_there_could_be(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.csv").write_bytes(b"a,b")
    with pytest.raises(ScanError, match=said) as caught:
        find([str(tmp_path / name)])
    assert str(tmp_path / name) in str(caught.value)


def test_an_address_of_an_unknown_kind_is_an_error():
    with pytest.raises(ScanError, match=r"nosuch://x/a\.jsonl cannot be opened"):
        find(["nosuch://x/a.jsonl"])


def test_addresses_are_searched_like_folders(memory):
    memory.pipe({"/bucket/a.jsonl": lines({"text": "One."}), "/bucket/deep/b.parquet": b""})
    shards = find(["memory://bucket"])
    assert [(shard.name, shard.paths) for shard in shards] == [
        ("a", ("memory://bucket/a.jsonl",)),
        ("deep/b", ("memory://bucket/deep/b.parquet",)),
    ]
    assert names("memory://bucket/*.jsonl") == ["a"]
    assert names("memory://bucket/a.jsonl") == ["a"]
    assert size(shards[0]) == len(lines({"text": "One."}))
    assert next(read(shards[0])).batch["text"].to_pylist() == ["One."]


def test_a_file_address_is_the_file(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(lines({"text": "One."}))
    (shard,) = find([f"file://{tmp_path}/a.jsonl", str(tmp_path)])
    assert next(read(shard)).batch["text"].to_pylist() == ["One."]


def test_the_size_is_that_of_the_files_as_they_are_stored(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"12345")
    (shard,) = find([str(tmp_path)])
    assert size(shard) == 10
    (tmp_path / "a.txt").unlink()
    with pytest.raises(ShardError, match="not there"):
        size(shard)


# --- JSON lines


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_every_line_is_a_document(tmp_path, ending):
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(
        compressed(lines(*({"id": n, "text": text} for n, text in enumerate(TEXTS))), ending)
    )
    assert rows(path) == [
        {"id": str(n), "source": "a", "text": text, "reason": None} for n, text in enumerate(TEXTS)
    ]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files_are_read_through_all_their_members(tmp_path, ending):
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(b"".join(compressed(lines({"text": text}), ending) for text in TEXTS))
    assert [row["text"] for row in rows(path)] == TEXTS


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("cut", [1, 5, 400])
def test_a_compressed_file_that_breaks_off_is_read_up_to_there(tmp_path, ending, cut):
    path = tmp_path / f"a.jsonl{ending}"
    texts = [os.urandom(40).hex() for _ in range(5000)]
    whole = compressed(lines(*({"text": text} for text in texts)), ending)
    path.write_bytes(whole[:-cut])
    read_, said = until_fault(path)
    # What zstd has compressed together, 128 kB, cannot be read in part.
    assert len(read_) > (4980 if ending == ".gz" else 3500)
    assert read_ == texts[: len(read_)]
    assert "broken or cut off" in said


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_broken_in_the_middle_is_read_up_to_there(tmp_path, ending):
    path = tmp_path / f"a.jsonl{ending}"
    members = [compressed(lines({"text": text, "more": "x" * 300}), ending) for text in TEXTS]
    path.write_bytes(b"".join([*members[:20], b"broken", *members[20:]]))
    texts, _ = until_fault(path)
    assert texts == TEXTS[: len(texts)]
    assert len(texts) == 20 if ending == ".gz" else len(texts) >= 19


def test_a_file_that_is_not_compressed_as_it_says_is_broken(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(lines({"text": "plain"}))
    assert until_fault(tmp_path / "a.jsonl.gz")[0] == []


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_an_empty_file_has_no_documents(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert rows(tmp_path / name) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "half', "no JSON: Unterminated string"),
        (b'{"text": "\xff\xfe"}', "not UTF-8 at byte 11"),
        (b"\0" * 100, "no JSON"),
        (b'["text"]', "no JSON object"),
        (b"null", "no JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"text": ' + b"9" * 5000 + b"}", "a number too long"),
        (b'{"txt": "x"}', "no field 'text'"),
        (b'{"text": null}', "the field 'text' is null"),
        (b'{"text": 7}', "the field 'text' is a number"),
        (b'{"text": ["a"]}', "the field 'text' is a list"),
        (b'{"text": {"a": "b"}}', "the field 'text' is an object"),
    ],
)
def test_a_line_that_cannot_be_read_has_a_reason_and_the_others_a_text(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines({"text": "One."}) + line + b"\n" + lines({"text": "Two."}))
    first, broken, last = rows(path)
    assert (first["text"], last["text"]) == ("One.", "Two.")
    assert (broken["id"], broken["text"]) == ("1", None)
    assert reason in broken["reason"]
    (documents,) = read(find([str(path)])[0])
    assert documents.rows[1] == line


def test_a_last_line_without_an_end_is_read_and_half_of_one_has_a_reason(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "One."}\n{"text": "Two."}')
    (tmp_path / "b.jsonl").write_bytes(b'{"text": "One."}\n{"text": "Tw')
    assert [row["text"] for row in rows(tmp_path / "a.jsonl")] == ["One.", "Two."]
    assert [row["text"] for row in rows(tmp_path / "b.jsonl")] == ["One.", None]


def test_ends_of_lines_blank_lines_and_a_byte_order_mark_are_no_part_of_records(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "One."}\r\n\r\n  \n{"text":"a\xe2\x80\xa8b"}\n\n')
    (documents,) = read(find([str(path)])[0])
    assert documents.batch["text"].to_pylist() == ["One.", "a\u2028b"]
    assert documents.batch["id"].to_pylist() == ["0", "1"]
    assert documents.rows == [b'{"text": "One."}', b'{"text":"a\xe2\x80\xa8b"}']


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_line_that_is_too_long_is_skipped_with_a_reason(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100_000)
    long = lines({"text": "x" * 300_000})
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(compressed(lines({"text": "One."}) + long + lines({"text": "Two."}), ending))
    (documents,) = read(find([str(path)])[0])
    assert documents.batch["text"].to_pylist() == ["One.", None, "Two."]
    assert documents.batch["reason"][1].as_py() == f"the line is {records.TOO_LARGE}"
    assert documents.rows[1] == b""


def test_nothing_is_kept_of_a_line_that_is_too_long(monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 10)
    taken = []

    def endless():
        for _ in range(1000):
            taken.append(1)
            yield b"x" * 8

    split = jsonl._split(endless())
    assert next(split) is None
    assert len(taken) == 1000


def test_halves_of_surrogate_pairs_do_not_stop_a_shard(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "\\udc00", "text": "a\\ud800b\\ud83d\\ude00"}\n')
    assert rows(path)[0] == {
        "id": "\ufffd",
        "source": "a",
        "text": "a\ufffdb\N{GRINNING FACE}",
        "reason": None,
    }


def test_the_fields_are_those_that_most_records_have(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        lines(
            {"content": "A.", "docid": 5},
            {"text": None, "content": "B.", "docid": "six"},
            {"text": "x", "content": "C.", "id": True},
        )
    )
    assert [(row["id"], row["text"]) for row in rows(path)] == [
        ("5", "A."),
        ("six", "B."),
        ("2", "C."),
    ]


def test_fields_can_be_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines({"text": "no", "summary": "yes", "id": 1, "key": 2}))
    assert [(r["id"], r["text"]) for r in rows(path, Fields("summary", "key"))] == [("2", "yes")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (Fields(), "no field looks like the text among 'title', 'n': name it with --text-field"),
        (Fields(text="body"), "no field 'body', but 'title', 'n': name one with --text-field"),
        (Fields(text="title", id="key"), "no field 'key', but 'title', 'n'.*--id-field"),
    ],
)
def test_a_file_without_the_field_says_which_ones_it_has(tmp_path, fields, said):
    (tmp_path / "a.jsonl").write_bytes(lines({"title": "A", "n": 1}))
    with pytest.raises(ShardError, match=said):
        rows(tmp_path / "a.jsonl", fields)


def test_a_file_that_is_no_json_at_all_is_an_error(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(os.urandom(10_000) + b"\n")
    texts, said = until_fault(tmp_path / "a.jsonl")
    assert set(texts) == {None}
    assert "is it JSON Lines?" in said


def test_the_source_is_the_host_of_the_address_or_the_shard(tmp_path):
    path = tmp_path / "a.jsonl"
    addresses = {
        "https://Example.org/a?b": "example.org",
        "http://user@host.example:8080": "host.example",
        "//cdn.example/x": "cdn.example",
        "www.example.com/x": "www.example.com",
        "http://[::1]:80/": "[::1]",
        "urn:uuid:1": "a",
        "not an address": "a",
        "": "a",
        "http://" + "x" * 5000: "a",
    }
    path.write_bytes(
        lines(
            *({"text": "x", "url": address} for address in addresses),
            {"text": "x", "metadata": {"url": "http://inner.example/"}},
            {"text": "x", "url": ["http://list.example"]},
        )
    )
    assert [row["source"] for row in rows(path)] == [*addresses.values(), "inner.example", "a"]


def test_batches_end_where_the_shard_alone_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_BATCH_ROWS", 7)
    raw = lines(*({"text": text} for text in TEXTS))
    found = []
    for ending in ("", ".gz", ".zst"):
        path = tmp_path / f"a.jsonl{ending}"
        path.write_bytes(compressed(raw, ending))
        found.append([len(d.batch) for d in read(Shard("a", "jsonl", (str(path),)))])
    assert found == [[7, 7, 7, 7, 7, 5]] * 3


def test_batches_are_small_in_bytes_too(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_BATCH_BYTES", 100)
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(*({"text": "x" * n} for n in (10, 10, 200, 10, 10))))
    assert [len(d.batch) for d in read(find([str(path)])[0])] == [2, 1, 2]


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_the_bytes_consumed_add_up_to_the_file(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(records, "MAX_BATCH_ROWS", 7)
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(compressed(lines(*({"text": text} for text in TEXTS)), ending))
    (shard,) = find([str(path)])
    assert sum(documents.size for documents in read(shard)) == size(shard)


def test_rows_are_left_out_where_nobody_asks_for_them(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(lines({"text": "One."}))
    assert [d.rows for d in read(find([str(tmp_path)])[0], rows=False)] == [None]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_give_rows_or_a_shard_error(raw):
    system = fsspec.filesystem("memory")
    for kind in ("jsonl", "parquet", "text"):
        for ending in ("", ".gz", ".zst"):
            system.pipe(f"/fuzz{ending}", raw)
            try:
                for documents in read(Shard("f", kind, (f"memory://fuzz{ending}",))):
                    documents.batch.validate(full=True)
            except ShardError:
                pass


# --- Parquet


def parquet(path, table, **options):
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), path, **options)
    return path


def test_every_row_is_a_document_and_keeps_its_columns(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        {"text": TEXTS, "id": range(40), "url": ["http://e.example/"] * 40, "tags": [["x"]] * 40},
        row_group_size=9,
    )
    (documents,) = read(find([str(path)])[0])
    assert documents.batch["text"].to_pylist() == TEXTS
    assert documents.batch["id"].to_pylist() == [str(n) for n in range(40)]
    assert documents.batch["source"].to_pylist() == ["e.example"] * 40
    assert pa.Table.from_batches([documents.rows]).equals(pq.read_table(path))
    assert documents.size == path.stat().st_size


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_string()),
    ],
    ids=str,
)
def test_texts_may_be_of_any_type_of_strings(tmp_path, kind):
    texts = pa.array([*TEXTS[:-1], None]).cast(kind)
    path = parquet(tmp_path / "a.parquet", {"text": texts}, row_group_size=7)
    found = rows(path)
    assert [row["text"] for row in found] == [*TEXTS[:-1], None]
    assert found[-1]["reason"] == "the column 'text' is null"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([7, None]), ["7", "1"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([2**63], pa.uint64()).take([0, 0]), [str(2**63)] * 2),
        (pa.array([[1], [2]]), ["0", "1"]),
        (pa.array([{"a": 1}, None]), ["0", "1"]),
        (pa.array([b"\xff", b"x"]), ["0", "x"]),
    ],
    ids=str,
)
def test_ids_become_strings_and_rows_without_one_have_their_number(tmp_path, ids, expected):
    path = parquet(tmp_path / "a.parquet", {"id": ids, "text": ["x", "y"]})
    assert [row["id"] for row in rows(path)] == expected


def test_bytes_that_are_no_utf8_have_a_reason_and_the_others_a_text(tmp_path):
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 1, 3, 4)))
    lying = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xff\xfeb")])
    for column in (lying, pa.array([b"a", b"\xff\xfe", b"b"])):
        found = rows(parquet(tmp_path / "a.parquet", {"text": column, "url": column}))
        assert [row["text"] for row in found] == ["a", None, "b"]
        assert found[1]["reason"] == "the column 'text' is not UTF-8"


def test_a_text_that_is_too_large_is_skipped_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100)
    path = parquet(tmp_path / "a.parquet", {"text": ["x", "y" * 101, None, "z"]})
    found = rows(path)
    assert [row["text"] for row in found] == ["x", None, None, "z"]
    assert found[1]["reason"] == f"the text is {records.TOO_LARGE}"
    assert found[2]["reason"] == "the column 'text' is null"


@pytest.mark.parametrize(
    ("columns", "fields", "said"),
    [
        ({"title": ["x"], "n": [1]}, Fields(), "no column looks like the text among 'title', 'n'"),
        ({"text": [["x"]]}, Fields(), "no column looks like the text among 'text'"),
        ({"text": [["x"]]}, Fields("text"), "the column 'text' is list<.*, no text"),
        ({"text": ["x"]}, Fields("body"), "no column 'body', but 'text'.*--text-field"),
        ({"text": ["x"]}, Fields(id="key"), "no column 'key', but 'text'.*--id-field"),
        ({"text": ["x"], "key": [[1]]}, Fields(id="key"), "the column 'key' is list<.*, no id"),
        ({}, Fields(), "among no fields at all"),
    ],
)
def test_a_file_without_the_column_says_which_ones_it_has(tmp_path, columns, fields, said):
    with pytest.raises(ShardError, match=said):
        rows(parquet(tmp_path / "a.parquet", columns), fields)


def test_of_columns_with_one_name_the_first_is_read_and_all_are_kept(tmp_path):
    table = pa.table([["first"], ["second"]], names=["text", "text"])
    (documents,) = read(find([str(parquet(tmp_path / "a.parquet", table))])[0])
    assert documents.batch["text"].to_pylist() == ["first"]
    assert documents.rows.num_columns == 2


def test_an_address_may_be_in_a_field_of_a_column(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        {"text": ["x", "y"], "metadata": [{"url": "http://in.example/", "n": 1}, None]},
    )
    for with_rows in (True, False):
        (documents,) = read(find([str(path)])[0], rows=with_rows)
        assert documents.batch["source"].to_pylist() == ["in.example", "a"]


def test_columns_that_nobody_asks_for_are_not_read(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        {"noise": [os.urandom(500) for _ in range(40)], "text": TEXTS},
        use_dictionary=False,
        compression="none",
    )
    raw = bytearray(path.read_bytes())
    raw[4:40] = b"\xff" * 36  # the header of the first page, which is the other column's
    path.write_bytes(raw)
    (shard,) = find([str(path)])
    (documents,) = read(shard, rows=False)
    assert documents.batch["text"].to_pylist() == TEXTS
    with pytest.raises(ShardError, match="broken or cut off"):
        list(read(shard))


def test_a_broken_page_ends_a_file_after_what_precedes_it(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        {"text": TEXTS},
        row_group_size=10,
        use_dictionary=False,
        compression="zstd",
    )
    start = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    raw = bytearray(path.read_bytes())
    raw[start + 20 : start + 80] = b"\xff" * 60
    path.write_bytes(raw)
    texts, said = until_fault(path)
    # Rows are decoded a few at a time.
    assert texts == TEXTS[: len(texts)]
    assert len(texts) >= 16
    assert "broken or cut off" in said


def test_a_page_whose_checksum_is_wrong_is_broken(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        {"text": TEXTS},
        use_dictionary=False,
        compression="none",
        write_page_checksum=True,
    )
    path.write_bytes(path.read_bytes().replace(b"Document 7 says", b"Document 7 lies"))
    assert until_fault(path)[0] == []


@pytest.mark.parametrize("cut", [0, 3, 100, -1, -6, -20])
def test_a_parquet_file_that_breaks_off_is_an_error(tmp_path, cut):
    path = parquet(tmp_path / "a.parquet", {"text": TEXTS})
    path.write_bytes(path.read_bytes()[:cut])
    assert until_fault(path)[0] == []


def test_a_parquet_file_without_rows_has_no_documents(tmp_path):
    path = parquet(tmp_path / "a.parquet", pa.table({"text": pa.array([], pa.string())}))
    assert rows(path) == []


def test_batches_of_parquet_are_small_in_rows_and_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_BATCH_ROWS", 40)
    path = parquet(tmp_path / "a.parquet", {"text": ["x" * 100] * 100}, row_group_size=30)
    (shard,) = find([str(path)])
    sizes = [len(documents.batch) for documents in read(shard)]
    assert sum(sizes) == 100
    assert max(sizes) <= 40
    monkeypatch.setattr(records, "MAX_BATCH_BYTES", 2_000)
    assert max(len(documents.batch) for documents in read(shard)) == 16


# --- plain text


def test_a_folder_of_texts_is_a_shard_whose_documents_are_its_files(tmp_path):
    (tmp_path / "b.txt").write_bytes("Café.".encode())
    (tmp_path / "a.md").write_bytes("Caf\xe9 in Latin.".encode("latin-1"))
    (tmp_path / "c.html").write_bytes(b"<html><body><p>A page.</p></body></html>")
    (tmp_path / "d.txt").write_bytes(b"")
    (tmp_path / "e.txt").write_bytes(bytes(range(256)) * 50)
    found = rows(tmp_path)
    assert [row["id"] for row in found] == [
        f"{tmp_path}/{name}" for name in ("a.md", "b.txt", "c.html", "d.txt", "e.txt")
    ]
    assert [row["text"] for row in found] == ["Café in Latin.", "Café.", "A page.", "", None]
    assert "binary" in found[4]["reason"]
    assert {row["source"] for row in found} == {"texts-00000"}


def test_texts_are_grouped_by_folder_and_number(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "MAX_FILES", 2)
    for name in ("1.txt", "2.txt", "3.txt", "sub/4.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    shards = find([str(tmp_path)])
    assert [(shard.name, len(shard.paths)) for shard in shards] == [
        ("sub/texts-00000", 1),
        ("texts-00000", 2),
        ("texts-00001", 1),
    ]
    assert names(*sorted(tmp_path.glob("*.txt"))) == ["texts-00000", "texts-00001"]


def test_a_text_that_cannot_be_opened_is_reported_and_the_others_are_read(tmp_path):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    (shard,) = find([str(tmp_path)])
    (tmp_path / "b.txt").unlink()
    texts = []
    with pytest.raises(ShardError, match=r"1 of its files cannot be read, .*b\.txt first"):
        texts += [d.batch["text"].to_pylist() for d in read(shard)]
    (documents,) = [next(read(shard))]
    assert documents.batch["text"].to_pylist() == ["x", None, "x"]
    assert documents.batch["reason"][1].as_py() == "the file is not there"


def test_a_file_that_has_gone_is_a_fault_of_its_shard(tmp_path):
    assert "the file is not there" in until_fault(tmp_path / "a.jsonl", kind="jsonl")[1]
    assert "the file is not there" in until_fault(tmp_path / "a.parquet", kind="parquet")[1]


def test_memory_does_not_grow_with_the_file(tmp_path):
    import tracemalloc

    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(600):
            file.write(b'{"text": "' + b"x" * 200_000 + b'"}\n')
    (shard,) = find([str(path)])
    tracemalloc.start()
    try:
        assert sum(len(documents.batch) for documents in read(shard)) == 600
        assert tracemalloc.get_traced_memory()[1] < 6 * records.MAX_BATCH_BYTES
    finally:
        tracemalloc.stop()
