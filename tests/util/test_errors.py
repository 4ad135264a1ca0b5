"""What ends a program with one line, and what with a traceback."""

import errno

import pytest
import torch

from util.errors import UserError, command_line


def run(error):
    @command_line
    def main():
        raise error

    main()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("photo.jpg: no such file"), "error: photo.jpg: no such file\n"),
        (OSError(errno.ENOSPC, "No space left on device", "log.txt"), "error: log.txt: the disk is full; "),
        (FileExistsError(errno.EEXIST, "File exists", "out"), "error: out: File exists; give another "),
        (PermissionError(errno.EACCES, "Permission denied", "x/y"), "error: x/y: Permission denied; give "),
        (MemoryError(), "error: out of memory; "),
        (torch.OutOfMemoryError("CUDA out of memory"), "error: out of memory; "),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded", "log.txt"),
            "error: log.txt: your quota on this disk is used",
        ),
        (
            OSError(errno.EIO, "Input/output error", "log.txt"),
            "error: log.txt: the disk can't be read or written",
        ),
        (
            OSError(errno.ESTALE, "Stale file handle", "log.txt"),
            "error: log.txt: the network folder has gone",
        ),
        # As PyTorch words them, seen with /dev/shm of 1 MB and without g++.
        (
            RuntimeError(
                "unable to allocate shared memory(shm) for file </torch_1_2_0>: No space left on device"
            ),
            "error: too little shared memory for the processes that load photos; give --num_threads 0, or",
        ),
        (
            RuntimeError(
                "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's "
                "workers are out of shared memory. Please try to raise your shared memory limit."
            ),
            "error: too little shared memory",
        ),
        (
            RuntimeError(
                "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx"
            ),
            "error: --compile: no C++ compiler was found; install one",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "error: out of memory; "),
    ],
)
def test_mendable_errors_are_one_line(error, message, capsys):
    with pytest.raises(SystemExit) as caught:
        run(error)
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(message)
    assert shown.count("\n") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(errno.EINVAL, "Invalid argument", "x")])
def test_other_errors_keep_their_traceback(error):
    with pytest.raises(type(error)):
        run(error)
