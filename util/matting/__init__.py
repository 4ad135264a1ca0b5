"""Matting: from a mask to the share of the subject in each pixel, and to the subject's own colours."""

from util.matting.band import softness
from util.matting.colors import colors_behind, subject_colors
from util.matting.laplacian import import_solver
from util.matting.mattes import Matte, alpha_of, matte, solved_size

__all__ = [
    "Matte",
    "alpha_of",
    "colors_behind",
    "import_solver",
    "matte",
    "softness",
    "solved_size",
    "subject_colors",
]
