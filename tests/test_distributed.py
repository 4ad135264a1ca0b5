"""Several processes against one: equal gradients and weights, resume with other numbers, ends of all at once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp

from data import create_dataset
from models import create_model
from models.networks import define_G
from options import TrainOptions
from util.checkpoint import load, load_state_dict, save_network
from util.distributed import any_rank, gathered, mean_over_ranks, process_group

FOLDER = Path(__file__).parents[1]
RECIPE = ["--add_mask", "--lambda_mask", "0.5", "--pool_size", "0"]


def three_steps(opt, rank, world_size):
    """Losses of each step, gradients of the first, and the weights after the third, in float64.

    In float32, Adam would turn rounding errors of gradients that are zero, as those of biases before an instance
    norm, into steps of full length.
    """
    torch.manual_seed(0)
    model = create_model(opt)
    for net in model.networks.values():
        net.double()
    losses, gradients = [], {}
    dataset = create_dataset(opt, rank, world_size)
    for step in range(3):
        dataset.set_epoch(step)
        batch = next(iter(dataset))
        doubles = {key: x.double() if isinstance(x, torch.Tensor) else x for key, x in batch.items()}
        losses.append({name: x.item() for name, x in mean_over_ranks(model.train_step(doubles)).items()})
        if step == 0:
            gradients = {
                f"{name}.{key}": parameter.grad.clone()
                for name, net in model.networks.items()
                for key, parameter in net.named_parameters()
            }
    weights = {name: net.state_dict() for name, net in model.networks.items()}
    return {"losses": losses, "gradients": gradients, "weights": weights}


def work(rank, opt, port, result):
    """One of two ranks."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    with process_group("cpu"):
        found = three_steps(opt, rank, 2)
        assert any_rank(rank == 1)
        assert not any_rank(False)
        assert gathered(rank) == ([0, 1] if rank == 0 else None)
        if rank == 0:
            torch.save(found, result)


@pytest.mark.parametrize("norm", ["instance", "syncbatch"])
def test_two_ranks_with_one_photo_equal_one_with_two(run_flags, tmp_path, unused_port, norm):
    flags = [*run_flags, *RECIPE, "--norm", norm, "--no_flip", "--precision", "fp32"]
    mp.spawn(work, (TrainOptions().parse(flags), unused_port, tmp_path / "found.pt"), nprocs=2)
    found = torch.load(tmp_path / "found.pt")
    expected = three_steps(TrainOptions().parse([*flags, "--batch_size", "2"]), 0, 1)
    for one, two in zip(found["losses"], expected["losses"], strict=True):
        assert one == pytest.approx(two, rel=1e-6)  # their means over ranks are float32
    largest = max(value.norm() for value in expected["gradients"].values())
    for key, value in expected["gradients"].items():
        error = (found["gradients"][key] - value).norm()
        assert error <= 1e-8 * max(value.norm(), 1e-2 * largest), key
    for name, state in expected["weights"].items():
        for key, value in state.items():
            assert (found["weights"][name][key] - value).abs().max() <= 1e-8, (name, key)


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return str(listener.getsockname()[1])


def torchrun(program, *flags):
    """Start `program` on two ranks."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", program]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, *flags],
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path, process, newer_than=0):
    while not path.exists() or path.stat().st_mtime_ns <= newer_than:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


def child_processes(process):
    """Ids of the ranks that torchrun has started."""
    tasks = Path(f"/proc/{process.pid}/task")
    return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def test_torchrun_stops_together_and_resumes_with_any_number(run_flags, tmp_path):
    """SIGTERM saves one moment of both ranks; a killed rank ends the other; one process alone goes on."""
    folder = tmp_path / "checkpoints" / "run"
    flags = [*run_flags, *RECIPE, "--n_epochs", "500", "--save_latest_freq", "4", "--pool_size", "3"]
    process = torchrun("train.py", *flags)
    wait_for(folder / "latest_state_rank1.pth", process)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert output.count("stopped by SIGTERM and saved") == 1, errors
    first, second = (load(folder / name) for name in ("latest_state.pth", "latest_state_rank1.pth"))
    stopped_at = first["progress"]["total_iters"]
    assert second["progress"]["total_iters"] == stopped_at > 0
    assert first["progress"]["batch_photos"] == 2
    assert not torch.equal(first["progress"]["rng"]["torch"], second["progress"]["rng"]["torch"])
    assert not torch.equal(first["pools"]["fake_B"]["images"][0], second["pools"]["fake_B"]["images"][0])

    process = torchrun("train.py", *flags, "--continue_train")
    wait_for(
        folder / "latest_state_rank1.pth", process, (folder / "latest_state_rank1.pth").stat().st_mtime_ns
    )
    os.kill(child_processes(process)[1], signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0

    state = load(folder / "latest_state.pth")["progress"]
    assert state["total_iters"] > stopped_at
    alone = [sys.executable, "train.py", *flags, "--continue_train", "--n_epochs", str(state["epoch"])]
    subprocess.run([*alone, "--n_epochs_decay", "0"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
    after = load(folder / "latest_state.pth")["progress"]
    assert (after["epoch"], after["batch_photos"]) == (state["epoch"] + 1, 1)
    assert load_state_dict(folder / "latest_net_G_A.pth")


def test_torchrun_shares_photos_out(dataroot, tmp_path):
    """Every photo once, one page of all, and one message on the photo that can't be read."""
    torch.manual_seed(0)
    for name in ("G_A", "G_B"):
        save_network(define_G(3, 3, 4, "resnet_6blocks"), tmp_path / "run" / f"latest_net_{name}.pth")
    flags = ["--checkpoints_dir", str(tmp_path), "--name", "run", "--device", "cpu", "--num_threads", "0"]
    process = torchrun(
        "test.py", *flags, "--dataroot", str(dataroot), "--results_dir", str(tmp_path / "results")
    )
    errors = process.communicate(timeout=200)[1]
    assert process.returncode == 0, errors
    folder = tmp_path / "results" / "run" / "test_latest"
    page = (folder / "index.html").read_text()
    assert all(
        page.count(f'"images/test_{n}_{label}.png"') for n in range(4) for label in ("fake_B", "fake_A")
    )

    photos = tmp_path / "photos"
    shutil.copytree(dataroot / "testA", photos)
    (photos / "broken.png").write_bytes(b"no image")
    process = torchrun("test.py", *flags, "--input", str(photos), "--output", str(tmp_path / "soft"))
    errors = process.communicate(timeout=200)[1]
    assert process.returncode != 0
    assert errors.count("1 of 5 photos could not be done, the others are") == 1, errors
    assert len(list((tmp_path / "soft").iterdir())) == 4
