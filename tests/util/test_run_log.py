"""The logs of a run, read back by the csv module."""

import csv

from util.pace import Pace
from util.run_log import RunLog


def read(folder):
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def log_steps(log, steps):
    for step in steps:
        log.add_losses(1 + step // 300, step, {"G_A": step / 100, "D_A": 0.5}, Pace(2.0), 2e-4)


def test_continued_run_equals_uninterrupted_one(tmp_path):
    log_steps(RunLog(tmp_path / "whole"), range(100, 700, 100))
    log_steps(RunLog(tmp_path / "cut"), range(100, 500, 100))
    log_steps(RunLog(tmp_path / "cut", resume_iters=300), range(400, 700, 100))
    for name in ("losses.csv", "loss_log.txt"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_columns_grow_and_earlier_rows_keep_their_figures(tmp_path):
    log = RunLog(tmp_path)
    log_steps(log, [100])
    log.add_validation(1, 100, {"subject_psnr": 30.25})
    log.add_losses(1, 200, {"G_A": 2.0, "D_A": 0.5, "idt_A": 0.25}, Pace(2.0), 2e-4)
    first, validation, last = read(tmp_path)
    assert (first["G_A"], first["val_subject_psnr"], first["idt_A"]) == ("1.0", "", "")
    assert (validation["val_subject_psnr"], validation["G_A"]) == ("30.25", "")
    assert (last["idt_A"], last["lr"]) == ("0.25", "0.0002")
    assert RunLog(tmp_path, resume_iters=200).rows == log.rows


def test_line_cut_by_a_crash_is_dropped(tmp_path):
    log_steps(RunLog(tmp_path), [100, 200])
    path = tmp_path / "losses.csv"
    path.write_text(path.read_text()[:-9])
    assert [row["total_iters"] for row in RunLog(tmp_path, resume_iters=900).rows] == [100]


def test_new_run_begins_anew(tmp_path):
    log_steps(RunLog(tmp_path), [100, 200])
    RunLog(tmp_path)
    assert read(tmp_path) == []
    assert (tmp_path / "loss_log.txt").read_text() == ""


def test_a_loss_that_is_not_a_number_is_logged(tmp_path):
    log = RunLog(tmp_path)
    assert "G_A: nan" in log.add_losses(1, 100, {"G_A": float("nan")}, Pace(2.0), 2e-4)
    assert read(tmp_path)[0]["G_A"] == "nan"


def test_validation_made_twice_counts_once(tmp_path):
    log = RunLog(tmp_path)
    log_steps(log, [100, 200])
    log.add_validation(1, 200, {"halo": 0.5})
    again = RunLog(tmp_path, resume_iters=200)
    again.add_validation(1, 200, {"halo": 0.25})
    assert [(row["total_iters"], row["val_halo"]) for row in read(tmp_path)] == [
        ("100", ""),
        ("200", ""),
        ("200", "0.25"),
    ]
    assert again.validations("halo", before=300) == [0.25]
    assert again.validations("halo", before=200) == []
