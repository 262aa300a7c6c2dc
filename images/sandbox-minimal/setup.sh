#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the packages that the base lacks, and makes the sandbox's user.
set -eu

missing=""
for package in bash ca-certificates curl less procps tmux vim-tiny; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # shellcheck disable=SC2086
  apt-get install -q -y --no-install-recommends $missing
fi
# vim-tiny calls itself vim.tiny; its alternatives make it vi, which people type.
[ -e /usr/bin/vi ] || ln -s vim.tiny /usr/bin/vi

getent group 1000 >/dev/null || groupadd --gid 1000 sandbox
getent passwd 1000 >/dev/null || useradd --uid 1000 --gid 1000 --home-dir /workspace --no-create-home --shell /bin/bash sandbox
mkdir -p /workspace
chown 1000:1000 /workspace

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log /tmp/setup.sh
