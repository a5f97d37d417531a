"""What a reading promises: its edits replay to its text, and its JSON is the agreed one."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unspin
from unspin.pages import Passage
from unspin.reading import Edit, Family, Part, Reading, Suspect, compose, moved, replay
from unspin.tortured import Finding

TEXT = "We meet astatine noon, helium said. Share this"
EDITS = (
    Edit(8, 16, "astatine", "at", 0.97, (("on", 0.02),), "element: synonym"),
    Edit(23, 29, "helium", "he", 0.6, (("she", 0.3), ("helium", 0.05)), "element: synonym"),
)


def reading(text=TEXT, edits=EDITS, **changes):
    values = {
        "verdict": "spun",
        "probability": 0.998,
        "llr_per_word": 0.91,
        "rate": 0.25,
        "words": 8,
        "family": Family("element", {"element": 0.9, "synonym": 0.1}),
        "source_text": text,
        "edits": edits,
        "suspects": (Suspect(3, 7, "meet", 0.4),),
        "furniture": (Passage(36, 46, "Share this", "share line"),),
        "reason": "substitution explains the text better than its being printed so",
    }
    return Reading(**{**values, **changes})


@st.composite
def edited(draw, text):
    """A text's edits: sorted, apart from each other, something for something."""
    cuts = draw(st.lists(st.integers(0, len(text)), unique=True, max_size=12).map(sorted))
    spans = [span for span in pairwise(cuts) if draw(st.booleans())]
    return [
        Edit(
            start,
            end,
            text[start:end],
            draw(st.text(min_size=1, max_size=4)),
            draw(st.floats(0, 1)),
            (),
            "drawn",
        )
        for start, end in spans
    ]


@st.composite
def two_passes(draw):
    text = draw(st.text(max_size=30))
    first = draw(edited(text))
    second = draw(edited(replay(text, first)))
    return text, first, second


def test_replaying_the_edits_gives_the_text():
    assert reading().text == "We meet at noon, he said. Share this"
    assert reading().apply() == reading().text


def test_a_reading_without_edits_returns_the_text_as_it_came():
    assert reading(edits=()).text == TEXT


@pytest.mark.parametrize(
    "edits",
    [
        (Edit(8, 16, "arsenic!", "as", 0.9, (), "element"),),
        (Edit(40, 60, "e this", "x", 0.9, (), "element"),),
        (EDITS[1], EDITS[0]),
        (EDITS[0], EDITS[0]),
        (Edit(8, 8, "", "at", 0.9, (), "element"),),
    ],
)
def test_edits_that_do_not_lie_on_the_text_are_refused(edits):
    with pytest.raises(ValueError, match="does not fit"):
        reading(edits=edits)


def test_a_higher_confidence_turns_edits_into_suspects():
    cautious = reading().at_confidence(0.9)
    assert cautious.edits == EDITS[:1]
    assert [(s.spun, s.start) for s in cautious.suspects] == [("meet", 3), ("helium", 23)]
    # he or she: that the word was substituted is surer than either of the two
    assert cautious.suspects[1].confidence == pytest.approx(0.9)
    assert cautious.text == "We meet at noon, helium said. Share this"


def test_confidence_changes_nothing_but_edits_and_suspects():
    before, after = reading().to_dict(), reading().at_confidence(0.9).to_dict()
    assert {key for key in before if before[key] != after[key]} == {"text", "edits", "suspects"}


def test_the_json_has_the_agreed_shape_and_order():
    printed = json.loads(reading().to_json())
    assert printed == {
        "unspin": unspin.__version__,
        "verdict": "spun",
        "probability": 0.998,
        "llr_per_word": 0.91,
        "rate": 0.25,
        "words": 8,
        "family": {"name": "element", "weights": {"element": 0.9, "synonym": 0.1}},
        "source_text": TEXT,
        "text": "We meet at noon, he said. Share this",
        "edits": [
            {
                "start": 8,
                "end": 16,
                "spun": "astatine",
                "original": "at",
                "confidence": 0.97,
                "alternatives": [["on", 0.02]],
                "reason": "element: synonym",
            },
            {
                "start": 23,
                "end": 29,
                "spun": "helium",
                "original": "he",
                "confidence": 0.6,
                "alternatives": [["she", 0.3], ["helium", 0.05]],
                "reason": "element: synonym",
            },
        ],
        "suspects": [{"start": 3, "end": 7, "spun": "meet", "confidence": 0.4}],
        "parts": [],
        "findings": [],
        "quotations": [],
        "furniture": [{"start": 36, "end": 46, "text": "Share this", "reason": "share line"}],
        "reason": "substitution explains the text better than its being printed so",
    }
    assert list(printed) == list(reading().to_dict())


