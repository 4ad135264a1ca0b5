"""How PyTorch's threads wait for each other, so that other programs on the machine hurt little. Imports no PyTorch."""

import os

# Programs that run, as a share of the processors, from which on a thread is likely to have none of its own.
BUSY = 0.5
# Turns of a waiting thread before it sleeps, some microseconds. GNU's OpenMP takes 300,000 otherwise, longer than the
# processor's turn at another program.
TURNS = "1000"


def wait_shortly() -> None:
    """Let threads spin only shortly while they wait, not at all where other programs run; before PyTorch is imported.

    A thread that spins is awake at once when its turn comes. But it holds up the very thread that it waits for where
    the two have one processor. `OMP_WAIT_POLICY` and `GOMP_SPINCOUNT`, where they are set, decide.
    """
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    if hasattr(os, "getloadavg") and os.getloadavg()[0] >= BUSY * (os.cpu_count() or 1):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    else:
        os.environ["GOMP_SPINCOUNT"] = TURNS
