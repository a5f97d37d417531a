"""Reading whole texts with the model that ships: what changes, what never does, what comes back.

The cases are in tests/cases: `negative.json` are ordinary texts that must come back as they are,
`hard-clean.json` texts that are no more spun but look it, `synthetic.json` spun ones with what
they said before, `known-failures.json` the names of those that fail, so that an improvement is
noticed.
"""

import json
import math
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.arrays import ModelError, seal
from unspin.calibration import Calibration
from unspin.families import Entry, FamilyError, FamilyTable
from unspin.lattice import LEAST_KEPT
from unspin.pages import extract
from unspin.reader import CALIBRATION, MODEL, Reader
from unspin.reading import replay
from unspin.text import protected_spans

TESTS = Path(__file__).parent
EXAMPLES = TESTS.parent / "examples"

CASES = {
    name: {case["label"]: case for case in json.loads((TESTS / "cases" / name).read_text("utf-8"))}
    for name in ("negative.json", "hard-clean.json", "synthetic.json", "known-failures.json")
}
CLEAN = CASES["negative.json"] | CASES["hard-clean.json"]


def cases(name):
    """The labels of a file's cases, those that are known to fail marked as such."""
    failures = {
        label: case["comment"]
        for label, case in CASES["known-failures.json"].items()
        if case["source"] == name
    }
    assert failures.keys() <= CASES[name].keys()
    return [
        pytest.param(label, marks=pytest.mark.xfail(reason=failures[label]))
        if label in failures
        else label
        for label in CASES[name]
    ]


@pytest.fixture(scope="module")
def reader():
    return Reader()


@pytest.fixture(scope="module")
def eager():
    """A reader that makes every edit it can think of, where there is most to go wrong."""
    return Reader(min_confidence=0.0)


# --- any text

SENTENCES = (
    "We person nary different mode to get home, and nary 1 volition accidental however long.",
    "Helium was present astatine noon, but helium indispensable spell backmost earlier nighttime.",
    "The institution says that it whitethorn beryllium weeks earlier the boats travel again.",
    "He paid 30 coins, 2 of them aged, connected 24/02/2022 successful Kyiv, said @kyiv_post.",
    "See https://example.org/caller/astatine?or=oregon oregon mail astatine@oregon.example.org.",
    "Run `bash caller` erstwhile, past `tin astatine`; NATO and the U.S. volition person galore.",
    "“Galore radical,” said Igor Sokol, “deliberation that H2o and v2.0 are the aforesaid.”",
    "From adjacent period the library volition beryllium unfastened connected Saturdays until 4.",
    "El puente que los vecinos piden para la ciudad no es nuevo.",
    "Sedang Trending 3 bulan yang lalu 6",
    "if (caller == astatine) { return successful; }",
    "The road that runs along the river was closed for two days after the storm.",
)
noise = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=12),
    st.sampled_from(
        ["\n", "\n\n", "\r\n", "\u2028", "\ud83d", "\u202eabc\u202c", "e\u0301", "\0", "```", "<b>"]
    ),
)
texts = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=80),
    st.lists(st.one_of(st.sampled_from(SENTENCES), noise), max_size=14).map(" ".join),
    st.lists(st.sampled_from(SENTENCES), min_size=4, max_size=14).map("\n\n".join),
)
some = settings(max_examples=60, deadline=None)


@some
@given(texts)
def test_replaying_the_edits_gives_the_text(eager, text):
    reading = eager.read(text)
    assert replay(reading.source_text, reading.edits) == reading.apply() == reading.text


@some
@given(texts)
def test_offsets_index_the_extracted_text(eager, text):
    reading = eager.read(text)
    assert reading.source_text == extract(text).text
    for part in (*reading.edits, *reading.suspects):
        assert reading.source_text[part.start : part.end] == part.spun
    for passage in reading.furniture:
        assert reading.source_text[passage.start : passage.end] == passage.text
    for before, after in pairwise(reading.edits):
        assert before.end <= after.start


@some
@given(texts)
def test_protected_spans_and_furniture_never_change(eager, text):
    reading = eager.read(text)
    untouched = protected_spans(reading.source_text)
    untouched += [(passage.start, passage.end) for passage in reading.furniture]
    for edit in reading.edits:
        for start, end in untouched:
            assert edit.end <= start or end <= edit.start, (edit, reading.source_text[start:end])


