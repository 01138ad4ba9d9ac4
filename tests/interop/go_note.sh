#!/bin/sh
# A log's files against Go's note and tlog packages (golang-golang-x-mod-dev), built offline.
# Arguments: --files DIRECTORY with files of a log as tests/interop/go/verify.go wants them,
# or the built log_files, which makes such files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=/usr/share/gocode
if ! command -v go >/dev/null || [ ! -d "$modules/src/golang.org/x/mod/sumdb/note" ]; then
	echo "skipped: golang-go and golang-golang-x-mod-dev are not installed"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if [ "$1" = --files ]; then
	files=$2
else
	files=$work/files
	mkdir "$files"
	"$1" "$files"
fi
# Without modules: imports are found below GOPATH, and nothing is fetched.
export GO111MODULE=off GOPATH="$modules" GOFLAGS= GOPROXY=off
export GOCACHE="${DALIL_GOCACHE:-$work/cache}" HOME="$work"
go build -o "$work/verify" "$here/go/verify.go"
"$work/verify" "$files"
