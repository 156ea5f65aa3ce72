#!/usr/bin/env bash
# What `make test-docker` does: builds the image, brings the compose file up, delivers a cue, and
# runs the tests that take Postgres and nats-server from testcontainers.
#
# Where no daemon answers, root gets one for as long as this takes. Where no image registry answers,
# the base images are built from packages (stand_ins/build.sh).
set -euo pipefail
cd "$(dirname "$0")/../../.."
venv=${VENV:-.venv}
work=$(mktemp -d /tmp/cueapi-docker.XXXXXX)
python_image=$(sed -n 's/^ARG PYTHON_IMAGE=//p' deploy/Dockerfile)
postgres_image=$(sed -n 's/^ *image: \(postgres:.*\)/\1/p' docker-compose.yml)
nats_image=$(sed -n 's/^ *image: \(nats:.*\)/\1/p' docker-compose.yml)

need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "make test-docker needs $1: install Docker with its compose plugin, or on Debian" >&2
    echo "  sudo apt-get install docker.io docker-compose debootstrap iptables" >&2
    exit 1
  fi
  echo "installing $2"
  { apt-get update && apt-get install -y --no-install-recommends $2; } >"$work/apt.log" 2>&1 ||
    { tail -5 "$work/apt.log" >&2; exit 1; }
}

finish() {
  if [ -e "$work/dockerd.pid" ]; then
    daemon=$(cat "$work/dockerd.pid")
    kill "$daemon"
    tail --pid="$daemon" -f /dev/null
  fi
  rm -rf "$work"
}
trap finish EXIT

own_daemon() {
  if [ "$(id -u)" != 0 ]; then
    echo "make test-docker needs a Docker daemon, and none answers at ${DOCKER_HOST:-the default socket}." >&2
    echo "Start it (sudo systemctl start docker), or run this as root, which starts one of its own." >&2
    exit 1
  fi
  need dockerd "docker.io iptables"
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/dockerd.pid" >"$work/dockerd.log" 2>&1 &
  for _ in $(seq 100); do
    docker info >/dev/null 2>&1 && return
    sleep 0.3
  done
  echo "dockerd did not start:" >&2
  tail -20 "$work/dockerd.log" >&2
  exit 1
}

docker info >/dev/null 2>&1 || own_daemon
docker compose version >/dev/null 2>&1 || need docker-compose docker-compose

alpine=postgres:18-alpine # tests/containers.py
for image in "$python_image" "$postgres_image" "$nats_image" "$alpine"; do
  docker image inspect "$image" >/dev/null 2>&1 ||
    timeout 300 docker pull --quiet "$image" 2>"$work/pull.log" ||
    { echo "no registry gives $image: $(tail -1 "$work/pull.log")"; missing=yes; }
done
if [ "${missing:-}" = yes ]; then
  need debootstrap debootstrap
  tests/deploy/docker/stand_ins/build.sh "$venv" "$python_image" "$postgres_image" "$nats_image"
  docker image inspect "$alpine" >/dev/null 2>&1 || docker tag "$postgres_image" "$alpine"
fi

export CUEAPI_IMAGE=cueapi:test CUEAPI_TEST_DOCKER=1
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --file deploy/Dockerfile --tag "$CUEAPI_IMAGE" .
"$venv/bin/pytest" -p no:cacheprovider tests/deploy/docker "$@"
# The ryuk container of testcontainers is an image of its own; every test removes what it starts.
TESTCONTAINERS_RYUK_DISABLED=true "$venv/bin/pytest" -p no:cacheprovider \
  tests/libs/events/test_provision.py tests/libs/events/test_migrate.py
