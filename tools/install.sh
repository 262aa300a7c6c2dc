#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings npm where a machine has none: everything else, Node 24 included, then comes with `npm ci` and `make up`.
set -eu
command -v npm >/dev/null && exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
command -v apt-get >/dev/null || { echo "install Node.js with npm first (only Debian and Ubuntu are done by themselves)" >&2; exit 1; }
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends nodejs npm
