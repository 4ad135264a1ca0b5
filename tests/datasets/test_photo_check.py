"""Duplicates among photos: found in copies of real ones, and against a search of all pairs."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from datasets.photo_check import Examined, examine, find_duplicates


def test_real_photos_and_their_copies(tmp_path):
    originals = {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    facts = []
    for name, pixels in originals.items():
        image = Image.fromarray(pixels)
        image.save(tmp_path / f"{name}.png")
        image.save(tmp_path / f"{name}_q40.jpg", quality=40)
        image.resize((image.width // 2, image.height // 2)).save(tmp_path / f"{name}_half.png")
        Image.eval(image, lambda v: min(255, int(1.15 * v))).save(
            tmp_path / f"{name}_brighter.jpg", quality=90
        )
        facts += [examine(path) for path in sorted(tmp_path.glob(f"{name}*"))]
    for path, original in find_duplicates(facts, 6).items():
        assert path.stem.split("_")[0] == original.stem.split("_")[0]
    assert len(find_duplicates(facts, 6)) == 12


def test_duplicates_against_a_search_of_all_pairs():
    rng = np.random.default_rng(0)
    hashes = [int(h) for h in rng.integers(0, 2**63, 60)]
    hashes += [hashes[i] ^ (1 << int(bit)) for i, bit in enumerate(rng.integers(0, 63, 30))]
    photos = [Examined(Path(f"{i:03}"), f"{i:064}", 100, 10 + i % 7, 10, h) for i, h in enumerate(hashes)]
    duplicates = find_duplicates(photos, 6)
    kept = [photo for photo in photos if photo.path not in duplicates]
    close = [(a, b) for a in kept for b in kept if a is not b and bin(a.phash ^ b.phash).count("1") <= 6]
    assert close == []
    by_path = {photo.path: photo for photo in photos}
    for path, original in duplicates.items():
        assert original not in duplicates
        assert by_path[original].width >= by_path[path].width
        assert bin(by_path[path].phash ^ by_path[original].phash).count("1") <= 6
    assert len(duplicates) == 30
