"""An index has the articles that were put into it, and says so when it is not what it was."""

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.scan.job import Advance
from unspin.trace import TraceError, articles, folder, store
from unspin.trace.index import Index, add, build, check, near_copy, remove, stats, terms

pytest.importorskip("tantivy")

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgk" for b in ("ar", "el", "in", "ost") for c in "aeio"]


def text(number, sentences=12):
    """A text that no other number has."""
    chance = random.Random(number)
    lines = []
    for _ in range(sentences):
        words = chance.choices(VOCABULARY, k=chance.randint(6, 12))
        words.insert(3, f"Name{number}")
        lines.append(" ".join(words).capitalize() + ".")
    return "\n\n".join(lines)


def record(number, **more):
    return {"id": f"n{number}", "title": f"Title {number}", "text": text(number), **more}


def lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An index of 150 articles, one of which is long; nobody writes to it."""
    tmp_path = tmp_path_factory.mktemp("made")
    records = [record(number, url=f"https://e.org/{number}") for number in range(150)]
    records[7]["text"] = text(7, sentences=600)
    build([lines(tmp_path / "in.jsonl", *records)], tmp_path / "ix")
    return tmp_path / "ix"


@pytest.fixture
def copy(made, tmp_path):
    """The same, to write to."""
    return shutil.copytree(made, tmp_path / "copy")


def ids(index):
    return {name for name in (f"n{number}" for number in range(400)) if index.article(name)}


# --- articles


def test_every_article_comes_back_as_it_was(made):
    index = Index.open(made)
    assert len(index) == 150
    for number in range(150):
        article = index.article(f"n{number}")
        assert article.text == text(number, 600 if number == 7 else 12)
        assert article[:4] == (f"n{number}", f"Title {number}", f"https://e.org/{number}", None)
    assert index.article("n150") is None
    assert index.article("") is None


def test_few_articles_are_stored_without_a_dictionary(tmp_path):
    build([lines(tmp_path / "a.jsonl", record(1), record(2))], tmp_path / "ix")
    assert not (tmp_path / "ix" / folder.WORDS).exists()
    assert Index.open(tmp_path / "ix").article("n1").text == text(1)
    assert check(tmp_path / "ix") == []


def test_what_was_built_and_skipped_is_counted(tmp_path):
    texts = {"a": text(1), "b": "", "c": "7", "d": text(2)}
    records = [{"id": name, "text": text} for name, text in texts.items()]
    path = lines(tmp_path / "a.jsonl", *records, records[0])
    told = []
    added = build([path], tmp_path / "ix", advance=told.append)
    assert added.articles == 3
    assert added.replaced == 1
    assert added.skipped == Counter({"the text is empty": 1, "the text has no letters": 1})
    assert added.bytes == sum(len(t.encode()) for t in (text(1), text(2), text(1)))
    assert Advance(*map(sum, zip(*told, strict=True))) == Advance(
        1, Path(path).stat().st_size, 5, 0
    )


def test_of_articles_with_one_id_the_last_one_stays(tmp_path):
    long = text(3, sentences=600)
    path = lines(
        tmp_path / "a.jsonl",
        {"id": "a", "text": long},
        {"id": "b", "text": text(4)},
        {"id": "a", "text": "Short."},
        {"id": "b", "text": long, "title": "Long"},
    )
    added = build([path], tmp_path / "ix")
    assert (added.articles, added.replaced) == (4, 2)
    index = Index.open(tmp_path / "ix")
    assert len(index) == 2
    assert index.article("a").text == "Short."
    assert index.article("b").text == long
    assert {hit.id for hit in index.search({"name3": 1.0}, 100)} == {"b"}
    assert index.search({"name4": 1.0}, 100) == []


def test_an_article_that_is_added_again_is_replaced_whole(copy, tmp_path):
    added = add([lines(tmp_path / "a.jsonl", record(7), record(200))], copy)
    assert (added.articles, added.replaced) == (2, 1)
    index = Index.open(copy)
    assert len(index) == 151
    assert index.article("n7").text == text(7)
    assert [hit.part for hit in index.search({"name7": 1.0}, 100)] == [0]
    assert index.article("n200").text == text(200)
    assert check(copy) == []


def test_articles_are_removed_by_their_ids(copy):
    assert remove(["n7", "n8", "nix", "n8"], copy) == 2
    index = Index.open(copy)
    assert len(index) == 148
    assert index.article("n7") is None
    assert index.search({"name7": 1.0, "name8": 1.0}, 10) == []
    assert check(copy) == []
    assert stats(copy).articles == 148


def test_who_has_opened_an_index_sees_it_as_it_was_until_it_is_reloaded(copy, tmp_path):
    index = Index.open(copy)
    add([lines(tmp_path / "a.jsonl", record(200))], copy)
    remove(["n8"], copy)
    assert len(index) == 150
    assert index.article("n200") is None
    assert index.search({"name8": 1.0}, 1)[0].text == text(8)
    index.reload()
    assert index.article("n200").text == text(200)
    assert index.search({"name8": 1.0}, 1) == []


# --- parts


def test_a_long_article_is_found_by_its_parts(made):
    index = Index.open(made)
    whole = index.article("n7").text
    hits = index.search({"name7": 1.0}, 100)
    assert sorted(hit.part for hit in hits) == list(range(len(hits)))
    assert len(hits) > 2
    for hit in hits:
        assert whole[hit.start : hit.start + len(hit.text)] == hit.text


pieces = st.lists(
    st.tuples(
        st.sampled_from(["a", "é ", "word ", "End. ", "“So!” ", "\n", "\n\n", "𝒳"]),
        st.integers(1, 9_000),
    ),
    max_size=8,
)


@given(pieces)
def test_parts_joined_are_the_text(some):
    whole = "".join(piece * count for piece, count in some)
    parts = store.split(whole)
    assert "".join(parts) == whole
    assert all(store.PART // 2 < len(part) <= store.WHOLE for part in parts[:-1])
    assert len(parts[-1]) <= store.WHOLE


@pytest.mark.parametrize(
    ("filling", "end"),
    [("Words are here. And\n", "\n"), ("Words are here. And ", ". "), ("words ", " ")],
)
def test_a_text_is_cut_where_something_ends(filling, end):
    parts = store.split(filling * 7_000)
    assert len(parts) > 3
    assert all(part.endswith(end) for part in parts[:-1])


# --- search


def test_articles_are_found_by_their_words_the_best_first(made):
    index = Index.open(made)
    for number in (0, 31, 149):
        hits = index.search(dict.fromkeys(terms(text(number)), 1.0), 5)
        assert hits[0].id == f"n{number}"
        assert hits[0].text == text(number)
        assert len(hits) == 5
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_term_counts_as_much_as_is_asked(made):
    index = Index.open(made)
    assert index.search({"name3": 2.0, "name4": 1.0}, 1)[0].id == "n3"
    assert index.search({"name3": 1.0, "name4": 2.0}, 1)[0].id == "n4"


def test_what_is_not_there_is_not_found(made):
    index = Index.open(made)
    assert index.search({}, 10) == []
    assert index.search({"nix": 1.0, "": 1.0, "x" * 100: 1.0, "two words": 1.0}, 10) == []
    assert index.search({"name3": 1.0, "nix": 9.0}, 10)[0].id == "n3"
    assert index.search({"name3": 1.0}, 0) == []


def test_terms_are_those_of_the_index(tmp_path):
    strange = "Don't x_y 7.5 ÄÖÜ naïve ﬁne Ⅻ हिन्दी עברית 中文字 ΑΣ İ " + "q" * 39 + " " + "r" * 40
    build([lines(tmp_path / "a.jsonl", {"id": "a", "text": strange})], tmp_path / "ix")
    index = Index.open(tmp_path / "ix")
    found = terms(strange)
    assert found[:8] == ["don", "t", "x", "y", "7", "5", "äöü", "naïve"]
    assert "q" * 39 in found
    assert "r" * 40 not in found
    assert [term for term in found if index.document_frequency(term) != 1] == []
    assert index.document_frequency("nix") == 0
    assert terms("") == []
    assert terms("a\ud800b") == ["a", "b"]


# --- near copies


def test_near_copies_are_counted_and_grouped(tmp_path):
    first, second = text(1), text(2)
    sentences = first.split("\n\n")
    records = [
        {"id": "a", "text": first},
        {"id": "shouted", "text": first.upper()},
        {"id": "cut", "text": "\n\n".join(sentences[:-2])},
        {"id": "extended", "text": first + "\n\nAnd one sentence more than there was."},
        {"id": "b", "text": second},
        {"id": "b again", "text": second.replace(".\n\n", "! ")},
        {"id": "part", "text": "\n\n".join(sentences[:2]) + "\n\n" + text(4)},
        *(record(number) for number in range(10, 40)),
    ]
    build([lines(tmp_path / "a.jsonl", *records)], tmp_path / "ix")
    found = stats(tmp_path / "ix")
    assert (found.articles, found.near_copies, found.groups) == (37, 6, 2)


def test_many_copies_of_a_text_and_a_line_that_all_have_are_told_apart(tmp_path):
    line = "All of this was written by the harbour desk of the paper."
    records = [{"id": f"{n}", "text": f"{text(n)}\n{line}"} for n in range(60)]
    records += [{"id": f"copy {n}", "text": text(1)} for n in range(60)]
    build([lines(tmp_path / "a.jsonl", *records)], tmp_path / "ix")
    found = stats(tmp_path / "ix")
    assert (found.near_copies, found.groups) == (61, 1)


def test_short_texts_are_copies_if_they_share_two_sentences():
    a, b, c, d = (
        f"The harbour of {name} is old and shut." for name in ("Ayr", "Bern", "Cork", "Deal")
    )
    sketch = store.sketch
    assert near_copy(sketch(f"{a} {b}"), sketch(f"{b} {a}"))
    assert not near_copy(sketch(a), sketch(a))
    assert not near_copy(sketch(f"{a} {b} {c}"), sketch(f"{a} {d}"))
    assert near_copy(sketch(f"{a} {b} {c} {d}"), sketch(f"{a} {b}"))
    assert not near_copy(sketch(""), sketch(""))


# --- the state of an index


def test_stats_add_up(made):
    found = stats(made)
    texts = [text(number, 600 if number == 7 else 12) for number in range(150)]
    assert found.articles == 150
    assert found.parts == 149 + len(store.split(texts[7]))
    assert found.text_bytes == sum(len(t.encode()) for t in texts)
    assert found.bytes == sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
    assert (found.near_copies, found.groups) == (0, 0)
    assert json.loads(json.dumps(found.to_dict()))["articles"] == 150


def test_nothing_is_wrong_with_an_index_that_is_whole(made):
    assert check(made) == []


SEGMENT_FILES = ["idx", "term", "pos", "fieldnorm", "fast", "store", "del"]


@pytest.fixture
def changed(copy):
    """An index with removed articles, which stand in a file of their own."""
    remove(["n3"], copy)
    return copy


@pytest.mark.parametrize("ending", SEGMENT_FILES)
def test_a_file_that_was_changed_is_named(changed, ending):
    (file,) = (changed / folder.TANTIVY).glob(f"*.{ending}")
    whole = file.read_bytes()
    for place in {0, len(whole) // 2, len(whole) - 1, len(whole) - 6, len(whole) - 20}:
        for bit in (1, 128):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert check(changed) == [f"{file} is damaged"]
    for length in (0, 5, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert check(changed) == [f"{file} is damaged"]
    file.unlink()
    assert check(changed) == [f"{file} is missing"]


@pytest.mark.parametrize("name", [folder.INDEX, folder.WORDS, f"{folder.TANTIVY}/{folder.META}"])
def test_a_file_of_the_whole_index_that_was_changed_is_named(copy, name):
    whole = (copy / name).read_bytes()
    for damaged in (whole[:-20], whole[:10], b"", b"[]", b"{}"):
        (copy / name).write_bytes(damaged)
        (fault,) = check(copy)
        assert fault.startswith(f"{copy / name} is damaged")
    (copy / name).unlink()
    (fault,) = check(copy)
    assert str(copy) in fault


def test_tantivy_s_list_of_its_files_is_looked_at_too(copy):
    (copy / folder.TANTIVY / ".managed.json").write_bytes(b'["a')
    (fault,) = check(copy)
    assert str(copy) in fault
    assert ".managed.json" in fault


@pytest.mark.parametrize("ending", ["store", "idx", "term", "fast", "fieldnorm"])
def test_whatever_is_damaged_nothing_but_a_clear_error_comes_of_it(copy, ending):
    (file,) = (copy / folder.TANTIVY).glob(f"*.{ending}")
    whole = file.read_bytes()
    told = 0
    for place in range(0, len(whole), len(whole) // 12 + 1):
        # Changed in place it would change below who has it open.
        file.unlink()
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            index = Index.open(copy)
            index.search({"name3": 1.0, "kara": 1.0}, 50)
            index.article("n3")
        except TraceError as error:
            assert "unspin index check" in str(error)  # noqa: PT017 - it need not be noticed
            told += 1
    assert told or ending in ("term", "idx", "fast")


def test_a_digit_of_the_settings_that_was_changed_is_noticed(copy):
    settings = (copy / folder.INDEX).read_text()
    at = settings.index('"words_sha256": "') + 20
    (copy / folder.INDEX).write_text(settings[:at] + "x" + settings[at + 1 :])
    with pytest.raises(TraceError, match=r"index\.json is damaged"):
        Index.open(copy)
    assert "index.json is damaged" in check(copy)[0]


def test_an_article_that_lacks_parts_or_its_text_is_named(copy):
    index = folder.open_tantivy(copy)
    codec = store.Codec(folder.read_words(copy, folder.read_settings(copy)))
    article = Index.open(copy).article("n7")
    for part, (id_, change) in enumerate(
        [("lacks", None), ("garbled", b"nonsense"), ("empty", b""), ("whole", b"")]
    ):
        documents = list(store.documents(article._replace(id=id_), codec, slice_=part))
        if change is None:
            del documents[1]
        elif id_ != "whole":
            documents[1] = documents[1].from_dict(
                documents[1].to_dict() | {"body": [change]}, index.schema
            )
            documents[1].add_unsigned("slice", part)
        writer = index.writer(20_000_000, 1)
        for document in documents:
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    faults = check(copy)
    named = [name for fault in faults for name in ("lacks", "garbled", "empty") if name in fault]
    assert sorted(named) == ["empty", "garbled", "lacks"]
    with pytest.raises(TraceError, match="unspin index check"):
        Index.open(copy).article("lacks")


# --- what cannot be opened


def test_a_folder_that_is_no_index_is_told_of(tmp_path):
    for call in (
        Index.open,
        check,
        stats,
        lambda path: add([], path),
        lambda path: remove([], path),
    ):
        with pytest.raises(TraceError, match=r"no index; make one with `unspin index build"):
            call(tmp_path)
        with pytest.raises(TraceError, match="no such folder"):
            call(tmp_path / "nix")
        (tmp_path / "file").write_text("")
        with pytest.raises(TraceError, match="is a file and no index"):
            call(tmp_path / "file")


def test_an_index_of_another_version_is_told_of(copy):
    settings = json.loads((copy / folder.INDEX).read_text())
    (copy / folder.INDEX).write_text(json.dumps(settings | {"format": 99}))
    with pytest.raises(
        TraceError, match=r"format 99, and this unspin reads format 1: build it again"
    ):
        Index.open(copy)


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x")]
)
@pytest.mark.parametrize("name", [folder.INDEX, folder.WORDS, f"{folder.TANTIVY}/{folder.META}"])
def test_an_index_without_its_files_is_not_opened(copy, name, damage):
    damage(copy / name)
    with pytest.raises(TraceError, match=name.split("/")[-1].split(".")[0] + "|unspin index check"):
        Index.open(copy)


def test_a_segment_that_is_gone_is_told_of_with_what_to_do(copy):
    (file,) = (copy / folder.TANTIVY).glob("*.store")
    file.unlink()
    with pytest.raises(TraceError, match="unspin index check"):
        Index.open(copy).article("n7")


def test_without_tantivy_it_is_said_how_to_get_it(made, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tantivy", None)
    for call in (Index.open, stats, check, lambda path: build([str(tmp_path)], path / "x")):
        with pytest.raises(TraceError, match=r"pip install 'unspin\[trace\]'"):
            call(made)


def test_unspin_is_imported_without_tantivy():
    command = "import sys, unspin, unspin.trace, unspin.trace.index as i; assert i.Index"
    command += "; assert 'tantivy' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)


# --- what cannot be written


def test_an_index_that_is_there_is_replaced_only_if_asked(copy, tmp_path):
    path = lines(tmp_path / "a.jsonl", record(200))
    with pytest.raises(TraceError, match=r"an index already: add .* --overwrite"):
        build([path], copy)
    opened = Index.open(copy)
    build([path], copy, overwrite=True)
    assert opened.article("n3").text == text(3)
    opened.reload()
    assert ids(opened) == {"n200"}
    assert sorted(other.name for other in tmp_path.iterdir()) == ["a.jsonl", "copy"]


def test_what_is_no_index_is_never_replaced(tmp_path):
    path = lines(tmp_path / "a.jsonl", record(200))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    for overwrite in (False, True):
        with pytest.raises(TraceError, match="not empty, and no index"):
            build([path], tmp_path / "other", overwrite=overwrite)
        with pytest.raises(TraceError, match="is no folder"):
            build([path], tmp_path / "other" / "file", overwrite=overwrite)
    (tmp_path / "empty").mkdir()
    build([path], tmp_path / "empty")
    assert len(Index.open(tmp_path / "empty")) == 1


def test_an_index_is_kept_apart_from_its_articles(copy, tmp_path):
    (tmp_path / "in").mkdir()
    path = lines(tmp_path / "in" / "a.jsonl", record(200))
    with pytest.raises(TraceError, match="lies in the input"):
        build([str(tmp_path / "in")], tmp_path / "in" / "ix")
    with pytest.raises(TraceError, match="lies in the index"):
        add([path, str(copy)], copy)
    assert check(copy) == []


def test_of_nothing_no_index_is_made(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"text": ""}, {"text": "7"})
    with pytest.raises(TraceError, match=r"no article to index in .*1 × the text is empty"):
        build([path], tmp_path / "ix")
    assert [other.name for other in tmp_path.iterdir()] == ["a.jsonl"]


def test_what_cannot_be_read_leaves_everything_as_it_was(copy, tmp_path):
    good = lines(tmp_path / "a.jsonl", *(record(number) for number in range(200, 230)))
    bad = lines(tmp_path / "b.jsonl", {"number": 7})
    before = sorted(file.name for file in copy.rglob("*"))
    for call in (
        lambda: add([good, bad], copy),
        lambda: add([good, str(tmp_path / "nix.jsonl")], copy),
        lambda: build([good, bad], copy, overwrite=True),
        lambda: build([good, bad], tmp_path / "new"),
    ):
        with pytest.raises(TraceError, match=r"b\.jsonl|nix\.jsonl"):
            call()
    assert sorted(file.name for file in copy.rglob("*")) == before
    assert not (tmp_path / "new").exists()
    assert len(Index.open(copy)) == 150
    assert check(copy) == []
    assert add([good], copy).articles == 30


def test_what_a_killed_build_of_another_name_has_left_is_left_alone(made, tmp_path):
    aside = tmp_path / f".news.old.{'0' * 32}.old.unspin-tmp"
    shutil.copytree(made, aside)
    source = lines(tmp_path / "a.jsonl", record(1))
    build([str(source)], tmp_path / "news")
    assert len(Index.open(tmp_path / "news")) == 1
    assert aside.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_an_index_that_a_link_leads_to_is_built_anew_where_it_is(made, tmp_path):
    shutil.copytree(made, tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    source = lines(tmp_path / "a.jsonl", record(1))
    build([str(source)], tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert len(Index.open(tmp_path / "real")) == len(Index.open(tmp_path / "link")) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "link", "real"]


def test_an_index_that_is_replaced_while_one_adds_to_it_stays_whole(copy, tmp_path, monkeypatch):
    others = lines(tmp_path / "b.jsonl", *(record(number) for number in range(500, 700)))
    found = articles.find

    def meanwhile(inputs):
        monkeypatch.setattr(articles, "find", found)
        build([str(others)], copy, overwrite=True)
        return found(inputs)

    monkeypatch.setattr(articles, "find", meanwhile)
    add([str(lines(tmp_path / "c.jsonl", record(900)))], copy)
    assert check(copy) == []
    assert len(Index.open(copy)) == 201
