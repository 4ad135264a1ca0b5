#!/usr/bin/env bash
# Learns from domain B where and how much a lens blurs, for test.py --radius: docs/domain_b.md.
# usage: scripts/train_radius.sh DATAROOT [NAME]
# DATAROOT has trainA (sharp) and trainB (shallow) with masks. The network that measures blur is trained first, unless
# it is there: checkpoints/NAME_defocus. About an hour on one CPU core; stopped and started again it goes on where it was.
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/train_radius.sh DATAROOT [NAME]}")
name=${2:-radius}
cd "$(dirname "$0")/.."
train() {
    if [ -f "checkpoints/$1/latest_state.pth" ]; then
        python train.py --dataroot "$dataroot" --name "$1" --continue_train
    else
        python train.py --dataroot "$dataroot" --name "$1" --model "$2"
    fi
}
if [ ! -f "checkpoints/${name}_defocus/done" ]; then
    train "${name}_defocus" defocus
    touch "checkpoints/${name}_defocus/done"
fi
python scripts/measure_blur.py --dataroot "$dataroot" --weights "checkpoints/${name}_defocus/latest_net_E_ema.pth"
train "$name" radius
