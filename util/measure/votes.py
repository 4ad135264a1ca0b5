"""What people prefer: votes on pairs of results, and the strength of each method that explains them best.

Bradley and Terry (1952): method i is preferred to j with probability p_i / (p_i + p_j). A vote for 'same' counts as
half a vote for each. Fitted by Hunter's (2004) minorisation; intervals by drawing photos again, with all their votes.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from util.errors import UserError

ANSWERS = {"left": 1.0, "same": 0.5, "right": 0.0}  # share of the vote that goes to the left one
COLUMNS = ("left", "right", "answer")
KEY_FILE = "key.json"
PRIOR = 0.5  # votes that each of two methods gets against the other beforehand; without, who never loses is infinite
RESAMPLES = 500
ITERATIONS = 2000


@dataclass(frozen=True)
class Vote:
    """`share` of a vote went to `first`, the rest to `second`; the methods' results on the same `photo`."""

    photo: str
    first: str
    second: str
    share: float


@dataclass(frozen=True)
class Preference:
    """How often a method would be preferred to an average one, with its 95% interval, and its number of votes."""

    method: str
    preferred: float
    low: float
    high: float
    votes: int


def read_votes(paths: Sequence[Path], page: Path) -> list[Vote]:
    """The votes of some raters' files on the blind page in the folder `page`, whose key tells the methods.

    Raises:
        UserError: a file is missing, no file of votes, or of another page.
    """
    key_path = page / KEY_FILE
    if not key_path.is_file():
        raise UserError(f"{key_path}: no such file; give the folder of the blind page (--blind)")
    key = json.loads(key_path.read_text(encoding="utf-8"))
    votes = []
    for path in paths:
        if not path.is_file():
            raise UserError(f"--votes {path}: no such file")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for line, row in enumerate(rows, start=2):
            if not all(row.get(column) for column in COLUMNS) or row["answer"] not in ANSWERS:
                raise UserError(f"--votes {path}, line {line}: not an answer of a blind page")
            if row["left"] not in key or row["right"] not in key:
                raise UserError(f"--votes {path}, line {line}: answers of another page than {page}")
            (photo, first), (_, second) = key[row["left"]], key[row["right"]]
            votes.append(Vote(photo, first, second, ANSWERS[row["answer"]]))
    if not votes:
        raise UserError("--votes: no answers in these files")
    return votes


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Log strengths `[M]`, mean 0, from `wins` `[M,M]`: how often i was preferred to j."""
    wins = wins + PRIOR * (1 - np.eye(len(wins)))
    games = wins + wins.T
    strength = np.ones(len(wins))
    for _ in range(ITERATIONS):
        shares = games / (strength[:, None] + strength[None])
        np.fill_diagonal(shares, 0)
        updated = wins.sum(axis=1) / shares.sum(axis=1)
        updated /= np.exp(np.log(updated).mean())
        done = np.allclose(updated, strength, rtol=1e-10)
        strength = updated
        if done:
            break
    return np.log(strength)


def preferences(votes: Sequence[Vote], seed: int = 0) -> list[Preference]:
    """Each method's chance against an average one (log strength 0), best first."""
    methods = sorted({name for vote in votes for name in (vote.first, vote.second)})
    photos = sorted({vote.photo for vote in votes})
    of_photos = np.stack(
        [_wins([vote for vote in votes if vote.photo == photo], methods) for photo in photos]
    )
    draws = np.random.default_rng(seed).integers(len(photos), size=(RESAMPLES, len(photos)))
    samples = np.stack([bradley_terry(of_photos[draw].sum(axis=0)) for draw in draws])
    low, high = (_chance(bound) for bound in np.quantile(samples, (0.025, 0.975), axis=0))
    fitted = _chance(bradley_terry(of_photos.sum(axis=0)))
    counts = [sum(name in (vote.first, vote.second) for vote in votes) for name in methods]
    found = [Preference(*of_method) for of_method in zip(methods, fitted, low, high, counts, strict=True)]
    return sorted(found, key=lambda preference: -preference.preferred)


def _wins(votes: Sequence[Vote], methods: list[str]) -> np.ndarray:
    wins = np.zeros((len(methods), len(methods)))
    for vote in votes:
        first, second = methods.index(vote.first), methods.index(vote.second)
        wins[first, second] += vote.share
        wins[second, first] += 1 - vote.share
    return wins


def _chance(log_strength: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_strength))


def preference_rows(found: Sequence[Preference]) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of a table of preferences."""
    rows = [
        [each.method, f"{each.preferred:.2f} [{each.low:.2f}, {each.high:.2f}]", str(each.votes)]
        for each in found
    ]
    return ["method", "preferred to an average one", "votes"], rows


def pairs_to_judge(methods: Sequence[str], photos: Sequence[str], seed: int) -> list[tuple[str, str, str]]:
    """(photo, left, right) for each photo and two methods, in random order and with random sides."""
    rng = np.random.default_rng(seed)
    pairs = [(photo, *pair) for photo in photos for pair in combinations(methods, 2)]
    return [
        (photo, *(pair if rng.random() < 0.5 else pair[::-1]))
        for photo, *pair in (pairs[i] for i in rng.permutation(len(pairs)))
    ]
