#!/usr/bin/env bash
# Generates a small dataset, trains a small video model on it in three stages, and compares them on held-out clips.
# What is finished is not done again: after an interruption the same command goes on.
#
#   deploy/demo_train.sh out/demo-train
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:?usage: deploy/demo_train.sh FOLDER}
bin=.venv/bin

$bin/simfactory generate --category rigid --scene free_drop --tier single --clips "${CLIPS:-80}" --views 1 \
    --cameras ring --frames 16 --fps 12 --size 32x32 --seed 5 --split 85/0/15 --out "$out/data"

# stage FOLDER COMMAND...: trains, or goes on with what was begun
stage() {
    local run=$out/$1
    shift
    if [[ -d $run/model ]]; then
        return
    elif [[ -f $run/run.json ]]; then
        $bin/simfactory-train "$1" --resume --out "$run"
    else
        $bin/simfactory-train "$@" --data "$out/data" --preset tiny --out "$run"
    fi
}

stage base sft --stage base --set "optimizer.steps=${BASE_STEPS:-400}"
stage heads pretrain --from "$out/base/model" --set "optimizer.steps=${HEADS_STEPS:-200}"
stage trained sft --from "$out/heads/model" --set "optimizer.steps=${SFT_STEPS:-200}"

# The middle one has its heads from stage I, and the network of the first one.
$bin/simfactory-train eval --model "base=$out/heads/model" --model "trained=$out/trained/model" --data "$out/data" \
    --limit "${TEST_CLIPS:-12}" --steps 5 --out "$out/report" >/dev/null

echo
echo "Held-out clips before and after stage II: mean [95 % interval]. still: nothing moves; background: no objects."
sed -n '/^| metric/,/^$/p' "$out/report/report.md" | sed 's/\\//g' | grep -E \
    '^\| (metric|---|PSNR|SSIM|depth AbsRel \[|object depth AbsRel \[|flow EPE|object flow EPE|depth warp L1, vis|4D Chamfer|object worldline)'
echo
echo "picture: colour, depth, flow and 4D points beside the truth"
ls "$out"/report/pictures/*.png
echo "report:  $out/report/report.html"
