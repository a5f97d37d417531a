"""The summary of a scan: exact, in bounded memory, and the same whatever wrote the tables."""

import io
import json
import random
import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from unspin.scan import summary as rooms
from unspin.scan import tally
from unspin.scan.batch import SCORES
from unspin.scan.job import Done, ScanError
from unspin.scan.summary import headline, named, summarise, terminal


def spun(id_, probability=0.99, words=100, source="a.example", family="element"):
    return {
        "id": id_,
        "source": source,
        "probability": probability,
        "verdict": "spun",
        "rate": 0.25,
        "words": words,
        "family": family,
    }


def judged(verdict, probability, source="a.example", words=50):
    return {
        "id": "x",
        "source": source,
        "probability": probability,
        "verdict": verdict,
        "rate": 0.0,
        "words": words,
    }


def skipped(reason, source="a.example"):
    return {"id": "x", "source": source, "reason": reason}


@pytest.fixture(params=["parquet", "jsonl"])
def write(request, tmp_path):
    """Writes the table of a shard, in either format, and returns its line of the manifest."""

    def write(shard, rows, error=None, corpus=None):
        path = tmp_path / f"scores/{shard}.{request.param}"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows, SCORES)
        if request.param == "parquet":
            pq.write_table(table, path, row_group_size=3)
        else:
            path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
        verdicts = [row.get("verdict") for row in rows]
        return Done(
            shard=shard,
            inputs=(f"{shard}.gz",),
            bytes=1_000,
            documents=len(rows),
            spun=verdicts.count("spun"),
            clean=verdicts.count("clean"),
            unsure=verdicts.count("unsure"),
            skipped=verdicts.count(None),
            written=len(rows) if corpus else 0,
            table=str(path.relative_to(tmp_path)),
            table_sha256="",
            corpus=corpus,
            error=error,
        )

    return write


@pytest.fixture
def mixed(write):
    """Two shards of everything that a table can hold."""
    return [
        write(
            "b",
            [
                spun("b0", 0.98),
                skipped("no text"),
                judged("clean", 0.01, None),
                spun("b3", 0.99, source="b.example", family="SpinBot-like"),
            ],
            error="cut off after 4 records",
        ),
        write(
            "a",
            [
                judged("unsure", 0.95),
                spun("a1", 0.99, words=101, family=None),
                skipped("no text", "b.example"),
                skipped("too long"),
                spun("a4", 1.0, words=10),
            ],
        ),
    ]


def shown(summary, **options):
    out = io.StringIO()
    terminal(summary, Console(file=out, width=80, highlight=False, **options))
    return out.getvalue()


def test_totals_are_those_of_all_shards(mixed, tmp_path):
    summary = summarise(tmp_path, mixed)
    assert (summary.documents, summary.spun, summary.unsure, summary.clean) == (9, 4, 1, 1)
    assert (summary.skipped, summary.shards, summary.bytes) == (3, 2, 2_000)
    assert summary.words == 100 + 50 + 100 + 50 + 101 + 10
    assert summary.written is None
    assert headline(summary) == "4 of 9 documents (44.4 %) are spun"


def test_rates_are_by_source_with_the_most_spun_first(mixed, tmp_path):
    rates = [(r.source, r.documents, r.spun) for r in summarise(tmp_path, mixed).sources]
    assert rates == [("a.example", 6, 3), ("b.example", 2, 1), ("not named", 1, 0)]


def test_families_are_of_the_spun_and_reasons_of_the_skipped(mixed, tmp_path):
    summary = summarise(tmp_path, mixed)
    families = [(count.name, count.documents) for count in summary.families]
    assert families == [("element", 2), ("SpinBot-like", 1), ("unknown", 1)]
    reasons = [(count.name, count.documents) for count in summary.reasons]
    assert reasons == [("no text", 2), ("too long", 1)]


