#!/bin/sh
# SFT, then GRPO from its checkpoint, by hand:    sh train.sh
# One of the two:                                 sh train.sh sft  |  sh train.sh grpo CHECKPOINT
# SWIFT names ms-swift's command, MODEL the model to begin from, OUT a folder for what comes out.
# On several machines: the same on each, with NODE_RANK, MASTER_ADDR and MASTER_PORT set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/output}
swift=${SWIFT:-swift}
stage=${1:-all}
case $stage in
    sft | grpo | all) ;;
    *) echo "usage: sh train.sh [sft | grpo CHECKPOINT]" >&2; exit 2 ;;
esac
if [ -e "$out/$stage" ] || { [ "$stage" = all ] && [ -e "$out/sft" ]; }; then
    echo "$out holds an earlier run; set OUT to another folder." >&2
    exit 1
fi
export MODELSCOPE_CACHE="$out/cache" PYTHONUNBUFFERED=1
@MODEL@
sft() {
    "$swift" sft "$here/sft.yaml" --model "$model" --dataset "$here/sft.jsonl" \
        --output_dir "$out/sft"
}
grpo() {
    "$swift" rlhf "$here/grpo.yaml" --model "$model" --dataset "$here/grpo.jsonl" \
        --external_plugins "$here/reward_plugin.py" --output_dir "$out/grpo" "$@"
}
from() {
    @FROM@
}
case $stage in
    sft) sft ;;
    grpo) if [ $# -gt 1 ]; then from "$2"; else grpo; fi ;;
    all) sft && from "$out/sft/last-checkpoint" ;;
esac
