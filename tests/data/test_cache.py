"""Cached runs give the same batches, from the cache and not from the files."""

import os

import numpy as np
import pytest

from data import create_dataset
from data.cache import GIB, CachedArray, open_cache
from tests.data.coordinate_photos import coordinates, equal, options, save
from util.errors import UserError

SCALED = {"preprocess": "scale_shortside_and_crop", "load_size": 36}


def epochs(loader, numbers=(1, 2)) -> list[dict]:
    batches = []
    for number in numbers:
        loader.set_epoch(number)
        batches += list(loader)
    return batches


def forbid_decoding(loader, monkeypatch) -> None:
    def decode(photo):
        raise AssertionError(f"{photo.path} is decoded again")

    monkeypatch.setattr(loader.dataset, "decode", decode)


@pytest.mark.parametrize("kind", ["ram", "disk"])
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_those_without_a_cache(dataroot, kind, workers):
    plain = epochs(create_dataset(options(dataroot, **SCALED)))
    cached = create_dataset(options(dataroot, **SCALED, cache=kind, num_threads=workers))
    assert equal(epochs(cached), plain)
    assert equal(epochs(cached), plain)


def test_spawned_workers_share_the_memory(dataroot, monkeypatch):
    loader = create_dataset(options(dataroot, cache="ram", serial_batches=True, num_threads=1))
    loader.loader.multiprocessing_context = "spawn"
    expected = epochs(loader)
    forbid_decoding(loader, monkeypatch)
    keys = [(epoch, index) for epoch in (1, 2) for index in range(5)]
    here = [loader.dataset[key] for key in keys]  # what the worker has put there, read in this process
    assert all((item["A"] == batch["A"][0]).all() for item, batch in zip(here, expected, strict=True))


def test_each_file_is_decoded_once(dataroot, monkeypatch):
    loader = create_dataset(options(dataroot, cache="ram", serial_batches=True))
    epochs(loader, [1])
    forbid_decoding(loader, monkeypatch)
    for path in [*dataroot.glob("train*/*"), *dataroot.glob("mask*/*")]:
        path.unlink()
    assert len(epochs(loader, [2, 3])) == 10


def test_disk_cache_is_found_again_until_something_changes(dataroot, monkeypatch):
    opt = options(dataroot, **SCALED, cache="disk", serial_batches=True)
    expected = epochs(create_dataset(opt))
    again = create_dataset(opt)
    with monkeypatch.context() as patch:
        forbid_decoding(again, patch)
        assert equal(epochs(again), expected)
    os.utime(dataroot / "trainA" / "A0.png")
    changed = create_dataset(opt)
    forbid_decoding(changed, monkeypatch)
    with pytest.raises(AssertionError, match="is decoded again"):
        epochs(changed)


def test_what_was_written_in_part_is_made_anew(dataroot):
    opt = options(dataroot, cache="disk", serial_batches=True)
    expected = epochs(create_dataset(opt))
    (path,) = (dataroot / ".cache").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    assert equal(epochs(create_dataset(opt)), expected)


def test_limit_is_kept_and_said(dataroot, capsys):
    photo_and_mask = 60 * 48 * 4
    opt = options(dataroot, cache="disk", cache_size=2.8 * photo_and_mask / GIB)
    expected = epochs(create_dataset(options(dataroot)))
    assert equal(epochs(create_dataset(opt)), expected)
    assert (
        "holds 5 of 16 photos and masks" in capsys.readouterr().err
    )  # the fifth is a photo without its mask
    (path,) = (dataroot / ".cache").iterdir()
    assert path.stat().st_size <= 2.8 * photo_and_mask


def test_oldest_disk_caches_make_room(tmp_path):
    source = save(coordinates(10, 10), tmp_path / "x.png")
    limit = 2.5 * 1004 / GIB
    paths = []
    for number in range(3):
        paths.append(open_cache("disk", limit, tmp_path, [CachedArray(f"{number}", source, (10, 100))]).path)
        os.utime(paths[-1], (number, number))
    assert [path.exists() for path in paths] == [False, True, True]


def test_deep_photos_pass_by_the_cache(tmp_path):
    cache = open_cache("ram", 1, tmp_path, [CachedArray("x", tmp_path, (2, 2, 1))])
    deep = np.array([[[1], [300]], [[2], [65535]]], np.uint16)
    assert cache.get("x", lambda: deep) is deep and cache.get("x", lambda: deep) is deep


def test_no_room_on_the_disk(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    source = save(coordinates(10, 10), tmp_path / "x.png")
    with pytest.raises(UserError, match=r"No space left on device.*--cache ram or a smaller --cache_size"):
        open_cache("disk", 1, tmp_path, [CachedArray("x", source, (10, 10))])
