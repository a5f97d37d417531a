"""What is read of web archives, whatever state they are in."""

import gzip
import re
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.scan import records, warc
from unspin.scan.inputs import find, read, size
from unspin.scan.job import Fields, ScanError, Shard, ShardError

SENTENCE = "The harbour bridge was closed on Monday, and drivers had to wait for the ferry."
MENU = "<nav><ul><li><a href=/>Home</a></li><li><a href=/a>About</a></li></ul></nav>"


def page(text=SENTENCE):
    return f"<html><body>{MENU}<article><p>{text}</p></article></body></html>".encode()


def record(kind, block, content_type="application/http; msgtype=response", name="1"):
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{name}>\r\n"
        f"WARC-Target-URI: https://host-{name}.example/a\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def response(payload=None, content_type="text/html", headers="", name="1"):
    http = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{headers}\r\n".encode()
    return record("response", http + (page() if payload is None else payload), name=name)


def chunked(payload, size=20):
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def zipped(archive_records):
    return b"".join(map(gzip.compress, archive_records))


@pytest.fixture
def rows(tmp_path):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")

    def rows_of(raw, name="a.warc"):
        """The documents of an archive, and what is said of its fault."""
        (tmp_path / name).write_bytes(raw)
        found, said = [], None
        try:
            for documents in read(Shard("a", "warc", (str(tmp_path / name),)), Fields()):
                found += documents.batch.to_pylist()
        except ShardError as error:
            said = str(error)
            assert f"after {len(found):,} record" in said
        return found, said

    return rows_of


RECORDS = [response(page(f"{SENTENCE} It was day {n}."), name=str(n)) for n in range(9)]


# --- records


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_the_article_of_every_page_is_a_document(rows, name):
    raw = zipped(RECORDS) if name.endswith(".gz") else b"".join(RECORDS)
    found, said = rows(raw, name)
    assert said is None
    assert found == [
        {
            "id": str(n),
            "source": f"host-{n}.example",
            "text": f"{SENTENCE} It was day {n}.",
            "reason": None,
        }
        for n in range(9)
    ]


def test_texts_that_were_cut_out_before_are_documents_as_they_stand(rows):
    text = "Café <b>\nline two"
    raw = record("warcinfo", b"software: x", "application/warc-fields") + record(
        "conversion", text.encode(), "text/plain"
    )
    for name, stored in (("a.wet", raw), ("a.warc.wet.gz", gzip.compress(raw))):
        (document,) = rows(stored, name)[0]
        assert (document["text"], document["source"]) == (text, "host-1.example")


