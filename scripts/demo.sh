#!/usr/bin/env bash
# The whole way on a small scale, about five minutes on two cores after the installation: makes demo portraits,
# finds the people in them, trains the combined recipe (mask overlay and mask loss) on small crops with small
# networks, tests it and measures the results. Run again, it does only what is missing.
#   bash scripts/demo.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

dataroot=datasets/demo
name=demo
constant_epochs=8
decay_epochs=4
model=checkpoints/$name/$((constant_epochs + decay_epochs))_net_G_A.pth
results=results/$name/test_latest
comparison=results/$name/comparison

title() {
    printf '\n== %s\n' "$*"
}

title "Portraits with exact masks and exact truth, in $dataroot"
python datasets/make_demo.py --dataroot $dataroot

title "Masks by the segmenter that finds people in your own photos"
python deeplab/inference.py --input $dataroot/testA --output $dataroot/segmentedA --segmenter selfie \
    --visualize results/$name/segmenter
python - $dataroot <<'PYTHON'
import sys
from pathlib import Path

import numpy as np

from util.images import find_by_stem, read_mask

exact, found = (find_by_stem(Path(sys.argv[1], folder)) for folder in ("maskA", "segmentedA"))
pairs = [[np.asarray(read_mask(folder[stem])) > 127 for folder in (exact, found)] for stem in sorted(found)]
ious = [(a & b).sum() / (a | b).sum() for a, b in pairs]
print(f"median IoU with the exact masks: {np.median(ious):.2f} (training uses the exact ones)")
PYTHON

title "Training, into checkpoints/$name"
if [ -e "$model" ]; then
    echo "done before"
elif [ -e "checkpoints/$name/latest_state.pth" ]; then
    python train.py --dataroot $dataroot --name $name --continue_train
else
    python train.py --dataroot $dataroot --name $name --model cycle_gan --add_mask --lambda_mask 0.5 \
        --netG resnet_6blocks --ngf 16 --ndf 32 --load_size 256 --crop_size 96 --lr 0.001 \
        --n_epochs $constant_epochs --n_epochs_decay $decay_epochs --num_threads 1 --display_id 0 --update_html_freq 60
fi
[ -e "$model" ] || fail "training was stopped; run the same command again to go on"

title "Results of the test photos"
if [ "$results/index.html" -nt "$model" ]; then
    echo "done before"
else
    python test.py --dataroot $dataroot --name $name --num_threads 1
fi

title "The same photos by the small lens generator that comes with the code, told the person by the segmenter"
python test.py --input $dataroot/testA --output results/$name/lens --checkpoints_dir pretrained --name demo --masks auto

title "What they keep of the person, and what the background lost"
python scripts/evaluate.py --dataroot $dataroot --results $name=$results lens=results/$name/lens \
    --baselines --disc_radii 4.5 --truth $dataroot/truthA --output $comparison

title "Open in a browser"
echo "results:     $PWD/$results/index.html"
echo "comparison:  $PWD/$comparison/index.html"
echo "training:    $PWD/checkpoints/$name/web/index.html"