def test_the_json_has_every_quotation_as_printed_and_as_restored():
    text = "“We meet astatine noon,” helium said."
    edits = tuple(moved((EDITS[0],), 1)) + tuple(moved((EDITS[1],), 2))
    spun = reading(text=text, edits=edits, suspects=(), furniture=())
    printed = json.loads(spun.to_json())
    assert printed["quotations"] == [
        {
            "start": 1,
            "end": 23,
            "speaker": "he",
            "printed": "We meet astatine noon,",
            "restored": "We meet at noon,",
            "altered": True,
        }
    ]
    keys = list(printed)
    assert keys[keys.index("suspects") : keys.index("reason")] == [
        "suspects",
        "parts",
        "findings",
        "quotations",
        "furniture",
    ]


def test_the_json_has_the_verdict_on_every_part_and_every_finding():
    parts = (Part(0, 22, "spun", 0.99), Part(23, 35, "unsure", 0.6))
    finding = Finding(3, 16, "meet astatine", "met at", 0.9, "on a list")
    printed = json.loads(reading(parts=parts, findings=(finding,)).to_json())
    assert printed["parts"] == [
        {"start": 0, "end": 22, "verdict": "spun", "probability": 0.99},
        {"start": 23, "end": 35, "verdict": "unsure", "probability": 0.6},
    ]
    assert printed["findings"] == [
        {
            "start": 3,
            "end": 16,
            "printed": "meet astatine",
            "expected": "met at",
            "probability": 0.9,
            "reason": "on a list",
        }
    ]
    keys = ["start", "end", "printed", "expected", "probability", "reason"]
    assert list(printed["findings"][0]) == keys
    assert list(printed["parts"][0]) == ["start", "end", "verdict", "probability"]


def test_a_higher_confidence_leaves_parts_and_findings_alone():
    parts = (Part(0, 22, "spun", 0.99),)
    findings = (Finding(3, 16, "meet astatine", "met at", 0.9, "on a list"),)
    cautious = reading(parts=parts, findings=findings).at_confidence(1.0)
    assert (cautious.parts, cautious.findings) == (parts, findings)


def test_an_edit_that_is_not_made_alters_no_quotation():
    (quotation,) = (
        reading(
            text="“We meet astatine noon,” he said.",
            edits=tuple(moved((EDITS[0],), 1)),
            suspects=(),
            furniture=(),
        )
        .at_confidence(0.99)
        .quotations
    )
    assert (quotation.restored, quotation.altered) == (quotation.printed, False)


def test_a_reading_comes_back_from_what_it_told():
    parts = (Part(0, 22, "spun", 0.99), Part(23, 35, "unsure", 0.6))
    findings = (Finding(3, 16, "meet astatine", "met at", 0.9, "on a list"),)
    for whole in (
        reading(suspects=(), parts=parts, findings=findings),
        reading(family=None),
        reading(edits=()),
        reading(text="", edits=(), suspects=(), furniture=()),
    ):
        assert Reading.from_dict(whole.to_dict()) == whole
        assert Reading.from_dict(json.loads(whole.to_json())) == whole


def test_what_follows_from_the_rest_is_not_asked_for():
    told = reading().to_dict()
    for derived in ("unspin", "text", "quotations"):
        del told[derived]
    assert Reading.from_dict(told) == reading()
    assert Reading.from_dict({**told, "text": "another"}).text == reading().text


def test_edits_may_have_been_changed_since():
    told = reading().to_dict()
    told["edits"] = [{**told["edits"][0], "original": "on"}]
    assert Reading.from_dict(told).text == "We meet on noon, helium said. Share this"


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "perhaps"},
        {"edits": None},
        {"edits": [{"start": 8}]},
        {"edits": [{**reading().to_dict()["edits"][0], "alternatives": [["on"]]}]},
        {"edits": [{**reading().to_dict()["edits"][0], "more": 1}]},
        {"edits": [{**reading().to_dict()["edits"][0], "start": "8"}]},
        {"suspects": [{"start": 3, "end": 7, "spun": "noon", "confidence": 0.4}]},
        {"suspects": [{"start": -4, "end": -1, "spun": "thi", "confidence": 0.4}]},
        {"suspects": [{"start": 3, "end": 7, "spun": "meet", "confidence": 0.4}] * 2},
        {"suspects": [{"start": 3, "end": 3, "spun": "", "confidence": 0.4}]},
        {"furniture": [{"start": 36, "end": 46, "text": "Share that", "reason": "share line"}]},
        {"parts": [{"start": 0, "end": 999, "verdict": "spun", "probability": 0.9}]},
        {"parts": [{"start": 9, "end": 3, "verdict": "spun", "probability": 0.9}]},
        {"family": {"name": "element"}},
        {"source_text": "Another text."},
        {"source_text": None},
        {"parts": [{"start": 0, "end": 9, "verdict": "perhaps", "probability": 0.9}]},
    ],
)
def test_what_does_not_fit_together_is_refused(changes):
    with pytest.raises(ValueError, match=r"fit|lie|shape|has no|verdict|unpack"):
        Reading.from_dict({**reading().to_dict(), **changes})


