# An image with pyhost and a Python, without an application:
#
#   docker build -t pyhost .
#   docker build -t pyhost --build-arg PYTHON_IMAGE=python:3.8-slim-bookworm .
#   docker build -t pyhost --build-arg PYTHON_IMAGE=debian:bookworm-slim .      (Debian's own Python)
#   docker run --rm -p 8000:8000 -v "$PWD/myproject:/app" pyhost myproject.wsgi
#
# docs/deployment.md shows how to build an image of an application on it.
#
# The binary needs the C library that it was built with or a newer one: both images must be of the same Debian, or the
# second of a later one.
ARG GO_IMAGE=golang:1.26-bookworm
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${GO_IMAGE} AS build
WORKDIR /src
# The dependencies are a layer of their own, which a change of the code leaves in the cache.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build

FROM ${PYTHON_IMAGE}
# The official Python images have a shared libpython; Debian's Python has it in a package of its own.
RUN set -eu; \
    if ! command -v python3 >/dev/null; then \
        apt-get update; \
        apt-get install -y --no-install-recommends python3 python3-venv; \
        apt-get install -y --no-install-recommends \
            "libpython$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"; \
        rm -rf /var/lib/apt/lists/*; \
    fi; \
    useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin pyhost
COPY --from=build /src/bin/pyhost /usr/local/bin/pyhost
WORKDIR /app
# With PORT set pyhost listens on 0.0.0.0; --bind overrides it.
ENV PORT=8000
EXPOSE 8000
USER pyhost
STOPSIGNAL SIGTERM
ENTRYPOINT ["pyhost"]
CMD ["--help"]
