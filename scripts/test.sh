#!/usr/bin/env bash
# Sets up on first use, then checks style, imports and types and runs the tests. Arguments go to pytest; without any, at
# least 90% of the lines of models, data, deeplab and util must be run (pyproject.toml):
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
python scripts/visdom_files.py || echo "No files of visdom's page: the dashboard's tests will be skipped"
python scripts/studio_runtime.py || echo "No onnxruntime-web: the studio's tests will be skipped"

ruff check .
ruff format --check .
lint-imports
mypy
if command -v hadolint >/dev/null; then
    hadolint Dockerfile
fi
if [ $# -gt 0 ]; then
    python -m pytest "$@"
else
    python -m pytest --cov --cov-report=term
fi
