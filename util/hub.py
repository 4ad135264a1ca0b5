"""Models that others published: `hf:user/model`, or `hf:user/model@revision`, on Hugging Face's hub.

A published model is a folder with the weights as safetensors, which hold tensors and nothing that runs, and
`config.json`. Nothing else of what a repository holds is fetched.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from util.errors import UserError

PREFIX = "hf:"
MODEL_FILE, RADIUS_FILE, CONFIG_FILE = "model.safetensors", "radius.safetensors", "config.json"
# What `config.json` says to be; another form gets another number.
FORMAT = "bokeh-cyclegan-1"


def is_published(name: str) -> bool:
    """Whether `name` is a model on the hub and not one below `--checkpoints_dir`."""
    return name.startswith(PREFIX)


def run_folder(checkpoints_dir: str | os.PathLike, name: str) -> Path:
    """Where the weights of experiment `name` are; those of `hf:user/model` are fetched first, if they are not there.

    Raises:
        UserError: as `fetched`.
    """
    return fetched(name) if is_published(name) else Path(checkpoints_dir) / name


@lru_cache
def fetched(name: str) -> Path:
    """The folder of a model on the hub, in the cache of huggingface_hub (HF_HOME), which a later call takes it from.

    Raises:
        UserError: no such model, nobody that may see it, no network, or not a model of this project.
    """
    from huggingface_hub import snapshot_download

    repo, revision = split(name)
    # Where its constants take the address from too, but once, when they are imported.
    endpoint = os.environ.get("HF_ENDPOINT")
    with hub_errors(name):
        folder = Path(
            snapshot_download(repo, revision=revision, allow_patterns=[CONFIG_FILE], endpoint=endpoint)
        )
        if not read_config(folder):
            raise UserError(f"{name}: not a model of this project, it has no {CONFIG_FILE}")
        # Named by the revision, which may have changed by now.
        weights = [MODEL_FILE, RADIUS_FILE]
        snapshot_download(repo, revision=folder.name, allow_patterns=weights, endpoint=endpoint)
    return folder


def split(name: str) -> tuple[str, str | None]:
    """`hf:user/model@revision` -> `user/model` and `revision`, or None.

    Raises:
        UserError: not of that form.
    """
    match = re.fullmatch(rf"{PREFIX}([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", name)
    if not match:
        raise UserError(f"{name}: write hf:user/model, or hf:user/model@revision")
    return match[1], match[2]


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """What the hub refuses, as a `UserError` of one line that starts with `name`."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise UserError(f"{name}: ask for access on its page, then run: hf auth login") from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"{name}: no such model, or a private one; check the name, or run: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(f"{name}: the model has no such revision") from None
    except errors.LocalTokenNotFoundError:
        raise UserError(f"{name}: nobody is logged in; run: hf auth login") from None
    except errors.LocalEntryNotFoundError:
        raise UserError(
            f"{name}: the hub can't be reached, and the model was not fetched before; check the network"
        ) from None
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        raise UserError(f"{name}: {_first_line(error)}") from None
    except (UserError, OSError):
        raise
    # Of the network: what library it talks with, and so what is raised, has changed with each of its versions.
    except Exception as error:
        raise UserError(
            f"{name}: the hub can't be reached ({_first_line(error)}); run the same command again"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a published model; empty where there is none.

    Raises:
        UserError: one of another program, or not valid JSON.
    """
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); fix or remove it") from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise UserError(f"{path}: not of a model of this project (its format is not {FORMAT})")
    return config
