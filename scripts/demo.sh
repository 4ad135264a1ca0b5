#!/usr/bin/env bash
# The whole way on a small scale, a few minutes on two cores after the installation: makes demo portraits, trains a
# lens and, shortly, a painter on them, compares both with conventional blurs. Run again, it does only what is missing.
#   bash scripts/demo.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

dataroot=datasets/demo
name=demo
painter=demo_painter
results=results/$name/test_latest
painted=results/$painter/test_latest
others=results/$name/others
comparison=results/$name/comparison
small="--dataroot $dataroot --load_size 256 --num_threads 1 --display_id 0 --update_html_freq 60"

title() {
    printf '\n== %s\n' "$*"
}

# train NAME EPOCHS OPTIONS...: half of the epochs at full learning rate, half with it going down; goes on after a stop.
train() {
    local done_by=checkpoints/$1/${2}_net_G*.pth
    # shellcheck disable=SC2086
    if compgen -G "$done_by" >/dev/null; then
        echo "done before"
    elif [ -e "checkpoints/$1/latest_state.pth" ]; then
        python train.py --name "$1" --continue_train
    else
        python train.py --name "$1" --n_epochs $(($2 / 2)) --n_epochs_decay $(($2 / 2)) $small "${@:3}"
    fi
    compgen -G "$done_by" >/dev/null || fail "training was stopped; run the same command again to go on"
}

# test_photos NAME: the page of its results, unless there is a current one.
test_photos() {
    if [ "results/$1/test_latest/index.html" -nt "checkpoints/$1/latest_state.pth" ]; then
        echo "done before"
    else
        python test.py --dataroot $dataroot --name "$1" --num_threads 1
    fi
}

title "Portraits with exact masks and exact truth, in $dataroot"
python datasets/make_demo.py --dataroot $dataroot

title "The conventional way: blurs behind the mask of a segmenter, in $others"
for blur in "mean --radius 2" "gaussian --radius 4" "disc --radius 4.5"; do
    # shellcheck disable=SC2086
    python deeplab/inference.py --input $dataroot/testA --output "$others/${blur%% *}" --segmenter selfie --soft --smooth $blur
done

title "Training a lens: it says for each pixel how far out of focus it is, and blurs; into checkpoints/$name"
train $name 6 --model lens --netG effnet_lite0 --ngf 32 --crop_size 256 --batch_size 2 --lr 0.001 \
    --weights_size 256 --train_weights_size 192 --augment_zoom 0.2 --focus_range 0.4 0.9 \
    --lens_radii 4.5 --lens_target 4.5 --lens_light linear

title "Training a painter, the published combined recipe: too short to learn to blur, set up to do no harm; into checkpoints/$painter"
train $painter 6 --model cycle_gan --add_mask --lambda_mask 0.5 --netG resnet_6blocks --ngf 16 --ndf 16 \
    --crop_size 96 --lr 0.0005 --output_mode residual --init_gain 0.005 --upsample resize --ema 0.99

title "Results on photos that neither has seen"
test_photos $name
test_photos $painter
python test.py --input $dataroot/testA --output $others/aperture_2 --name $name --aperture 2

title "The same photos by the generator that comes with the code, which blurs all alike here, as the made portraits are blurred"
python test.py --input $dataroot/testA --output $others/shipped --radius none

title "How near each comes to the truth, what it keeps of the person, and what the background lost"
python scripts/evaluate.py --dataroot $dataroot --truth $dataroot/truthA --output $comparison --results \
    input=$dataroot/testA "lens, trained here=$results" "lens, shipped=$others/shipped" \
    "segmenter + disc=$others/disc" "segmenter + Gaussian=$others/gaussian" "segmenter + mean=$others/mean" \
    "painter, trained here=$painted" truth=$dataroot/truthA
python - $dataroot/testA $results/images $others/aperture_2 $comparison/strip.png <<'PYTHON'
import sys
from pathlib import Path

from util.images import read_image, write_image
from util.sheet import contact_sheet

photos, results, wider, sheet = map(Path, sys.argv[1:])
stem = "test_004"
files = [photos / f"{stem}.png", results / f"{stem}_fake_B.png", wider / f"{stem}.png"]
write_image(contact_sheet([read_image(file) for file in files], 3, ["photo", "result", "--aperture 2"]), sheet)
PYTHON

title "Open in a browser"
echo "comparison:  $PWD/$comparison/index.html"
echo "results:     $PWD/$results/index.html and $PWD/$painted/index.html"
echo "training:    $PWD/checkpoints/$name/web/index.html and $PWD/checkpoints/$painter/web/index.html"
