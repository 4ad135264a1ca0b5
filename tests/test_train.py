"""train.py from the command line's point of view: resume, interruption, errors."""

import csv
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import train
from models.cycle_gan_model import CycleGANModel
from models.training_state import Progress
from options import TrainOptions
from util.checkpoint import load, load_state_dict

COMBINED = ["--add_mask", "--lambda_mask", "0.5"]
NETS = ("G_A", "G_B", "D_A", "D_B")


def weights(folder):
    return {name: load_state_dict(folder / f"latest_net_{name}.pth") for name in NETS}


def assert_same_weights(folder, other):
    for name, state in weights(folder).items():
        for key, value in load_state_dict(other / f"latest_net_{name}.pth").items():
            assert torch.equal(state[key], value), (name, key)


def interrupt_after(monkeypatch, steps, number=signal.SIGTERM):
    """Send this process a signal in the middle of the given step."""
    optimize = CycleGANModel.optimize_parameters
    count = 0

    def counting(self):
        nonlocal count
        count += 1
        if count == steps:
            signal.raise_signal(number)
        return optimize(self)

    monkeypatch.setattr(CycleGANModel, "optimize_parameters", counting)
    return lambda: count


@pytest.mark.parametrize("policy", ["linear", "plateau"])
def test_interrupted_and_resumed_equals_uninterrupted(run_flags, tmp_path, monkeypatch, capsys, policy):
    """Stopped in the middle of the second epoch; dropout, pool, optimizer and order all go on as they were."""
    flags = [*run_flags, *COMBINED, "--dropout", "--pool_size", "3", "--lr_policy", policy]
    train.main([*flags, "--name", "whole"])
    with monkeypatch.context() as patch:
        steps = interrupt_after(patch, 6)
        train.main([*flags, "--name", "parts"])
        assert steps() == 6
    parts = tmp_path / "checkpoints" / "parts"
    assert load(parts / "latest_state.pth")["progress"]["batches"] == 2
    assert "stopped by SIGTERM and saved; go on with: python train.py" in capsys.readouterr().out
    train.main(["--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "parts", "--continue_train"])
    assert_same_weights(tmp_path / "checkpoints" / "whole", parts)

    tables = [tmp_path / "checkpoints" / name / "losses.csv" for name in ("whole", "parts")]
    whole, again = ([dict(row, images_per_s="") for row in csv.DictReader(path.open())] for path in tables)
    assert whole == again
    assert [row["total_iters"] for row in whole] == ["2", "4", "6", "8", "10", "12"]


def test_killed_at_any_moment_leaves_a_state_to_resume_from(run_flags, tmp_path):
    """SIGKILL while the state is written after every step, at three different times."""
    folder = tmp_path / "checkpoints" / "run"
    flags = [*run_flags, "--save_latest_freq", "1", "--n_epochs", "500"]
    for extra in ([], ["--continue_train"], ["--continue_train"]):
        before = (folder / "latest_state.pth").stat().st_mtime_ns if extra else 0
        command = [sys.executable, "train.py", *flags, *extra]
        process = subprocess.Popen(command, cwd=Path(train.__file__).parent, stdout=subprocess.DEVNULL)
        while not (folder / "latest_state.pth").exists() or (
            (folder / "latest_state.pth").stat().st_mtime_ns == before
        ):
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.1 * len(extra))
        process.kill()
        process.wait()
        weights(folder)
        state = load(folder / "latest_state.pth")
        assert state["progress"]["total_iters"] > 0
    assert (folder / "latest_net_G_A.pth").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("steps", [1, 3])
def test_ended_by_name_with_its_workers_it_saves(run_flags, tmp_path, steps):
    """As `pkill -f train.py` does: every process gets the signal, wherever in a step they are."""
    table = tmp_path / "checkpoints" / "run" / "losses.csv"
    flags = [*run_flags, "--num_threads", "2", "--n_epochs", "500", "--print_freq", "1"]
    command = [sys.executable, "train.py", *flags]
    process = subprocess.Popen(
        command, cwd=Path(train.__file__).parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not table.exists() or len(table.read_text().splitlines()) <= steps:
        assert process.poll() is None
        time.sleep(0.01)
    parents = {
        int(stat.parent.name): int(stat.read_text().rpartition(")")[2].split()[1])
        for stat in Path("/proc").glob("[0-9]*/stat")
    }
    workers = [pid for pid, parent in parents.items() if parent == process.pid]
    assert len(workers) >= 2
    for pid in (process.pid, *workers):
        os.kill(pid, signal.SIGTERM)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "stopped by SIGTERM and saved" in output
    assert load(tmp_path / "checkpoints" / "run" / "latest_state.pth")["progress"]["total_iters"] >= steps


def test_loss_that_is_not_finite_stops_and_names_the_term(run_flags, tmp_path, monkeypatch, capsys):
    losses = CycleGANModel.generator_losses
    steps = 0

    def poisoned(self):
        nonlocal steps
        steps += 1
        found = losses(self)
        return found | {"cycle_B": found["cycle_B"] * (float("nan") if steps == 6 else 1)}

    monkeypatch.setattr(CycleGANModel, "generator_losses", poisoned)
    with pytest.raises(SystemExit):
        train.main([*run_flags, "--save_latest_freq", "1", "--print_freq", "100"])
    message = capsys.readouterr().err
    assert "loss cycle_B is not finite" in message
    folder = tmp_path / "checkpoints" / "run"
    assert load(folder / "latest_state.pth")["progress"]["total_iters"] == 5
    assert all(torch.isfinite(value).all() for state in weights(folder).values() for value in state.values())


def test_a_trained_name_is_not_overwritten(run_flags, capsys):
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0"])
    with pytest.raises(SystemExit):
        train.main(run_flags)
    assert "holds a training already; go on with --continue_train" in capsys.readouterr().err


def test_continue_without_a_state_takes_the_weights(run_flags, tmp_path, capsys):
    """Checkpoints of other programs have weights only."""
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0"])
    (tmp_path / "checkpoints" / "run" / "latest_state.pth").unlink()
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0", "--continue_train", "--lr", "1e-6"])
    assert "weights of --epoch latest loaded" in capsys.readouterr().out


def test_wrong_architecture_on_resume_names_the_flags(run_flags, capsys):
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0"])
    with pytest.raises(SystemExit):
        train.main([*run_flags, "--continue_train", "--ngf", "8", "--netG", "resnet_9blocks"])
    message = capsys.readouterr().err
    assert "--ngf 4" in message
    assert "--netG resnet_6blocks" in message


def test_learning_rate_and_length_follow_the_options(run_flags, tmp_path):
    """Two epochs at lr, one of decay; resumed with a longer decay and another lr, the rest is spread anew."""
    table = tmp_path / "checkpoints" / "run" / "losses.csv"
    train.main([*run_flags, "--lr", "0.01"])
    with table.open() as file:
        assert [float(row["lr"]) for row in csv.DictReader(file)] == pytest.approx([0.01] * 4 + [0.005] * 2)
    train.main([*run_flags, "--lr", "0.02", "--continue_train", "--n_epochs_decay", "3"])
    with table.open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)][6:]
    assert rates == pytest.approx([0.02 * 2 / 4] * 2 + [0.02 * 1 / 4] * 2)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_hangup_saves_even_while_an_epoch_ends(run_flags, tmp_path, monkeypatch, capsys):
    """The signal comes when an epoch is done but not yet saved; nothing of it is lost."""
    end_epoch = Progress.end_epoch

    def with_signal(self):
        end_epoch(self)
        signal.raise_signal(signal.SIGHUP)

    monkeypatch.setattr(Progress, "end_epoch", with_signal)
    # Under nohup it would be ignored.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        train.main(run_flags)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "stopped by SIGHUP and saved" in capsys.readouterr().out
    progress = load(tmp_path / "checkpoints" / "run" / "latest_state.pth")["progress"]
    assert (progress["epoch"], progress["batches"], progress["total_iters"]) == (2, 0, 4)