@some
@given(texts)
def test_only_a_spun_page_is_edited(reader, text):
    reading = reader.read(text)
    if reading.verdict != "spun":
        assert reading.edits == ()
        assert reading.text == reading.source_text
    if reading.verdict == "clean":
        assert reading.suspects == ()
        assert all(part.verdict != "spun" for part in reading.parts)


@some
@given(texts)
def test_parts_are_apart_in_order_and_of_whole_words(reader, text):
    reading = reader.read(text)
    assert len(reading.parts) != 1, "a page of one part is its own part"
    for part in reading.parts:
        assert 0 <= part.start < part.end <= len(reading.source_text)
        assert 0 <= part.probability <= 1
        printed = reading.source_text[part.start : part.end]
        assert printed == printed.strip()
    for before, after in pairwise(reading.parts):
        assert "\n" in reading.source_text[before.end : after.start]


@some
@given(texts)
def test_what_a_page_has_for_evidence_is_a_number_and_no_word_weighs_too_much(reader, text):
    evidence = reader.evidence(text)
    assert evidence.words >= 0
    assert 0 <= evidence.per_word <= -math.log(LEAST_KEPT)


def test_each_block_of_a_long_page_has_slots_of_its_own(reader, monkeypatch):
    page = extract(SENTENCES[-1] + "\n\n" + SENTENCES[-1])
    whole = reader.doubts(page)
    monkeypatch.setattr("unspin.reader.BLOCK", 20)
    apart = reader.doubts(page)
    half = len(whole) // 2
    slots = [doubt.slot for _, doubt in whole[:half]]
    assert [doubt.slot for _, doubt in whole] == slots + slots
    assert [doubt.slot for _, doubt in apart] == slots + [slot + max(slots) + 1 for slot in slots]


@some
@given(texts)
def test_restoring_a_restored_text_changes_nothing(eager, text):
    restored = eager.read(text).text
    assert eager.read(restored).edits == ()


@some
@given(texts)
def test_the_numbers_are_what_they_say(eager, text):
    reading = eager.read(text)
    assert 0 <= reading.probability <= 1
    assert 0 <= reading.rate <= 1
    assert reading.reason
    for edit in reading.edits:
        assert eager.min_confidence <= edit.confidence <= 1
        assert edit.spun != edit.original
        assert edit.reason
        confidences = [confidence for _, confidence in edit.alternatives]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)
        assert edit.confidence + sum(confidences) <= 1 + 1e-6
    json.loads(reading.to_json())


# --- texts of which nothing can be told


@pytest.mark.parametrize("text", ["", " \n", "astatine", "!", "\ud800", "\0", "👋🏽", "1 2 3 4"])
def test_of_next_to_nothing_nothing_can_be_told(reader, text):
    reading = reader.read(text)
    assert reading.verdict == "unsure"
    assert (reading.text, reading.edits) == (text, ())


@pytest.mark.parametrize(
    "line",
    [
        "El puente que los vecinos piden para la ciudad no es nuevo, pero más barato que el otro.",
        "Jembatan itu akan dibuka pada hari Sabtu dan tidak untuk mobil, kata yang punya.",
        "Die Brücke ist nicht mit dem Auto zu erreichen, und das wird auch so bleiben.",
        "Most na reke budet otkryt v subbotu, no ne dlya mashin: мост откроется в субботу утром.",
        "הגשר ייפתח ביום שבת בבוקר, אבל לא למכוניות.",
        "الجسر سيفتح صباح يوم السبت ولكن ليس للسيارات",
        "橋は土曜日の朝に開きますが、車は通れません。",
    ],
)
def test_another_language_is_never_edited(eager, line):
    text = "\n".join([line] * 12)
    reading = eager.read(text)
    assert reading.verdict != "spun"
    assert reading.text == text


def test_a_line_in_another_language_stays_as_it_is_on_a_spun_page(reader):
    other = "Sedang Trending 3 bulan yang lalu 6"
    spun = CASES["synthetic.json"]["ferry strike"]["text"]
    reading = reader.read(f"{spun}\n\n{other}\n\n{spun}")
    assert reading.verdict == "spun"
    assert other in reading.text


