# Sourced by train_RECIPE.sh and test_RECIPE.sh. Of the words they are called with, DATAROOT [NAME] [options ...], it
# puts the first two into `run`, as options, and leaves the others in "$@"; NAME is that of the recipe if it isn't given.
set -euo pipefail
dataroot=$(realpath "${1:?usage: scripts/$(basename "$0") DATAROOT [NAME] [options ...]}")
recipe=$(basename "$0" .sh)
name=${2:-${recipe#*_}}
run=(--dataroot "$dataroot" --name "$name")
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.."
