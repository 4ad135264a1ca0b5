#!/usr/bin/env bash
# Starts the visdom server on http://localhost:8097 for this machine only; the first start fetches its page's files.
#   bash scripts/visdom.sh               options go to visdom, e.g.  -port 8098
# From another machine, forward the port:  ssh -L 8097:localhost:8097 this-machine
# It runs in the active environment if that has visdom, else in .venv, which is made first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] || ! python -c 'import visdom' 2>/dev/null; then
    . scripts/setup.sh
fi

python scripts/visdom_files.py || echo "visdom tries its own downloads instead"
exec visdom -bind_local "$@"
