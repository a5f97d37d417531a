"""The public surface: complete, sorted, cheap to import."""

import subprocess
import sys
from pathlib import Path

import pytest

import unspin

ROOT = Path(__file__).parents[1]


def test_every_public_name_is_there():
    assert all(getattr(unspin, name) is not None for name in unspin.__all__)
    assert dir(unspin) == unspin.__all__


def test_the_public_names_are_sorted_and_lack_none():
    assert unspin.__all__ == sorted(unspin.__all__)
    assert set(unspin.__all__) == {*unspin._ROOMS, "__version__", "read"}


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'unspun'"):
        _ = unspin.unspun


def test_importing_the_package_imports_none_of_its_rooms():
    code = "import sys, unspin; print(*[m for m in sys.modules if m.startswith('unspin.')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b""


def test_reading_a_page_needs_neither_numpy_nor_cython():
    code = (
        "import sys, unspin, unspin.render, unspin.report; unspin.read('<p>Noon, he said.</p>');"
        "print(*{'numpy', 'Cython'} & sys.modules.keys())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b""


def test_the_package_is_typed():
    assert (ROOT / "src" / "unspin" / "py.typed").exists()
