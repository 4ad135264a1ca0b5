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
