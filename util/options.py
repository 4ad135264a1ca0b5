"""The options of a run, as models, datasets and tools get them: parsed, checked, frozen, typed.

The parsers in `options/`, `models/options/` and `data/options.py` declare them, with defaults, ranges and help;
docs/options.md lists them. A run has those of its program, model and dataset, and no others.
"""

from pathlib import Path
from typing import Any


class Options:
    """Options by name, as attributes.

    Frozen: what a run was started with is what every part of it sees. A model or dataset that adds options of its own
    finds them here under their names, declared or not.
    """

    # Run.
    isTrain: bool
    dataroot: str
    name: str
    suffix: str
    checkpoints_dir: str
    device: str
    seed: int
    epoch: str
    phase: str
    verbose: bool

    # Model.
    model: str
    input_nc: int
    output_nc: int
    model_suffix: str

    # Speed and memory.
    precision: str
    channels_last: bool
    compile: bool
    cuda_graphs: bool
    accumulate: int
    checkpoint_activations: bool
    ema: float

    # Data. What follows from other options: `required`, `optional` or `none`; whether depths are read.
    mask_policy: str
    reads_depth: bool
    dataset_mode: str
    direction: str
    serial_batches: bool
    num_threads: int
    batch_size: int
    load_size: int
    crop_size: int
    max_dataset_size: float
    preprocess: str
    no_flip: bool
    display_winsize: int
    cache: str
    cache_size: float
    shard_cache_size: float
    augment_zoom: float
    augment_light: float
    augment_paste: float
    augment_group: float
    augment_hide: float
    augment_noise: float

    # Networks.
    ngf: int
    ndf: int
    netG: str
    netD: str
    n_layers_D: int
    norm: str
    norm_D: str | None
    upsample: str
    antialias: bool
    init_type: str
    init_gain: float
    no_dropout: bool
    output_mode: str
    encoder_weights: str

    # A lens in training; at test None is as trained.
    lens_radii: list[float]
    weights_size: int | None
    train_weights_size: int | None
    focus_range: list[float] | None
    soft_range: list[float] | None
    lens_light: str | None

    # Training.
    n_epochs: int
    n_epochs_decay: int
    epoch_count: int
    lr: float
    beta1: float
    lr_policy: str
    lr_decay_iters: int
    gan_mode: str
    pool_size: int
    deterministic: bool

    # Saving and validation.
    continue_train: bool
    save_latest_freq: int
    save_epoch_freq: int
    keep_last: int
    save_by_iter: bool
    val_freq: int
    best_metric: str

    # Display.
    print_freq: int
    display_freq: int
    update_html_freq: int
    no_html: bool
    logger: list[str]
    logger_project: str
    display_id: int
    display_server: str
    display_port: int
    display_env: str
    display_ncols: int

    # Masks, colours and discriminators of several models.
    add_mask: bool
    lambda_mask: float
    vgg19_loss: bool
    vgg19_weights: str
    lambda_R1: float
    diffaugment: str
    gan_region: str
    lambda_color: float
    lambda_GAN: float

    # cycle_gan, pix2pix.
    lambda_A: float
    lambda_B: float
    lambda_identity: float
    cycle_region: str
    lambda_L1: float

    # cut.
    CUT_mode: str
    lambda_NCE: float
    nce_idt: bool
    nce_layers: str
    nce_T: float
    netF_nc: int
    num_patches: int
    flip_equivariance: bool

    # lens, defocus, radius.
    lambda_focus: float
    lambda_lens: float
    lens_target: float
    mask_input: bool
    nef: int
    npf: int
    lambda_rank: float
    lambda_critic: float

    # The templates.
    lambda_regression: float
    tones: int

    # Test: results.
    results_dir: str
    num_test: float
    aspect_ratio: float
    no_ema: bool
    without_effect: list[str]

    # Test: a folder of photos.
    input: str
    output: str
    masks: str
    input_size: int
    onnx_mean: list[float] | None
    onnx_std: list[float] | None
    full_res: bool
    tile: int
    overwrite: bool

    # Test: a lens.
    aperture: float | str | None
    radius: str
    matting: str
    camera: bool
    lens: str | None
    blades: int | None
    blade_rotation: float
    blade_curvature: float | None
    cat_eye: float | None
    bokeh: str
    highlights: float
    grain: float
    grain_seed: int
    depth: str
    depth_far_bright: bool
    depth_weights: Path | None
    focus: str

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"options are frozen; make a changed copy with replace({name}=...)")

    def __contains__(self, name: str) -> bool:
        return name in vars(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def replace(self, **changes: Any) -> "Options":
        """A copy with some values changed."""
        return Options(**vars(self) | changes)
