"""Who is quoted, with which words: exact offsets, no words too many, no speaker made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.pages import Passage, extract
from unspin.quotations import MIN_WORDS, find, restored
from unspin.reading import Edit, Reading
from unspin.speakers import attributed

LONG = "we lost more than half of it"  # long enough to be a quotation without a speaker


def words(text):
    return [quotation.printed for quotation in find(text)]


def said_by(text):
    return [(quotation.speaker, quotation.printed) for quotation in find(text)]


def edit(text, spun, original, confidence=0.9):
    start = text.index(spun)
    return Edit(start, start + len(spun), spun, original, confidence, (), "element")


# --- what is a quotation


@pytest.mark.parametrize(
    "text",
    [
        f'Pell: "{LONG}"',
        f"Pell: “{LONG}”",
        f"Pell: «{LONG}»",
        f"Pell: « {LONG} »",
        f"Pell: „{LONG}“",
        f"Pell: ‘‘{LONG}’’",
        f"Pell: ``{LONG}''",
        f'Pell: ""{LONG}""',
        f'Pell: “{LONG}"',
        f'Pell: "{LONG}”',
        f"Pell: ‘{LONG}’",
        f"Pell: '{LONG}', or so",
        f"(“{LONG}”)",
        f'"{LONG}"—nobody else did',
    ],
)
def test_every_usual_mark_makes_a_quotation(text):
    (quotation,) = find(text)
    assert quotation.printed == text[quotation.start : quotation.end] == LONG


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No marks at all.",
        "the so-called “gift” of his",
        "It was “a symbolic gesture”.",
        "“How to Win Friends and Influence People” sold well.",
        "He read “The Old Man and the Sea” twice.",
        "On “Meet the Press,” Mr Pell said nothing.",
        "“”, \"\", '', «» and “ ”",
        'a 6" pipe, a 5\'10" man and a 12" disc that he has',
        "Don't, won't, shan't: it's the workers' rights, 'tis so, and the '90s boys' too",
        "rock 'n' roll for all of the boys and all of the girls' friends",
        'מנכ"ל צה"ל וגם דו"ח',
    ],
)
def test_scare_quotes_titles_and_apostrophes_are_none(text):
    assert find(text) == ()


def test_a_few_words_are_a_quotation_where_someone_speaks_them():
    assert said_by("“Never,” he said. “Never.”") == [("he", "Never,"), ("he", "Never.")]
    assert said_by("“With hate!” the guard shouted.") == [("the guard", "With hate!")]
    assert said_by("“NO! I won’t,” wrote Pell.") == [("Pell", "NO! I won’t,")]
    short = " ".join(LONG.split()[: MIN_WORDS - 1])
    assert find(f"“{short}”") == ()


def test_a_quotation_within_a_quotation_is_part_of_it():
    for text in (
        f"“He said ‘no, never,’ and {LONG}”",
        f"‘He said “no, never,” and {LONG},’ she added.",
        f'“He said "no, never," and {LONG}”',
        f'"He said “no, never,” and {LONG}"',
    ):
        assert [text[1 : 1 + len(printed)] for printed in words(text)] == words(text)
        assert len(find(text)) == 1


def test_apostrophes_end_no_quotation():
    assert words(f"‘It’s the dog’s and {LONG},’ he said.") == [f"It’s the dog’s and {LONG},"]
    assert words("'I don't think that it's right,' he said.") == ["I don't think that it's right,"]
    assert words(f"the 'boys “{LONG}, boys',” he said") == [f"{LONG}, boys',"]


def test_white_space_inside_the_marks_is_not_quoted():
    (quotation,) = find(f"“ \t{LONG} ” he said")
    assert (quotation.start, quotation.printed) == (3, LONG)


def test_a_mark_that_is_missing_costs_no_more_than_its_paragraph():
    text = f"He said: “{LONG}.\nThe town waits.\n“{LONG} again,” said Pell.\nNo more”."
    assert words(text) == [f"{LONG}.", f"{LONG} again,"]
    assert words(f"no more.” It closed. “{LONG}”") == [LONG]
    assert words(f"“{LONG}. “{LONG} again.”") == [f"{LONG}.", f"{LONG} again."]


def test_a_quotation_runs_over_the_lines_of_a_wrapped_paragraph():
    text = (
        "The mayor of the town told everyone that “we have lost\n"
        "more than half of it and it will not come back before the\nwinter” and left.\n"
    )
    assert words(text) == [
        "we have lost\nmore than half of it and it will not come back before the\nwinter"
    ]
    # Where a short line stands among them, these lines are paragraphs.
    assert words(f"KELMOUTH\n{text}") == []


def test_quotations_in_furniture_are_left_out():
    text = f"“{LONG},” said Pell.\n“{LONG} again,” said Share This.\n“{LONG}.”"
    line = text.split("\n")[1]
    start = text.index(line)
    furniture = (Passage(start, start + len(line), line, "share line"),)
    assert [quotation.printed for quotation in find(text, (), furniture)] == [
        f"{LONG},",
        f"{LONG}.",
    ]


def test_emoji_and_other_scripts_move_no_offset():
    text = f"🙂🙂 “🙂 {LONG}” \u200f“אנחנו נלך לשם מחר בבוקר מוקדם”\u200f"
    assert [text[quotation.start : quotation.end] for quotation in find(text)] == words(text)
    assert words(text)[0] == f"🙂 {LONG}"


# --- who speaks


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“{},” said Nora Pell, who runs a bakery.", "Nora Pell"),
        ("“{},” said the engineer in charge.", "the engineer"),
        ("“{},” says former mayor Ian de Vries.", "Ian de Vries"),
        ("“{},” said Mr. J. R. O’Brien of Kelmouth.", "Mr. J. R. O’Brien of Kelmouth"),
        ("“{},” he said.", "he"),
        ("“{}?” she asked.", "she"),
        ("“{}” – Pell added.", "Pell"),
        ("“{}”, Pell told Radio Kelmouth.", "Pell"),
        ("“{},” Ada Finch, a member of the group, told reporters.", "Ada Finch"),
        ("“{},” Sen. Ada Finch (R-Ky.) said.", "Sen. Ada Finch"),
        ("“{},” the group’s lawyer later wrote.", "the group’s lawyer"),
        ("“{},” according to Ada Finch, a nurse.", "Ada Finch"),
        ("“{},” police said.", "police"),
        ("Pell said: “{}”", "Pell"),
        ("On Monday Pell said, “{}”", "Pell"),
        ("Doe, the minister, told reporters in Kyiv that “{}”", "Doe"),
        ("But a spokesman for the town said on Friday: “{}”", "a spokesman for the town"),
        ("The bridge is open, he said, but “{}”", None),
        ("According to the council, “{}”", "the council"),
        ("“{}.” Nora Pell said no more.", None),
        ("Trump said Clinton was wrong to claim that “{}”", None),
        ("It said nothing. A sign: “{}”", None),
        ("“{}”", None),
    ],
)
def test_the_speaker_is_whom_the_sentence_names(text, speaker):
    assert said_by(text.format(LONG))[0][0] == speaker


def test_the_speaker_goes_on_after_the_attribution():
    text = f"“{LONG},” said Mr. Pell, a baker. “{LONG} again.” It rained. “{LONG} still.”"
    assert [speaker for speaker, _ in said_by(text)] == ["Mr. Pell", "Mr. Pell", None]
    other = f"“{LONG},” said Pell. Finch differs: “{LONG}!”"
    assert [speaker for speaker, _ in said_by(other)] == ["Pell", None]


def test_a_speech_of_several_paragraphs_has_one_speaker():
    first = f"Pell said: “{LONG}.\n\n“{LONG} again.\n\n“{LONG} still.”\n\n“{LONG} ever.”"
    assert [speaker for speaker, _ in said_by(first)] == ["Pell", "Pell", "Pell", None]
    last = f"“{LONG}.\n“{LONG} again.\n“{LONG} still,” said Pell."
    assert [speaker for speaker, _ in said_by(last)] == ["Pell"] * 3


def test_the_speaker_is_found_by_a_verb_that_was_put_back():
    text = "“We privation more,” aforesaid Nora Pell."
    edits = [edit(text, "privation", "want"), edit(text, "aforesaid", "said")]
    assert [quotation.speaker for quotation in find(text)] == []
    (quotation,) = find(text, edits)
    assert (quotation.speaker, quotation.restored) == ("Nora Pell", "We want more,")


def test_a_verb_that_an_edit_took_away_still_names_the_speaker():
    text = f"“{LONG},” said Nora Pell."
    (quotation,) = find(text, [edit(text, "said", "glad")])
    assert quotation.speaker == "Nora Pell"


def test_a_pronoun_is_put_back_with_the_page():
    text = f"“{LONG},” helium said."
    (quotation,) = find(text, [edit(text, "helium", "he")])
    assert quotation.speaker == "he"


@given(st.text(), st.text(), st.text())
def test_a_speaker_stands_in_the_text(before, quoted, after):
    speaker = attributed(f"{before} said: ", quoted, f" said {after}")
    assert speaker is None or speaker.split()[0] in before + after


# --- what was said


def test_the_edits_inside_are_made_and_told():
    text = "“We privation it,” said Pell. “It is not much to ask.” Privation."
    edits = [edit(text, "privation", "want"), edit(text, "Privation", "Want")]
    first, second = find(text, edits)
    assert (first.printed, first.restored, first.altered) == (
        "We privation it,",
        "We want it,",
        True,
    )
    assert (second.restored, second.altered) == (second.printed, False)


def test_an_edit_across_a_mark_puts_no_word_into_a_mouth():
    text = f"He told “us {LONG}” again."
    (across_start,) = find(text, [edit(text, "told “us", "warned “them")])
    assert (across_start.restored, across_start.altered) == (f" {LONG}", True)
    (across_end,) = find(text, [edit(text, "it” again", "this” anew")])
    assert across_end.restored == f"us {LONG}".removesuffix("it")
    assert restored("abc", [Edit(0, 3, "abc", "x", 0.9, (), "")], 1, 2) == ""


@st.composite
def pages(draw):
    """Texts full of marks, names and verbs of speech, with edits here and there."""
    marks = ["“", "”", '"', "‘", "’", "'", "«", "»", " ", "\n", "\n\n", ", ", ". "]
    said = [
        "we",
        "go",
        "to",
        " said ",
        "Nora Pell",
        "he",
        " told ",
        " that ",
        "according to ",
        "🙂",
    ]
    parts = st.sampled_from([*marks, *said])
    text = "".join(draw(st.lists(parts, max_size=60)))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    edits = [
        Edit(start, end, text[start:end], draw(st.sampled_from(["x", "said", "“"])), 0.9, (), "")
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return text, tuple(edits)


@given(pages())
def test_quotations_lie_in_the_text_in_order_and_in_the_restored_text(page):
    text, edits = page
    furniture = extract(text).furniture if extract(text).text == text else ()
    reading = Reading("spun", 0.9, 0.5, 0.1, 9, None, text, edits, (), furniture, "drawn")
    reached = 0
    for quotation in reading.quotations:
        assert reached <= quotation.start < quotation.end <= len(text)
        reached = quotation.end
        assert quotation.printed == text[quotation.start : quotation.end]
        assert quotation.printed == quotation.printed.strip()
        assert quotation.restored in reading.text
        assert quotation.altered == (quotation.restored != quotation.printed)
        for line in furniture:
            assert quotation.end <= line.start or line.end <= quotation.start


@given(st.text(), st.text())
def test_marks_elsewhere_change_no_quotation_of_another_paragraph(before, after):
    text = f"“{LONG} now,” said Nora Pell."
    shown = said_by(f"{before}\n\n{text}\n\n{after}")
    assert any(printed == f"{LONG} now," for _, printed in shown)


@pytest.mark.parametrize(
    "part",
    ['"', '" ', "“", '“"', "'", "''", "‘a’, ", '"a ', '"a" said the ', "according to a ", "\n"],
)
def test_a_page_of_nothing_but_marks_is_done_with(part):
    # Quadratic work on as much would outlast the patience of anyone who runs the tests.
    assert find(part * (200_000 // len(part))) == ()
