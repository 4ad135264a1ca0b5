#!/usr/bin/env bash
# Result page of a model trained with train_combined.sh, on testA and testB.
# usage: scripts/test_combined.sh DATAROOT [NAME] [further options of test.py ...]
. "$(dirname "$0")/recipe.sh"
exec python test.py "${run[@]}" "$@"
