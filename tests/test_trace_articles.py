"""Which articles are in files of every format, and what is known of them."""

import datetime
import gzip
import io
import json
import uuid
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspin.pages import MAX_CHARACTERS
from unspin.scan import records
from unspin.scan.job import Advance
from unspin.trace.articles import Article, Named, Skipped, TraceError, find, read

TEXT = "The old bridge over the harbour was shut on Monday."


def articles(path, named=Named()):  # noqa: B008
    return list(read(find([str(path)]), named))


def lines(path, *values):
    path.write_bytes(b"".join(json.dumps(value).encode() + b"\n" for value in values))
    return path


def only(path, named=Named()):  # noqa: B008
    (article,) = articles(path, named)
    return article


# --- fields


@pytest.mark.parametrize(
    "record",
    [
        {"id": "7", "title": "Shut", "url": "https://e.org/7", "date": "2024-05-06"},
        {"doc_id": 7, "Headline": " Shut\n", "link": "https://e.org/7", "published": "2024-05-06"},
        {"_id": "7", "metadata": {"title": "Shut", "url": "https://e.org/7", "date": "2024-05-06"}},
    ],
)
def test_what_is_known_of_an_article_goes_by_many_names(tmp_path, record):
    expected = Article("7", "Shut", "https://e.org/7", "2024-05-06", TEXT)
    assert only(lines(tmp_path / "a.jsonl", record | {"text": TEXT})) == expected
    pq.write_table(pa.Table.from_pylist([record | {"text": TEXT}]), tmp_path / "a.parquet")
    assert only(tmp_path / "a.parquet") == expected


def test_named_fields_are_taken_whatever_else_is_there(tmp_path):
    record = {"id": "1", "title": "a", "url": "https://e.org", "date": "2020", "text": "No."}
    record |= {"nr": 9, "kop": "b", "adres": "https://f.org", "dag": 20210101, "tekst": TEXT}
    named = Named(text="tekst", id="nr", title="kop", url="adres", date="dag")
    expected = Article("9", "b", "https://f.org", "20210101", TEXT)
    assert only(lines(tmp_path / "a.jsonl", record), named) == expected
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "a.parquet")
    assert only(tmp_path / "a.parquet", named) == expected


