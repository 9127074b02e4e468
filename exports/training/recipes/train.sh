#!/bin/sh
# The usual stages, each from what the one before it saved:   sh train.sh
# Others, in the order of a chain:                            sh train.sh sft grpo
# From a checkpoint rather than from the model:               sh train.sh grpo CHECKPOINT
# There are here: @STAGES@; the usual ones are: @USUAL@.
# SWIFT names ms-swift's command, MODEL the model to begin from, OUT a folder for what comes out.
# On several machines: the same on each, with NODE_RANK, MASTER_ADDR and MASTER_PORT set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/output}
swift=${SWIFT:-@PROGRAM@}
chosen= before=
for word in "$@"; do
    case $word in
        @CASES@) chosen="$chosen $word" ;;
        *) if [ -n "$before" ] || [ ! -d "$word" ]; then
            echo "usage: sh train.sh [@CASES@ …] [CHECKPOINT]" >&2
            exit 2
        fi
        before=$word ;;
    esac
done
chosen=${chosen:-@USUAL@}
for stage in $chosen; do
    if [ -e "$out/$stage" ]; then
        echo "$out holds an earlier run; set OUT to another folder." >&2
        exit 1
    fi
done
export MODELSCOPE_CACHE="$out/cache" PYTHONUNBUFFERED=1
@MODEL@
@FUNCTIONS@
for stage in @STAGES@; do
    case " $chosen " in *" $stage "*) ;; *) continue ;; esac
    "$stage" "$before"
    before=$out/$stage/last-checkpoint
done
