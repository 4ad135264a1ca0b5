# Bokeh CycleGAN with all its programs, for CPUs or for NVIDIA cards:
#
#   docker build -t bokeh .
#   docker build -t bokeh-cuda --build-arg DEVICE=cuda .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" bokeh bokeh photos/ -o soft/
#
# More in docs/docker.md.
FROM python:3.11-slim-bookworm

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# PyTorch before all else: the CPU build comes from an index of its own, and the CUDA build, which brings the whole of
# CUDA but the driver, from PyPI. The pins meet both. setuptools and wheel build visdom, without isolation.
ARG DEVICE=cpu
WORKDIR /app
COPY requirements.txt ./
RUN case "$DEVICE" in \
        cpu) index=https://download.pytorch.org/whl/cpu ;; \
        cuda) index=https://pypi.org/simple ;; \
        *) echo "DEVICE is cpu or cuda, not $DEVICE" >&2; exit 1 ;; \
    esac \
    && grep -Eo '^(setuptools|wheel)==[^ ]+' requirements.txt | xargs pip install \
    && grep -Eo '^(torch|torchvision)==[^ ]+' requirements.txt | xargs pip install --index-url "$index"

# What programs import, and not what tests do.
RUN sed '/^# --- tests and checks/,$d' requirements.txt > /tmp/needed.txt \
    && pip install --no-build-isolation -r /tmp/needed.txt \
    && rm /tmp/needed.txt

# The code last, since it changes most.
COPY . .
RUN pip install --no-build-isolation --no-deps -e . \
    && python -m compileall -q . \
    # Weights that are fetched: for whoever runs this, also without a volume.
    && mkdir -m 1777 /cache /work

ENV HOME=/cache
VOLUME /cache
USER 1000:1000
WORKDIR /work
CMD ["bokeh"]
