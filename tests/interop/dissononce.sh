#!/bin/sh
# The handshake against python3-dissononce.  Argument: the built noise_driver.
set -eu
here=$(dirname "$0")
if ! /usr/bin/python3 -c 'import dissononce' 2>/dev/null; then
	echo "skipped: python3-dissononce is not installed"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
fi
exec /usr/bin/python3 "$here/noise_with_dissononce.py" "$1"
