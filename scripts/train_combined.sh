#!/usr/bin/env bash
# Published recipe: mask overlay and mask loss together.
# usage: scripts/train_combined.sh DATAROOT [NAME] [further options of train.py ...]
. "$(dirname "$0")/recipe.sh"
exec python train.py "${run[@]}" --model cycle_gan \
    --netG resnet_9blocks --no_dropout --load_size 286 --crop_size 256 --batch_size 1 \
    --lr 0.0002 --n_epochs 50 --n_epochs_decay 25 --add_mask --lambda_mask 0.5 --vgg19_loss "$@"
