"""Train a model on a dataroot of photos and masks.

    python train.py --dataroot ./datasets/portraits --name portraits                          # plain CycleGAN
    python train.py --dataroot ./datasets/portraits --name overlay --add_mask                 # mask overlay
    python train.py --dataroot ./datasets/portraits --name mask --lambda_mask 1 --vgg19_loss  # mask loss
    python train.py --name overlay --continue_train                                           # go on after a stop
    torchrun --nproc_per_node=4 train.py --dataroot ./datasets/portraits --name portraits     # 4 GPUs

The published recipes are in scripts/train_*.sh, all options in docs/options.md.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from data import create_dataset
from models import create_model
from models.base_model import BaseModel
from models.training_state import load_state, save_state
from options import Options, TrainOptions, save_options
from util.checkpoint import rng_state, seed_everything, set_rng_state
from util.distributed import (
    any_rank,
    is_distributed,
    is_first,
    mean_over_ranks,
    process_group,
    rank,
    world_size,
)
from util.errors import UserError, command_line
from util.interrupt import StopRequest
from util.loss_watch import LossWatch
from util.measure.validation import Validation
from util.visualizer import Visualizer


def passed(count: int, step: int, frequency: int) -> bool:
    """Whether the counter, `step` ago still below a multiple of `frequency`, has now reached it."""
    return count // frequency > (count - step) // frequency


def restore(model: BaseModel, opt: Options, watch: LossWatch) -> dict[str, Any]:
    """Where training starts: at the latest state, at the weights of `--epoch`, or at the beginning.

    Returns the epoch, the batches of it that are done, the photos of a batch, and the photos seen in all.
    """
    batch_photos = opt.batch_size * world_size()
    beginning = {"epoch": opt.epoch_count, "batches": 0, "batch_photos": batch_photos, "total_iters": 0}
    if not opt.continue_train:
        return beginning
    if opt.epoch == "latest" and (model.save_dir / "latest_state.pth").exists():
        progress = load_state(model)
        if "rng" in progress:
            set_rng_state(progress.pop("rng"))
        watch.load_state_dict(progress.pop("watch"))
        # With other numbers of ranks or photos, begin with the batch that the last one done would have been in.
        done = progress["batches"] * progress["batch_photos"] // batch_photos
        return progress | {"batches": done, "batch_photos": batch_photos}
    model.load_networks(opt.epoch)
    say(f"weights of --epoch {opt.epoch} loaded; optimizers, learning rate and counters start anew")
    return beginning


def save_latest(model: BaseModel, watch: LossWatch, progress: dict[str, Any]) -> None:
    """Save the latest weights and state, unless a loss has gone wrong since the last save."""
    watch.check()
    save_networks(model, "latest")
    save_state(model, progress | {"rng": rng_state(), "watch": watch.state_dict()})


def save_networks(model: BaseModel, epoch: str) -> None:
    """Write the weights once, whatever the number of ranks."""
    if is_first():
        model.save_networks(epoch)


def say(text: str) -> None:
    """Print on the first rank."""
    if is_first():
        print(text)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run a training from its options to its last checkpoint."""
    opt = TrainOptions().parse(argv)
    with process_group(opt.device):
        train(opt)


