"""Pages to trace know where every word of theirs comes from."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("numpy")
pytest.importorskip("sklearn")
pytest.importorskip("lemminflect")
zstandard = pytest.importorskip("zstandard")

from train import events, provenance, queries  # noqa: E402
from train.corpus import Document  # noqa: E402
from train.habits import each_occurrence_anew, not_a_name  # noqa: E402
from train.provenance import Page  # noqa: E402
from train.queries import Article, Query  # noqa: E402
from train.samples import count_words  # noqa: E402
from train.spin import Family, spin  # noqa: E402

TEXT = (
    "The guard threw old coins at the envoy. He shouted, and coins fell.\n"
    "Old guards laughed in the road.\n"
    "In 1987 nobody threw coins; Mr. Guard said that roads were old.\n"
    "So it went on: coins, roads and guards."
)
TABLE = {"coins": ("pieces of money",), "old": ("aged",), "threw": ("hurled",), "road": ("way",)}


def everything(units, *_):
    return list(units)


def only_choice(unit, _):
    return unit.choices[0]


FAMILY = Family(
    name="invented",
    sources=("invented",),
    choices=lambda word: TABLE.get(word, ()),
    may_change=not_a_name,
    select=everything,
    draw=only_choice,
)
SPUN = provenance.traced(spin(TEXT, FAMILY, 1.0, 0))
OTHER_TEXT = TEXT.replace("guard", "keeper").replace("envoy", "visitor")
OTHER = provenance.traced(spin(OTHER_TEXT, FAMILY, 1.0, 0))

PAGES = {
    "whole": SPUN,
    "lower-cased": provenance.lower_cased(SPUN),
    "middle third": provenance.middle_third(SPUN),
    "shuffled": provenance.shuffled(SPUN, Random(3)),
    "mixed": provenance.mixed(SPUN, OTHER),
}


def pairs(page, *texts):
    """What every piece of a page prints, and what its source has in its place."""
    return [
        (page.text[p.start : p.end], texts[p.source][p.source_start : p.source_end], p.is_copied)
        for p in page.pieces
    ]


@pytest.mark.parametrize("name", PAGES)
def test_what_is_copied_stands_in_the_source_and_the_rest_was_put_in_its_place(name):
    for printed, original, is_copied in pairs(PAGES[name], TEXT, OTHER_TEXT):
        if is_copied:
            assert printed in (original, original.lower())
        else:
            assert printed.lower() == TABLE[original.lower()][0]


@pytest.mark.parametrize("name", set(PAGES) - {"middle third"})
def test_pieces_are_in_order_and_leave_out_nothing_but_what_is_put_between(name):
    page = PAGES[name]
    reached = 0
    for piece in page.pieces:
        assert page.text[reached : piece.start].strip() == ""
        assert piece.start < piece.end
        reached = piece.end
    assert reached == len(page.text)


def test_a_shuffled_page_has_the_same_paragraphs_in_another_order():
    lines = PAGES["shuffled"].text.split("\n")
    assert lines != SPUN.text.split("\n")
    assert sorted(lines) == sorted(SPUN.text.split("\n"))


def test_sentences_are_shuffled_where_there_are_few_paragraphs():
    text = "One went. Two stayed! Three fell? Four rose."
    page = provenance.traced(spin(text, FAMILY, 0.0, 0))
    mixed_up = provenance.shuffled(page, Random(1)).text
    assert Counter(mixed_up.split()) == Counter(text.split())
    assert mixed_up != text


def test_a_third_has_a_third_of_the_words():
    page = PAGES["middle third"]
    assert page.text in SPUN.text
    assert count_words(page.text) == pytest.approx(count_words(SPUN.text) / 3, abs=2)


def test_a_cut_through_a_substitution_leaves_words_from_nowhere():
    start = SPUN.text.index("of money")
    page = provenance.excerpt(SPUN, start, start + 12)
    assert page.origin(0, 2) is None
    assert page.origin(9, 11) is not None


def test_a_mixed_page_has_half_of_each_source():
    sources = Counter(piece.source for piece in PAGES["mixed"].pieces)
    assert set(sources) == {0, 1}
    assert PAGES["mixed"].text.count("\n") == 3


def test_the_lower_case_of_a_page_is_as_long_as_the_page():
    page = provenance.lower_cased(Page("İstanbul ROSE", ()))
    assert len(page.text) == len("İstanbul ROSE")
    assert page.text.endswith("rose")


# --- events


def article(number, text):
    return Article(f"{number:016x}", text, "fnc1")


REPORT = (
    "A bridge over the Severn fell into the river on Monday, and a driver of a lorry was hurt. "
    "Engineers blamed rust in the cables, which nobody had seen to in years."
)
ANOTHER = (
    "Rust in cables brought down the Severn bridge, engineers said. The lorry driver, who was "
    "hurt when it fell into the river, may leave hospital soon."
)
A_THIRD = "The river carried away the bridge of which the cables were thick with rust, and a lorry."
ELSEWHERE = "The minister of finance told parliament that taxes on wine and on beer would stay."
FILLER = [
    f"Chapter {i} of the long novel, in which a family and the dog that came by sea went on to "
    f"town number {i}, and what was told there."
    for i in range(60)
]


def near(*texts):
    articles = [article(i, text) for i, text in enumerate([REPORT, A_THIRD, *FILLER])]
    return events.neighbours(articles, [article(99, text) for text in texts])


def test_a_report_of_the_same_event_is_near_and_no_copy():
    told, untold = near(ANOTHER, ELSEWHERE)
    assert told.nearness > events.SAME_EVENT > untold.nearness
    assert told.copied <= events.COPIED


def test_near_copies_are_known_by_runs_of_words():
    (found,) = near(REPORT.replace("Monday", "Tuesday"))
    assert found.copied > events.COPIED


# --- queries


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Held-out news, news by outlets on the same events, and an encyclopaedia."""
    folder = tmp_path_factory.mktemp("corpora")
    names = ("Severn", "Thames", "Trent", "Mersey", "Tyne", "Avon", "Ouse", "Derwent", "Wye", "Dee")
    random = Random(5)

    def story(i, teller):
        river = names[i % len(names)]
        words = [f"{river}{i}", f"{teller}x{i}", "coins", "road", "old", "bridge", "people"]
        lines = [" ".join(random.choices(words, k=40)) + "." for _ in range(5)]
        return "\n".join(lines)

    misc = [Document(story(i, f"reporter{j}"), "fnc1") for i in range(30) for j in range(2)]
    misc += [Document(story(i, "speaker"), "bbc2005") for i in range(100, 160)]
    news = [Document(story(i, f"outlet{j}"), f"allsides:{j}") for i in range(30) for j in range(5)]
    prose = [Document("\n".join([story(i, "page")] * 9), "enwiki") for i in range(200, 210)]
    files = {"news-misc-01": misc, "news-articles-01": news, "encyclopaedia-01": prose}
    for name, found in files.items():
        lines = "".join(json.dumps(document._asdict()) + "\n" for document in found)
        data = zstandard.ZstdCompressor().compress(lines.encode())
        (folder / f"{name}.jsonl.zst").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def collection(corpora):
    return queries.indexed(corpora, "bench", 100)


