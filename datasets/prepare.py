"""Clean folders of downloaded photos into a dataroot: trainA trainB valA ... with a report per domain.

    python datasets/prepare.py --input_A downloads/selfie --input_B downloads/bokeh --dataroot datasets/bokeh
    python datasets/prepare.py --input_A photos --dataroot datasets/mine --require_person --split 0.8 0.1 0.1

Unreadable and small photos and duplicates are left out, duplicates across both domains too; the rest is turned
upright, brought to sRGB, cut to a square and split. Downloads are never changed. Unreadable files are copied to
`unreadable/` in the dataroot, and `report_A.csv` and `report_B.csv` tell of each photo what became of it. Run
again, with more photos or other options, it does only what is new, and takes out what it made of photos that
are no longer in the input; the same input gives the same bytes.
"""

import argparse
import os
import shutil
import sys
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets.candidates import Candidate, judge, require_blur, split, table, write_reports
from datasets.photo_check import Notebook, examine, facts_from_note, facts_to_note
from datasets.photo_fit import Fit, write_fitted
from deeplab.prediction import predict_photos
from deeplab.segmenters import SEGMENTERS, create_segmenter
from util.domains import PHASES
from util.errors import UserError, command_line
from util.files import atomic_path, is_inside
from util.images import find_images, left_out
from util.parallel import bounded_map, process_pool
from util.ranges import Range, RangedParser, count, positive_int, seed, share