def test_right_to_left_text_and_lone_surrogates_stay_inside_a_restored_page(reader):
    spun = CASES["synthetic.json"]["ferry strike"]["text"]
    strange = "\u202eשלום\u202c \ud83d e\u0301"
    reading = reader.read(f"{spun} {strange}\n\n{spun}")
    assert reading.edits
    assert strange in reading.text
    json.loads(reading.to_json())


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "." * 100_000,
        "helium astatine " * 5_000,
        "caller\n" * 5_000,
        "caller," * 5_000,
    ],
    ids=lambda text: f"{len(text)} of {text[:8]!r}",
)
def test_hostile_text_is_read(reader, text):
    reading = reader.read(text)
    assert replay(reading.source_text, reading.edits) == reading.text


# --- the page that ships


def test_the_demo_page_is_spun_and_its_original_is_clean(reader):
    page = reader.read((EXAMPLES / "demo.html").read_bytes())
    assert page.verdict == "spun"
    assert page.family.name == "element"
    original = (EXAMPLES / "demo-original.txt").read_text("utf-8")
    reading = reader.read(original)
    assert reading.verdict == "clean"
    assert reading.text == original


def test_the_demo_page_reads_like_its_original(reader):
    page = reader.read((EXAMPLES / "demo.html").read_bytes())
    original = (EXAMPLES / "demo-original.txt").read_text("utf-8")
    assert distance(page.text, original) < distance(page.source_text, original) / 5


# --- cases


@pytest.mark.parametrize("label", cases("negative.json") + cases("hard-clean.json"))
def test_an_ordinary_text_comes_back_as_it_is(reader, label):
    text = CLEAN[label]["text"]
    reading = reader.read(text)
    assert reading.verdict != "spun", reading.edits
    assert reading.text == text


@pytest.mark.parametrize("label", cases("synthetic.json"))
def test_a_spun_text_comes_back_as_it_was(reader, label):
    case = CASES["synthetic.json"][label]
    assert reader.read(case["text"]).text == case["restored"]


@pytest.mark.parametrize("label", CASES["synthetic.json"])
def test_a_spun_text_is_found_and_nearly_all_of_it_put_back(reader, label):
    case = CASES["synthetic.json"][label]
    reading = reader.read(case["text"])
    assert (reading.verdict, reading.family.name) == ("spun", "element")
    assert distance(reading.text, case["restored"]) <= distance(case["text"], case["restored"]) / 5


@pytest.mark.parametrize("label", CASES["synthetic.json"])
def test_what_a_spun_text_said_before_is_clean(reader, label):
    assert reader.read(CASES["synthetic.json"][label]["restored"]).verdict == "clean"


def distance(text, original):
    """Words of the one that are not those of the other, in order."""
    both = SequenceMatcher(None, text.split(), original.split(), autojunk=False)
    codes = both.get_opcodes()
    return sum(max(b - a, d - c) for tag, a, b, c, d in codes if tag != "equal")


# --- pages that are spun in part, and pages that quote what is spun

CLEAN_PARAGRAPHS = (EXAMPLES / "demo-original.txt").read_text("utf-8").split("\n\n")
UNQUOTED = [paragraph for paragraph in CLEAN_PARAGRAPHS if "“" not in paragraph]


def one_line(label):
    """A spun text without the quotations and the lines in it."""
    text = CASES["synthetic.json"][label]["text"]
    return " ".join(text.replace("“", "").replace("”", "").split())


def test_of_a_page_with_one_spun_paragraph_that_paragraph_is_spun(reader):
    spun = one_line("ferry strike")
    others = [CLEAN[label]["text"] for label in ("encyclopaedia entry", "newspaper obituary")]
    text = "\n\n".join([*CLEAN_PARAGRAPHS[:6], spun, *CLEAN_PARAGRAPHS[6:], *others])
    reading = reader.read(text)
    assert reading.verdict != "clean"
    (found,) = [part for part in reading.parts if part.verdict == "spun"]
    assert text[found.start : found.end] == spun
    assert found.probability > max(p.probability for p in reading.parts if p is not found)
    assert all(part.verdict == "clean" for part in reading.parts if part is not found)
    judged = [*reading.edits, *reading.suspects]
    inside = [one for one in judged if found.start <= one.start and one.end <= found.end]
    assert len(inside) > 0.9 * len(judged) > 5


