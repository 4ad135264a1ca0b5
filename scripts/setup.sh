#!/usr/bin/env bash
# Makes .venv and installs requirements.txt into it; does nothing when that is done already.
#   bash scripts/setup.sh            set up, then: . .venv/bin/activate
#   PYTHON=/path/to/python3 ...      choose the interpreter that .venv is made with
# demo.sh and test.sh source it and go on inside the environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CPU_WHEELS=https://download.pytorch.org/whl/cpu
export PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    echo "error: $*" >&2
    exit 1
}

is_debian_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# Quiet, because nobody who runs a demo wants to read a package list; the log is shown when it fails.
apt_install() {
    local log
    log=$(mktemp)
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
        </dev/null >"$log" 2>&1 || { tail -n 5 "$log" >&2; rm "$log"; return 1; }
    rm "$log"
}

# Prints the first Python from 3.10 to 3.13 (TensorFlow has no later build) that can make an environment.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.13 python3.11 python3.10 python}; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
            >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

make_environment() {
    local python
    if ! find_python >/dev/null && [ -z "${PYTHON:-}" ] && is_debian_root; then
        echo "Installing python3-venv, without which Debian's Python can't make environments"
        apt_install python3-venv || true
    fi
    python=$(find_python) || fail "no Python from 3.10 to 3.13 with its venv module was found;" \
        "install one (on Debian: apt-get install python3 python3-venv) or name it: PYTHON=/path/to/python3 bash $0"
    echo "Making .venv with $python ($("$python" -V))"
    "$python" -m venv --clear .venv
}

# The pins of these packages in requirements.txt.
pins() {
    local package
    for package in "$@"; do
        grep -Eo "^$package==[^ ]+" requirements.txt
    done
}

# Without an NVIDIA card the CPU builds of torch and torchvision save several gigabytes. They are on an index
# of their own; where that can't be reached, pip takes what it finds.
install_torch() {
    local index=
    if [ "$(uname -s)" = Linux ] && ! nvidia-smi -L >/dev/null 2>&1 && python - "$CPU_WHEELS/torch/" <<'PYTHON'
import sys, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=5)
except OSError:
    sys.exit(1)
PYTHON
    then
        index="--index-url $CPU_WHEELS"
    fi
    # shellcheck disable=SC2046,SC2086
    python -m pip install -qq $index $(pins torch torchvision)
}

# One chain: `set -e` does not act in a function whose result is tested.
install_requirements() {
    echo "Installing requirements.txt into .venv (about 2 GB, a few minutes)"
    # shellcheck disable=SC2046
    python -m pip install -qq $(pins setuptools wheel) &&
        install_torch &&
        python -m pip install -qq --no-build-isolation -r requirements.txt
}

if ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    make_environment
fi
# shellcheck disable=SC1091
. .venv/bin/activate
stamp="$(cat requirements.txt scripts/setup.sh | cksum) $(python -V)"
if [ "$(cat .venv/installed 2>/dev/null)" != "$stamp" ]; then
    install_requirements || fail "the installation stopped; fix what pip says above and run the same command again"
    echo "$stamp" >.venv/installed
fi
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    echo "Ready. Enter the environment with:  . .venv/bin/activate"
fi
