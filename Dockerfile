# The control plane and the workers, on CPUs and on NVIDIA GPUs alike: Warp's wheel carries what it needs of CUDA, the
# driver comes from the NVIDIA container toolkit.
#
#   docker build --tag simfactory:0.1.0 .
#
# The lock serves Python 3.11 and 3.12, so any image with either and with venv may be the base.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/simfactory
ENV PATH=/opt/simfactory/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
# The lock comes first: while it stays the same, this layer is not made anew.
COPY requirements/generate.txt requirements/
RUN pip install --require-hashes --only-binary=:all: --requirement requirements/generate.txt
COPY . .
RUN pip install --no-deps --no-build-isolation --no-index .

FROM ${BASE}
# 1234 is the user of NVIDIA's Isaac Sim image too, so that its workers can write to the same volumes. A new volume takes
# the owner of the folder it is mounted on.
RUN groupadd --gid 1234 simfactory \
    && useradd --uid 1234 --gid 1234 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin simfactory \
    && install --directory --owner 1234 --group 1234 /data /state /cache
COPY --from=build /opt/simfactory /opt/simfactory
ENV PATH=/opt/simfactory/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SIMFACTORY_DATA=/data \
    WARP_CACHE_PATH=/cache
USER 1234:1234
EXPOSE 8000
ENTRYPOINT ["simfactory"]
CMD ["--help"]