def test_every_part_of_a_spun_page_is_spun_and_of_a_clean_one_clean(reader):
    page = reader.read((EXAMPLES / "demo.html").read_bytes())
    assert {part.verdict for part in page.parts} == {"spun"}
    original = reader.read("\n\n".join(CLEAN_PARAGRAPHS))
    assert {part.verdict for part in original.parts} == {"clean"}
    assert len(page.parts) > 3
    assert len(original.parts) > 3


def test_a_page_of_one_paragraph_has_no_parts(reader):
    assert reader.read(one_line("ferry strike")).parts == ()
    assert reader.read("").parts == ()


@pytest.mark.parametrize("labels", [["ferry strike"], ["ferry strike", "council vote", "lost dog"]])
def test_what_a_page_quotes_does_not_make_it_spun(reader, labels):
    quoted = [
        f"Another page reads: “{one_line(label)}” Nobody writes like that." for label in labels
    ]
    text = "\n\n".join([*UNQUOTED[:4], *quoted, *UNQUOTED[4:]])
    bare = "\n\n".join([*UNQUOTED[:4], *map(one_line, labels), *UNQUOTED[4:]])
    reading = reader.read(text)
    assert reading.verdict != "spun"
    assert (reading.edits, reading.text) == ((), text)
    assert reading.probability < 0.5 < reader.read(bare).probability


def test_a_page_with_nothing_beside_a_quotation_is_judged_by_it(reader):
    assert reader.read(f"“{one_line('ferry strike')}”").verdict == "spun"


# --- tortured phrases

TORTURED = "We apply counterfeit consciousness to scans, and colossal information to the rest."


@pytest.fixture(scope="module")
def scientific():
    return Reader(science=True)


def test_tortured_phrases_are_found_only_where_they_were_asked_for(reader, scientific):
    assert reader.read(TORTURED).findings == ()
    reading = scientific.read(TORTURED)
    assert [(f.printed, f.expected) for f in reading.findings] == [
        ("counterfeit consciousness", "artificial intelligence"),
        ("colossal information", "big data"),
    ]
    for found in reading.findings:
        assert reading.source_text[found.start : found.end] == found.printed
        assert 0 < found.probability < 1
        assert found.reason


def test_tortured_phrases_have_no_say_in_the_verdict(reader, scientific):
    spun = CASES["synthetic.json"]["ferry strike"]["text"]
    clean = (EXAMPLES / "demo-original.txt").read_text("utf-8")
    for text in (f"{spun}\n\n{TORTURED}", f"{clean}\n\n{TORTURED}"):
        found = scientific.read(text)
        assert len(found.findings) == 2
        assert replace(found, findings=()) == reader.read(text)


def test_nothing_is_found_in_furniture(scientific):
    page = f"<p>{' '.join(CLEAN_PARAGRAPHS)}</p><p>Read more: Counterfeit consciousness in town</p>"
    reading = scientific.read(page)
    assert any("Counterfeit" in line.text for line in reading.furniture)
    assert reading.findings == ()


# --- settings


def test_a_word_is_put_back_from_a_confidence_of_one_half(reader):
    assert reader.min_confidence == 0.5
    text = CASES["synthetic.json"]["how to prune"]["text"]
    assert all(edit.confidence >= 0.5 for edit in reader.read(text).edits)


def test_another_calibration_takes_the_place_of_the_models(reader):
    text = CASES["synthetic.json"]["ferry strike"]["text"]
    fitted = Calibration.read(MODEL / CALIBRATION)
    never = replace(fitted, page=(-30.0, 0.0, 0.0, 0.0))
    assert reader.read(text).verdict == "spun"
    assert Reader(calibration=never).read(text).verdict == "clean"
    assert Reader(calibration=fitted).read(text) == reader.read(text)


def test_the_evidence_is_what_the_probability_is_made_of(reader):
    text = CASES["synthetic.json"]["how to prune"]["text"].replace("“", "").replace("”", "")
    evidence = reader.evidence(text)
    assert evidence.words > 50
    fitted = Calibration.read(MODEL / CALIBRATION)
    assert reader.read(text).probability == fitted.spun(evidence)


