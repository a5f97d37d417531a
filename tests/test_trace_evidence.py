"""Claims about `unspin.trace.evidence`: what makes an article the source of a page."""

import json

import pytest

from unspin.arrays import ModelError
from unspin.reader import MODEL
from unspin.trace.evidence import Belief, Evidence
from unspin.trace.tracer import BELIEF


@pytest.fixture(scope="module")
def belief():
    return Belief.read(MODEL / BELIEF)


def test_a_whole_copy_is_believed(belief):
    assert belief.probability(Evidence(400, 396, 398)) > 0.99


def test_a_shared_quotation_is_not(belief):
    assert belief.probability(Evidence(400, 40, 40)) < 0.1


def test_nothing_in_common_is_no_evidence(belief):
    assert belief.probability(Evidence(400, 0, 0)) == 0.0


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (Evidence(400, 300, 320), Evidence(400, 200, 220)),
        (Evidence(400, 300, 310), Evidence(400, 300, 400)),
        (Evidence(400, 300, 310), Evidence(40, 30, 31)),
    ],
    ids=["more of the page", "whole sentences", "a longer page"],
)
def test_a_source_has_more_of_a_page_in_whole_sentences(belief, more, less):
    assert belief.probability(more) > belief.probability(less)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"source": 1}', '{"source": ["x"]}', '{"source": [1, 2]}']
)
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / BELIEF
    path.write_text(text)
    with pytest.raises(ModelError, match=BELIEF):
        Belief.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=BELIEF):
        Belief.read(tmp_path / BELIEF)


def test_what_is_written_is_read_again(tmp_path):
    belief = Belief((1.0, 2.0, 3.0, 4.5))
    belief.write(tmp_path / BELIEF)
    assert Belief.read(tmp_path / BELIEF) == belief
    assert json.loads((tmp_path / BELIEF).read_text()) == {"source": [1.0, 2.0, 3.0, 4.5]}
