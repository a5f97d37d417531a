"""Many pages traced: a row for each, whatever happens on the way, and what the pages share."""

import io
import json
import os
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

pytest.importorskip("tantivy")

from unspin.pages import PageError
from unspin.scan import local, manifest
from unspin.scan.job import Fields, ScanError
from unspin.trace import network, pieces
from unspin.trace.articles import TraceError
from unspin.trace.batch import run
from unspin.trace.index import add, build
from unspin.trace.match import Match, Passage
from unspin.trace.merge import chosen, merged
from unspin.trace.network import Network, headline, terminal
from unspin.trace.pieces import TRACES, Tracing
from unspin.trace.tracer import Tracer

CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))
ARTICLES = [
    {"id": f"article-{i}", "title": case["label"], "text": case["restored"]}
    for i, case in enumerate(CASES)
]
SHORT = "Too short."


@contextmanager
def quiet(*_, **__):
    yield lambda _: None


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Two indexes, which have every other article each; the second has a reprint from the first."""
    folder = tmp_path_factory.mktemp("shards")
    reprint = {"id": "reprint", "text": ARTICLES[0]["text"] + "\nFirst printed elsewhere."}
    build([write(folder / "0.jsonl", ARTICLES[::2])], folder / "ix0")
    build([write(folder / "1.jsonl", [*ARTICLES[1::2], reprint])], folder / "ix1")
    build([str(folder / "0.jsonl"), str(folder / "1.jsonl")], folder / "whole")
    return folder


@pytest.fixture
def indexes(shards):
    return [shards / "ix0", shards / "ix1"]


@pytest.fixture
def inputs(tmp_path):
    """Two files: a spun page of every article, and three pages that have no source."""
    folder = tmp_path / "in"
    folder.mkdir()
    spun = [
        {"id": f"page-{i}", "url": f"https://host{i % 2}.example/{i}", "text": case["text"]}
        for i, case in enumerate(CASES)
    ]
    write(folder / "spun.jsonl", spun)
    others = [{"id": "none", "text": None}, {"id": "short", "text": SHORT}]
    write(folder / "others.jsonl", [*others, {"id": "again", "text": CASES[0]["text"]}])
    return folder


def trace(inputs, out, indexes, **options):
    return run([str(inputs)], out, indexes, show=quiet, **options)


def table(out):
    return pq.read_table(out).to_pylist()


def sources(row):
    """The articles that a page was taken from; copies of one are one."""
    return [{match["id"], *match["copies"]} for match in row["matches"] or []]


# --- families that the model does not know


@pytest.mark.usefixtures("inline")
def test_a_table_made_with_a_family_is_not_replaced_unasked_by_one_without(
    inputs, indexes, tmp_path, tide
):
    out = tmp_path / "out.parquet"
    trace(inputs, out, indexes, families=[tide])
    assert len(table(out)) == len(CASES) + 3
    trace(inputs, out, indexes, families=[tide])
    with pytest.raises(TraceError, match="made of other settings"):
        trace(inputs, out, indexes)
    trace(inputs, out, indexes, overwrite=True)
    with pytest.raises(TraceError, match="made of other settings"):
        trace(inputs, out, indexes, families=[tide])


@pytest.mark.usefixtures("inline")
def test_families_that_cannot_be_used_together_stop_a_batch(inputs, indexes, tmp_path, tide):
    with pytest.raises(TraceError, match="two families called tide"):
        trace(inputs, tmp_path / "out.parquet", indexes, families=[tide, tide])


# --- what is written


@pytest.mark.usefixtures("inline")
def test_every_page_has_a_row_in_the_order_of_the_files(inputs, indexes, tmp_path):
    traced = trace(inputs, tmp_path / "out.parquet", indexes)
    rows = table(tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").equals(TRACES)
    assert [row["id"] for row in rows] == [
        "none", "short", "again", *(f"page-{i}" for i in range(len(CASES)))
    ]  # fmt: skip
    assert (traced.pages, traced.found, traced.skipped) == (12, 10, 1)
    assert rows[3]["source"] == "host0.example"
    assert rows[2]["source"] == "others"
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.parquet"}


@pytest.mark.usefixtures("inline")
def test_a_page_is_traced_to_its_article_in_whichever_shard_that_is(inputs, indexes, tmp_path):
    trace(inputs, tmp_path / "out.parquet", indexes)
    rows = {row["id"]: row for row in table(tmp_path / "out.parquet")}
    assert sources(rows["page-0"]) == [{"article-0", "reprint"}]
    for i in range(1, len(CASES)):
        (match,) = rows[f"page-{i}"]["matches"]
        assert match["id"] == f"article-{i}"
        assert match["title"] == CASES[i]["label"]
        assert match["passages"]
        assert rows[f"page-{i}"]["coverage"] == pytest.approx(match["coverage"])


@pytest.mark.usefixtures("inline")
def test_why_a_page_has_no_source_stands_in_its_row(inputs, indexes, tmp_path):
    trace(inputs, tmp_path / "out.parquet", indexes)
    none, short, *_ = table(tmp_path / "out.parquet")
    assert (none["matches"], none["words"]) == (None, None)
    assert none["reason"]
    assert short["matches"] == []
    assert short["reason"].startswith("too short to tell")


@pytest.mark.usefixtures("inline")
def test_shards_say_what_one_index_of_all_articles_says(inputs, shards, indexes, tmp_path):
    trace(inputs, tmp_path / "one.parquet", [shards / "whole"])
    trace(inputs, tmp_path / "two.parquet", indexes)
    for one, two in zip(table(tmp_path / "one.parquet"), table(tmp_path / "two.parquet"),
                        strict=True):  # fmt: skip
        assert sources(one) == sources(two)
        assert one["words"] == two["words"]
        assert one["coverage"] == pytest.approx(two["coverage"], abs=0.05)


@pytest.mark.usefixtures("inline")
def test_the_order_in_which_indexes_are_named_does_not_show(inputs, indexes, tmp_path):
    trace(inputs, tmp_path / "a.parquet", indexes)
    trace(inputs, tmp_path / "b.parquet", indexes[::-1])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_number_of_workers_does_not_show(inputs, indexes, tmp_path):
    for workers in (1, 2):
        trace(inputs, tmp_path / f"{workers}.parquet", indexes, workers=workers)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


@pytest.mark.usefixtures("inline")
def test_how_far_it_has_come_adds_up(inputs, indexes, tmp_path):
    shown = []

    @contextmanager
    def show(shards_, size, found):
        told = []
        yield told.append
        shown.append((found, shards_, size, [sum(column) for column in zip(*told, strict=True)]))

    run([str(inputs)], tmp_path / "out.parquet", indexes, show=show)
    (_, *read), (looked_for, pieces_, size, told) = shown
    assert read[2][:3] == [*read[:2], 12]
    assert looked_for == "with a source"
    # Every page is traced to both indexes; that of the reprint is found in both.
    assert told == [pieces_, size, 24, 12]


@pytest.mark.usefixtures("inline")
def test_a_large_file_is_cut_into_pieces(indexes, tmp_path, inline):
    count = 2 * pieces.PIECE + 1
    write(tmp_path / "in.jsonl", [{"id": f"{i}", "text": SHORT} for i in range(count)])
    trace(tmp_path / "in.jsonl", tmp_path / "out.parquet", indexes)
    assert [row["id"] for row in table(tmp_path / "out.parquet")] == [f"{i}" for i in range(count)]
    assert len([name for name in inline if name.startswith("traced/")]) == 3 * len(indexes)


@pytest.mark.usefixtures("inline")
def test_fields_are_those_that_are_named(indexes, tmp_path):
    write(tmp_path / "in.jsonl", [{"text": SHORT, "n": "7", "body": CASES[1]["text"]}])
    run([str(tmp_path / "in.jsonl")], tmp_path / "out.parquet", indexes, Fields("body", "n"))
    (row,) = table(tmp_path / "out.parquet")
    assert row["id"] == "7"
    assert sources(row) == [{"article-1"}]


# --- pages that are too much


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (RecursionError(), "it broke the tracer (RecursionError)"),
        (PageError("the time for one document ran out"), "the time for one document ran out"),
    ],
)
def test_a_page_that_breaks_the_tracer_takes_no_other_along(
    inputs, indexes, tmp_path, monkeypatch, fault, reason
):
    real = Tracer.trace

    def broken(tracer, page, deadline):
        if page.text == CASES[1]["text"]:
            raise fault
        return real(tracer, page, deadline)

    monkeypatch.setattr(Tracer, "trace", broken)
    traced = trace(inputs, tmp_path / "out.parquet", indexes)
    rows = {row["id"]: row for row in table(tmp_path / "out.parquet")}
    assert rows["page-1"]["matches"] is None
    assert rows["page-1"]["reason"] == reason
    assert sources(rows["page-2"]) == [{"article-2"}]
    assert reason in [reason_.name for reason_ in traced.reasons]
    assert not traced.bad_shards


@pytest.mark.usefixtures("inline")
def test_a_page_that_is_too_long_is_skipped_with_a_reason(indexes, tmp_path):
    write(tmp_path / "in.jsonl", [{"text": "word " * 210_000}])
    trace(tmp_path / "in.jsonl", tmp_path / "out.parquet", indexes)
    assert table(tmp_path / "out.parquet")[0]["reason"] == "longer than 1,000,000 characters"


@pytest.mark.usefixtures("inline")
def test_an_index_that_is_damaged_ends_it(inputs, indexes, tmp_path, monkeypatch):
    def damaged(*_):
        raise TraceError("it is damaged")

    monkeypatch.setattr(Tracer, "trace", damaged)
    with pytest.raises(TraceError, match="it is damaged"):
        trace(inputs, tmp_path / "out.parquet", indexes)
    assert not (tmp_path / "out.parquet").exists()


def test_pages_that_kill_every_worker_have_rows_that_say_so(inputs, indexes, tmp_path, monkeypatch):
    def dies(shards_, job, _workers, advance):
        work = job.open()
        for shard in shards_:
            deadly = isinstance(job, Tracing) and "/spun/" in shard.name
            deadly = deadly and shard.index == indexes[0]
            yield job.give_up(shard, "died", advance) if deadly else work(shard, advance)

    monkeypatch.setattr(local, "run", dies)
    traced = trace(inputs, tmp_path / "out.parquet", indexes)
    assert [(bad.shard, bad.documents, bad.error) for bad in traced.bad_shards] == [
        ("spun", 0, "died")
    ]
    rows = {row["id"]: row for row in table(tmp_path / "out.parquet")}
    assert rows["again"]["reason"] is None
    # The other index was asked.
    assert sources(rows["page-1"]) == [{"article-1"}]
    assert rows["page-1"]["reason"] == rows["page-2"]["reason"] == "not traced: died"
    assert rows["page-2"]["matches"] == []


# --- going on


def test_what_is_done_is_not_done_again(inputs, indexes, tmp_path, inline):
    out = tmp_path / "out.parquet"
    first = trace(inputs, out, indexes)
    before = out.read_bytes()
    assert inline
    inline.clear()
    assert trace(inputs, out, indexes) == first
    assert inline == []
    assert out.read_bytes() == before


def test_what_was_interrupted_goes_on_where_it_was(inputs, indexes, tmp_path, inline, monkeypatch):
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    expected = trace(inputs, whole, indexes)
    every = list(inline)
    real = local.run

    def interrupted(shards_, job, workers, advance):
        if isinstance(job, Tracing):
            shards_ = shards_[:3]
        yield from real(shards_, job, workers, advance)
        if isinstance(job, Tracing):
            raise KeyboardInterrupt

    monkeypatch.setattr(local, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trace(inputs, out, indexes)
    assert not out.exists()
    monkeypatch.setattr(local, "run", real)
    inline.clear()
    assert trace(inputs, out, indexes) == expected
    assert len(inline) == len(every) - 5  # two files were read, three pieces traced
    assert out.read_bytes() == whole.read_bytes()


def test_a_file_that_is_mended_is_all_that_is_done_again(inputs, indexes, tmp_path, inline):
    out = tmp_path / "out.parquet"
    broken = inputs / "broken.jsonl.gz"
    broken.write_bytes(b"not packed")
    traced = trace(inputs, out, indexes)
    assert [bad.shard for bad in traced.bad_shards] == ["broken"]
    assert len(table(out)) == 12
    inline.clear()
    broken.unlink()
    write(inputs / "broken.jsonl", [{"id": "mended", "text": CASES[3]["text"]}])
    with pytest.raises(TraceError, match="has the table of"):
        trace(inputs, out, indexes)
    (inputs / "broken.jsonl").rename(inputs / "mended.jsonl")
    traced = trace(inputs, out, indexes)
    assert not traced.bad_shards
    assert [name.split("/")[-2] for name in inline if name.startswith("traced/")] == ["mended"] * 2
    assert len(table(out)) == 13
    assert not (tmp_path / "out.parquet.parts").exists()


def test_an_unfinished_table_is_not_replaced_by_one_of_other_inputs(inputs, indexes, tmp_path):
    out = tmp_path / "out.parquet"
    (inputs / "broken.jsonl.gz").write_bytes(b"not packed")
    assert trace(inputs, out, indexes).bad_shards
    before = out.read_bytes()
    others = tmp_path / "others"
    others.mkdir()
    write(others / "own.jsonl", [{"id": "own", "text": CASES[3]["text"]}])
    with pytest.raises(TraceError, match="begun with other inputs"):
        trace(others, out, indexes)
    assert out.read_bytes() == before
    assert (tmp_path / "out.parquet.parts").exists()


def test_articles_that_are_added_meanwhile_are_noticed(
    inputs, shards, tmp_path, inline, monkeypatch
):
    index, out = tmp_path / "ix", tmp_path / "out.parquet"
    build([str(shards / "0.jsonl")], index)
    real = pieces.Index.open

    def open_(path):
        add([str(shards / "1.jsonl")], index)
        return real(path)

    monkeypatch.setattr(pieces.Index, "open", open_)
    with pytest.raises(TraceError, match="has changed since"):
        trace(inputs, out, [index])
    monkeypatch.setattr(pieces.Index, "open", real)
    trace(inputs, out, [index])
    assert sources(table(out)[4]) == [{"article-1"}]
    # What was read is used again.
    assert len([name for name in inline if name.startswith("pages/")]) == 2


# --- what is refused


@pytest.fixture
def made(inputs, shards, tmp_path, inline):  # noqa: ARG001
    """A table that was made of `inputs` and the first index; gives its path."""
    out = tmp_path / "out.parquet"
    trace(inputs, out, [shards / "ix0"])
    return out


def test_a_table_made_of_other_inputs_is_not_replaced_unasked(inputs, shards, made):
    before = made.read_bytes()
    write(inputs / "more.jsonl", [{"text": SHORT}])
    with pytest.raises(TraceError, match=r"made of other inputs: .* --overwrite"):
        trace(inputs, made, [shards / "ix0"])
    assert made.read_bytes() == before
    assert trace(inputs, made, [shards / "ix0"], overwrite=True).pages == 13


def test_a_table_made_with_another_index_is_not_replaced_unasked(inputs, shards, made):
    with pytest.raises(TraceError, match="made of other articles in the index: "):
        trace(inputs, made, [shards / "ix1"])
    trace(inputs, made, [shards / "ix1"], overwrite=True)
    assert sources(table(made)[4]) == [{"article-1"}]


@pytest.mark.usefixtures("inline")
def test_a_file_of_somebody_else_is_not_replaced_unasked(inputs, indexes, tmp_path):
    out = tmp_path / "out.parquet"
    out.write_bytes(b"mine")
    with pytest.raises(TraceError, match="no batch has written it"):
        trace(inputs, out, indexes)
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_output_does_not_lie_in_the_input(inputs, indexes, overwrite):
    with pytest.raises(TraceError, match="lies in the input"):
        trace(inputs, inputs / "out.parquet", indexes, overwrite=overwrite)


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("out.jsonl", "ends in .parquet"),
        ("s3://bucket/out.parquet", "of this machine"),
        ("nowhere/out.parquet", "there is no folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_at_once(inputs, indexes, out, said, tmp_path):
    with pytest.raises(TraceError, match=said):
        trace(inputs, out if "://" in out else tmp_path / out, indexes)


@pytest.mark.usefixtures("inputs")
def test_an_output_may_be_named_relatively_to_where_one_is(indexes, tmp_path, monkeypatch, inline):
    monkeypatch.chdir(tmp_path)
    trace("in", Path("out.parquet"), [Path(os.path.relpath(index)) for index in indexes])
    assert inline
    assert len(table("out.parquet")) == 12


def test_what_is_no_index_is_named(inputs, tmp_path, indexes):
    with pytest.raises(TraceError, match="no index"):
        trace(inputs, tmp_path / "out.parquet", [*indexes, inputs])
    with pytest.raises(TraceError, match="name one with --index"):
        trace(inputs, tmp_path / "out.parquet", [])


def test_an_index_that_is_named_twice_is_refused(inputs, tmp_path, indexes):
    with pytest.raises(TraceError, match="hold the same articles"):
        trace(inputs, tmp_path / "out.parquet", [*indexes, indexes[0]])


def test_two_batches_do_not_write_one_table(inputs, indexes, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "PATIENCE", 0.0)
    folders = (pieces.PAGES, pieces.TRACED)
    with (
        manifest.opened(tmp_path / "out.parquet.parts", pieces.Settings(), folders=folders),
        pytest.raises(TraceError, match="another run is writing"),
    ):
        trace(inputs, tmp_path / "out.parquet", indexes)


@pytest.mark.usefixtures("inline")
def test_what_others_keep_in_a_folder_of_that_name_stays(inputs, indexes, tmp_path):
    notes = tmp_path / "out.parquet.parts" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(TraceError, match="is not empty"):
            trace(inputs, tmp_path / "out.parquet", indexes, overwrite=overwrite)
    assert notes.read_text() == "mine"


def test_workers_that_fail_to_start_end_it(inputs, indexes, tmp_path, monkeypatch):
    def fails(*_):
        raise ScanError("they do not start")
        yield

    monkeypatch.setattr(local, "run", fails)
    with pytest.raises(TraceError, match="they do not start"):
        trace(inputs, tmp_path / "out.parquet", indexes)


# --- what shards say together


def match(id_, probability, *spans, copies=()):
    passages = tuple(Passage(start, end, start, end) for start, end in spans)
    coverage = sum(end - start for start, end in spans) / 1_000
    return Match(id_, None, None, None, "", probability, coverage, passages, (), tuple(copies))


def ids(matches):
    return [(match.id, *match.copies) for match in matches]


def test_the_second_source_of_a_page_is_one_and_a_like_article_is_none():
    first, second = match("first", 0.99, (0, 600)), match("second", 0.9, (600, 1_000))
    event = match("event", 0.6, (0, 200))
    assert ids(chosen([event, second, first])) == [("first",), ("second",)]


def test_an_article_that_matches_as_a_better_one_does_is_a_copy_of_it():
    first = match("first", 0.99, (0, 500), copies=["a"])
    other = match("other", 0.98, (0, 300), (310, 490), copies=["b", "first"])
    assert ids(chosen([other, first])) == [("first", "a", "other", "b")]


def test_a_long_passage_is_worth_more_than_a_sure_one():
    """As in one index, where the article that explains most of the page speaks first."""
    assert ids(chosen([match("sure", 0.999, (0, 200)), match("long", 0.99, (0, 900))])) == [
        ("long",)
    ]


SPANS = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted)


@given(st.lists(st.tuples(SPANS, st.sampled_from([0.5, 0.9, 0.99])), max_size=6), st.randoms())
def test_what_is_chosen_is_the_same_in_whatever_order_it_came(found, chance):
    matches = [
        match(f"{i}", probability, *zip(ends[::2], ends[1::2], strict=False))
        for i, (ends, probability) in enumerate(found)
    ]
    shuffled = chance.sample(matches, len(matches))
    assert chosen(matches) == chosen(shuffled)
    assert bool(chosen(matches)) == bool(matches)
    assert chosen(chosen(matches)) == chosen(matches)


def test_a_shard_that_could_not_be_asked_is_told_of():
    found = [{"id": "x", **match("a", 0.9, (0, 100)).to_dict()}]
    row = {"id": "p", "source": "h", "words": 50, "coverage": 0.1, "matches": found, "reason": None}
    unasked = row | {"words": None, "coverage": None, "matches": None, "reason": "it died"}
    for rows in ([row, unasked], [unasked, row]):
        both = merged(rows, 10)
        assert (both["words"], both["reason"]) == (50, "it died")
        assert [match_["id"] for match_ in both["matches"]] == ["a"]
    assert merged([unasked, unasked], 10) == unasked


# --- networks


def page(id_, source, *articles, copies=()):
    matches = [{"id": a, "title": None, "url": None, "copies": list(copies)} for a in articles]
    return {"id": id_, "source": source, "matches": matches, "reason": None}


def network_of(*rows):
    counts = Network()
    for row in rows:
        counts.add(row)
    return counts.traced()


def test_pages_of_an_article_and_of_its_copies_are_one_group():
    traced = network_of(
        page("1", "a.example", "x", copies=["y"]),
        page("2", "b.example", "y"),
        page("3", "b.example", "y"),
        page("4", "c.example", "z"),
    )
    assert (traced.sources, traced.shared) == (2, 1)
    (group,) = traced.groups
    assert (group.id, group.copies, group.pages, group.hosts) == ("y", ("x",), 3, 2)
    assert [(host.host, host.pages) for host in group.first_hosts] == [
        ("b.example", 2), ("a.example", 1)
    ]  # fmt: skip
    assert group.first_pages == ("1", "2", "3")


def test_a_page_of_two_sources_is_in_both_groups():
    traced = network_of(page("1", "a", "x", "y"), page("2", "b", "x"), page("3", "c", "y"))
    assert [(group.id, group.first_pages) for group in traced.groups] == [
        ("x", ("1", "2")), ("y", ("1", "3"))
    ]  # fmt: skip
    assert traced.found == 3


def test_hosts_with_several_sources_in_common_are_pairs():
    rows = [page(f"{host}{x}", host, x) for x in "pqr" for host in "abc"]
    traced = network_of(*rows, page("4", "a", "s"), page("5", "d", "p"), page("6", "d", "t"))
    assert [(pair.hosts, pair.sources) for pair in traced.pairs] == [
        (("a", "b"), 3), (("a", "c"), 3), (("b", "c"), 3)
    ]  # fmt: skip
    hosts = {host.host: host for host in traced.hosts}
    assert (hosts["a"].pages, hosts["a"].sources, hosts["a"].shared) == (4, 4, 3)
    assert (hosts["d"].sources, hosts["d"].shared) == (2, 1)


def test_an_article_that_is_everywhere_pairs_few_hosts(monkeypatch):
    monkeypatch.setattr(network, "PAIRED", 3)
    rows = [page(f"{host}{x}", host, x) for x in "pq" for host in "abcdefgh"]
    assert len(network_of(*rows).pairs) == 3


def test_the_summary_says_who_copied_what_on_lines_that_command_nothing():
    traced = network_of(
        page("p\x1b[31m", "a.example", "x\n\u202egpj"), page("2", "b.example", "x\n\u202egpj"),
        {"id": "3", "source": "c", "matches": None, "reason": "no text"},
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=120)
    terminal(traced, console)
    said = console.file.getvalue()
    assert headline(traced) in said
    assert "2 of 3 pages" in headline(traced)
    assert "no text" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert json.loads(json.dumps(traced.to_dict()))["groups"][0]["pages"] == 2


def test_where_nothing_is_found_the_summary_is_a_line():
    console = Console(file=io.StringIO(), width=120)
    terminal(network_of(page("1", "a")), console)
    assert console.file.getvalue() == "0 of 1 page (0 %) were taken from an article of the index\n"
    assert headline(network_of()) == "No page was found"


def test_a_page_of_two_articles_that_are_one_source_is_one_page():
    network = Network()

    def row(number, *matches):
        found = [{"id": id_, "title": None, "url": None, "copies": c} for id_, c in matches]
        return {"id": f"p{number}", "source": "host", "matches": found, "reason": None}

    network.add(row(0, ("A", ["C"])))
    network.add(row(1, ("B", ["C"])))
    network.add(row(2, ("A", []), ("B", [])))
    (group,) = network.traced().groups
    assert group.pages == 3
    assert [(count.host, count.pages) for count in group.first_hosts] == [("host", 3)]