# Between hashes of 64 bits.
distance = Range(int, "must be between 0 and 64, or -1 for photos of the same bytes alone", least=-1, most=64)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input_A", type=Path, help="photos as they come from a phone")
    parser.add_argument("--input_B", type=Path, help="photos with a shallow depth of field")
    parser.add_argument("--dataroot", type=Path, required=True, help="where the dataset goes")
    parser.add_argument("--size", type=positive_int, default=256, help="side of the square, pixels")
    parser.add_argument(
        "--keep_aspect", action="store_true", help="scale the shorter side to --size, don't cut"
    )
    parser.add_argument("--format", choices=("png", "jpg"), default="png", help="png keeps every value")
    parser.add_argument("--min_size", type=count, help="shorter side at least, pixels; default: --size")
    parser.add_argument("--min_bytes", type=count, default=4096, help="file size at least")
    parser.add_argument(
        "--max_distance", type=distance, default=6, help="bits of 64 between duplicates; -1: same bytes"
    )
    parser.add_argument("--require_person", action="store_true", help="leave out photos without a person")
    parser.add_argument(
        "--min_subject", type=share, default=0.05, help="share of the photo that a person covers"
    )
    parser.add_argument("--segmenter", choices=SEGMENTERS, default="selfie", help="for --require_person")
    parser.add_argument("--weights", type=Path, help="the segmenter's weights, in place of a download")
    parser.add_argument(
        "--blur_report",
        type=Path,
        metavar="CSV",
        help="of scripts/measure_blur.py --report: leave out photos of A that are not sharp, and those of B that are "
        "sharp or soft all over",
    )
    parser.add_argument(
        "--split", type=share, nargs=3, default=(0.9, 0, 0.1), metavar=("TRAIN", "VAL", "TEST"), help="shares"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the split")
    parser.add_argument("--num_workers", type=count, default=os.cpu_count(), help="processes")
    args = parser.parse_args(argv)
    _check(args)
    return args


def _check(args: argparse.Namespace) -> None:
    inputs = [folder for folder in (args.input_A, args.input_B) if folder]
    if not inputs:
        raise UserError("say where the photos are: --input_A, --input_B or both")
    for folder in inputs:
        if is_inside(args.dataroot, folder):
            raise UserError(f"--dataroot {args.dataroot}: lies inside {folder}; choose a folder outside")
        for phase, domain in product(PHASES, "AB"):  # photos made there would take the place of downloads
            if is_inside(folder, args.dataroot / f"{phase}{domain}"):
                raise UserError(
                    f"--dataroot {args.dataroot}: its photos would overwrite {folder}; choose another"
                )
    if len(inputs) == 2 and (is_inside(*inputs) or is_inside(*inputs[::-1])):
        raise UserError(
            f"--input_A {args.input_A} and --input_B {args.input_B}: share photos; keep them apart"
        )
    if abs(sum(args.split) - 1) > 1e-6:
        raise UserError("--split: three shares that add up to 1, as 0.9 0 0.1")


def examine_all(args: argparse.Namespace, notebook: Notebook, pool: Executor | None) -> list[Candidate]:
    """Look at every photo of the input, in the notebook or on disk."""
    folders = {domain: getattr(args, f"input_{domain}") for domain in "AB"}
    found = {domain: find_images(folder) for domain, folder in folders.items() if folder}
    for domain, (_, others) in found.items():
        if others:
            print(f"{folders[domain]}: {left_out(others)}")
    photos = [(domain, path) for domain, (images, _) in found.items() for path in images]
    if not photos:
        raise UserError("no photos in " + " or ".join(str(f) for f in folders.values() if f))
    notes = {path: notebook.read("facts", str(path.resolve()), path) for _, path in photos}
    unknown = [path for path, note in notes.items() if note is None]
    examined = bounded_map(pool, examine, unknown)
    for facts in tqdm(examined, "examining", len(unknown), unit="photo", disable=not unknown):
        notes[facts.path] = facts_to_note(facts)
        notebook.write("facts", str(facts.path.resolve()), facts.path, notes[facts.path])
    entries, taken = [], set()
    for domain, path in photos:
        facts = facts_from_note(path, notes[path])
        stem = "_".join(path.relative_to(folders[domain]).with_suffix("").parts)
        if (domain, stem) in taken:
            stem += f"-{facts.sha256[:8]}"
        taken.add((domain, stem))
        entries.append(Candidate(domain, path, stem, facts))
    return entries


def require_person(
    entries: list[Candidate], args: argparse.Namespace, notebook: Notebook, pool: Executor | None
) -> None:
    """Set the status of photos in which the segmenter finds nobody, or somebody too small."""
    kind = f"subject {args.segmenter} {args.weights}"
    kept = [entry for entry in entries if entry.status == "kept"]
    unknown = [e for e in kept if notebook.read(kind, str(e.path.resolve()), e.path) is None]
    if unknown:
        segmenter = create_segmenter(args.segmenter, args.weights)
        predictions = predict_photos([e.path for e in unknown], segmenter, pool, batch_size=8)
        for prediction in tqdm(predictions, "looking for people", len(unknown), unit="photo"):
            path = unknown[prediction.index].path
            share = 0.0 if prediction.error else float((prediction.probability >= 0.5).mean())
            notebook.write(kind, str(path.resolve()), path, round(share, 4))
    for entry in kept:
        share = notebook.read(kind, str(entry.path.resolve()), entry.path)
        if share < args.min_subject:
            entry.status, entry.detail = "no person", f"{share:.1%} of the photo"


def write_all(
    entries: list[Candidate], args: argparse.Namespace, notebook: Notebook, pool: Executor | None
) -> None:
    """Write the kept photos that are not there yet; remove those of earlier runs that no longer belong."""
    fit = Fit(args.size, args.keep_aspect)
    kept = {entry.output(args.format): entry for entry in entries if entry.status == "kept"}
    domains = {entry.domain for entry in entries}
    for name in notebook.names("written"):
        if name not in kept and name.partition("/")[0][-1] in domains:
            (args.dataroot / name).unlink(missing_ok=True)
    todo = [
        name
        for name, entry in kept.items()
        if notebook.read("written", name, entry.path) != {**asdict(fit), "sha256": entry.facts.sha256}
        or not (args.dataroot / name).is_file()
    ]
    tasks = ((kept[name].path, args.dataroot / name) for name in todo)
    errors = bounded_map(pool, partial(write_fitted, fit=fit), tasks)
    for name, error in zip(
        todo, tqdm(errors, "writing", len(todo), unit="photo", disable=not todo), strict=True
    ):
        if error:
            raise UserError(error)
        entry = kept[name]
        notebook.write("written", name, entry.path, {**asdict(fit), "sha256": entry.facts.sha256})


def set_aside(entries: list[Candidate], dataroot: Path) -> None:
    """Copy unreadable files to where they can be looked at."""
    for entry in entries:
        if entry.status == "unreadable" and os.access(entry.path, os.R_OK):
            target = dataroot / "unreadable" / entry.domain / f"{entry.stem}{entry.path.suffix}"
            if not target.exists():
                with atomic_path(target) as temporary:
                    shutil.copyfile(entry.path, temporary)


@command_line
def main(argv: list[str] | None = None) -> None:
    """Examine, judge, split, write, report."""
    args = parse(argv)
    notebook = Notebook(args.dataroot / ".prepare.jsonl")
    with process_pool(args.num_workers) as pool:
        entries = examine_all(args, notebook, pool)
        min_size = args.size if args.min_size is None else args.min_size
        judge(entries, min_size, args.min_bytes, args.max_distance)
        if args.require_person:
            require_person(entries, args, notebook, pool)
        if args.blur_report:
            require_blur(entries, args.blur_report)
        split(entries, args.split, args.seed)
        write_all(entries, args, notebook, pool)
    set_aside(entries, args.dataroot)
    write_reports(entries, args.dataroot, args.format)
    for entry in entries:
        if entry.status == "unreadable":
            print(f"unreadable: {entry.detail}")
    print("\n".join(table(entries)))


if __name__ == "__main__":
    main()
