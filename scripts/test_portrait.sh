#!/usr/bin/env bash
# Result page of a model trained with train_portrait.sh, on testA.
# usage: scripts/test_portrait.sh DATAROOT [NAME] [further options of test.py ...]
. "$(dirname "$0")/recipe.sh"
exec python test.py "${run[@]}" --model lens "$@"
