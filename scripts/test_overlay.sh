#!/usr/bin/env bash
# Result page of a model trained with train_overlay.sh, on testA and testB: the real subject over what it paints.
# usage: scripts/test_overlay.sh DATAROOT [NAME] [further options of test.py ...]
. "$(dirname "$0")/recipe.sh"
exec python test.py "${run[@]}" --add_mask "$@"
