#!/usr/bin/env bash
# Sets up on first use, then checks the style and runs the tests. Arguments go to pytest:
#   bash scripts/test.sh                    everything
#   bash scripts/test.sh tests/data -k scan
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

if ! command -v chromium google-chrome chromium-browser >/dev/null; then
    if is_debian_root; then
        echo "Installing Chromium for the browser tests"
        apt_install chromium fonts-liberation || echo "No Chromium: the browser tests will be skipped"
    else
        echo "No Chromium: the browser tests will be skipped (on Debian: sudo apt-get install chromium)"
    fi
fi

ruff check .
ruff format --check .
python -m pytest "$@"
