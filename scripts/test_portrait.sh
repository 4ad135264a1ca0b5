#!/usr/bin/env bash
# Result page of a model trained with train_portrait.sh, on testA.
# usage: scripts/test_portrait.sh DATAROOT [NAME] [further options of test.py ...]
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/test_portrait.sh DATAROOT [NAME] [options ...]}")
name=${2:-portrait}
cd "$(dirname "$0")/.."
exec python test.py --dataroot "$dataroot" --name "$name" --model lens "${@:3}"
