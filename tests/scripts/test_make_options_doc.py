"""docs/options.md against the parsers."""

import re

import pytest

from options import TrainOptions
from scripts import make_options_doc


def test_page_is_current():
    make_options_doc.main(["--check"])


def test_stale_page_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_options_doc, "PAGE", tmp_path / "options.md")
    with pytest.raises(SystemExit):
        make_options_doc.main(["--check"])
    assert "not current; run python scripts/make_options_doc.py" in capsys.readouterr().err
    make_options_doc.main([])
    make_options_doc.main(["--check"])


def test_every_option_of_a_pix2pix_training_is_on_the_page():
    flags = ["--model", "pix2pix", "--dataset_mode", "aligned"]
    names = {name for action in TrainOptions().parser(flags)._actions for name in action.option_strings}
    page = make_options_doc.page()
    assert names - set(re.findall(r"`(--?\w+)`", page)) <= {"-h", "--help"}
    assert "`--netG unet_256`, `--norm batch`, `--gan_mode vanilla`" in page
    assert "| `--lambda_L1`, `--lambda_A` | `100.0` | weight of the L1 loss |" in page
