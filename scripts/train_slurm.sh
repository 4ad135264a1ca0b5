#!/usr/bin/env bash
# Training on several machines under Slurm: torchrun on each, one rank per GPU. Adapt the lines of #SBATCH.
# usage: sbatch scripts/train_slurm.sh --dataroot DATAROOT --name NAME [further options of train.py ...]
# Asked to stop, by scancel or two minutes before the time is up, it saves; the same line with --continue_train goes on.
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"
master=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
exec srun --kill-on-bad-exit=1 torchrun --nnodes="$SLURM_NNODES" --nproc_per_node="$SLURM_GPUS_ON_NODE" \
    --rdzv_id="$SLURM_JOB_ID" --rdzv_backend=c10d --rdzv_endpoint="$master:29500" train.py "$@"
