"""The report of a scan: the worst pages with their text, and nothing of them becomes markup."""

import json
import re
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.reading import Suspect
from unspin.scan import inputs
from unspin.scan.batch import DOCUMENTS, SCORES
from unspin.scan.job import Documents, Done, Fields, ScanError, Shard, ShardError
from unspin.scan.report import EXCERPT, MARGIN, WorstPage, excerpt, fetch_worst, html
from unspin.scan.summary import CAUTION, BadShard, Count, Rate, Summary, summarise
from unspin.scan.tally import BINS, Worst

HOSTILE = (
    "<script>alert(1)</script> \"quoted\" 'x' </mark></blockquote></style><style> &amp; "
    "\x1b[31m\x9b2J\0 \ud800 \u202e <img src=x onerror=alert(1)> https://x.example"
)
TEXT = "We meet astatine noon, helium said."
SUSPECTS = [
    {"start": 8, "end": 16, "confidence": 0.97},
    {"start": 23, "end": 29, "confidence": 0.6},
]


class Collector(HTMLParser):
    """Tags, attributes and text of a document."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


class Corpus:
    """Shards of ten records in batches of three, the records of some rows spun."""

    def __init__(self, folder, form):
        self.folder, self.form = folder, form
        self.shards, self.done, self.texts = [], [], {}
        self.read_batches = []

    def add(self, name, spun, text=TEXT, suspects=SUSPECTS):
        rows = [
            {"id": f"{name}{row}", "verdict": "clean", "probability": 0.1, "words": 6}
            | (
                {"verdict": "spun", "probability": 0.99, "rate": 0.3, "suspects": suspects}
                if row in spun
                else {}
            )
            for row in range(10)
        ]
        path = self.folder / f"{name}.{self.form}"
        table = pa.Table.from_pylist(rows, SCORES)
        if self.form == "parquet":
            pq.write_table(table, path, row_group_size=4)
        else:
            path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
        self.texts[name] = [{"id": row["id"], "text": text} for row in rows]
        self.shards.append(Shard(name, "jsonl", (f"{name}.jsonl",)))
        self.done.append(
            Done(name, (), 9, 10, len(spun), 10 - len(spun), 0, 0, 0, path.name, table_sha256="")
        )

    def read(self, shard, fields, *, rows):
        assert fields == Fields(text="body")
        for first in range(0, 10, 3):
            self.read_batches.append((shard.name, first))
            rows = self.texts[shard.name][first : first + 3]
            yield Documents(pa.RecordBatch.from_pylist(rows, DOCUMENTS), None, 1)

    def fetch(self):
        summary = summarise(self.folder, self.done)
        return summary, fetch_worst(summary, self.shards, Fields(text="body"))


@pytest.fixture(params=["parquet", "jsonl"])
def corpus(request, tmp_path, monkeypatch):
    made = Corpus(tmp_path, request.param)
    monkeypatch.setattr(inputs, "read", made.read)
    return made


def worst(id_="a1", source="a.example", family="element"):
    return Worst(id_, source, "a", 1, 0.99, 812, 0.3, family, None)


def summary_of(*pages, name="a.example", fault=None):
    return Summary(
        documents=80_000,
        spun=1_204,
        unsure=96,
        clean=78_000,
        skipped=700,
        words=31_000_000,
        bytes=190_000_000,
        shards=12,
        written=None,
        histogram=(78_000, *[0] * (BINS - 3), 96, 1_204),
        sources=(Rate(name, 2_000, 700), Rate("b.example", 500, 4)),
        families=(Count(name, 1_204),),
        reasons=(Count(name, 700),),
        bad_shards=(BadShard(name, 3, fault),) if fault else (),
        worst=tuple(page.page for page in pages),
    )


# --- fetching


def test_the_worst_pages_come_with_their_text_and_its_suspects(corpus):
    corpus.add("a", {1, 5, 8})
    corpus.add("b", {2})
    _, pages = corpus.fetch()
    assert [found.page.id for found in pages] == ["a1", "a5", "a8", "b2"]
    for found in pages:
        assert found.excerpt == TEXT
        assert [suspect.spun for suspect in found.suspects] == ["astatine", "helium"]
        assert found.suspects[0].confidence == pytest.approx(0.97)


def test_only_shards_with_a_worst_page_are_read_and_only_up_to_the_last_one(corpus):
    corpus.add("a", {4})
    corpus.add("b", set())
    corpus.fetch()
    assert corpus.read_batches == [("a", 0), ("a", 3)]


def test_pages_before_a_fault_have_their_text_and_the_others_say_what_is_wrong(corpus, monkeypatch):
    corpus.add("a", {1, 7})
    corpus.add("b", {0})

    def read(shard, fields, *, rows):
        for documents in corpus.read(shard, fields, rows=rows):
            yield documents
            if shard.name == "a":
                raise ShardError("the stream is cut off")

    monkeypatch.setattr(inputs, "read", read)
    _, pages = corpus.fetch()
    missing = {found.page.id: found.missing for found in pages if found.excerpt is None}
    assert missing == {"a7": "Its input cannot be read any more: the stream is cut off"}


@pytest.mark.parametrize(
    "error", [ScanError("gone"), FileNotFoundError(2, "gone"), OSError("gone")]
)
def test_an_input_that_is_gone_costs_only_the_text(corpus, monkeypatch, error):
    def read(*_, **__):
        raise error

    corpus.add("a", {1})
    monkeypatch.setattr(inputs, "read", read)
    summary, (found,) = corpus.fetch()
    assert found.excerpt is None
    assert "gone" in found.missing
    assert "No text to show. Its input cannot be read any more:" in html(summary, [found])


def test_a_table_that_is_gone_costs_only_the_text(corpus):
    corpus.add("a", {1})
    summary = summarise(corpus.folder, corpus.done)
    (corpus.folder / corpus.done[0].table).unlink()
    (found,) = fetch_worst(summary, corpus.shards, Fields(text="body"))
    assert found.excerpt is None


def test_text_is_never_shown_for_another_document(corpus):
    corpus.add("a", {1, 8})
    corpus.texts["a"][1]["id"] = "another"
    del corpus.texts["a"][5:]
    corpus.add("b", {1})
    corpus.shards.pop()
    corpus.add("c", {1})
    corpus.texts["c"][1]["text"] = None
    _, pages = corpus.fetch()
    assert [(found.page.id, found.excerpt, found.missing) for found in pages] == [
        ("a1", None, "Its input has changed since it was scanned."),
        ("a8", None, "Its input has fewer records than when it was scanned."),
        ("b1", None, "Its input is not among those given."),
        ("c1", None, "Its input has changed since it was scanned."),
    ]


def test_suspects_that_do_not_fit_the_text_are_left_out(corpus):
    wild = [{"start": at, "end": end, "confidence": 0.9} for at, end in [(9, 4), (30, 99), (-3, 2)]]
    corpus.add("a", {1}, suspects=[*SUSPECTS, *wild, {"start": 10, "end": 20, "confidence": 0.9}])
    _, (found,) = corpus.fetch()
    assert [suspect.spun for suspect in found.suspects] == ["astatine", "helium"]


# --- excerpts


def test_a_short_text_is_shown_whole():
    assert excerpt(TEXT, []) == (TEXT, ())


def test_the_excerpt_has_the_densest_suspects_in_its_middle_and_ends_at_words():
    text = f"lone {'before ' * 500}astatine helium neon {'after ' * 500}"
    spans = [(text.index(word), word) for word in ("lone", "astatine", "helium", "neon")]
    suspects = [Suspect(at, at + len(word), word, 0.6) for at, word in spans]
    shown, marked = excerpt(text, suspects)
    assert [suspect.spun for suspect in marked] == ["astatine", "helium", "neon"]
    assert shown.startswith("… before ")
    assert shown.endswith(" after …")
    assert abs(marked[1].start - len(shown) / 2) < MARGIN


@given(
    st.text(st.sampled_from("ab \n…é"), max_size=40),
    st.integers(1, 200),
    st.lists(st.tuples(st.integers(-5, 9_000), st.integers(1, 2_000), st.floats(0, 1))),
)
def test_an_excerpt_is_a_bounded_part_of_the_text_and_its_suspects_are_in_their_places(
    text, times, spans
):
    text *= times
    suspects = [Suspect(at, at + n, text[max(at, 0) : at + n], sure) for at, n, sure in spans]
    shown, marked = excerpt(text, suspects)
    bare = shown.removeprefix("… ").removesuffix(" …") if shown != text else shown
    assert bare in text
    assert len(shown) <= EXCERPT + len("…  …")
    cursor = 0
    for suspect in marked:
        assert cursor <= suspect.start < suspect.end
        assert shown[suspect.start : suspect.end] == suspect.spun
        cursor = suspect.end


def test_a_text_without_a_blank_is_cut_all_the_same():
    shown, marked = excerpt("x" * 9_000, [Suspect(5_000, 5_004, "xxxx", 0.9)])
    assert len(shown) == EXCERPT + len("…  …")
    assert len(marked) == 1


# --- the document


def page(text=TEXT, suspects=None, **of_page):
    if suspects is None:
        suspects = (Suspect(8, 16, "astatine", 0.97), Suspect(23, 29, "helium", 0.6))
    return WorstPage(worst(**of_page), text, suspects)


def test_the_report_has_totals_rates_families_reasons_and_faults():
    report = html(summary_of(fault="cut off after 3 records"), [])
    assert "<h1>1,204 of 80,000 documents (1.5 %) are spun</h1>" in report
    assert f"31,000,000 words, 190.0 MB in 12 shards. {CAUTION}" in report
    rows = [
        re.sub("<[^>]*>", "|", row).strip("|").split("||")
        for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", report)
    ]
    assert ["a.example", "2,000", "700", "35.0 %"] in rows
    assert ["all others", "77,500", "500", "0.6 %"] in rows
    assert ["a.example", "1,204", "100 %"] in rows
    assert ["a.example", "3 documents", "cut off after 3 records"] in rows
    assert ["95 to 100 %", "1,204"] in rows


def test_the_histogram_has_a_bar_for_every_bin_that_says_how_many_documents_it_is():
    report = html(summary_of(), [])
    bars = re.findall(r'<rect class="(\w+)".*? height="([\d.]+)"><title>(.*?)</title>', report)
    assert [verdict for verdict, _, _ in bars] == ["clean"] * 10 + ["unsure"] * 9 + ["spun"]
    assert bars[0][1:] == ("180.0", "0 to 5 %: 78,000 documents")
    assert bars[1][1:] == ("0.0", "5 to 10 %: 0 documents")
    assert bars[-1][2] == "95 to 100 %: 1,204 documents"


def test_suspects_are_marked_with_their_probabilities():
    report = html(summary_of(page()), [page()])
    assert (
        'We meet <mark title="97 % likely substituted">astatine</mark> noon, '
        '<mark title="60 % likely substituted">helium</mark> said.</blockquote>'
    ) in report
    for fact in ("99.0 %", "30 % of 812", "element", "a.example", "a, row 1"):
        assert f"<dd>{fact}</dd>" in report


def test_headings_are_in_order_and_tables_have_heads():
    report = html(summary_of(page(), fault="cut off"), [page()])
    levels = [int(tag[1]) for tag in Collector(report).tags if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 2, 2, 2, 2, 3]
    assert report.count("<table>") == report.count("<thead>")
    assert not re.search("<th(?! scope=)[ >]", report)


def test_an_empty_scan_has_a_report():
    empty = Summary(0, 0, 0, 0, 0, 0, 0, 0, None, (0,) * BINS, (), (), (), (), ())
    report = html(empty, [])
    assert "<h1>No document was found</h1>" in report
    assert "<svg" not in report


def test_a_report_fetches_nothing_and_runs_nothing():
    report = html(summary_of(page()), [page()])
    assert "default-src 'none'" in report
    names = {name for name, _ in Collector(report).attributes}
    assert not names & {"src", "href", "style", "srcset", "action", "onclick", "onload"}
    assert "url(" not in report
    assert "@import" not in report


def test_nothing_of_the_corpus_becomes_markup():
    tame = Collector(html(summary_of(page(), fault="x"), [page()]))
    start = HOSTILE.index("quoted")
    suspects = (Suspect(start, start + 6, "quoted", 0.9), Suspect(0, 8, "<script>", 0.9))
    pages = page(HOSTILE, suspects[::-1], id_=HOSTILE, source=HOSTILE, family=HOSTILE)
    report = html(summary_of(pages, name=HOSTILE, fault=HOSTILE), [pages])
    wild = Collector(report)
    assert wild.tags == tame.tags
    assert {name for name, _ in wild.attributes} == {name for name, _ in tame.attributes}
    assert "<script>alert(1)</script>" in "".join(wild.texts)
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", report)
    report.encode()


@given(st.text(), st.text())
def test_any_text_becomes_a_report(text, missing):
    pages = [
        page(text, (), id_=text, source=text),
        WorstPage(worst(), None, missing=missing),
    ]
    html(summary_of(*pages, name=text, fault=missing or None), pages).encode()
