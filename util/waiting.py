"""How PyTorch's threads wait for each other where other programs want the processors too. Imports no PyTorch."""

import os

# Programs that run, as a share of the processors, from which on a thread is likely to have none of its own.
BUSY = 0.5


def sleep_when_busy() -> None:
    """Let threads sleep while they wait, if other programs keep the processors busy now; before PyTorch is imported.

    GNU's OpenMP lets them spin for milliseconds at the end of each operation. With a processor for each that saves
    time; without, they hold up the very thread that they wait for. `OMP_WAIT_POLICY`, where it is set, decides.
    """
    if hasattr(os, "getloadavg") and os.getloadavg()[0] >= BUSY * (os.cpu_count() or 1):
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
