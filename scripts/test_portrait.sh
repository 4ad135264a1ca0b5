#!/usr/bin/env bash
# Result page of a model trained with train_combined.sh, on testA and testB.
# usage: scripts/test_combined.sh DATAROOT [NAME] [further options of test.py ...]
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/test_combined.sh DATAROOT [NAME] [options ...]}")
name=${2:-combined}
cd "$(dirname "$0")/.."
exec python test.py --dataroot "$dataroot" --name "$name" "${@:3}"
