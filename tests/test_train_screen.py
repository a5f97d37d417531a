"""What the screen is taught by the pages that the lattice has read."""

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from train import screen as lessons  # noqa: E402
from unspin.calibration import Evidence  # noqa: E402
from unspin.screen import CELLS, DOUBT_UNIT, SCREEN, TOLD_UNIT  # noqa: E402

COMMON, TELLTALE, NEVER = 5, 900, 4000


def page(cells, doubts, evidence=0.1, clean=False):
    return lessons.Solved(np.array(cells), np.array(doubts), Evidence(evidence, 100), clean)


PAGES = [
    page([COMMON] * 30, [0.0] * 30, 0.01, clean=True),
    page([COMMON] * 20 + [TELLTALE], [0.0] * 20 + [0.5], 0.02, clean=True),
    page([COMMON] * 10 + [TELLTALE] * 10, [0.0] * 10 + [4.0] * 10, 0.4),
    page([COMMON] * 30, [0.0] * 30, 0.01),
]
CALLED = [False, False, True, False]


def test_words_tell_by_how_much_oftener_spun_pages_have_them():
    odds = lessons.odds(PAGES, CALLED)
    assert odds[TELLTALE] > 1.0
    assert odds[COMMON] < 0.0
    assert np.isfinite(odds).all()


def test_expected_doubt_is_the_mean_where_there_is_enough_to_go_by():
    expected = lessons.table(PAGES * 50)
    assert expected[TELLTALE] == pytest.approx(40.5 / 11, rel=0.05)
    assert expected[COMMON] == 0.0
    assert expected[NEVER] == 0.0
    assert expected.shape == (CELLS,)


def test_a_line_brings_looks_to_the_measure_of_the_lattice():
    seen = [lessons.Seen(0.0, 0.0, (page.evidence.per_word - 0.01) / 2) for page in PAGES]
    slope, intercept = lessons.line(seen, PAGES)
    assert (slope, intercept) == pytest.approx((2.0, 0.01))


def test_no_page_that_the_lattice_calls_spun_is_below_a_threshold():
    seen = [lessons.Seen(0.1 * i, 1.0 - 0.1 * i, 0.0) for i in range(5)]
    glanced, few = lessons.thresholds(seen, [False, False, True, True, False])
    assert (glanced, few) == pytest.approx((0.2, 0.7))


def test_tables_are_stored_in_units(tmp_path):
    from unspin import arrays

    telling, expected = np.zeros(CELLS), np.zeros(CELLS)
    telling[TELLTALE], expected[TELLTALE] = -1.0, 1.0
    telling[COMMON], expected[COMMON] = 1e9, 1e9
    lessons.write(tmp_path, telling, expected, {"glanced": 0.5})
    file = arrays.read(tmp_path / SCREEN, "screen")
    assert file.meta == {"glanced": 0.5}
    assert file.arrays["telling"][TELLTALE] * TOLD_UNIT == -1.0
    assert file.arrays["expected"][TELLTALE] * DOUBT_UNIT == 1.0
    assert (file.arrays["telling"][COMMON], file.arrays["expected"][COMMON]) == (127, 255)
    arrays.verify(tmp_path)