def test_a_reason_is_the_same_whatever_became_of_the_document_in_the_corpus(write, tmp_path):
    reasons = ["too long (2 MB)", "dropped: not read (too long (2 MB))", None]
    done = [write("a", [skipped(reason) for reason in reasons])]
    counted = {count.name: count.documents for count in summarise(tmp_path, done).reasons}
    assert counted == {"too long (2 MB)": 2, "no reason given": 1}


def test_the_bins_of_the_histogram_begin_where_they_say(write, tmp_path):
    rows = [judged("clean", bin_ / 20) for bin_ in range(21)]
    assert summarise(tmp_path, [write("a", rows)]).histogram == (*[1] * 19, 2)


def test_bad_shards_are_named_with_what_was_read_before_the_fault(mixed, tmp_path):
    (bad,) = summarise(tmp_path, mixed).bad_shards
    assert (bad.shard, bad.documents, bad.error) == ("b", 4, "cut off after 4 records")


def test_the_worst_are_the_most_probable_then_the_longest_then_the_first(mixed, write, tmp_path):
    worst = summarise(tmp_path, mixed).worst
    assert [(page.id, page.shard, page.row) for page in worst] == [
        ("a4", "a", 4),
        ("a1", "a", 1),
        ("b3", "b", 3),
        ("b0", "b", 0),
    ]
    again = [write("c", [spun(f"c{row}") for row in range(30)]), write("a", [spun("a0")])]
    worst = summarise(tmp_path, again).worst
    assert [page.id for page in worst] == ["a0", *(f"c{row}" for row in range(19))]


def test_neither_the_order_of_shards_nor_the_size_of_batches_shows(write, tmp_path, monkeypatch):
    chance = random.Random(7)
    done = [
        write(
            f"{shard:02}",
            [
                chance.choice(
                    [
                        spun("s", chance.choice([0.98, 0.99]), chance.randrange(3)),
                        judged("clean", chance.random() / 2, f"{chance.randrange(9)}.example"),
                        skipped(f"reason {chance.randrange(4)}"),
                    ]
                )
                for _ in range(50)
            ],
        )
        for shard in range(4)
    ]
    summary = summarise(tmp_path, done)
    monkeypatch.setattr(tally, "_ROWS", 7)
    assert summarise(tmp_path, done[::-1]) == summary


def test_sources_beyond_the_bound_are_counted_together(write, tmp_path, monkeypatch):
    monkeypatch.setattr(tally, "MOST_SOURCES", 3)
    monkeypatch.setattr(tally, "MOST_REASONS", 2)
    rows = [spun("x", source=f"{row % 6}.example") for row in range(60)]
    rows += [skipped(f"reason {row}", "0.example") for row in range(5)]
    summary = summarise(tmp_path, [write("a", rows)])
    assert [(r.source, r.documents, r.spun) for r in summary.sources] == [
        ("0.example", 15, 10),
        ("1.example", 10, 10),
        ("2.example", 10, 10),
    ]
    assert summary.to_dict()["other_sources"] == {"documents": 30, "spun": 30}
    lines = shown(summary).splitlines()
    assert [line.split() for line in lines if line.startswith("all others")] == [
        ["all", "others", "30", "30", "100", "%"],
        ["all", "others", "3", "60.0", "%"],
    ]


def test_a_scan_of_nothing_has_a_summary(tmp_path):
    summary = summarise(tmp_path, [])
    assert shown(summary).startswith("No document was found\n0 words, 0 bytes in 0 shards\n")
    json.dumps(summary.to_dict(), allow_nan=False)


@pytest.mark.parametrize("broken", ["missing", "cut off", "other columns"])
def test_a_table_that_cannot_be_read_is_an_error_that_names_it(write, tmp_path, broken):
    done = write("a", [spun("a0")])
    path = tmp_path / done.table
    if broken == "missing":
        path.unlink()
    elif broken == "cut off":
        path.write_bytes(path.read_bytes()[:-10])
    else:
        other = pa.table({"words": [1]})
        pq.write_table(other, path) if path.suffix == ".parquet" else path.write_text("[]\n")
    with pytest.raises(ScanError, match=f"{re.escape(str(path))} .*run the scan again"):
        summarise(tmp_path, [done])


