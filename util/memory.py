"""How the C library keeps memory that NumPy, OpenCV and PyTorch have freed. Imports none of them."""

import ctypes
import sys

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8

# Bytes: what is larger goes back to the system when it is freed. Just below the most that glibc allows.
LARGE = 30_000_000


def keep_freed_memory() -> None:
    """Let arrays of up to `LARGE` bytes take memory that others have freed, whatever the thread.

    Left alone, glibc gives it back to the system time and again, which then has to clear each page anew: a third of all
    page faults of a photo through a lens. Without glibc nothing changes.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(M_MMAP_THRESHOLD, LARGE)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    # One heap for all threads: what one frees, another can have.
    mallopt(M_ARENA_MAX, 1)
