#!/usr/bin/env bash
# Makes the two generators that come with the code: pretrained/portrait, which finds people by itself, and
# pretrained/portrait_mask, which is told them by a mask. Their cards say from which photos. Whole bodies, groups and
# half-hidden people need more changes of the photos than the portrait recipe makes; some hours on two cores.
# Each gets a copy of the radius network, pretrained/radius, so that it blurs with distance.
#   bash scripts/train_shipped.sh DATAROOT [further options of train.py ...]
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/train_shipped.sh DATAROOT [options ...]}")
cd "$(dirname "$0")/.."

train() {
    bash scripts/train_portrait.sh "$dataroot" "$1" --lens_light linear --preprocess scale_shortside_and_crop \
        --augment_zoom 0.6 --augment_group 0.25 --augment_hide 0.15 --augment_noise 0.04 "${@:2}"
    python - "checkpoints/$1/latest_net_G.pth" "pretrained/$1/latest_net_G.pth" <<'PYTHON'
# Kernels as float16: half the file, and results that differ by some hundredths of a level in the mean.
import sys
from pathlib import Path

import torch

from util.checkpoint import load_state_dict

state = load_state_dict(sys.argv[1], "train it first")
Path(sys.argv[2]).parent.mkdir(parents=True, exist_ok=True)
torch.save({name: x.half() if x.ndim > 1 else x for name, x in state.items()}, sys.argv[2])
PYTHON
    # How much a lens blurs each place: found beside the generator's weights. scripts/train_radius.sh trains it.
    cp pretrained/radius/latest_net_P.pth "pretrained/$1/"
}

train portrait --n_epochs 1 --n_epochs_decay 2 "${@:2}"
train portrait_mask --mask_input --n_epochs 1 --n_epochs_decay 1 "${@:2}"
