"""Which way figures get better: `util.measure.metrics` computes them. Needs no PyTorch, for options."""

# For choosing the best epoch: +1 the larger, -1 the smaller.
BETTER = {
    "subject_psnr": 1,
    "subject_ssim": 1,
    "gradient_left": -1,
    "color_error": -1,
    "halo": -1,
    "blur_match": -1,
    "grid": -1,
}

# What a strength can be chosen by.
CHOSEN_BY = {"psnr": 1, "ssim": 1, "psnr_background": 1, "psnr_edge": 1, "psnr_hair": 1, **BETTER}
del CHOSEN_BY["blur_match"]  # of sets, not of photos
