"""Shards give the same as the folder that they are made of, from this disk and from the web, and tell what is wrong."""

import json
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from data import create_dataset
from data.shard_order import local_order
from datasets.make_shards import main
from tests.data.coordinate_photos import coordinates, equal, options, save
from tests.local_server import LocalServer, Reply, Request, local_server
from util.errors import UserError


@pytest.fixture
def folder(dataroot):
    """The dataroot of this folder, with more photos A, and with depths of A."""
    for number in range(5, 14):
        photo = coordinates(60, 48, blue=10 + number)
        save(photo, dataroot / f"trainA/A{number}.png")
        save(photo[..., 0] // 2 + 150, dataroot / f"maskA/A{number}.png")
    for number in range(14):
        save(np.arange(48 * 60, dtype=np.uint16).reshape(48, 60) * 20, dataroot / f"depthA/A{number}.png")
    return dataroot


@pytest.fixture
def shards(folder, tmp_path_factory):
    """Shards of about three photos each."""
    output = tmp_path_factory.mktemp("shards")
    main(["--dataroot", str(folder), "--output", str(output), "--size", "0.009"])
    assert len(list(output.glob("trainA-*.tar"))) >= 5
    return output


@pytest.fixture
def server(shards, tmp_path, monkeypatch):
    """The shards behind an address, and a cache of their own."""
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))

    def answer(request: Request) -> Reply:
        path = shards / Path(request.path).name
        return Reply(path.read_bytes()) if path.is_file() else Reply(status=404)

    with local_server(answer) as found:
        yield SimpleNamespace(url=f"{found.url}/set", requests=found.requests, paths=found.paths)


def without_place(items):
    """Names in the place of paths, which differ."""
    return [
        {
            key: [Path(path).stem for path in np.atleast_1d(value)] if key.endswith("paths") else value
            for key, value in item.items()
        }
        for item in items
    ]


def run(loader, epoch, skip=0):
    loader.set_epoch(epoch)
    return list(loader.iterate(skip))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_batches_are_those_of_the_folder(folder, shards, workers, direction):
    flags = {"batch_size": 2, "serial_batches": True, "direction": direction}
    flags |= {"reads_depth": True, "mask_policy": "optional"}
    expected = create_dataset(options(folder, **flags))
    found = create_dataset(options(shards, num_threads=workers, **flags))
    for epoch in (1, 2):
        batches = run(expected, epoch)
        assert "depth_A" in batches[0] if direction == "AtoB" else "depth_B" in batches[0]
        assert equal(without_place(run(found, epoch)), without_place(batches))


def test_items_are_those_of_the_folder(folder, shards):
    """With the partner, the crop and the mirror image that the same random numbers draw."""
    expected, found = (create_dataset(options(root)).dataset for root in (folder, shards))
    for index in range(14):
        assert equal(without_place([found[3, index]]), without_place([expected[3, index]]))


@pytest.mark.parametrize("kind", ["ram", "disk"])
def test_the_cache_of_pixels_takes_shards_too(shards, kind):
    expected = run(create_dataset(options(shards)), 1)
    cached = create_dataset(options(shards, cache=kind))
    assert equal(run(cached, 1), expected) and equal(run(cached, 1), expected)


def test_a_run_goes_on_within_a_shard(shards):
    loader = create_dataset(options(shards, batch_size=2))
    whole = run(loader, 2)
    names = [Path(path).parent.name for batch in whole for path in batch["A_paths"]]
    assert len(set(names)) > 4 and sorted(chain(*(batch["A_paths"] for batch in whole))) == sorted(
        str(photo.path) for photo in loader.dataset.photos_A
    )
    for done in range(8):
        again = create_dataset(options(shards, batch_size=2))
        assert equal(run(again, 2, skip=done), whole[done:])
    assert not equal(run(loader, 3), whole)


