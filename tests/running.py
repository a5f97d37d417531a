"""Commands with workers, which tests start in order to kill them or their workers."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from unspin.scan.manifest import PATIENCE


def start(command):
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def after(running, seconds):
    """Wait until a command has run for so long, or has ended; returns the ids of its workers."""
    with suppress(subprocess.TimeoutExpired):
        running.wait(seconds)
    return workers_of(running)


def workers_of(running):
    """The ids of the workers of a command; none if it has ended."""
    try:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if b"spawn_main" in command_line(child)]


def command_line(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(process):
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def end(running):
    """Kill a command, but not its workers."""
    with running:
        kill(running.pid)
        running.communicate()


def end_all(running):
    """Kill a command with its workers."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    end(running)


def assert_gone(processes):
    """No worker outlives its parent for longer than the next run would wait for it."""
    ends = time.monotonic() + PATIENCE
    while running := [process for process in processes if command_line(process)]:
        assert time.monotonic() < ends, f"still running: {running}"
        time.sleep(0.02)


def moments(seed, count, seconds):
    """Moments spread over the length of a run, one in each part of it."""
    chance = random.Random(seed)
    return [(part + chance.random()) * seconds / count for part in range(count)]