EDIT = reading().to_dict()["edits"][0]
FINDING = {"start": 3, "end": 7, "printed": "meet", "expected": "met", "reason": "on a list"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_text": 5, "edits": [], "suspects": [], "furniture": []}, "source_text"),
        ({"probability": "a"}, "probability"),
        ({"probability": True}, "probability"),
        ({"llr_per_word": None}, "llr_per_word"),
        ({"rate": [0.25]}, "rate"),
        ({"words": 8.5}, "words"),
        ({"reason": None}, "reason"),
        ({"edits": [{**EDIT, "original": 5}]}, "original"),
        ({"edits": [{**EDIT, "confidence": "0.9"}]}, "confidence"),
        ({"edits": [{**EDIT, "reason": b""}]}, "reason"),
        ({"edits": [{**EDIT, "alternatives": [["on", "0.02"]]}]}, "alternatives"),
        ({"edits": [{**EDIT, "alternatives": [[5, 0.02]]}]}, "alternatives"),
        ({"edits": [{**EDIT, "alternatives": ["on"]}]}, "alternatives"),
        ({"suspects": [{"start": 3, "end": 7, "spun": "meet", "confidence": "a"}]}, "confidence"),
        ({"furniture": [{"start": 36, "end": 46, "text": "Share this", "reason": 1}]}, "reason"),
        ({"parts": [{"start": 0, "end": 9, "verdict": "spun", "probability": ""}]}, "probability"),
        ({"parts": [{"start": 0.5, "end": 9, "verdict": "spun", "probability": 1}]}, "start"),
        ({"findings": [{**FINDING, "probability": None}]}, "probability"),
        ({"family": {"name": 5, "weights": {}}}, "name"),
        ({"family": {"name": "element", "weights": {"element": "a"}}}, "weights"),
        ({"family": {"name": "element", "weights": {5: 0.9}}}, "weights"),
    ],
)
def test_what_is_of_another_type_is_refused_by_its_name(changes, field):
    with pytest.raises(ValueError, match=f"the reading is of another shape: {field} "):
        Reading.from_dict({**reading().to_dict(), **changes})


def test_what_is_missing_is_named():
    told = reading().to_dict()
    del told["suspects"]
    with pytest.raises(ValueError, match="the reading has no 'suspects'"):
        Reading.from_dict(told)


def test_a_reading_without_a_family_prints_null():
    assert json.loads(reading(family=None).to_json())["family"] is None


@given(st.text())
def test_any_text_becomes_json_that_can_be_encoded(text):
    text += "\ud800"
    printed = reading(text=text, edits=(), suspects=(), furniture=()).to_json()
    assert "\n" not in printed
    # Two halves that happen to stand side by side mean one character to a JSON reader.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(printed.encode())["source_text"] == whole


@given(two_passes())
def test_composed_edits_do_what_two_passes_do(passes):
    text, first, second = passes
    composed = compose(first, second)
    assert replay(text, composed) == replay(replay(text, first), second)
    # and they are edits that a reading accepts
    reading(text=text, edits=composed, suspects=(), furniture=())
    assert all(edit.spun != edit.original for edit in composed)


@given(two_passes())
def test_a_pass_composed_with_nothing_is_itself(passes):
    _, first, _ = passes
    changing = tuple(edit for edit in first if edit.spun != edit.original)
    assert compose(first, []) == compose([], first) == changing


def test_edits_that_meet_become_one_with_the_lowest_confidence():
    first = [Edit(3, 11, "astatine", "at", 0.9, (("on", 0.1),), "element")]
    again = [Edit(3, 5, "at", "by", 0.8, (), "synonym")]
    wider = [Edit(3, 10, "at wage", "at work", 0.95, (), "synonym")]
    assert compose(first, again) == (Edit(3, 11, "astatine", "by", 0.8, (("on", 0.1),), "element"),)
    assert compose(first, wider) == (Edit(3, 16, "astatine wage", "at work", 0.9, (), "element"),)


def test_a_second_pass_that_takes_an_edit_back_leaves_none():
    first = [Edit(0, 8, "astatine", "at", 0.9, (), "element")]
    assert compose(first, [Edit(0, 2, "at", "astatine", 0.8, (), "synonym")]) == ()