def test_two_ranks_take_each_photo_once(shards):
    """Together as one: what one has, the other has not; and B is spread as evenly."""
    loaders = [create_dataset(options(shards), rank, 2) for rank in range(2)]
    shares = [[path for batch in run(loader, 1) for path in batch["A_paths"]] for loader in loaders]
    assert len(shares[0]) == len(shares[1]) == 7 and set(shares[0]).isdisjoint(shares[1])
    assert len({*shares[0], *shares[1]}) == 14
    partners = [path for loader in loaders for batch in run(loader, 1) for path in batch["B_paths"]]
    counts = [partners.count(name) for name in set(partners)]
    assert len(counts) == 3 and max(counts) - min(counts) <= 1


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_order_stays_near_and_has_each_photo_once(world_size):
    shard_of = np.random.default_rng(0).permutation(np.repeat(np.arange(40), np.arange(40) % 7 + 20))
    order = local_order(shard_of, np.random.default_rng(1), world_size, window=4)
    assert sorted(order) == list(range(len(shard_of)))
    shares = [order[rank::world_size] for rank in range(world_size)]
    for share in shares:
        for start in range(0, len(share) - 60, 60):
            # Two windows at the most, and a shard at each of their four ends.
            assert len(np.unique(shard_of[share[start : start + 60]])) <= 2 * 4 + 4
    of_ranks = [set(shard_of[share].tolist()) for share in shares]
    shared = sum(map(len, of_ranks)) - 40
    assert shared <= 40 / 4 * 2 and all(len(found) < 40 for found in of_ranks) == (world_size > 1)
    mixed = shard_of[shares[0][:80]]
    assert np.count_nonzero(np.diff(mixed)) > 40
    other = local_order(shard_of, np.random.default_rng(2), world_size, window=4)
    assert not np.array_equal(order, other)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1024])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = content.index(b"IDAT") + 8
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: cut(s / "trainA-000001.tar"), "trainA-000001.tar: is cut short, it has"),
        (lambda s: (s / "trainA-000001.tar").unlink(), "trainA-000001.tar: no such file"),
        (
            lambda s: (s / "index.json").unlink(),
            "index.json: missing; run datasets/make_shards.py to its end",
        ),
        (lambda s: (s / "index.json").write_text("{"), "index.json: damaged"),
        (
            lambda s: (s / "index.json").write_text('{"version": 0, "sets": {}}'),
            "index.json: of another version",
        ),
        (lambda s: change(s / "trainA-000001.tar"), "not what index.json says; the shard has changed"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(shards, spoil, said):
    spoil(shards)
    with pytest.raises(UserError) as error:
        run(create_dataset(options(shards)), 1)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_phase_that_is_not_there(shards):
    with pytest.raises(UserError, match="no valA in there, only trainA, trainB; check --dataroot, --phase"):
        create_dataset(options(shards, phase="val"))


def test_masks_that_are_required_must_be_there_and_have_a_subject(folder, tmp_path_factory):
    (folder / "maskA/A3.png").unlink()
    save(np.zeros((48, 60), np.uint8), folder / "maskA/A4.png")
    output = tmp_path_factory.mktemp("shards")
    main(["--dataroot", str(folder), "--output", str(output)])
    with pytest.raises(UserError, match="1 photos of trainA have no mask, such as A3"):
        create_dataset(options(output))
    assert len(create_dataset(options(output, max_dataset_size=3))) == 3
    with_mask = ["mask_A" in item for item in run(create_dataset(options(output, mask_policy="optional")), 1)]
    assert with_mask.count(False) == 1
    index = json.loads((output / "index.json").read_text())
    columns = index["sets"]["trainA"]
    columns["parts"]["mask"]["bytes"][columns["keys"].index("A3")] = 1
    (output / "index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="1 photos of trainA have a mask without a subject, such as A4"):
        create_dataset(options(output))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_address_gives_what_the_shards_do_and_fetches_each_once(shards, server: LocalServer, workers):
    expected = run(create_dataset(options(shards)), 1)
    loader = create_dataset(options(server.url, num_threads=workers))
    assert equal(without_place(run(loader, 1)), without_place(expected))
    assert equal(without_place(run(create_dataset(options(server.url)), 1)), without_place(expected))
    names = [Path(path).name for path in server.paths() if path.endswith(".tar")]
    assert sorted(names) == sorted(path.name for path in shards.glob("*.tar"))


def test_the_cache_keeps_to_its_limit(shards, server: LocalServer, tmp_path, monkeypatch):
    monkeypatch.setattr("data.shards.WINDOW", 1)
    monkeypatch.setattr("data.shard_order.WINDOW", 1)
    largest = max(path.stat().st_size for path in shards.glob("*.tar"))
    limit = 4 * largest / 2**30
    loader = create_dataset(options(server.url, shard_cache_size=limit))
    expected = create_dataset(options(shards))
    most = 0
    for epoch in (1, 2):
        loader.set_epoch(epoch)
        batches = []
        for batch in loader:
            batches.append(batch)
            kept = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.tar"))
            most = max(most, kept)
        assert equal(without_place(batches), without_place(run(expected, epoch)))
    assert 0 < most <= 4 * largest < sum(path.stat().st_size for path in shards.glob("*.tar"))
    with pytest.raises(UserError, match=r"--shard_cache_size .* too small, .* are read at a time"):
        create_dataset(options(server.url, shard_cache_size=limit / 4))


def test_a_server_that_gives_something_else(shards, server: LocalServer):
    change(shards / "trainA-000000.tar")
    with pytest.raises(UserError, match=r"not what index\.json says"):
        run(create_dataset(options(server.url)), 1)
    (shards / "index.json").unlink()
    with pytest.raises(UserError, match=r"status 404 for /set/index\.json"):
        create_dataset(options(server.url))