def test_a_higher_confidence_makes_fewer_edits_and_more_suspects():
    text = CASES["synthetic.json"]["how to prune"]["text"]
    few, many = Reader(min_confidence=0.99).read(text), Reader(min_confidence=0.5).read(text)
    assert len(few.edits) < len(many.edits)
    assert len(few.suspects) > len(many.suspects)
    assert all(edit.confidence >= 0.99 for edit in few.edits)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_is_a_probability(confidence):
    with pytest.raises(ValueError, match="not between 0 and 1"):
        Reader(min_confidence=confidence)


def test_a_missing_or_damaged_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"lm\.bin is missing"):
        Reader(model=tmp_path)
    for name in ("lm.bin", "channel.bin"):
        (tmp_path / name).write_bytes((MODEL / name).read_bytes())
    whole = (tmp_path / "channel.bin").read_bytes()
    (tmp_path / "channel.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"channel\.bin is cut short"):
        Reader(model=tmp_path)
    (tmp_path / "channel.bin").write_bytes(whole)
    seal(tmp_path)
    with pytest.raises(ModelError, match=r"calibration\.json cannot be read"):
        Reader(model=tmp_path)
    (tmp_path / CALIBRATION).write_bytes((MODEL / CALIBRATION).read_bytes())
    Reader(model=tmp_path)
    with pytest.raises(ModelError, match=r"tortured\.bin is missing"):
        Reader(model=tmp_path, science=True)


def test_a_spinner_whose_table_is_unknown_is_still_found():
    text = "\n\n".join(case["text"] for case in CASES["synthetic.json"].values())
    reading = Reader(without=["element", "element rule", "element orbit"]).read(text)
    assert reading.verdict == "spun"
    assert len(reading.edits) > 50


def test_the_same_page_is_read_alike_every_time(reader):
    text = CASES["synthetic.json"]["council vote"]["text"]
    assert reader.read(text) == reader.read(text) == Reader().read(text)


# --- families that the model does not know


@pytest.fixture(scope="module")
def tidal_reader(tide):
    return Reader(families=[tide])


def test_words_of_no_thesaurus_come_back_with_the_family_that_prints_them(
    reader, tidal_reader, tidal
):
    spun, original = tidal
    assert reader.read(spun).verdict == "clean"
    reading = tidal_reader.read(spun)
    assert (reading.verdict, reading.family.name) == ("spun", "tide")
    assert reading.text == original
    assert {edit.reason for edit in reading.edits} == {"tide"}
    phrases = {(e.spun, e.original) for e in reading.edits if " " in e.spun or " " in e.original}
    assert phrases == {("ower and aboon", "more than"), ("afore", "in front of")}


def test_a_page_is_judged_by_the_same_families_as_it_is_read(tidal_reader, tidal):
    judged, read = tidal_reader.judge(tidal[0]), tidal_reader.read(tidal[0])
    assert (judged.verdict, judged.family.name) == (read.verdict, read.family.name)


@pytest.mark.parametrize("label", CLEAN)
def test_a_family_makes_no_other_page_spun(reader, tidal_reader, label):
    reading, without = (r.read(CLEAN[label]["text"]) for r in (tidal_reader, reader))
    assert reading.verdict != "spun" or without.verdict == "spun"
    assert reading.family is None or reading.family.name != "tide"


def test_a_page_of_another_family_is_read_as_that(tidal_reader, reader):
    page = (EXAMPLES / "demo.html").read_bytes()
    reading = tidal_reader.read(page)
    assert (reading.verdict, reading.family.name) == ("spun", "element")
    assert reading.text == reader.read(page).text


def test_several_families_are_told_apart(tide, tidal):
    other = FamilyTable("ebb", entries=(Entry("that", "thilk", 1.0, 1),))
    for families in ([tide, other], [other, tide]):
        assert Reader(families=families).read(tidal[0]).family.name == "tide"


def test_families_that_cannot_be_used_together_are_refused(tide):
    with pytest.raises(FamilyError, match="two families called tide"):
        Reader(families=[tide, tide])


def test_tortured_phrases_are_looked_for_as_ever(tide):
    page = "Counterfeit consciousness and profound neural organization are used in hospitals."
    found = Reader(science=True).read(page).findings
    assert found
    assert Reader(science=True, families=[tide]).read(page).findings == found
