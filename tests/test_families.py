"""Family files: what is written comes back, what is broken or hostile is refused by its line."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin import families
from unspin.families import (
    COLUMNS,
    FIRST,
    MAX_LINE,
    MAX_OTHERS,
    MAX_WORDS,
    TAKEN,
    Disagreement,
    Entry,
    FamilyError,
    FamilyTable,
    compare,
    find,
    merge,
    read,
    write,
)
from unspin.reader import MODEL
from unspin.reading import UNKNOWN_FAMILY
from unspin.text import CODE, NUMBER, WORD, tokenize
from unspin.thesaurus import PHRASE, Thesaurus

FILE = """\
# unspin family 1
# Found in the comments of three forums.
# name: moby-wave
# language: en
# habits: spares capitals; spares words that touch punctuation; inflects
# learned: 300 pages
# date: 2026-11-23
# licence: CC0-1.0
# contact: desk at example.org
original\tspun\tprobability\tcount
in front of\tsuccessful beforehand of\t0.6\t4

# Rare, but sure.
about\taround\t0.03\t3.5
about\tastir\t0.97\t120
"""
WAVE = FamilyTable(
    "moby-wave",
    "en",
    ("spares capitals", "spares words that touch punctuation", "inflects"),
    "300 pages",
    "2026-11-23",
    "CC0-1.0",
    (("contact", "desk at example.org"),),
    (
        Entry("about", "astir", 0.97, 120),
        Entry("about", "around", 0.03, 3.5),
        Entry("in front of", "successful beforehand of", 0.6, 4),
    ),
)
HEAD = f"{FIRST}\n# name: wave\n{COLUMNS}\n"


@pytest.fixture
def file(tmp_path):
    """What writes a family file and returns its path."""

    def written(content):
        path = tmp_path / "wave.tsv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


# --- reading


def test_a_family_file_says_what_the_family_is_and_prints(file):
    assert read(file(FILE)) == WAVE


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_other_editors_say_the_same(file, ends, mark):
    assert read(file(mark + FILE.replace("\n", ends))) == WAVE
    assert read(file((mark + FILE).rstrip("\n").replace("\n", ends))) == WAVE


def test_a_name_is_all_that_a_header_has_to_say(file):
    assert read(file(HEAD)) == FamilyTable("wave")
    assert read(file(HEAD + "of\tby\t1\t0\n")).entries == (Entry("of", "by", 1.0, 0.0),)


def test_words_are_what_texts_are_cut_into(file):
    words = ["don't", "h2o", "2nd", "9", "naïve", "être", "in front of"]
    lines = [f"{word}\tgaily\t0.5\t1\n" for word in words]
    assert [e.original for e in read(file(HEAD + "".join(lines))).entries] == sorted(words)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path):
    with pytest.raises(FamilyError, match=r"wave\.tsv cannot be read: No such file"):
        read(tmp_path / "wave.tsv")
    with pytest.raises(FamilyError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("", 1, "the first line of a family file is '# unspin family 1'"),
        ("original\tspun\n", 1, "the first line of a family file"),
        ("# unspin family 2\n", 1, "the first line of a family file"),
        (f"{FIRST}\n{COLUMNS}\n", 2, "no line `# name: NAME`"),
        (f"{FIRST}\n# name: wave\n", 2, "it ends before the columns"),
        (f"{FIRST}\n# name: wave\nof\tby\t1\t1\n", 3, "the columns have to be original spun"),
        (f"{FIRST}\n# name: wave\n# name: ripple\n", 3, "another name"),
        (f"{FIRST}\n# name: wave\n# date: 1\n# date: 2\n", 4, "another date"),
        (f"{FIRST}\n# name:\n", 2, "'' is no name"),
        (f"{FIRST}\n# name: Wave\n", 2, "'Wave' is no name"),
        (f"{FIRST}\n# name: ../wave\n", 2, "'../wave' is no name"),
        (f"{FIRST}\n# name: {'w' * 65}\n", 2, "is no name"),
        (f"{FIRST}\n# name: element\n", 2, "the name element is taken"),
        (f"{HEAD}of\tby\t1\n", 4, "3 columns between tabs, not 4"),
        (f"{HEAD}of by 1 1\n", 4, "1 columns between tabs, not 4"),
        (f"{HEAD}of\tby\t1\t1\t1\n", 4, "5 columns between tabs, not 4"),
        (f"{HEAD} \n", 4, "1 columns between tabs, not 4"),
        (f"{HEAD}of\tby\t.5\t1\n\nof\tby\t.5\t1\n", 6, "'of' and 'by' are there already"),
        (f"{HEAD}of\tof\t1\t1\n", 4, "'of' stands for itself"),
        (f"{HEAD}of\tby\t.6\t1\nof\tfor\t.5\t1\n", 5, "'of' sum to 1.1, over 1"),
        (f"{HEAD}of\tby\t0\t1\n", 4, "'0' is no probability"),
        (f"{HEAD}of\tby\t1.2\t1\n", 4, "'1.2' is no probability"),
        (f"{HEAD}of\tby\t-0.5\t1\n", 4, "'-0.5' is no probability"),
        (f"{HEAD}of\tby\tnan\t1\n", 4, "'nan' is no probability"),
        (f"{HEAD}of\tby\t1_0e-2\t1\n", 4, "'1_0e-2' is no probability"),
        (f"{HEAD}of\tby\t٠.٥\t1\n", 4, "is no probability"),
        (f"{HEAD}of\tby\t\t1\n", 4, "'' is no probability"),
        (f"{HEAD}of\tby\t1e-999\t1\n", 4, "'1e-999' is no probability"),
        (f"{HEAD}of\tby\t1\tinf\n", 4, "'inf' is no count"),
        (f"{HEAD}of\tby\t1\t1e999\n", 4, "'1e999' is no count"),
        (f"{HEAD}of\tby\t1\t1e16\n", 4, "'1e16' is no count"),
        (f"{HEAD}of\tby\t1\t-1\n", 4, "'-1' is no count"),
        (f"{HEAD}Of\tby\t1\t1\n", 4, "'Of' is no word in lower case"),
        (f"{HEAD}\tby\t1\t1\n", 4, "'' is no word"),
        (f"{HEAD}of\tby  far\t1\t1\n", 4, "'' in 'by  far' is no word"),
        (f"{HEAD}of\tby \t1\t1\n", 4, "'' in 'by ' is no word"),
        (f"{HEAD}of\tby-pass\t1\t1\n", 4, "'by-pass' is no word"),
        (f"{HEAD}<unk>\tby\t1\t1\n", 4, "'<unk>' is no word"),
        (f"{HEAD}of\tnoon's\t1\t1\n", 4, "\"noon's\" is no word"),
        (f"{HEAD}of\t10th\t1\t1\n", 4, "'10th' is no word"),
        (f"{HEAD}of\te\u0301tre\t1\t1\n", 4, "is no word"),
        (f"{HEAD}of\tone for each of\t1\t1\nof\ta b c d e\t1\t1", 5, "'a b c d e' has more than 4"),
        (f"{HEAD}of\tby\0\t1\t1\n", 4, "has the character U+0000"),
        (f"{HEAD}of\tby\t1\t1\r\r\n", 4, "has the character U+000D"),
        (f"{HEAD}of\t\u202eby\t1\t1\n", 4, "has the character U+202E, which cannot be seen"),
        (f"{FIRST}\n# note: \x1b[2J\n", 2, "has the character U+001B"),
        (f"{HEAD}of\tby\ufeff\t1\t1\n", 4, "has the character U+FEFF"),
        (f"{HEAD}of\t{'by' * MAX_LINE}\t1\t1\n", 4, "longer than 1,000 bytes"),
        (f"{HEAD}{'#' * 10_000_000}", 4, "longer than 1,000 bytes"),
        (HEAD + "\n" * MAX_OTHERS, MAX_OTHERS + 2, "more than 1,000 lines that are no pairs"),
        (f"{FIRST}\n" + "# x: 1\n" * MAX_OTHERS, MAX_OTHERS + 1, "more than 1,000 lines"),
        (f"{HEAD}of\tby\t1\t1\n".encode() + b"of\t\xff\t1\t1\n", 5, "not UTF-8"),
        (HEAD.encode("utf-16"), 1, "not UTF-8"),
    ],
)  # fmt: skip
def test_a_broken_or_hostile_file_is_refused_with_the_line_that_is_wrong(file, content, line, why):
    with pytest.raises(FamilyError, match=rf"wave\.tsv, line {line}: .*{re.escape(why)}"):
        read(file(content))


def test_a_file_without_end_is_refused_by_its_first_line():
    with pytest.raises(FamilyError, match=r"/dev/zero, line 1: longer than 1,000 bytes"):
        read(Path("/dev/zero"))


def test_there_is_a_most_of_pairs(file, monkeypatch):
    monkeypatch.setattr(families, "MAX_ENTRIES", 2)
    pairs = ["of\tby\t.1\t1\n", "of\tfor\t.1\t1\n", "of\tto\t.1\t1\n"]
    assert len(read(file(HEAD + "".join(pairs[:2]))).entries) == 2
    with pytest.raises(FamilyError, match="line 6: more than 2 pairs"):
        read(file(HEAD + "".join(pairs)))


def test_probabilities_that_were_rounded_may_sum_to_a_little_more_than_one(file):
    thirds = "".join(f"of\t{word}\t0.3336\t1\n" for word in ("by", "for", "to"))
    assert len(read(file(HEAD + thirds)).entries) == 3


junk = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([f"{FIRST}\n", "# name: wave\n", f"{COLUMNS}\n", "of\tby\t.5\t1\n", "\t", "\n"])
    .map(str.encode),
)  # fmt: skip


@given(st.lists(junk, max_size=8).map(b"".join))
def test_any_bytes_are_a_family_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("families") / "wave.tsv"
    path.write_bytes(content)
    try:
        table = read(path)
    except FamilyError as error:
        assert re.search(r"wave\.tsv, line \d+: .", str(error))  # noqa: PT017
    else:
        assert table.name == "wave"


letters = st.characters(codec="utf-8", exclude_characters="\t\n\r")


@given(st.one_of(st.text(letters, max_size=6), st.from_regex(r"[a-z0-9']{1,6}", fullmatch=True)))
def test_every_word_of_a_family_is_one_that_a_text_may_have(word):
    try:
        families._check_phrase(word)
    except ValueError:
        return
    tokens = tokenize(word)
    assert tokens.symbol == word.split(" ")
    assert {*tokens.kind} <= {WORD, NUMBER, CODE}


# --- writing

words = st.sampled_from("of by for to at about astir h2o 2 don't naïve".split())
phrases = st.lists(words, min_size=1, max_size=MAX_WORDS).map(" ".join)
values = st.from_regex(r"[!-~é](?:[ -~é]{0,20}[!-~é])?", fullmatch=True)


names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)


@st.composite
def tables(draw):
    pairs = draw(st.sets(st.tuples(phrases, phrases).filter(lambda pair: pair[0] != pair[1])))
    fewest = 1 / max(len(pairs), 1)
    probabilities = st.floats(0, fewest, exclude_min=True)
    return FamilyTable(
        name=draw(names.filter(lambda name: name not in TAKEN)),
        language=draw(st.sampled_from(["en", "de", "pt-br"])),
        habits=tuple(draw(st.lists(values.filter(lambda habit: ";" not in habit), max_size=3))),
        learned=draw(st.one_of(st.just(""), values)),
        date=draw(st.one_of(st.just(""), values)),
        licence=draw(st.one_of(st.just(""), values)),
        more=tuple(
            draw(st.lists(st.tuples(st.sampled_from(["contact", "see-also"]), values), max_size=3))
        ),
        entries=tuple(
            Entry(*pair, draw(probabilities), draw(st.floats(0, 1e9))) for pair in sorted(pairs)
        ),
    )


@settings(deadline=None)
@given(tables())
def test_what_is_written_is_read_as_it_was(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("families") / "family.tsv"
    text = write(table)
    path.write_bytes(text.encode())
    assert read(path) == table
    assert write(read(path)) == text


def test_a_file_is_written_for_people_to_read():
    lines = write(WAVE).splitlines()
    assert lines[0] == FIRST
    assert lines[-4:] == [
        COLUMNS,
        "about\tastir\t0.97\t120",
        "about\taround\t0.03\t3.5",
        "in front of\tsuccessful beforehand of\t0.6\t4",
    ]


@pytest.mark.parametrize(
    "table",
    [
        FamilyTable("Wave"),
        FamilyTable("element"),
        FamilyTable("wave", date="two\nlines"),
        FamilyTable("wave", date=" behind a blank"),
        FamilyTable("wave", habits=("one; two",)),
        FamilyTable("wave", more=(("date", "twice"),)),
        FamilyTable("wave", more=(("A key", "that is none"),)),
        FamilyTable("wave", licence="\ud83d"),
        FamilyTable("wave", entries=(Entry("of", "by", math.nan, 1),)),
        FamilyTable("wave", entries=(Entry("of", "by", 1.5, 1),)),
        FamilyTable("wave", entries=(Entry("of", "by", 0.5, math.inf),)),
        FamilyTable("wave", entries=(Entry("of", "by\tfor", 0.5, 1),)),
        FamilyTable("wave", entries=(Entry("of", "by", 0.7, 1), Entry("of", "for", 0.7, 1))),
    ],
)
def test_what_could_not_be_read_again_is_not_written(table):
    with pytest.raises(FamilyError, match="would be no file"):
        write(table)


def test_a_digest_is_that_of_all_that_a_family_says():
    assert families.digest(WAVE) == families.digest(FamilyTable(*_values(WAVE)))
    others = [FamilyTable("wave"), FamilyTable("wave", date="2026"), FamilyTable("ripple")]
    assert len({families.digest(table) for table in (WAVE, *others)}) == 4


def _values(table):
    return [getattr(table, name) for name in FamilyTable.__dataclass_fields__]


# --- names


def test_a_family_is_found_by_its_path_or_among_the_user_s_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "unspin" / "families"
    mine.mkdir(parents=True)
    (mine / "wave.tsv").write_text(FILE)
    assert families.directory() == mine
    assert find("wave") == mine / "wave.tsv"
    (tmp_path / "wave").write_text(FILE)
    assert find("wave") == Path("wave")
    assert find(str(mine / "wave.tsv")) == mine / "wave.tsv"
    for name in ("ripple", "ripple.tsv", "no/ripple.tsv", "../wave"):
        with pytest.raises(FamilyError, match=f"{re.escape(name)}: no such file"):
            find(name)


@pytest.mark.parametrize("data", ["", "relative/folder"])
def test_the_user_s_own_families_are_below_the_home_directory(tmp_path, monkeypatch, data):
    monkeypatch.setenv("XDG_DATA_HOME", data)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert families.directory() == tmp_path / ".local" / "share" / "unspin" / "families"


def test_no_family_is_called_what_unspin_knows_already():
    shipped = {name for name in Thesaurus(MODEL / "channel.bin").names if _is_name(name)}
    assert shipped | {UNKNOWN_FAMILY} == TAKEN


def _is_name(name):
    return families._NAME.fullmatch(name)


def test_the_channel_has_room_for_the_phrases_of_a_family():
    assert MAX_WORDS <= PHRASE


# --- several families


def family(name, *entries, **others):
    return FamilyTable(name, entries=tuple(Entry(*entry) for entry in entries), **others)


def test_merged_counts_add_up_and_probabilities_are_those_of_all_pages():
    one = family("one", ("of", "by", 1.0, 30), ("at", "to", 0.5, 1))
    two = family("two", ("of", "by", 0.5, 5), ("of", "for", 0.5, 5))
    assert merge([one, two], "both").entries == (
        Entry("at", "to", 0.5, 1),
        Entry("of", "by", 35 / 40, 35),
        Entry("of", "for", 5 / 40, 5),
    )


def test_a_family_merged_with_nothing_stays_what_it_was():
    again = merge([WAVE], "moby-wave")
    assert again.habits == WAVE.habits
    assert again.more == WAVE.more
    for merged, before in zip(again.entries, WAVE.entries, strict=True):
        assert merged == pytest.approx(before) if merged[:2] == before[:2] else False


@given(tables(), tables(), tables())
def test_any_families_of_one_language_merge_into_one_that_can_be_written(one, two, three):
    some = [table for table in (one, two, three) if table.language == one.language]
    merged = merge(some, "all")
    assert {e[:2] for e in merged.entries} == {e[:2] for table in some for e in table.entries}
    total = sum(e.count for table in some for e in table.entries)
    assert sum(e.count for e in merged.entries) == pytest.approx(total)
    assert write(merged)


def test_what_merged_families_are_is_what_holds_of_all():
    one = family("one", habits=("inflects", "spares capitals"), date="2026-01", licence="CC0-1.0")
    two = family("two", habits=("spares capitals",), date="2026-11", licence="CC-BY-4.0")
    merged = merge([one, two, one], "both")
    assert (merged.name, merged.habits, merged.date) == ("both", ("spares capitals",), "2026-11")
    assert merged.licence == "CC0-1.0 AND CC-BY-4.0"


def test_families_of_two_languages_do_not_merge():
    with pytest.raises(FamilyError, match=r"of one language are merged, not of \['de', 'en'\]"):
        merge([family("one"), family("two", language="de")], "both")
    with pytest.raises(FamilyError, match="'Both' is no name"):
        merge([family("one")], "Both")


def test_a_comparison_weighs_pairs_by_how_often_they_were_seen():
    one = family("one", ("of", "by", 1.0, 9), ("at", "to", 1.0, 1))
    two = family("two", ("of", "by", 1.0, 3), ("at", "for", 0.7, 2), ("in", "on", 1.0, 1))
    found = compare(one, two)
    assert (found.pairs, found.shared) == ((2, 3), 1)
    assert (found.in_other, found.in_one, found.overlap) == (0.9, 0.5, 0.7)
    assert found.disagree == (Disagreement("at", "to", "for"),)


def test_families_without_counts_are_compared_by_their_probabilities():
    one = family("one", ("of", "by", 0.9, 0), ("of", "for", 0.1, 0))
    assert compare(one, family("two", ("of", "by", 1.0, 0))).in_other == pytest.approx(0.9)
    assert compare(one, family("none")).overlap == 0


@given(tables(), tables())
def test_a_comparison_is_the_same_from_either_side(one, other):
    found, back = compare(one, other), compare(other, one)
    assert (found.pairs, found.shared) == (back.pairs[::-1], back.shared)
    assert (found.in_other, found.in_one) == (back.in_one, back.in_other)
    assert {(d.original, d.other, d.one) for d in found.disagree} == {*back.disagree}
    if one.entries:
        same = compare(one, one)
        assert (same.overlap, same.disagree) == (pytest.approx(1), ())
