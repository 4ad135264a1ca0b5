"""Errors that a user can cause and fix: shown as one line, without a traceback."""

import errno
import functools
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import ParamSpec, TypeVar

from util.output import end_output

P = ParamSpec("P")
R = TypeVar("R")

# A file where a folder should be, or the other way round; no permission; a name that the disk can't hold.
PATH_ERRORS = frozenset(
    (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)
)


# What a disk, a quota or a network folder can refuse, and what to do.
DISK_ERRORS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your quota on this disk is used up; free some space, or choose another folder,",
    errno.EFBIG: "larger than files may be here; choose another folder, or raise the limit (ulimit -f),",
    errno.EIO: "the disk can't be read or written (input/output error); check it",
    errno.ESTALE: "the network folder has gone away (stale file handle); mount it again",
}

# Modules that only some need -> the extra of pyproject.toml that brings them.
EXTRAS = {
    "ai_edge_litert": "masks",
    "tensorflow": "masks",
    "onnxruntime": "masks",
    "lpips": "figures",
    "torch_fidelity": "figures",
    "onnx": "export",
    "onnxscript": "export",
    "tf2onnx": "studio",
    "visdom": "dashboard",
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "trackio": "trackio",
    "safetensors": "hub",
    "huggingface_hub": "hub",
    "playwright": "dev",
    "webdataset": "dev",
}


def missing_package(module: str) -> str:
    """What to do about a `module` of `EXTRAS`, or a part of one, that is not installed."""
    package = module.partition(".")[0]
    return f"{package} is not installed; run: pip install -e '.[{EXTRAS[package]}]'"


class UserError(Exception):
    """Something the user can fix. The message is one line that names the file or option and what to do."""


class PhotoError(UserError):
    """What a user asks for can't be done with this photo; it may be with others."""


class SomeFailed(UserError):
    """Some of many files could not be done, and all others are: exit status 1."""


def is_of_the_disk(error: BaseException) -> bool:
    """Whether `error`, or what it was raised from, is a disk's that would refuse the next file too."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and (cause.errno in DISK_ERRORS or cause.errno in PATH_ERRORS):
            return True
        cause = cause.__cause__
    return False


def say(text: str) -> None:
    """A line on stderr that does not tear a progress bar apart."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def command_line(main: Callable[P, R]) -> Callable[P, R]:
    """Decorate a program's `main`: what a user can fix ends it with `error: ...` on stderr and exit status 2.

    That is every `UserError`, and a full disk or memory or a path that can't be used, wherever in the program it
    shows. Ctrl-C ends it with one line too, and the shell's status for it, 130. Who closes its output, as `| head`
    does, knows that it ends; it does so without a word, with status 1.
    """

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if isinstance(sys.stdout, TextIOWrapper):
            # Names of files that are no UTF-8 are shown with the bytes they have.
            sys.stdout.reconfigure(errors="surrogateescape")
        try:
            result = main(*args, **kwargs)
            # Else what can't be printed would come up at the end of Python, too late for a plain ending.
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            print("\nstopped; the same command goes on from here", file=sys.stderr)
            raise SystemExit(130) from None
        except BrokenPipeError as error:
            if not end_output(error):
                raise
            raise SystemExit(1) from None
        except Exception as error:
            message = str(error) if isinstance(error, UserError) else _of_the_machine(error)
            if not message:
                raise
            print(f"error: {message}", file=sys.stderr)
            raise SystemExit(1 if isinstance(error, SomeFailed) else 2) from None

    return wrapper


def in_words(error: Exception) -> str:
    """`error` in a line that says what to do, where it is the machine's or a package is missing; else its message."""
    return _of_the_machine(error) or str(error)


def of_the_setup(error: BaseException) -> str:
    """One line if `error` says that the system lacks what PyTorch needs, for any photo, else an empty string."""
    text = str(error)
    if "shared memory" in text:
        return (
            "too little shared memory for the processes that load photos; give --num_threads 0, or start the "
            "container with more of it: docker run --shm-size 8g"
        )
    if "No working C++ compiler found" in text or "Failed to find C compiler" in text:
        return "--compile: no C++ compiler was found; install one (Debian: apt-get install g++) or leave out --compile"
    return ""


def _of_the_machine(error: Exception) -> str:
    """One line if `error` says that disk or memory is full, a path can't be used or the system lacks something.

    Else an empty string.
    """
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in EXTRAS:
        return missing_package(error.name or "")
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return f"{error.filename or 'writing'}: {DISK_ERRORS[error.errno]} and run the same command again"
    if isinstance(error, OSError) and error.errno in PATH_ERRORS and error.filename:
        return f"{error.filename}: {error.strerror}; give another file or folder, or change its permissions"
    # PyTorch's own class for a GPU, and its plain RuntimeError for the CPU; torch is not imported for a name.
    if (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate" in str(error)
    ):
        return "out of memory; use a smaller --crop_size or --batch_size in training, smaller photos at test"
    return of_the_setup(error)
