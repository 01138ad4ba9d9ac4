#!/usr/bin/env bash
# Builds dalil with gcc and with clang, warnings being errors, and runs every test: all of them on
# the gcc build, the unit and fuzz tests again under ASan and UBSan, a chosen few under valgrind,
# the checks of the tree, and the programs end to end, some against other implementations.
# The last line is `N passed, N failed, N skipped`; exit 0 only where nothing failed.
#
#	DALIL_RUN="checks unit sanitized valgrind e2e"	runs only the parts named
#	DALIL_SOAK=1	the long versions (tests/soak.sh)
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
parts=" ${DALIL_RUN:-checks unit sanitized valgrind e2e} "
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 skipped=0
begin=$SECONDS

say() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - begin)); }
wants() { [[ $parts == *" $1 "* ]]; }

# count FILE EXIT NAME: add the sums of the last line in FILE; without such a line it counts as one.
count() {
	local sums
	sums=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$1" | tail -1)
	if [ -n "$sums" ]; then
		read -r p _ f _ s _ <<<"$sums"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		# Died after its sums, or before it had any failure to count.
		[ "$2" = 0 ] || [ "$f" != 0 ] || failed=$((failed + 1))
	elif [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		echo "FAILED  $3 (exit $2)"
		failed=$((failed + 1))
	fi
}
# run NAME COMMAND...: run it, show what it says, count it.
run() {
	local name=$1 status
	shift
	"$@" 2>&1 | tee "$logs/out"
	status=${PIPESTATUS[0]}
	count "$logs/out" "$status" "$name"
}
# build DIRECTORY COMPILER OPTIONS...: warnings are errors. Counts as one test.
build() {
	local directory=$1 compiler=$2
	shift 2
	command -v ccache >/dev/null && compiler="ccache $compiler"
	if { [ -f "$directory/build.ninja" ] ||
		CC=$compiler meson setup "$directory" -Dwerror=true "$@"; } >"$logs/build" 2>&1 &&
		ninja -C "$directory" >>"$logs/build" 2>&1; then
		echo "ok      built in ${directory#"$top"/}"
		passed=$((passed + 1))
		return 0
	fi
	tail -50 "$logs/build"
	echo "FAILED  the build in ${directory#"$top"/}"
	failed=$((failed + 1))
	return 1
}
# suites DIRECTORY FACTOR OPTIONS...: the tests that meson knows, counted by their cases.
suites() {
	rm -f "$1/meson-logs/testlog.json"
	meson test -C "$1" --no-rebuild -q -t "$2" "${@:3}" >/dev/null 2>&1
	run "meson test" tests/check/tally.py "$1/meson-logs/testlog.json"
}

tests/setup.sh || exit 1

if wants checks; then
	say "The tree"
	for check in formats layering map style; do
		run "$check" "tests/check/$check.py"
	done
fi

gcc=$top/build-gcc
sanitized=$top/build-sanitized
say "Build with gcc"
build "$gcc" gcc || {
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	exit 1
}
export DALIL_BUILD=$gcc

if wants checks; then
	say "The manual"
	run manual tests/check/manual.py
fi
if wants unit; then
	say "Unit and fuzz tests"
	suites "$gcc" 1
fi
if wants sanitized; then
	say "Build with clang, ASan and UBSan"
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1
	if build "$sanitized" clang -Db_sanitize=address,undefined -Db_lundef=false; then
		say "The same tests under ASan and UBSan"
		# The store's long ones, thousands of crashes and flips, run on the gcc build alone.
		suites "$sanitized" 4 --no-suite store
	fi
	unset ASAN_OPTIONS UBSAN_OPTIONS
fi
if wants valgrind; then
	say "A few under valgrind"
	for name in bytes unpack tree; do
		[ -x "$gcc/tests/unit/test_$name" ] || continue
		DALIL_VECTORS=$top/../shared/vectors valgrind -q --error-exitcode=99 --leak-check=full \
			"$gcc/tests/unit/test_$name" >"$logs/valgrind" 2>&1
		status=$?
		if [ $status = 0 ]; then
			echo "ok      valgrind test_$name"
			passed=$((passed + 1))
		else
			tail -30 "$logs/valgrind"
			echo "FAILED  valgrind test_$name (exit $status)"
			failed=$((failed + 1))
		fi
	done
fi
if wants e2e; then
	for script in tests/e2e/*; do
		[ -f "$script" ] && [ -x "$script" ] || continue
		say "$script"
		run "$script" "$script"
	done
fi

printf '\n== Done in %d s\n%d passed, %d failed, %d skipped\n' $((SECONDS - begin)) \
	"$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
