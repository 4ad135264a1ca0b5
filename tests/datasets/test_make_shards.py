"""Shards hold what the folders do, can be read by the library webdataset, and are made once."""

import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from datasets import make_shards
from datasets.make_shards import main
from tests.data.coordinate_photos import coordinates, save
from tests.extras import need


@pytest.fixture
def dataroot(tmp_path):
    """Nine photos A as JPEG, of which one has no mask and one a JPEG as mask, and two B, one with a dot in its name."""
    root = tmp_path / "dataroot"
    for number in range(9):
        path = root / f"trainA/{number}.jpg"
        save(coordinates(40, 30, number), path)
        save(np.full((30, 40), 200 - number, np.uint8), root / f"maskA/{number}.png")
    (root / "maskA/3.png").unlink()
    (root / "maskA/5.png").unlink()
    save(np.full((30, 40), 200, np.uint8), root / "maskA/5.jpg")
    for name in ("b_1", "b.1"):
        save(coordinates(20, 20), root / f"testB/{name}.png")
    return root


def run(root, output, *flags):
    main(["--dataroot", str(root), "--output", str(output), *flags])


def test_the_library_webdataset_reads_photos_with_their_masks(dataroot, tmp_path):
    run(dataroot, tmp_path / "shards", "--size", "0.01")
    webdataset = need("webdataset")
    tars = sorted(str(path) for path in (tmp_path / "shards").glob("trainA-*.tar"))
    assert len(tars) > 2 and tars[1].endswith("trainA-000001.tar")
    found = {sample["__key__"]: sample for sample in webdataset.WebDataset(tars, shardshuffle=False)}
    assert sorted(found) == [str(number) for number in range(9)]
    for key, sample in found.items():
        assert sample["jpg"] == (dataroot / f"trainA/{key}.jpg").read_bytes()
        mask = dataroot / f"maskA/{key}.png"
        assert sample.get("mask.png") == (mask.read_bytes() if mask.exists() else None) or key == "5"
    decoded = webdataset.WebDataset(tars, shardshuffle=False).decode("l8")
    masks = {sample["__key__"]: sample["mask.png"] for sample in decoded if "mask.png" in sample}
    jpeg = np.asarray(Image.open(dataroot / "maskA/5.jpg"))
    assert (masks["5"] == jpeg).all() and (masks["7"] == 193).all() and len(masks) == 8


def test_a_dot_in_a_name_is_no_suffix(dataroot, tmp_path):
    run(dataroot, tmp_path / "shards")
    (tar,) = (tmp_path / "shards").glob("testB-*.tar")
    webdataset = need("webdataset")
    samples = list(webdataset.WebDataset(str(tar), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == ["b_1", "b_1_"] and all("png" in s for s in samples)


def test_photos_for_training_are_dealt_at_random_and_others_in_order(dataroot, tmp_path):
    for number in range(10, 30):
        save(coordinates(20, 20), dataroot / f"testB/{number}.png")
    run(dataroot, tmp_path / "shards", "--size", "0.008")
    sets = json.loads((tmp_path / "shards/index.json").read_text())["sets"]
    assert sets["trainA"]["keys"] == [str(number) for number in range(9)]
    assert sets["trainA"]["shard"] != sorted(sets["trainA"]["shard"])
    assert sets["testB"]["shard"] == sorted(sets["testB"]["shard"]) and sets["testB"]["shard"][-1] > 1
    assert max(path.stat().st_size for path in (tmp_path / "shards").glob("*.tar")) <= 20480


def test_stopped_and_started_again_it_writes_what_is_left(dataroot, tmp_path, monkeypatch, capsys):
    run(dataroot, tmp_path / "at_once", "--size", "0.005")
    written = []
    write = make_shards.write_shard

    def stops(path, of_shard):
        written.append(path.name)
        if len(written) == 3:
            raise KeyboardInterrupt
        return write(path, of_shard)

    monkeypatch.setattr(make_shards, "write_shard", stops)
    with pytest.raises(SystemExit):
        run(dataroot, tmp_path / "shards", "--size", "0.005")
    assert not (tmp_path / "shards/index.json").exists()
    first = written[:2]
    run(dataroot, tmp_path / "shards", "--size", "0.005")
    assert set(written[3:]).isdisjoint(first) and written[3] == written[2]
    for path in (tmp_path / "at_once").iterdir():
        assert path.read_bytes() == (tmp_path / "shards" / path.name).read_bytes()
    assert not (tmp_path / "shards/.parts").exists()


def test_shards_of_an_earlier_run_go_and_other_files_stay(dataroot, tmp_path):
    run(dataroot, tmp_path / "shards", "--size", "0.005")
    (tmp_path / "shards/mine.tar").write_bytes(b"")
    run(dataroot, tmp_path / "shards")
    names = sorted(path.name for path in (tmp_path / "shards").iterdir())
    assert names == ["index.json", "mine.tar", "testB-000000.tar", "trainA-000000.tar"]
    with tarfile.open(tmp_path / "shards/trainA-000000.tar") as tar:
        assert len(tar.getnames()) == 17


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "trainA/2.jpg").write_bytes(b""), "trainA/2.jpg: the file is empty"),
        (lambda root: save(coordinates(40, 30), root / "trainA/more/2.png"), "both are called 2; rename one"),
        (lambda root: [path.rename(path.with_name(f"x{path.name}")) for path in root.iterdir()], "no trainA"),
    ],
)
def test_what_can_not_be_packed_is_said_in_one_line(dataroot, tmp_path, capsys, spoil, said):
    spoil(dataroot)
    with pytest.raises(SystemExit) as ended:
        run(dataroot, tmp_path / "shards")
    assert ended.value.code == 2 and said in capsys.readouterr().err