@pytest.mark.parametrize("field", ["text", "id", "title", "url", "date"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_named_field_that_is_not_there_is_told_of_with_those_that_are(tmp_path, field, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "jsonl":
        lines(path, {"body": TEXT})
    else:
        pq.write_table(pa.table({"body": [TEXT]}), path)
    with pytest.raises(TraceError, match=rf"a\.{ending}: .*'nix'.*'body'.*--{field}-field"):
        articles(path, Named(**{field: "nix"}))


def test_a_host_is_no_address(tmp_path):
    assert only(lines(tmp_path / "a.jsonl", {"text": TEXT, "domain": "e.org"})).url is None


def test_an_article_without_an_id_has_its_address_or_else_its_place_for_one(tmp_path):
    records_ = [
        {"id": "7", "url": "https://e.org/7", "text": TEXT},
        {"id": None, "url": "https://e.org/8", "text": TEXT},
        {"id": " ", "link": "https://e.org/9", "text": TEXT},
        {"text": TEXT},
    ]
    for name in ("a", "b"):
        lines(tmp_path / f"{name}.jsonl", *records_)
    ids = [article.id for article in articles(tmp_path)]
    assert ids[:4] == ["7", "https://e.org/8", "https://e.org/9", "a:3"]
    assert ids[7] == "b:3"


def test_ids_and_dates_of_any_type_are_written_out(tmp_path):
    key = uuid.UUID(int=7)
    day = datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.UTC)
    columns = {
        "uuid": (pa.array([key.bytes], pa.uuid()), str(key)),
        "id": (pa.array([b"seven"]), "seven"),
        "doc_id": (pa.array([Decimal("7.50")]), "7.50"),
        "uid": (pa.array(["x"]).dictionary_encode(), "x"),
    }
    for name, (column, expected) in columns.items():
        table = pa.table({"text": [TEXT], name: column, "date": [day], "tags": [["a", "b"]]})
        pq.write_table(table, tmp_path / "a.parquet")
        article = only(tmp_path / "a.parquet")
        assert article.id == expected
        assert article.date.startswith("2024-05-06 07:08")


def test_half_a_surrogate_pair_is_replaced_everywhere(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": "a\\ud800", "title": "b\\ud800", "url": "c\\ud800", "text": "Shut\\ud800"}\n'
    )
    assert only(tmp_path / "a.jsonl") == Article(
        "a\ufffd", "b\ufffd", "c\ufffd", None, "Shut\ufffd"
    )


# --- pages and archives


def test_a_folder_of_pages_has_an_article_a_file_with_its_title(tmp_path):
    page = f"<html><head><title>Bridge\n shut &amp; gone</title></head><body><p>{TEXT}</p></body>"
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "latin.html").write_bytes(page.replace("Bridge", "Brücke").encode("cp1252"))
    (tmp_path / "plain.txt").write_text(TEXT)
    by_id = {article.id: article for article in articles(tmp_path)}
    assert by_id[f"{tmp_path}/page.html"].title == "Bridge shut & gone"
    assert by_id[f"{tmp_path}/latin.html"].title == "Brücke shut & gone"
    assert by_id[f"{tmp_path}/plain.txt"] == Article(
        f"{tmp_path}/plain.txt", None, None, None, TEXT
    )
    assert {article.text for article in by_id.values()} == {TEXT}


def test_an_archive_tells_the_address_the_date_and_the_title(tmp_path):
    pytest.importorskip("fastwarc")
    page = f"<html><head><title>Shut</title></head><body><p>{TEXT}</p></body></html>".encode()
    response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: {}\r\nWARC-Date: 2024-05-06T07:08:09Z"
        "\r\nWARC-Target-URI: https://e.org/7\r\nContent-Type: application/http; msgtype=response"
        "\r\nContent-Length: {}\r\n\r\n"
    )
    archive = io.BytesIO()
    for id_ in ("<urn:uuid:12345678-0000-0000-0000-000000000000>", ""):
        record = head.format(id_, len(response)).encode() + response + b"\r\n\r\n"
        archive.write(gzip.compress(record))
    (tmp_path / "a.warc.gz").write_bytes(archive.getvalue())
    assert articles(tmp_path / "a.warc.gz") == [
        Article(id_, "Shut", "https://e.org/7", "2024-05-06T07:08:09Z", TEXT)
        for id_ in ("12345678-0000-0000-0000-000000000000", "https://e.org/7")
    ]


# --- what is no article


def test_what_is_no_article_is_skipped_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 5_000_000)
    texts = ["", " \n", "12.5 - 7!", "a" * (MAX_CHARACTERS + 1), None, 5, TEXT]
    path = lines(tmp_path / "a.jsonl", *({"text": text} for text in texts))
    with path.open("ab") as file:
        file.write(b'{"text": "broken\n')
        file.write(b'{"text": "' + b"a" * 6_000_000 + b'"}\n')
    skipped = [article.reason for article in articles(path) if isinstance(article, Skipped)]
    assert skipped == [
        "the text is empty",
        "the text is empty",
        "the text has no letters",
        "the text is longer than 4,000,000 characters",
        "the field 'text' is null, no text",
        "the field 'text' is a number, no text",
        "no JSON",
        "the line is larger than 20 MB",
    ]


def test_an_id_that_no_index_can_hold_is_skipped(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"id": "x" * 70_000, "text": TEXT}, {"text": TEXT})
    skipped, article = articles(path)
    assert skipped == Skipped("its id is longer than 2,000 characters")
    assert article.id == "a:1"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"number": 7}\n', "no field looks like the text.*--text-field"),
        ("a.jsonl", b"Not JSON.\n", "is it JSON Lines"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n')[:-9], "broken or cut off"),
        ("a.parquet", b"PAR1", "broken or cut off"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_told_of(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TraceError, match=rf"{name}: .*{said}"):
        articles(tmp_path / name)


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(TraceError, match="no such file or folder"):
        articles(tmp_path / "nix.jsonl")


def test_how_far_it_has_come_adds_up(tmp_path):
    paths = [lines(tmp_path / f"{name}.jsonl", *[{"text": TEXT}] * 1_500) for name in "ab"]
    told = []
    assert len(list(read(find([str(tmp_path)]), advance=told.append))) == 3_000
    sums = Advance(*map(sum, zip(*told, strict=True)))
    assert sums == Advance(2, sum(path.stat().st_size for path in paths), 3_000, 0)
