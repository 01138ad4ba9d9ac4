#!/usr/bin/env bash
# Installs every Debian 12 package that building and testing dalil needs and that is not there yet.
# Does nothing, and asks no network, where nothing is missing. `tests/setup.sh bench` adds what the
# benchmark measures itself against.
set -u

packages=(
	# build
	gcc clang libc6-dev meson ninja-build pkg-config
	libsodium-dev libssl-dev libmsgpack-dev liblmdb-dev libuv1-dev libjansson-dev libinih-dev
	libmagic-dev zlib1g-dev
	# tests
	libcmocka-dev zlib1g-dev libclang-rt-14-dev llvm clang-format valgrind python3 git
	# other implementations that ours is held against
	age golang-go golang-golang-x-mod-dev python3-dissononce python3-cryptography
	# what the tests use of the system
	util-linux mount procps mandoc
)
[ "${1:-}" = bench ] && packages+=(restic borgbackup rsync)

missing=()
for package in "${packages[@]}"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
	[ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
	echo "setup: every package is here"
	exit 0
fi

echo "setup: installing ${missing[*]}"
root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: these packages are missing, and only root can install them: ${missing[*]}" >&2
		exit 1
	fi
	root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -q || {
	echo "setup: apt-get update failed: is there a network?" >&2
	exit 1
}
"${root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" || {
	echo "setup: apt-get could not install ${missing[*]}" >&2
	exit 1
}
