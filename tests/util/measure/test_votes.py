"""Bradley-Terry against closed forms and a numerical maximum; the files of votes."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize

from scripts.evaluate import main
from util.errors import UserError
from util.measure.blind import write_blind_page
from util.measure.evaluation import ComparedPhoto
from util.measure.votes import PRIOR, Vote, bradley_terry, pairs_to_judge, preferences, read_votes


def test_two_methods_have_a_closed_form():
    log_strength = bradley_terry(np.array([[0, 30.0], [10, 0]]))
    odds = (30 + PRIOR) / (10 + PRIOR)
    assert log_strength[0] - log_strength[1] == pytest.approx(np.log(odds))
    assert log_strength.sum() == pytest.approx(0)


def test_strengths_maximise_the_likelihood():
    wins = np.random.default_rng(0).integers(0, 20, (4, 4)) * (1 - np.eye(4))
    counted = wins + PRIOR * (1 - np.eye(4))

    def negative_likelihood(log_strength):
        return (counted * np.logaddexp(0, log_strength[None] - log_strength[:, None])).sum()

    best = minimize(negative_likelihood, np.zeros(4)).x
    assert bradley_terry(wins) == pytest.approx(best - best.mean(), abs=1e-4)


def test_who_never_loses_has_a_finite_strength():
    assert np.isfinite(bradley_terry(np.array([[0, 5.0, 5], [0, 0, 5], [0, 0, 0]]))).all()


def test_preferences_tell_how_sure_they_are():
    # Strengths 4, 1 and 1/4: odds of 4 between neighbours, of 16 between the ends. In every 85 photos 68 and 80 wins.
    rng = np.random.default_rng(0)
    votes = [
        Vote(f"p{photo}", *pair, float(place < wins))
        for pair, wins in ((("a", "b"), 68), (("b", "c"), 68), (("a", "c"), 80))
        for photo, place in enumerate(rng.permutation(85))
    ]
    best, middle, worst = preferences(votes)
    assert [best.method, middle.method, worst.method] == ["a", "b", "c"]
    assert best.preferred == pytest.approx(0.8, abs=0.01) and best.votes == 170
    assert worst.preferred == pytest.approx(0.2, abs=0.01)
    assert middle.low < 0.5 < middle.high and 0.7 < best.low < 0.8 < best.high < 0.9
    ties = preferences([Vote("p", "a", "b", 0.5)] * 10)
    assert all(each.preferred == pytest.approx(0.5) for each in ties)


def test_each_pair_is_judged_once_and_on_either_side():
    pairs = pairs_to_judge(["a", "b", "c"], [f"p{n}" for n in range(40)], seed=0)
    assert len({(photo, frozenset(two)) for photo, *two in pairs}) == len(pairs) == 120
    lefts = [left for _, left, right in pairs if {left, right} == {"a", "b"}]
    assert 10 < lefts.count("a") < 30
    assert [photo for photo, *_ in pairs] != sorted(photo for photo, *_ in pairs)


@pytest.fixture
def page(tmp_path):
    """A blind page of one photo by two methods, and the names of the pictures by method."""
    outputs = {}
    for method, level in (("dark", 20), ("bright", 220)):
        outputs[method] = tmp_path / f"{method}.png"
        Image.fromarray(np.full((8, 10, 3), level, np.uint8)).save(outputs[method])
    write_blind_page([ComparedPhoto("p1", tmp_path, None, outputs)], tmp_path / "page")
    key = json.loads((tmp_path / "page/key.json").read_text())
    return tmp_path / "page", {method: token for token, (_, method) in key.items()}


def write_votes(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("left", "right", "answer", "seconds"), *rows])


def test_page_tells_no_names(page):
    folder, tokens = page
    html = (folder / "index.html").read_text()
    assert "dark" not in html.replace("color-scheme: dark", "") and "bright" not in html and "p1" not in html
    assert all(token in html for token in tokens.values())
    assert np.asarray(Image.open(folder / f"images/{tokens['dark']}.png")).max() == 20


def test_votes_are_counted_by_the_command(page, tmp_path, capsys):
    folder, tokens = page
    left, right = tokens["dark"], tokens["bright"]
    write_votes(tmp_path / "anna.csv", [(left, right, "right", 1.2), (right, left, "same", 2)])
    write_votes(tmp_path / "ben.csv", [(right, left, "left", 0.4)])
    assert [vote.share for vote in read_votes([tmp_path / "anna.csv"], folder)] == [0, 0.5]
    main(["--votes", str(tmp_path / "anna.csv"), str(tmp_path / "ben.csv"), "--blind", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    chance = 1 / (1 + np.sqrt((0.5 + PRIOR) / (2.5 + PRIOR)))
    assert lines[2].startswith(f"| bright | {chance:.2f} [") and lines[2].endswith("| 3     |")


def test_wrong_votes_are_named(page, tmp_path, capsys):
    folder, tokens = page
    path = tmp_path / "votes.csv"
    for rows, message in (
        ([("a", "b", "left", 1)], "answers of another page"),
        ([(tokens["dark"], tokens["bright"], "up", 1)], "line 2: not an answer"),
        ([], "no answers"),
    ):
        write_votes(path, rows)
        with pytest.raises(UserError, match=message):
            read_votes([path], folder)
    with pytest.raises(UserError, match="no such file"):
        read_votes([tmp_path / "gone.csv"], folder)
    with pytest.raises(UserError, match="give the folder of the blind page"):
        read_votes([path], tmp_path)
    with pytest.raises(SystemExit):
        main(["--votes", str(path)])
    assert "--blind DIR" in capsys.readouterr().err


@pytest.mark.browser
def test_keys_answer_and_the_file_is_read(page, tmp_path, web_page):
    folder, _ = page
    web_page.goto((folder / "index.html").as_uri())
    for key in ("ArrowLeft", "Backspace", "ArrowDown"):
        web_page.keyboard.press(key)
    assert "all done" in web_page.locator("#progress").inner_text()
    with web_page.expect_download() as download:
        web_page.click("#save")
    download.value.save_as(tmp_path / "votes.csv")
    assert [vote.share for vote in read_votes([tmp_path / "votes.csv"], folder)] == [0.5]


def test_page_fits_a_phone(page, web_page):
    web_page.set_viewport_size({"width": 390, "height": 844})
    web_page.goto((page[0] / "index.html").as_uri())
    assert web_page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    ) == [
        390,
        844,
    ]