def test_other_records_and_payloads_that_are_no_text_are_passed_over(rows):
    found, said = rows(
        b"".join(
            [
                record("warcinfo", b"software: x", "application/warc-fields"),
                record("request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                record("response", b"20240101000000 192.0.2.1", "text/dns"),
                record("metadata", b"a: b", "application/warc-fields"),
                record("revisit", b"HTTP/1.1 200 OK\r\n\r\n"),
                record("resource", page(), "text/html"),
                record("conversion", b"\x89PNG", "image/png"),
                response(b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
                response(b"{}", "application/json"),
                response(bytes(range(256)) * 9, content_type=""),
                record("response", b"no HTTP at all"),
                record("response", b""),
                record("response", b"HTTP/1.1 200 OK\r\n" + b"x" * 200_000),
                response(name="kept"),
            ]
        )
    )
    assert said is None
    assert [row["id"] for row in found] == ["kept"]


@pytest.mark.parametrize(
    "content_type",
    ["TEXT/HTML;Charset=UTF-8", "application/xhtml+xml", "text/html; charset=nonsense", ""],
)
def test_a_page_is_known_by_its_type_or_by_what_it_looks_like(rows, content_type):
    ((document,), _) = rows(response(content_type=content_type))
    assert document["text"].endswith(SENTENCE)
    assert "<" not in document["text"]


def test_the_head_of_a_response_may_have_bare_line_feeds(rows):
    bare = record("response", b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n" + page())
    assert rows(bare)[0][0]["text"] == SENTENCE


def test_a_large_video_is_passed_over_like_a_small_one(rows, monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100_000)
    found, said = rows(response(b"x" * 200_000, "video/mp4") + RECORDS[1])
    assert ([row["id"] for row in found], said) == (["1"], None)


def test_plain_text_stays_as_it_is(rows):
    ((document,), _) = rows(response(b"a <b> c\n\n  d", "text/plain"))
    assert document["text"] == "a <b> c\n\n  d"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "windows-1251", "utf-16"])
def test_the_encoding_of_a_page_is_detected(rows, encoding):
    text = "Мост в гавани был закрыт в понедельник." if encoding == "windows-1251" else "Ein Café."
    payload = page(text * 5).decode().replace("<body>", f"<meta charset={encoding}><body>")
    ((document,), _) = rows(response(payload.encode(encoding)))
    assert document["text"] == text * 5


def test_bytes_that_are_no_text_in_any_encoding_do_not_stop_an_archive(rows):
    found, said = rows(response(page().replace(b"Monday", b"Mon\xff\xfe\0day")) + RECORDS[1])
    assert said is None
    assert "harbour" in found[0]["text"]
    assert found[1]["id"] == "1"


# --- payloads


@pytest.mark.parametrize(
    ("headers", "encode"),
    [
        ("Transfer-Encoding: chunked", chunked),
        ("Content-Encoding: gzip", gzip.compress),
        ("content-encoding: x-gzip", gzip.compress),
        ("Content-Encoding: deflate", zlib.compress),
        ("Content-Encoding: deflate", lambda raw: zlib.compress(raw, wbits=-15)),
        (
            "Transfer-Encoding: chunked\r\nContent-Encoding: gzip",
            lambda raw: chunked(gzip.compress(raw)),
        ),
        ("Content-Encoding: identity", bytes),
        ("Transfer-Encoding: chunked", lambda raw: chunked(raw)[:-5]),
        # Archives that keep the headers of a payload that they have decoded.
        ("Transfer-Encoding: chunked", bytes),
        ("Content-Encoding: gzip", bytes),
        ("Content-Encoding: br", bytes),
        ("Content-Encoding: deflate\r\nTransfer-Encoding: chunked", bytes),
    ],
)
def test_codings_of_http_are_taken_off_where_they_are(rows, headers, encode):
    ((document,), said) = rows(response(encode(page()), headers=f"{headers}\r\n"))
    assert (document["text"], document["reason"], said) == (SENTENCE, None, None)


@pytest.mark.parametrize(
    ("headers", "payload", "reason"),
    [
        ("Content-Encoding: gzip", b"\x1f\x8b" + b"x" * 50, "cannot be decompressed"),
        ("Content-Encoding: zstd", b"x", "encoded as 'zstd'"),
        ("Content-Encoding: br", b"\0" * 50, "cannot be decompressed"),
    ],
)
def test_a_payload_that_cannot_be_decoded_has_a_reason(rows, headers, payload, reason):
    found, said = rows(response(payload, headers=f"{headers}\r\n") + RECORDS[1])
    assert reason in found[0]["reason"]
    assert found[0]["text"] is None
    assert (found[1]["reason"], said) == (None, None)


def test_a_payload_that_is_too_large_has_a_reason_compressed_or_not(rows, monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100_000)
    large = page("x" * 200_000)
    found, said = rows(
        response(large)
        + response(gzip.compress(large), headers="Content-Encoding: gzip\r\n")
        + RECORDS[1]
    )
    assert [row["reason"] for row in found] == [f"the payload is {records.TOO_LARGE}"] * 2 + [None]
    assert said is None


ATTRIBUTES = [f"a{number}" for number in range(60_000)]


# Each of these would keep resiliparse busy for minutes.
@pytest.mark.parametrize(
    "payload",
    [
        "<div>" * 200_000 + "deep",
        "<b>" * 50_000 + "deep" + "</b>" * 50_000,
        "<html><body>" + "<ul><li>" * 20_000 + "deep",
        f"<p {' '.join(ATTRIBUTES)}>deep",
        f"<p {'/'.join(ATTRIBUTES)}>deep",
        "<p " + '=">" '.join(ATTRIBUTES) + ">deep",
    ],
    ids=["open", "closed", "lists", "attributes", "slashes", "quotes"],
)
def test_no_page_stops_an_archive(rows, payload):
    found, said = rows(response(payload.encode()) + RECORDS[1])
    assert len(found) == 2
    assert found[0]["text"].endswith("deep")
    assert said is None


# --- archives that are broken


@pytest.mark.parametrize("cut", [1, 8, 30, 200])
def test_an_archive_that_breaks_off_is_read_up_to_there(rows, cut):
    found, said = rows(zipped(RECORDS)[:-cut], "a.warc.gz")
    assert [row["id"] for row in found] == [str(n) for n in range(len(found))]
    assert len(found) >= 8
    assert "broken or cut off" in said


@pytest.mark.parametrize("last", [RECORDS[1], record("request", b"GET / HTTP/1.1\r\n\r\n" * 9)])
def test_a_record_that_breaks_off_is_noticed_whether_it_is_read_or_not(rows, last):
    found, said = rows(b"".join([*RECORDS[:3], last[:-40]]))
    assert [row["id"] for row in found] == ["0", "1", "2"]
    assert "breaks off in the middle of a record" in said


@pytest.mark.parametrize("length", ["9999999", "100", "abc", "-5", "", "9" * 30, "9" * 5000])
def test_a_record_that_lies_about_its_length_ends_an_archive(rows, length):
    lying = re.sub(rb"Content-Length: \d+", f"Content-Length: {length}".encode(), RECORDS[3])
    for raw, name in (
        (b"".join([*RECORDS[:3], lying, *RECORDS[4:]]), "a.warc"),
        (zipped([*RECORDS[:3], lying, *RECORDS[4:]]), "a.warc.gz"),
    ):
        found, said = rows(raw, name)
        assert [row["id"] for row in found[:3]] == ["0", "1", "2"]
        assert len(found) <= 4
        assert said is not None


def test_a_byte_that_flipped_ends_an_archive(rows):
    raw = bytearray(zipped(RECORDS))
    raw[len(raw) // 2] ^= 0xFF
    found, said = rows(bytes(raw), "a.warc.gz")
    assert 3 <= len(found) < 9
    assert "broken or cut off" in said


@pytest.mark.parametrize("raw", [b"no archive\n" * 999, bytes(range(256)) * 99, b"\0" * 5000])
def test_bytes_that_are_no_archive_are_an_error(rows, raw):
    for stored, name in ((raw, "a.warc"), (gzip.compress(raw), "a.wet.gz"), (raw, "b.warc.gz")):
        assert rows(stored, name)[0] == []
        assert rows(stored, name)[1] is not None


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_an_empty_archive_has_no_documents(rows, name):
    assert rows(b"", name) == ([], None)


def test_an_archive_may_be_compressed_in_one_piece(rows):
    found, said = rows(gzip.compress(b"".join(RECORDS)), "a.warc.gz")
    assert (len(found), said) == (9, None)


def test_the_bytes_consumed_add_up_to_the_archive(tmp_path, monkeypatch):
    pytest.importorskip("fastwarc")
    monkeypatch.setattr(records, "MAX_BATCH_ROWS", 2)
    (tmp_path / "a.warc.gz").write_bytes(zipped(RECORDS))
    (shard,) = find([str(tmp_path)])
    found = list(read(shard))
    assert [len(documents.batch) for documents in found] == [2, 2, 2, 2, 1]
    assert sum(documents.size for documents in found) == size(shard)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_bytes_do_anything_but_give_documents_or_a_fault(data):
    found = pytest.importorskip("fastwarc") and warc.libraries()
    raw = bytearray(b"".join(RECORDS[:3]))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        for row in warc._rows(found, warc._Plain(iter([bytes(raw)]))):
            assert row.text is not None or row.reason
    except records.FAULTS:
        pass


# --- without the libraries


@pytest.mark.parametrize("missing", ["fastwarc", "resiliparse"])
def test_without_the_extra_an_archive_says_what_to_install(tmp_path, monkeypatch, missing):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    (tmp_path / "a.warc").write_bytes(b"")
    with pytest.raises(ScanError, match=re.escape("pip install 'unspin[warc]'")):
        find([str(tmp_path)])
    with pytest.raises(ScanError, match=re.escape("pip install 'unspin[warc]'")):
        next(read(Shard("a", "warc", (str(tmp_path / "a.warc"),))))
