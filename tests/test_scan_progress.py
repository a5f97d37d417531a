"""Progress of a scan: bounded, in few words, and silent where nobody looks."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.scan.job import Advance
from unspin.scan.progress import progress, told

ADVANCES = """
import sys
from unspin.scan.job import Advance
from unspin.scan.progress import progress

with progress(2, 2_000_000) as advance:
    advance(Advance(shards=1, bytes=1_000_000, documents=1_200, found=7))
    print("result")
    print("told", file=sys.stderr)
    advance(Advance(shards=1, bytes=1_000_000, documents=300, found=1))
"""


def test_it_is_quiet_where_standard_error_is_no_terminal(capfd):
    with progress(2, 10) as advance:
        advance(Advance(shards=1, bytes=5, documents=3, found=1))
    assert capfd.readouterr() == ("", "")


def test_it_is_quiet_even_where_colour_is_forced(capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(2, 10) as advance:
        advance(Advance(shards=2, bytes=10))
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_terminal_sees_the_last_state_and_results_stay_on_standard_output():
    seen, terminal = os.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.run(
        [sys.executable, "-c", ADVANCES],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=environment,
        check=True,
    )
    os.close(terminal)
    shown = os.read(seen, 100_000).decode()
    os.close(seen)
    assert process.stdout == b"result\n"
    assert "told" in shown
    assert "2 of 2 shards  2.0 MB of 2.0 MB" in shown
    assert "1,500 documents, 8 spun" in shown


def test_what_looks_for_nothing_counts_documents_alone():
    assert told(Advance(1, 5, 3), 1, 5, 1, found="")[1].endswith("3 documents")
    assert told(Advance(1, 5, 3, 2), 1, 5, 1, "with a source")[1].endswith(
        "3 documents, 2 with a source"
    )


def test_the_time_left_is_what_the_rate_so_far_makes_of_the_bytes_left():
    first, second = told(Advance(1, 250_000_000, 1, 1), 4, 1_000_000_000, 50)
    assert first == "25 %  0:02:30 left"
    assert second == "1 of 4 shards  250.0 MB of 1.0 GB  5.0 MB/s  1 document, 1 spun"


def test_no_time_left_is_told_before_the_rate_can_be_known():
    assert told(Advance(), 4, 100, 0)[0] == " 0 %  -:--:-- left"
    assert told(Advance(), 4, 100, 500)[0] == " 0 %  -:--:-- left"
    assert told(Advance(bytes=1), 4, 100, 0.1)[0] == " 1 %  -:--:-- left"


def test_a_scan_is_done_when_its_shards_are_whatever_their_sizes_were_thought_to_be():
    assert told(Advance(3, 10), 4, 5, 60)[0].startswith("99 %")
    assert told(Advance(4, 10), 4, 500, 60)[0] == "100 %  0:01:00 taken"
    assert told(Advance(1), 4, 0, 60)[0] == "25 %  0:03:00 left"
    assert told(Advance(), 0, 0, 0)[0] == "100 %  0:00:00 taken"


@given(st.builds(Advance, *[st.integers(0, 10**18)] * 4), st.integers(0, 10**9), st.integers(0))
def test_any_state_can_be_told(come, shards, size):
    assert all(line.isprintable() for line in told(come, shards, size, 7.5))
