#!/usr/bin/env bash
# The long versions: the same tests as run.sh with the counts that the promises ask for (200 kills,
# 2,000 flips...). Takes hours. `tests/soak.sh kill flip` runs only the end-to-end files so named.
# DALIL_SEED gives another random run; a failure prints the seed that repeats it.
set -u
cd "$(dirname "$0")/.." || exit 1
export DALIL_SOAK=1
export DALIL_SEED=${DALIL_SEED:-$(($(date +%s) % 1000000))}
echo "soak: DALIL_SEED=$DALIL_SEED"
if [ $# -eq 0 ]; then
	exec tests/run.sh
fi
tests/setup.sh || exit 1
build=${DALIL_BUILD:-$PWD/build-gcc}
[ -d "$build" ] || meson setup "$build" -Dwerror=true >/dev/null || exit 1
ninja -C "$build" >/dev/null || exit 1
export DALIL_BUILD=$build
status=0
for name in "$@"; do
	"tests/e2e/$name.py" || status=1
done
exit $status
