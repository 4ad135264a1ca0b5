"""Signals, a closed pipe and a closed terminal as requests to stop, in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from util.interrupt import StopRequest

ROOT = Path(__file__).parents[2]

# Prints until asked to stop, then saves; the last line goes to an output that may be closed.
LOOP = """
import sys, time
from pathlib import Path
from util.errors import command_line
from util.interrupt import StopRequest

@command_line
def main():
    with StopRequest() as stop:
        for step in range(100_000):
            print("step", step)
            print("bar", step, file=sys.stderr)
            if stop.signal_name:
                break
        Path(sys.argv[1]).write_text(stop.signal_name)
        print("stopped and saved")

main()
"""


def start(saved, **streams):
    command = [sys.executable, *streams.pop("flags", []), "-c", LOOP, str(saved)]
    return subprocess.Popen(command, cwd=ROOT, **streams)


@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_a_closed_pipe_asks_to_stop(tmp_path, flags):
    process = start(
        tmp_path / "saved", flags=flags, stdout=subprocess.PIPE, stderr=(tmp_path / "err").open("w")
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert (tmp_path / "saved").read_text() == "a closed standard output"
    assert "Traceback" not in (tmp_path / "err").read_text()
    assert "BrokenPipeError" not in (tmp_path / "err").read_text()


def test_a_closed_terminal_asks_to_stop(tmp_path):
    """The kernel sends SIGHUP, and writing to the terminal fails from then on."""
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    ours, its = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)

    process = start(tmp_path / "saved", stdin=its, stdout=its, stderr=its, preexec_fn=take_terminal)
    os.close(its)
    os.read(ours, 100)
    os.close(ours)
    assert process.wait(60) == 0
    assert (tmp_path / "saved").read_text() in ("SIGHUP", "a closed standard output")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_hangup_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.signal_name
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_programs_end_quietly_when_nobody_reads_them():
    program = (
        "import util.errors as e\n@e.command_line\ndef main():\n    for n in range(100_000): print(n)\nmain()"
    )
    for flags in ([], ["-u"]):
        process = subprocess.Popen(
            [sys.executable, *flags, "-c", program],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
