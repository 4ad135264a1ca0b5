"""The files of a training, in `checkpoints/<name>/`, and how it goes on from them.

- `<epoch>_net_<name>.pth`: the weights of one network, a bare state_dict with the keys that other programs use. Epochs
  are `latest`, numbers, `iter_<N>` (`--save_by_iter`) and `best` (`--best_metric`); `..._ema.pth` beside it is the
  average over steps (`--ema`).
- `latest_state.pth`: all that a resumed run needs to go on as if nothing had happened, in one file that is replaced
  at once: the weights again, their averages, optimizers, schedulers, gradient scalers, image pools and what else
  remembers earlier batches, random numbers, and how far it came. `latest_state_rank<N>.pth`: what the other ranks
  remember, and their random numbers.
- `train_opt.txt`, `.json` and `.yaml`: the options; `loss_log.txt`, `losses.csv`, `web/`: what the displays keep.
"""

import re
import shlex
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from models.architecture import load_into
from models.base_model import BaseModel, Memory
from util.checkpoint import load, save
from util.distributed import is_first, print0, rank, world_size
from util.loss_watch import LossWatch
from util.options import Options
from util.seeds import rng_state, set_rng_state


@dataclass
class Progress:
    """How far a training has come; `batches`, `batch_photos` and `total_iters` count those of all ranks together.

    Args:
        epoch: the one that runs, from 1.
        batches: how many of its batches are done.
        batch_photos: photos of a full batch.
        total_iters: photos seen since the training began.
    """

    epoch: int
    batches: int
    batch_photos: int
    total_iters: int

    @property
    def epoch_photos(self) -> int:
        """Photos of the epoch that are done."""
        return self.batches * self.batch_photos

    def add_batch(self, photos: int) -> None:
        """Count a batch of `photos`."""
        self.batches += 1
        self.total_iters += photos

    def end_epoch(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1
        self.batches = 0

    def passed(self, frequency: int, photos: int) -> bool:
        """Whether the last batch, of `photos`, took `total_iters` to a multiple of `frequency` or past one."""
        return self.total_iters // frequency > (self.total_iters - photos) // frequency


def restore(model: BaseModel, watch: LossWatch) -> Progress:
    """Where the training of `model` starts: at the latest state, at the weights of `--epoch`, or at the beginning.

    Raises:
        UserError: files are missing, unreadable, or of another architecture (the message names the flags).
    """
    opt = model.opt
    beginning = Progress(opt.epoch_count, 0, opt.batch_size * world_size(), 0)
    if not opt.continue_train:
        return beginning
    if opt.epoch != "latest" or not (model.save_dir / "latest_state.pth").exists():
        model.load_networks(opt.epoch)
        print0(f"weights of --epoch {opt.epoch} loaded; optimizers, learning rate and counters start anew")
        return beginning
    saved = load_state(model)
    if "rng" in saved:
        set_rng_state(saved["rng"])
    watch.load_state_dict(saved["watch"])
    progress = Progress(**{field.name: saved[field.name] for field in fields(Progress)})
    # With other numbers of ranks or photos, begin with the batch that the last one done would have been in.
    done = progress.epoch_photos // beginning.batch_photos
    return replace(progress, batches=done, batch_photos=beginning.batch_photos)


def resume_command(opt: Options) -> str:
    """The command that goes on with the run of `opt`, to be pasted into a shell."""
    names = ("dataroot", "checkpoints_dir", "name")
    given = [word for name in names for word in (f"--{name}", str(getattr(opt, name)))]
    return shlex.join(["python", "train.py", *given, "--continue_train"])


def plan(opt: Options, photos: int, progress: Progress) -> str:
    """What to say of a run with so many `photos` an epoch that is about to begin, or to go on, at `progress`."""
    last_epoch = opt.n_epochs + opt.n_epochs_decay
    return (
        f"{photos} photos an epoch; epochs {progress.epoch} to {last_epoch}: {opt.n_epochs} with lr {opt.lr}, then "
        f"{opt.n_epochs_decay} down to 0 ({opt.lr_policy}); {world_size()} x {opt.device}, into "
        f"{Path(opt.checkpoints_dir, opt.name)}"
    )


def finished(opt: Options) -> str:
    """What to say of a run that has no epoch left."""
    return (
        f"{opt.name} is finished: all {opt.n_epochs + opt.n_epochs_decay} epochs are trained. To train longer: "
        f"{resume_command(opt)} --n_epochs_decay {opt.n_epochs_decay + 50}"
    )


def save_latest(model: BaseModel, watch: LossWatch, progress: Progress) -> None:
    """Save the latest weights and state, unless a loss has gone wrong since the last save.

    Raises:
        UserError: a loss or a weight is not finite, the disk is full, or the folder can't be written.
    """
    watch.check()
    save_networks(model, "latest")
    save_state(model, asdict(progress) | {"rng": rng_state(), "watch": watch.state_dict()})


def save_networks(model: BaseModel, epoch: str) -> None:
    """Write `<epoch>_net_<name>.pth` of every network once, whatever the number of ranks, and drop what is too old."""
    if is_first():
        model.save_networks(epoch)
        drop_old(model.save_dir, epoch, model.opt.keep_last)


def drop_old(folder: Path, epoch: str, keep: int) -> None:
    """Of checkpoints numbered as `epoch` is, `7` or `iter_500`, remove all but the last `keep` up to it; 0 keeps all.

    Later ones, of a run that went further than the one now continued, stay.
    """
    numbered = re.fullmatch(r"(iter_)?(\d+)", epoch)
    if not keep or not numbered:
        return
    files: dict[int, list[Path]] = {}
    for path in folder.glob(f"{numbered[1] or ''}*_net_*.pth"):
        if match := re.fullmatch(rf"{numbered[1] or ''}(\d+)_net_\w+\.pth", path.name):
            files.setdefault(int(match[1]), []).append(path)
    for number in sorted(number for number in files if number <= int(numbered[2]))[:-keep]:
        for path in files[number]:
            path.unlink()


def save_state(model: BaseModel, progress: dict[str, Any]) -> None:
    """Write `latest_state.pth` with `progress` in it.

    It holds the weights too, so that one file, replaced atomically, is one moment of the training, whatever
    happened between the writing of the `latest_net_*.pth`. Of several ranks, the others write what is theirs
    alone beside it, `latest_state_rank<N>.pth`.
    """
    remembered = {name: memory.state_dict() for name, memory in _memories(model).items()}
    own = {"progress": progress, "pools": remembered}
    if not is_first():
        save(own, model.save_dir / f"latest_state_rank{rank()}.pth")
        return
    shared = {
        "networks": {name: net.state_dict() for name, net in model.networks.items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in model.optimizers.items()},
        "schedulers": {name: _plain(scheduler.state_dict()) for name, scheduler in model.schedulers.items()},
        "scalers": {name: scaler.state_dict() for name, scaler in model.scalers.items()},
        "averages": {name: average.state_dict() for name, average in model.averages.items()},
    }
    save(own | shared, model.save_dir / "latest_state.pth")


def load_state(model: BaseModel) -> dict[str, Any]:
    """Restore `latest_state.pth` and return the progress that was saved with it.

    `--lr`, `--n_epochs` and `--n_epochs_decay` are the resumed run's, which inherits them unless they are given.
    A rank that the saved run did not have keeps its own random numbers and pools: its progress has no `rng`.

    Raises:
        UserError: no such file, unreadable, or of another architecture (the message names the flags).
    """
    path = model.save_dir / "latest_state.pth"
    state = load(path)
    for name, net in model.networks.items():
        load_into(net, state["networks"][name], path)
    for name, optimizer in model.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    for name, scheduler in model.schedulers.items():
        scheduler.load_state_dict(state["schedulers"][name])
        _follow_options(model.optimizers[name], scheduler, model.opt.lr)
    for name, scaler in model.scalers.items():
        scaler.load_state_dict(state["scalers"][name])
    for name, average in model.averages.items():
        if name in state["averages"]:
            average.load_state_dict(state["averages"][name])
        else:
            average.restart()
    own = state if is_first() else _state_of_rank(model, state["progress"])
    for name, memory in _memories(model).items():
        if name in own["pools"]:
            memory.load_state_dict(own["pools"][name], model.device)
    return own["progress"]


def _memories(model: BaseModel) -> dict[str, Memory]:
    return {**model.pools, **model.memories}


def _state_of_rank(model: BaseModel, progress: dict[str, Any]) -> dict[str, Any]:
    """What this rank saved at the same moment as the first rank its `progress`; else only the latter."""
    path = model.save_dir / f"latest_state_rank{rank()}.pth"
    own = load(path) if path.exists() else None
    if own and own["progress"]["total_iters"] == progress["total_iters"]:
        return own
    return {"progress": {key: value for key, value in progress.items() if key != "rng"}, "pools": {}}


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """A scheduler's state without its length, so that a resumed run may have other numbers of epochs."""
    if "lr_lambdas" in state:
        state["lr_lambdas"] = [{"epoch_count": decay["epoch_count"]} for decay in state["lr_lambdas"]]
    return {key: value for key, value in state.items() if key != "T_max"}


def _follow_options(optimizer: Optimizer, scheduler: LRScheduler, lr: float) -> None:
    """Move the restored learning rate to where a run with `lr` and today's numbers of epochs would be."""
    for index, group in enumerate(optimizer.param_groups):
        # The plateau policy does not note where it began.
        first_lr = group.get("initial_lr", group["lr"])
        if isinstance(scheduler, LambdaLR):
            group["lr"] = lr * scheduler.lr_lambdas[index](scheduler.last_epoch)
        elif lr != first_lr and "initial_lr" in group:
            group["lr"] *= lr / first_lr
        if "initial_lr" in group:
            group["initial_lr"] = lr
            scheduler.base_lrs[index] = lr
