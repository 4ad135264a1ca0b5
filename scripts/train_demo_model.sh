#!/usr/bin/env bash
# Makes pretrained/demo/latest_net_G.pth, the small generator that comes with the code: a lens told the subject by a mask.
#   bash scripts/train_demo_model.sh
# It is trained on the synthetic portraits of datasets/make_demo.py; a minute or two on a CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
python datasets/make_demo.py --dataroot ./datasets/demo --size 256
python train.py --dataroot ./datasets/demo --name demo_model --model lens --netG unet_128 --ngf 8 --mask_input \
    --lens_light srgb --lens_radii 1.3 2.6 5.2 --lens_target 2.6 --soft_range 0.007 0.015 --focus_range 0.2 0.7 \
    --load_size 256 --crop_size 256 --batch_size 2 --lr 0.001 \
    --n_epochs 4 --n_epochs_decay 4 --augment_zoom 0.4 --augment_light 0.7 --display_id 0 "$@"
mkdir -p pretrained/demo
cp checkpoints/demo_model/latest_net_G.pth pretrained/demo/latest_net_G.pth