def test_the_dictionary_is_json_in_the_order_documented(mixed, tmp_path):
    plain = summarise(tmp_path, mixed).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) <= set(re.findall(r"`(\w+)`", rooms.Summary.to_dict.__doc__))
    assert list(plain) == [
        *("unspin", "documents", "spun", "unsure", "clean", "skipped", "words", "bytes", "shards"),
        *("written", "histogram", "sources", "other_sources", "families", "reasons"),
        *("bad_shards", "worst"),
    ]
    assert plain["histogram"][19] == {"from": 0.95, "to": 1.0, "documents": 5}
    assert plain["sources"][1] == {
        "source": "b.example",
        "documents": 2,
        "spun": 1,
        "share": 0.5,
    }
    assert list(plain["worst"][0]) == [
        *("id", "source", "shard", "row", "probability", "words", "rate", "family"),
    ]


def test_the_terminal_shows_all_of_it_in_eighty_columns(mixed, tmp_path):
    lines = [line.rstrip() for line in shown(summarise(tmp_path, mixed)).splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines == [
        "4 of 9 documents (44.4 %) are spun",
        "411 words, 2.0 kB in 2 shards",
        "",
        "Verdicts",
        "verdict  documents   share",
        "spun             4  44.4 %",
        "unsure           1  11.1 %",
        "clean            1  11.1 %",
        "skipped          3  33.3 %",
        "",
        "Sources, those with the most spun documents first",
        "source     documents    spun   share",
        "a.example          6       3  50.0 %",
        "b.example          2       1  50.0 %",
        "not named          1       0     0 %",
        "",
        "Families of the spun documents",
        "family        documents   share",
        "element               2  50.0 %",
        "SpinBot-like          1  25.0 %",
        "unknown               1  25.0 %",
        "",
        "Why documents were skipped",
        "reason    documents   share",
        "no text           2  66.7 %",
        "too long          1  33.3 %",
        "",
        "Pages to look at first",
        "probability   words  page",
        "   > 99.9 %      10  a4",
        "     99.0 %     101  a1",
        "     99.0 %     100  b3",
        "     98.0 %     100  b0",
        "",
        "1 shard could not be read to the end",
        "shard   read before  fault",
        "b       4 documents  cut off after 4 records",
        "",
        "A finding is evidence about a text, not a verdict on its author: read a page",
        "before you act on it.",
    ]


def test_a_corpus_that_is_written_is_counted(write, tmp_path):
    done = [write("a", [spun("a0")], corpus="corpus/a.jsonl")]
    assert "1 document written to the corpus" in shown(summarise(tmp_path, done))


def test_a_scan_without_a_finding_lists_no_sources_and_no_pages(write, tmp_path):
    lines = shown(summarise(tmp_path, [write("a", [judged("clean", 0.1)])]))
    assert lines.startswith("0 of 1 document (0 %) are spun")
    assert not re.search("Sources|Families|Pages|Why", lines)


def test_there_is_no_colour_in_a_pipe_and_there_is_some_on_a_terminal(mixed, tmp_path):
    summary = summarise(tmp_path, mixed)
    assert "\x1b" not in shown(summary)
    assert "\x1b[1m" in shown(summary, force_terminal=True, color_system="standard")


def test_nothing_of_the_corpus_commands_the_terminal_or_counts_as_markup(write, tmp_path):
    hostile = "[bold]x[/] \x1b[2J \x9b \u202e\u2066 \r\n" + "y" * 10_000
    rows = [spun(hostile, source=hostile, family=hostile), skipped(hostile)]
    summary = summarise(tmp_path, [write("a", rows, error=hostile)])
    lines = shown(summary)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", lines)
    assert "[bold]x[/]" in lines
    assert max(map(len, lines.splitlines())) <= 80
    half = replace(summary.bad_shards[0], error="\ud800")
    shown(replace(summary, bad_shards=(half,))).encode()


def test_a_name_is_one_line_of_bounded_length():
    assert named("a\tb\n c") == "a b c"
    assert len(named("x" * 1_000_000)) == 201
