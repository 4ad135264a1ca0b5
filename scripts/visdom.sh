#!/usr/bin/env bash
# Starts the visdom server on http://localhost:8097 for this machine only; the first start fetches its page's files.
#   bash scripts/visdom.sh               options go to visdom, e.g.  -port 8098
# From another machine, forward the port:  ssh -L 8097:localhost:8097 this-machine
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

python scripts/visdom_files.py || echo "visdom tries its own downloads instead"
exec visdom -bind_local "$@"
