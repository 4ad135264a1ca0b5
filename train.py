"""Train a model on a dataroot of photos and masks.

    python train.py --dataroot ./datasets/portraits --name portraits                          # plain CycleGAN
    python train.py --dataroot ./datasets/portraits --name overlay --add_mask                 # mask overlay
    python train.py --dataroot ./datasets/portraits --name mask --lambda_mask 1 --vgg19_loss  # mask loss
    python train.py --name overlay --continue_train                                           # go on after a stop
    torchrun --nproc_per_node=4 train.py --dataroot ./datasets/portraits --name portraits     # 4 GPUs

The published recipes are in scripts/train_*.sh, all options in docs/options.md.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data import create_dataset
from models import create_model
from options import Options, TrainOptions, check_new, save_options
from util.distributed import is_first, mean_over_ranks, print0, process_group, rank, world_size
from util.errors import command_line
from util.interrupt import StopRequest
from util.waiting import wait_shortly

# PyTorch and what needs it are imported by `train`: options are read, and wrong ones told, seconds before.
if TYPE_CHECKING:
    from data.loader import Loader
    from models.base_model import BaseModel
    from models.training_state import Progress
    from util.loss_watch import LossWatch
    from util.measure.validation import Validation
    from util.visualizer import Visualizer


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run a training from its options to its last checkpoint."""
    wait_shortly()
    opt = TrainOptions().parse(argv)
    check_new(opt)
    with process_group(opt.device):
        train(opt)


def train(opt: Options) -> None:
    """Train one model, alone or as one of several ranks with equal networks and each its own photos."""
    from models.training_state import finished, plan, restore, resume_command, save_latest, save_networks
    from util.loss_watch import LossWatch
    from util.measure.validation import Validation
    from util.seeds import choose_kernels, seed_everything
    from util.visualizer import Visualizer

    # Photos and networks, the same on all ranks; from then on each draws for itself, dropout and pools.
    choose_kernels(opt.deterministic, one_size="crop" in opt.preprocess)
    seed_everything(opt.seed)
    dataset = create_dataset(opt, rank(), world_size())
    model = create_model(opt)
    model.setup()
    if not is_first():
        seed_everything(opt.seed + 1_000_003 * rank())

    # Begin, or go on where the last call ended.
    watch = LossWatch(model.save_dir)
    progress = restore(model, watch)
    last_epoch = opt.n_epochs + opt.n_epochs_decay
    if progress.epoch > last_epoch:
        print0(finished(opt))
        return
    visualizer = validation = None
    if is_first():
        save_options(opt, model.save_dir)
        visualizer = Visualizer(opt, resume_iters=progress.total_iters)
        validation = Validation(opt) if opt.val_freq else None
    print0(model.describe())
    print0(plan(opt, len(dataset), progress))

    # Train; validate and save at the end of an epoch.
    with StopRequest() as stop:
        while progress.epoch <= last_epoch and not stop.asked():
            epoch = progress.epoch
            if not train_epoch(model, dataset, visualizer, watch, progress, stop):
                break
            model.update_learning_rate(watch.end_epoch())
            progress.end_epoch()
            if validation and visualizer and epoch % opt.val_freq == 0:
                validate(model, validation, visualizer, epoch, progress.total_iters)
            if epoch % opt.save_epoch_freq == 0 or epoch == last_epoch:
                save_latest(model, watch, progress)
                save_networks(model, str(epoch))
        if progress.epoch <= last_epoch:
            save_latest(model, watch, progress)
            print0(f"stopped by {stop.signal_name} and saved; go on with: {resume_command(opt)}")
        if visualizer:
            visualizer.close()


def train_epoch(
    model: "BaseModel",
    dataset: "Loader",
    visualizer: "Visualizer | None",
    watch: "LossWatch",
    progress: "Progress",
    stop: StopRequest,
) -> bool:
    """Train on what is left of the epoch of `progress`, counting there; False if asked to stop before its end."""
    from models.base_model import photos_of
    from models.training_state import save_latest, save_networks
    from util.epoch_bar import EpochBar

    opt, epoch = model.opt, progress.epoch
    dataset.set_epoch(epoch)
    epochs_after = opt.n_epochs + opt.n_epochs_decay - epoch
    with EpochBar(epoch, len(dataset), progress.epoch_photos, is_first(), epochs_after) as bar:
        for batch in bar.timed(stop.until(dataset.iterate(skip_batches=progress.batches))):
            # One step.
            losses = mean_over_ranks(model.train_step(batch))
            watch.add(losses)
            photos = photos_of(batch) * world_size()
            progress.add_batch(photos)
            bar.count(photos)
            total_iters = progress.total_iters

            # Log, show and save, each in its time.
            if progress.passed(opt.print_freq, photos):
                watch.check()
                if visualizer:
                    values = {name: loss.item() for name, loss in losses.items()}
                    line = visualizer.print_current_losses(epoch, total_iters, values, bar.pace(), model.lr)
                    bar.show_losses(values, line)
            save_html = not opt.no_html and progress.passed(opt.update_html_freq, photos)
            if visualizer and (save_html or progress.passed(opt.display_freq, photos)):
                visualizer.display_current_results(model.compute_visuals(), epoch, total_iters, save_html)
            if progress.passed(opt.save_latest_freq, photos):
                save_latest(model, watch, progress)
                if opt.save_by_iter:
                    save_networks(model, f"iter_{total_iters}")
            if stop.asked():
                return False
    return True


def validate(
    model: "BaseModel", validation: "Validation", visualizer: "Visualizer", epoch: int, total_iters: int
) -> None:
    """Log the figures of the generator on unseen photos, and keep the networks if they are the best so far."""
    with model.generator() as generate:
        figures = validation.measure(generate)
    print(visualizer.print_validation(epoch, total_iters, figures))
    if validation.is_best(figures, visualizer.validations(validation.best_metric, total_iters)):
        model.save_networks("best")


if __name__ == "__main__":
    main()
