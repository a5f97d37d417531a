"""Readings and pages that several rooms are tested with."""

import pytest

from unspin.pages import Passage
from unspin.reading import Edit, Family, Reading, Suspect

SOURCE = "We meet astatine noon, helium said.\nShare this\nBring h2o & <b>bread</b>."


@pytest.fixture
def spun():
    """A spun page of three lines: two edits, a suspect, a line of furniture, and markup."""
    return Reading(
        verdict="spun",
        probability=0.998,
        llr_per_word=0.91,
        rate=0.25,
        words=11,
        family=Family("element", {"element": 0.9, "synonym": 0.1}),
        source_text=SOURCE,
        edits=(
            Edit(8, 16, "astatine", "at", 0.97, (("on", 0.02),), "element: synonym"),
            Edit(23, 29, "helium", "he", 0.6, (("she", 0.3),), "element: synonym"),
        ),
        suspects=(Suspect(53, 56, "h2o", 0.4),),
        furniture=(Passage(36, 46, "Share this", "share line"),),
        reason="substitution explains the text better than its being printed so",
    )


@pytest.fixture
def clean():
    """A clean page of one line."""
    return Reading(
        verdict="clean",
        probability=0.003,
        llr_per_word=-0.2,
        rate=0.0,
        words=4,
        family=None,
        source_text="We meet at noon.",
        edits=(),
        suspects=(),
        furniture=(),
        reason="the text explains itself as printed",
    )


@pytest.fixture
def empty():
    """A page without text."""
    return Reading("unsure", 0.5, 0.0, 0.0, 0, None, "", (), (), (), "no text to read")
