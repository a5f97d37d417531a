"""Arrays in one file: what was written comes back, and a bad file is named."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import arrays
from unspin.arrays import MAGIC, ModelError

META = {"sources": ["synonym", "hypernym"], "prior": [0.25, 0.75]}
COLUMNS = {
    "words": b"new\ncaller",
    "weights": array("b", [-128, 127]),
    "number": array("H", [0, 65_535]),
    "first": array("I", [0, 2**32 - 1]),
    "p": array("f", [0.5, 1e-30]),
    "none": array("H"),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "numbers.bin"
    arrays.write(path, "channel", META, COLUMNS)
    return path


def refusal(path, kind="channel"):
    """The message with which a file is refused; it always names the file."""
    with pytest.raises(ModelError) as refused:
        arrays.read(path, kind)
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_what_was_written_comes_back(path):
    meta, columns = arrays.read(path, "channel")
    assert meta == META
    assert {name: column.tolist() for name, column in columns.items()} == {
        name: list(column) for name, column in COLUMNS.items()
    }
    assert [column.format for column in columns.values()] == ["B", "b", "H", "I", "f", "H"]


@given(st.dictionaries(st.text(max_size=5), st.lists(st.integers(0, 2**16 - 1)), max_size=4))
def test_arrays_of_any_length_and_name_come_back(tmp_path_factory, columns):
    path = tmp_path_factory.mktemp("arrays") / "numbers.bin"
    arrays.write(path, "any", {}, {name: array("H", column) for name, column in columns.items()})
    found = arrays.read(path, "any").arrays
    assert {name: column.tolist() for name, column in found.items()} == columns


def test_every_array_is_aligned(path):
    # An array of four-byte numbers at an odd address is slow on some machines, fatal on others.
    raw = path.read_bytes()
    for column in (column for column in COLUMNS.values() if len(column)):
        assert raw.index(bytes(memoryview(column).cast("B"))) % 64 == 0


def test_the_same_numbers_make_the_same_file(path, tmp_path):
    again = tmp_path / "again.bin"
    arrays.write(again, "channel", META, COLUMNS)
    assert again.read_bytes() == path.read_bytes()


def test_a_file_that_could_not_be_written_leaves_the_old_one(path):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        arrays.write(path, "channel", META, {**COLUMNS, "bad": memoryview(b"abcd")[::2]})
    assert path.read_bytes() == before


def test_nothing_stands_under_the_name_before_all_is_written(tmp_path):
    path = tmp_path / "numbers.bin"
    with pytest.raises(TypeError):
        arrays.write(path, "channel", META, {**COLUMNS, "bad": memoryview(b"abcd")[::2]})
    assert not path.exists()


# --- files that are refused


def test_a_missing_file_is_answered_with_what_to_do(tmp_path):
    assert "missing: install unspin again" in refusal(tmp_path / "numbers.bin")


def test_an_array_that_a_file_lacks_is_named_with_the_file(path):
    found = arrays.read(path, "channel").arrays
    with pytest.raises(ModelError, match="another version") as lacking:
        found["topics"]
    assert str(path) in str(lacking.value)
    assert "topics" in str(lacking.value)
    assert "topics" not in found


def test_a_folder_or_an_empty_file_cannot_be_read(tmp_path):
    empty = tmp_path / "empty.bin"
    empty.touch()
    assert "cannot be read" in refusal(empty)
    assert "cannot be read" in refusal(tmp_path)


def test_a_file_of_another_kind_says_what_it_holds(path):
    assert "holds channel, not language model" in refusal(path, "language model")


@pytest.mark.parametrize("content", [b"x", b"\x7fELF" * 100, b"unspin arrays 2\n" + bytes(100)])
def test_any_other_file_is_no_model_file(tmp_path, content):
    path = tmp_path / "numbers.bin"
    path.write_bytes(content)
    assert "not a model file of this version" in refusal(path)


def test_a_file_cut_short_anywhere_is_refused(path):
    raw = path.read_bytes()
    for size in range(1, len(raw), 5):
        path.write_bytes(raw[:size])
        message = refusal(path)
        assert "cut short" in message or "damaged" in message or "not a model file" in message


def test_a_file_that_goes_on_too_long_is_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    refusal(path)


def test_any_damage_to_the_header_is_noticed(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 4], "little")
    for position in range(len(MAGIC) + 8 + length):
        path.write_bytes(raw[:position] + bytes([raw[position] ^ 0x40]) + raw[position + 1 :])
        message = refusal(path)
        assert "damaged" in message or "not a model file" in message


def test_a_model_whose_bytes_changed_is_named(tmp_path):
    arrays.write(tmp_path / "lm.bin", "language model", {}, {"p1": array("f", [0.5, 0.25])})
    arrays.seal(tmp_path)
    arrays.verify(tmp_path)
    content = bytearray((tmp_path / "lm.bin").read_bytes())
    content[-1] ^= 1
    (tmp_path / "lm.bin").write_bytes(content)
    with pytest.raises(ModelError, match=r"lm\.bin is damaged"):
        arrays.verify(tmp_path)


@pytest.mark.parametrize("checksums", ["", "[]", '{"lm.bin": 1}'])
def test_checksums_that_say_nothing_are_no_proof(tmp_path, checksums):
    (tmp_path / arrays.CHECKSUMS).write_text(checksums)
    with pytest.raises(ModelError):
        arrays.verify(tmp_path)
