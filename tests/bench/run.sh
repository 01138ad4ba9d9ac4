#!/usr/bin/env bash
# Measures dalil side by side with restic, borg (both without compression), rsync and a floor program
# that does nothing but the work itself, on one large file and on many documents, and prints one
# table. Needs some 20 GiB and a quarter of an hour at full size.
#
#	BENCH_MEDIA_MIB=2048 BENCH_DOCUMENTS=20000	the sizes
#	BENCH_REPEAT=3		runs of each measurement, of which the median counts
#	BENCH_DIR=/var/tmp/dalil-bench	where the corpora stay and the stores come and go
#	BENCH_TOOLS="dalil rsync" BENCH_OPERATIONS="deposit verify get replicate start"	only these
#	BENCH_STRICT=1		exit 1 where a target is missed
#	DALIL_BUILD=DIRECTORY	a build to measure; else one is made in build-bench
set -eu
cd "$(dirname "$0")/../.."
tests/setup.sh bench
build=${DALIL_BUILD:-$PWD/build-bench}
if [ -z "${DALIL_BUILD:-}" ]; then
	compiler=gcc
	command -v ccache >/dev/null && compiler="ccache gcc"
	[ -f "$build/build.ninja" ] || CC=$compiler meson setup "$build" --buildtype=release >/dev/null
	ninja -C "$build" >/dev/null
fi
exec python3 tests/bench/bench.py "$build"
