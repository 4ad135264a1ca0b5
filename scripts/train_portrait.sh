#!/usr/bin/env bash
# Portrait recipe: a lens in place of a painter, one generator, no discriminator. What each part brings: docs/lens.md.
# usage: scripts/train_portrait.sh DATAROOT [NAME] [further options of train.py ...]
. "$(dirname "$0")/recipe.sh"
exec python train.py "${run[@]}" --model lens --netG effnet_lite0 --ngf 32 \
    --load_size 256 --crop_size 256 --batch_size 2 --lr 0.0003 --n_epochs 30 --n_epochs_decay 30 \
    --weights_size 256 --train_weights_size 192 --focus_range 0.3 0.6 \
    --lens_radii 2 4 8 --lens_target 4 --lens_light srgb --soft_range 0.015 0.019 \
    --augment_zoom 0.4 --augment_light 0.7 --augment_paste 0.4 "$@"
