#!/usr/bin/env bash
# Result page of a model trained with train_overlay.sh, on testA and testB: the real subject over what it paints.
# usage: scripts/test_overlay.sh DATAROOT [NAME] [further options of test.py ...]
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/test_overlay.sh DATAROOT [NAME] [options ...]}")
name=${2:-overlay}
cd "$(dirname "$0")/.."
exec python test.py --dataroot "$dataroot" --name "$name" --add_mask "${@:3}"
