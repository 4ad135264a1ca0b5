import cv2
import numpy as np
import pytest

from datasets.composites import make_composite
from deeplab.segmenter import InputSize, Segmenter
from scripts import measure_matting
from scripts.measure_matting import Answer, answers, figures, main


@pytest.fixture(scope="module")
def composite():
    return make_composite(np.random.default_rng(1), 192)


def test_the_truth_has_no_error_and_mistakes_have_more(composite):
    assert figures(composite, Answer(composite.alpha, composite.behind), 6) == (0, 0)
    without_hair = np.clip(composite.alpha - composite.hair, 0, 1)
    error, halo = figures(composite, Answer(without_hair, composite.photo), 6)
    # What the hair covers, in thousands, is missing.
    assert error == pytest.approx(composite.hair.sum() / 1000, rel=0.02) and halo > 0.005
    everything = np.ones_like(composite.alpha)
    assert figures(composite, Answer(everything, composite.photo), 6)[1] > 2 * halo


def test_matting_of_a_coarse_mask_is_nearer_to_the_truth(composite):
    mask = cv2.resize(cv2.resize(composite.alpha, (32, 32), interpolation=cv2.INTER_AREA), (192, 192))
    found = {name: figures(composite, answer, 6) for name, answer in answers(composite.photo, mask).items()}
    for figure in range(2):
        assert found["matting"][figure] < found["as it is"][figure]


class Half(Segmenter):
    """All that lies left is subject."""

    input_size = InputSize(64, keep_aspect=True)

    def predict(self, images: np.ndarray) -> np.ndarray:
        left = np.arange(images.shape[2]) < images.shape[2] / 2
        return np.broadcast_to(left, images.shape[:3]).astype(np.float32)


def test_table_has_a_row_for_each_segmenter_and_method_and_what_is_in_reach(monkeypatch, capsys):
    monkeypatch.setattr(measure_matting, "create_segmenter", lambda name: Half())
    main(["--n", "2", "--size", "128", "--masks", "selfie", "rvm", "--radius", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        f"{name}, {method}"
        for name in ("selfie", "rvm")
        for method in ("guided filter", "as it is", "matting")
    ] + ["true alpha", "true alpha but no loose hair"]
    assert lines[8].split("|")[2].strip() == "0.000"
    assert lines[2].split("|")[3].strip() == lines[2].split("|")[5].strip() == "1.000"
    with pytest.raises(SystemExit):
        main(["--masks", "nobody"])
    assert "--masks nobody: unknown" in capsys.readouterr().err
