"""Candidates for a dataset: which of them are kept, and in which phase; reports of what became of each."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datasets.photo_check import Examined, find_duplicates
from util.domains import PHASES
from util.errors import UserError
from util.files import write_text

STATUSES = ("kept", "duplicate", "too small", "unreadable", "no person", "other blur")

# What the photos of each domain may be in a report of scripts/measure_blur.py.
BLUR_OF_DOMAIN = {"A": ("sharp",), "B": ("shallow", "between")}


@dataclass
class Candidate:
    """One photo of the input and what becomes of it."""

    domain: str
    path: Path
    stem: str  # of the output
    facts: Examined
    status: str = "kept"
    detail: str = ""
    phase: str = ""

    def output(self, suffix: str) -> str:
        """The photo's place in the dataroot."""
        return f"{self.phase}{self.domain}/{self.stem}.{suffix}"


def judge(entries: list[Candidate], min_size: int, min_bytes: int, max_distance: int) -> None:
    """Set the status of photos that can't be read, are too small or are there twice."""
    for entry in entries:
        facts = entry.facts
        if facts.error:
            entry.status, entry.detail = "unreadable", facts.error
        elif facts.bytes < min_bytes or min(facts.width, facts.height) < min_size:
            entry.status = "too small"
            entry.detail = f"{facts.width}x{facts.height}, {facts.bytes} bytes"
    duplicates = find_duplicates((e.facts for e in entries if e.status == "kept"), max_distance)
    for entry in entries:
        if entry.path in duplicates:
            entry.status, entry.detail = "duplicate", str(duplicates[entry.path])


def require_blur(entries: list[Candidate], report: Path) -> None:
    """Set the status of photos that are not what their domain wants, as `report` says; those not in it are kept.

    Raises:
        UserError: no such file, or not a report of scripts/measure_blur.py.
    """
    try:
        lines = list(
            csv.DictReader(io.StringIO(report.read_text(encoding="utf-8", errors="surrogateescape")))
        )
        kinds = {Path(line["photo"]).resolve(): line["kind"] for line in lines}
    except (OSError, UnicodeDecodeError, KeyError):
        raise UserError(
            f"--blur_report {report}: not a report; make it with scripts/measure_blur.py --report"
        ) from None
    kept = [entry for entry in entries if entry.status == "kept"]
    found = [kinds.get(entry.path.resolve()) for entry in kept]
    if kept and not any(found):
        raise UserError(
            f"--blur_report {report}: none of the photos is in it; measure the folders of --input_A and "
            "--input_B"
        )
    for entry, kind in zip(kept, found, strict=True):
        if kind and kind not in BLUR_OF_DOMAIN[entry.domain]:
            entry.status, entry.detail = "other blur", kind


def split(entries: list[Candidate], shares: tuple[float, float, float], seed: int) -> None:
    """Set the phase of the kept photos, each domain by itself.

    The order is that of a hash of seed and content: more photos in the input move few from phase to phase.
    """
    for domain in "AB":
        kept = [entry for entry in entries if entry.domain == domain and entry.status == "kept"]
        kept.sort(key=lambda entry: hashlib.sha256(f"{seed} {entry.facts.sha256}".encode()).digest())
        ends = [round(len(kept) * sum(shares[: i + 1])) for i in range(3)]
        for i, entry in enumerate(kept):
            entry.phase = next(phase for phase, end in zip(PHASES, ends, strict=True) if i < end)


def write_reports(entries: list[Candidate], dataroot: Path, suffix: str) -> None:
    """A CSV per domain: each photo, what became of it and why."""
    for domain in sorted({entry.domain for entry in entries}):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["photo", "status", "detail", "output", "width", "height", "bytes", "sha256"])
        for e in entries:
            if e.domain == domain:
                output = e.output(suffix) if e.status == "kept" else ""
                size = (e.facts.width, e.facts.height, e.facts.bytes, e.facts.sha256)
                writer.writerow([e.path, e.status, e.detail, output, *size])
        write_text(dataroot / f"report_{domain}.csv", text.getvalue())


def table(entries: list[Candidate]) -> Iterator[str]:
    """Lines of a table: how many photos of each domain came to what."""
    domains = sorted({entry.domain for entry in entries})
    counts = Counter((entry.status, entry.domain) for entry in entries)
    counts.update((f"  {entry.phase}", entry.domain) for entry in entries if entry.phase)
    rows = ["kept", *(f"  {phase}" for phase in PHASES), *STATUSES[1:]]
    yield " " * 12 + "".join(f"{domain:>8}" for domain in domains)
    for row in rows:
        yield f"{row:<12}" + "".join(f"{counts[row, domain]:>8}" for domain in domains)