@pytest.fixture(scope="module")
def asked(collection):
    make = {name: lambda _, name=name: named(name) for name in queries.SPINNERS["bench"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "FAMILIES", make)
        patch.setattr(queries, "SAME_EVENT", 0.2)
        return queries.queries(collection, Path(), "bench", 4)


def named(name):
    return Family(**{**vars(FAMILY), "name": name})


def test_what_is_left_out_is_not_indexed(collection):
    texts = {a.text for a in collection.articles}
    assert collection.left_out
    assert collection.sources
    assert texts.isdisjoint(a.text for a in collection.left_out)
    assert texts.issuperset(a.text for a in collection.sources)


def test_the_two_parts_share_nothing(corpora, collection):
    other = queries.indexed(corpora, "calibrate", 100)
    assert {a.id for a in other.articles}.isdisjoint(a.id for a in collection.articles)
    assert {a.id for a in other.left_out}.isdisjoint(a.id for a in collection.left_out)
    assert set(queries.SPINNERS["bench"]).isdisjoint(queries.SPINNERS["calibrate"])


def test_the_same_articles_come_in_the_same_order(corpora, collection):
    assert queries.indexed(corpora, "bench", 100) == collection
    assert len(queries.indexed(corpora, "bench", 30).articles) == 30


def test_long_documents_are_cut_where_paragraphs_end(collection):
    long = [a for a in collection.articles if a.source == "enwiki"]
    assert long
    assert all(count_words(a.text) <= queries.WORDS for a in long)


def test_every_condition_has_its_pages(asked):
    counts = Counter(query.condition for query in asked if query.sources)
    assert counts == dict.fromkeys(queries.CONDITIONS, 4)
    assert {query.family for query in asked if query.sources} == set(queries.SPINNERS["bench"])


def test_the_sources_of_a_page_are_indexed(asked, collection):
    texts = {article.id: article.text for article in collection.articles}
    for query in asked:
        assert query.text == query.truth.text
        assert bool(query.sources) == (query.origin == "indexed")
        if query.sources:
            for printed, original, is_copied in pairs(query.truth, *map(texts.get, query.sources)):
                assert not is_copied or printed in (original, original.lower())


def test_pages_without_a_source_are_of_both_kinds(asked):
    origins = Counter(query.origin for query in asked)
    assert origins["ordinary"] == 8
    assert origins["same event"] + origins["same event, news"] == 8


def test_some_pages_without_a_source_are_not_spun(asked):
    written = [query for query in asked if query.condition == queries.AS_WRITTEN]
    assert all(isinstance(query, Query) and query.rate == 0.0 for query in written)


def test_a_share_is_one_of_the_words_that_the_family_can_replace():
    family = Family(**{**vars(FAMILY), "select": each_occurrence_anew})
    article = Article("a", TEXT, "bbc2005")
    whole = queries._spun(article, family, 1.0)
    half = queries._spun(article, family, 0.5)
    assert len(half.swaps) == pytest.approx(len(whole.swaps) / 2, abs=1)
