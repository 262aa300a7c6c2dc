// SPDX-License-Identifier: Apache-2.0

const FILES = 25;
const MIB_EACH = 4;

/** 100 MiB in 25 files of several folders, written by a shell in the sandbox. */
export const PLANT = `mkdir -p /workspace/tree && cd /workspace/tree && for i in $(seq 1 ${FILES}); do mkdir -p d$((i % 5)) && head -c ${MIB_EACH * 1_048_576} /dev/urandom > d$((i % 5))/$i; done && sync`;

/** Prints one sha256 over the names and sums of all of them; fails where one is missing. */
export const SUM = `cd /workspace && test $(find tree -type f | wc -l) = ${FILES} && find tree -type f | sort | xargs sha256sum | sha256sum`;