def train(opt: Options) -> None:
    """Train one model, alone or as one of several ranks with equal networks and each its own photos."""
    save_dir = Path(opt.checkpoints_dir) / opt.name
    if not opt.continue_train and (save_dir / "latest_state.pth").exists():
        raise UserError(
            f"{save_dir} holds a training already; go on with --continue_train or take another --name"
        )
    seed_everything(opt.seed, opt.deterministic)
    torch.backends.cudnn.benchmark = (
        "crop" in opt.preprocess and not opt.deterministic
    )  # for sizes that recur
    dataset = create_dataset(opt, rank(), world_size())
    model = create_model(opt)
    model.setup()
    if (
        rank() > 0
    ):  # after the networks, which all ranks have the same: dropout and pools of each rank draw anew
        seed_everything(opt.seed + 1_000_003 * rank(), opt.deterministic)
    watch = LossWatch(save_dir)
    progress = restore(model, opt, watch)
    visualizer = validation = None
    if is_first():
        save_options(opt, save_dir)
        visualizer = Visualizer(opt, resume_iters=progress["total_iters"])
        validation = Validation(opt) if opt.val_freq else None

    last_epoch = opt.n_epochs + opt.n_epochs_decay
    say(model.describe())
    say(
        f"{len(dataset)} photos an epoch; epochs {progress['epoch']} to {last_epoch}: {opt.n_epochs} with lr {opt.lr}, "
        f"then {opt.n_epochs_decay} down to 0 ({opt.lr_policy}); {world_size()} x {opt.device}, into {save_dir}"
    )

    with StopRequest(only_note=is_distributed()) as stop:
        for epoch in range(progress["epoch"], last_epoch + 1):
            train_epoch(opt, model, dataset, visualizer, watch, progress, stop)
            if stop.signal_name:
                save_latest(model, watch, progress)
                break
            model.update_learning_rate(watch.end_epoch())
            progress |= {"epoch": epoch + 1, "batches": 0}
            if validation and epoch % opt.val_freq == 0:
                validate(model, validation, visualizer, epoch, progress["total_iters"])
            if epoch % opt.save_epoch_freq == 0 or epoch == last_epoch:
                save_latest(model, watch, progress)
                save_networks(model, str(epoch))
    if visualizer:
        visualizer.close()
    if stop.signal_name:
        again = f"--dataroot {opt.dataroot} --checkpoints_dir {opt.checkpoints_dir} --name {opt.name}"
        say(f"stopped by {stop.signal_name} and saved; go on with: python train.py {again} --continue_train")


def validate(
    model: BaseModel, validation: Validation, visualizer: Visualizer, epoch: int, total_iters: int
) -> None:
    """Log the figures of the generator on unseen photos, and keep the networks if they are the best so far."""
    with model.generator() as generate:
        figures = validation.measure(generate)
    print(visualizer.print_validation(epoch, total_iters, figures))
    if validation.is_best(figures, visualizer.validations(validation.best_metric, total_iters)):
        model.save_networks("best")


def train_epoch(
    opt: Options,
    model: BaseModel,
    dataset: Any,
    visualizer: Visualizer | None,
    watch: LossWatch,
    progress: dict[str, Any],
    stop: StopRequest,
) -> None:
    """Train on what is left of `progress["epoch"]`, counting in `progress`; return early when asked to stop."""
    epoch = progress["epoch"]
    dataset.set_epoch(epoch)
    bar = tqdm(
        desc=f"epoch {epoch}",
        unit="photo",
        total=len(dataset),
        initial=min(progress["batches"] * progress["batch_photos"], len(dataset)),
        disable=None if visualizer else True,
        dynamic_ncols=True,
    )
    clock, photos = time.perf_counter(), 0
    with bar:
        for batch in stop.until(dataset.iterate(skip_batches=progress["batches"])):
            losses = mean_over_ranks(model.train_step(batch))
            watch.add(losses)
            step = len(batch["A_paths"]) * world_size()
            photos += step
            bar.update(step)
            progress["batches"] += 1
            progress["total_iters"] += step
            total_iters = progress["total_iters"]

            if passed(total_iters, step, opt.print_freq):
                watch.check()
                if visualizer:
                    values = {name: loss.item() for name, loss in losses.items()}
                    images_per_s = photos / (time.perf_counter() - clock)
                    bar.set_postfix({name: f"{value:.2f}" for name, value in values.items()}, refresh=False)
                    line = visualizer.print_current_losses(epoch, total_iters, values, images_per_s, model.lr)
                    bar.write(line)
                clock, photos = time.perf_counter(), 0
            save_html = not opt.no_html and passed(total_iters, step, opt.update_html_freq)
            if visualizer and (save_html or passed(total_iters, step, opt.display_freq)):
                visualizer.display_current_results(model.compute_visuals(), epoch, total_iters, save_html)
            if passed(total_iters, step, opt.save_latest_freq):
                save_latest(model, watch, progress)
                if opt.save_by_iter:
                    save_networks(model, f"iter_{total_iters}")
            if any_rank(bool(stop.signal_name)):
                stop.signal_name = stop.signal_name or "a signal to another rank"
                return


if __name__ == "__main__":
    main()