def test_a_finished_run_says_so_and_how_to_train_longer(run_flags, tmp_path, capsys):
    folder = ["--checkpoints_dir", f"{tmp_path}/my runs"]
    flags = [*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0", *folder]
    train.main(flags)
    before = (tmp_path / "my runs" / "run" / "train_opt.json").read_text()
    capsys.readouterr()
    train.main([*flags, "--continue_train"])
    told = capsys.readouterr().out.strip()
    assert "run is finished: all 1 epochs are trained. To train longer: python train.py" in told
    assert (tmp_path / "my runs" / "run" / "train_opt.json").read_text() == before

    # The command can be pasted, blanks in paths and all.
    words = shlex.split(told.partition("python train.py ")[2])
    words[words.index("--n_epochs_decay") + 1] = "1"
    train.main(words)
    assert load(tmp_path / "my runs" / "run" / "latest_state.pth")["progress"]["epoch"] == 3


def test_continuing_a_run_that_is_not_there_lists_those_that_are(run_flags, tmp_path, capsys):
    for name in ("portraits", "overlay"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "latest_net_G_A.pth").touch()
    with pytest.raises(SystemExit):
        train.main(["--checkpoints_dir", f"{tmp_path}/checkpoints", "--name", "portrait", "--continue_train"])
    message = capsys.readouterr().err
    assert f"no saved run portrait in {tmp_path}/checkpoints; there are: overlay, portraits" in message
    assert "dataroot" not in message


def test_first_epoch_of_a_resumed_call_is_its_own(run_flags, tmp_path):
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0"])
    flags = ["--checkpoints_dir", f"{tmp_path}/checkpoints", "--name", "run", "--continue_train"]
    train.main([*flags, "--epoch", "1", "--epoch_count", "2", "--n_epochs", "2"])
    assert TrainOptions().parse(flags).epoch_count == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_disk_that_takes_no_more_leaves_the_last_state(run_flags, tmp_path, capsys):
    """Files can't be larger than 20 kB from the second epoch on: one line with the path, the first epoch's state."""
    resource = pytest.importorskip("resource")
    train.main([*run_flags, "--n_epochs", "1", "--n_epochs_decay", "0"])
    folder = tmp_path / "checkpoints" / "run"
    before = (folder / "latest_state.pth").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(SystemExit) as caught:
            train.main([*run_flags, "--continue_train"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.code == 2
    message = capsys.readouterr().err
    error = message[message.index("error: ") :]
    assert error.startswith(f"error: {folder}/latest_net_G_A.pth: ")
    assert error.count("\n") == 1
    assert (folder / "latest_state.pth").read_bytes() == before
    weights(folder)
    assert not list(folder.glob(".*"))
