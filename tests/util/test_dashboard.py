"""The dashboard against a real visdom server, that dies and comes back."""

import json
import socket
import time

import numpy as np
import pytest
import torch

from util.dashboard import as_columns, connect, place_of, window_of
from util.options import Options
from util.pace import Pace
from util.visualizer import Visualizer

LOSSES = ["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B", "mask_A", "vgg_A"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Rests and retries of a test's length."""
    monkeypatch.setattr("util.dashboard.RETRY", 0.2)
    monkeypatch.setattr("util.dashboard.SHORTEST_REST", 0.05)
    monkeypatch.setattr("util.dashboard.REST", 1)  # 50 times a slow machine's sending is a test's whole time


def options(folder, port, **changes):
    values = {
        "checkpoints_dir": str(folder),
        "name": folder.name,
        "no_html": True,
        "display_env": "",
        "logger": [],
    }
    shown = {"display_id": 1, "display_server": "http://localhost", "display_port": port}
    size = {"display_ncols": 2, "display_winsize": 64}
    return Options(**values, **shown, **size, **changes)


def log(visualizer, steps):
    for step in steps:
        losses = {name: step + number / 10 for number, name in enumerate(LOSSES)}
        visualizer.print_current_losses(1, step, losses, Pace(2.0), 1e-4)


def windows(server, env):
    client = connect("http://localhost", server.port, env)
    return json.loads(client.get_window_data(env=env))


def curves(server, env):
    """Name -> (steps, values) of all curves that the server has."""
    plots = [window for window in windows(server, env).values() if window["type"] == "plot"]
    return {line["name"]: (line["x"], line["y"]) for plot in plots for line in plot["content"]["data"]}


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def assert_complete(found, steps):
    for number, name in enumerate(LOSSES):
        assert found[name][0] == list(steps)
        assert found[name][1] == pytest.approx([step + number / 10 for step in steps])


def test_dashboard_is_complete_after_two_restarts_of_the_server(tmp_path, visdom_server, monkeypatch):
    warnings = []
    monkeypatch.setattr("util.visualizer.tqdm.write", warnings.append)
    env = tmp_path.name
    visdom_server.kill()
    visualizer = Visualizer(options(tmp_path, visdom_server.port))
    visualizer.display_current_results({"real_A": torch.zeros(1, 3, 8, 8)}, 1, 10, save_html=False)
    log(visualizer, range(10, 100, 10))  # nobody listens yet
    wait_until(lambda: warnings)
    visdom_server.start()
    wait_until(lambda: len(curves(visdom_server, env).get("G_A", [[]])[0]) == 9)
    for start in (100, 200):
        visdom_server.kill()
        visdom_server.forget()
        log(visualizer, range(start, start + 50, 10))
        visdom_server.start()
        log(visualizer, range(start + 50, start + 100, 10))
    wait_until(lambda: {"samples", "options"} <= set(windows(visdom_server, env)))
    visualizer.close()
    assert_complete(curves(visdom_server, env), range(10, 300, 10))
    assert len(warnings) == 1
    assert "bash scripts/visdom.sh" in warnings[0]


@pytest.mark.parametrize("forget", [False, True])
def test_quick_restart_of_the_server_loses_no_validation(tmp_path, visdom_server, forget):
    visdom_server.start()
    visualizer = Visualizer(options(tmp_path, visdom_server.port))
    log(visualizer, [10])
    saved = visdom_server.folder / "envs" / f"{tmp_path.name}.json"
    wait_until(saved.exists)
    visualizer.print_validation(1, 10, {"halo": 0.5})
    wait_until(lambda: "val_halo" in curves(visdom_server, tmp_path.name))
    visdom_server.kill()
    if forget:
        visdom_server.forget()
    visdom_server.start()  # between two sendings, else with what it had saved
    log(visualizer, [20])
    wait_until(lambda: curves(visdom_server, tmp_path.name).get("G_A", [[]])[0] == [10, 20])
    wait_until(lambda: curves(visdom_server, tmp_path.name).get("val_halo") == ([10], [0.5]))  # sent last
    visualizer.close()


def test_resumed_run_shows_its_past_once_and_nothing_after_the_resume(tmp_path, visdom_server):
    visdom_server.start()
    first = Visualizer(options(tmp_path, visdom_server.port))
    log(first, range(10, 100, 10))
    first.close()
    second = Visualizer(options(tmp_path, visdom_server.port), resume_iters=50)
    log(second, range(60, 80, 10))
    second.close()
    assert_complete(curves(visdom_server, tmp_path.name), range(10, 80, 10))


def test_windows_of_a_run(tmp_path, visdom_server):
    visdom_server.start()
    visualizer = Visualizer(options(tmp_path, visdom_server.port, note="<b>&"))
    log(visualizer, [10])
    visualizer.print_validation(1, 10, {"subject_psnr": float("inf"), "gradient_left": 0.5})
    pictures = {"real_A": torch.zeros(1, 3, 8, 8), "mask_A": torch.zeros(1, 1, 8, 8)}
    visualizer.display_current_results(pictures, 1, 10, save_html=False)
    visualizer.close()
    found = windows(visdom_server, tmp_path.name)
    assert "note: &lt;b&gt;&amp;" in found["options"]["content"]
    assert found["samples"]["type"] == "image"
    lines = {
        name: [line["name"] for line in w["content"]["data"]]
        for name, w in found.items()
        if w["type"] == "plot"
    }
    assert set(lines["discriminator losses"]) == {"D_A", "D_B"}
    assert set(lines["mask losses"]) == {"mask_A", "vgg_A"}
    assert set(lines["generator losses"]) == {"G_A", "cycle_A", "idt_A", "G_B", "cycle_B", "idt_B"}
    assert set(lines["learning rate, images per second"]) == {"lr", "images_per_s"}
    assert found["validation: gradient_left"]["content"]["data"][0]["y"] == [0.5]
    assert found["validation: subject_psnr"]["content"]["data"][0]["y"] == [None]


def test_training_does_not_wait_for_a_server_that_hangs(tmp_path):
    with socket.create_server(("localhost", 0)) as silent:  # takes connections and never answers
        visualizer = Visualizer(options(tmp_path, silent.getsockname()[1]))
        wait_until(lambda: visualizer._dashboard._thread.is_alive())
        log(visualizer, range(10, 2000, 10))
        assert len(visualizer._log.rows) == 199


def test_curves_with_gaps_become_columns_with_nan():
    steps, values = as_columns({"a": ([10, 20], [1.0, float("inf")]), "b": ([20, 30], [2.0, 3.0])})
    assert steps.tolist() == [10, 20, 30]
    assert np.array_equal(values, [[1, np.nan], [np.nan, 2], [np.nan, 3]], equal_nan=True)
    assert as_columns({"a": ([10], [1.0])})[1].tolist() == [1.0]


def test_order_of_the_windows():
    names = ["val_halo", "images_per_s", "mask_B", "D_real", "G_GAN"]
    ordered = sorted((*map(window_of, names), "options", "samples"), key=place_of)
    assert ordered[:4] == ["options", "generator losses", "discriminator losses", "mask losses"]
    assert ordered[4:] == ["learning rate, images per second", "samples", "validation: halo"]
