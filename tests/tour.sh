#!/usr/bin/env bash
# The main job, end to end, in plain words: three organisations keep documents, one is raided, and
# everything comes back from the others. Exit 0 only if every comparison held.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD

say() { printf '\n== %s\n' "$*"; }
tell() { printf '   %s\n' "$*"; }
fail() {
	printf '\nThe tour FAILED: %s\n' "$*"
	exit 1
}
must() { "$@" || fail "this command: $*"; }

say "Install what is missing and build"
must tests/setup.sh
build=${DALIL_TOUR_BUILD:-$top/build-tour}
[ -d "$build" ] || must meson setup "$build" -Dbuildtype=release >/dev/null
must ninja -C "$build" >/dev/null
export PATH="$build/cli:$build/node:$PATH"

work=$(mktemp -d) || exit 1
daemons=()
# Whatever happens, no process and no file of the tour stays behind.
clean() {
	for daemon in "${daemons[@]}"; do kill -9 "$daemon" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
unset DALIL_STORE
umask 077

documents=$work/documents
mkdir "$documents"
corpus=$top/../shared/corpus
if [ -f "$corpus/manifest.csv" ]; then
	must cp "$corpus"/* "$documents/"
	tell "The documents are the $(($(wc -l <"$documents/manifest.csv") - 1)) texts of the corpus."
else
	must python3 tests/tour_material.py texts "$documents"
	tell "No corpus here: the documents are texts made for the tour."
fi
must python3 tests/tour_material.py media "$documents"
tell "With them: one recording and three photographs, made just now."

# passphrases NODE: a file, readable by nobody else, with a passphrase for each key.
passphrases() {
	printf 'store: %s guards the store\nroot: %s root words\nnext: %s next words\ncopy: %s copy words\n' \
		"$1" "$1" "$1" "$1" >"$work/$1.passphrase"
}
# as NODE COMMAND...: run dalil as that node.
as() {
	local node=$1
	shift
	dalil --store "$work/$node" --passphrase-file "$work/$node.passphrase" "$@" </dev/null
}
# start NODE: run its dalild, and remember its address in address_NODE.
start() {
	local node=$1 line=
	mkfifo "$work/$node.ready" || fail "mkfifo"
	DALIL_PASSPHRASE_FILE=$work/$node.passphrase dalild --store "$work/$node" \
		--listen 127.0.0.1:0 >"$work/$node.ready" 2>>"$work/$node.log" &
	daemons+=($!)
	printf -v "daemon_$node" '%s' "$!"
	read -r -t 30 line <"$work/$node.ready" || fail "dalild of $node is not ready: $(tail -3 "$work/$node.log")"
	rm "$work/$node.ready"
	line=${line#ready listen=}
	printf -v "address_$node" '%s' "${line%% *}"
}
# pair NODE OTHER: OTHER accepts an invite of NODE.
pair() {
	local address=address_$1 other=address_$2 invite reply
	invite=$(as "$1" --quiet peer invite --address "${!address}") || fail "invite by $1"
	reply=$(as "$2" --quiet peer accept "$invite" --address "${!other}" --country "$(country "$1")" --as "$1") ||
		fail "accept by $2"
	must as "$1" --quiet peer confirm "$reply" --country "$(country "$2")" --as "$2"
	tell "$1 and $2 are paired."
}
country() {
	case $1 in
	almaty) echo KZ ;;
	bishkek) echo KG ;;
	*) echo UZ ;;
	esac
}

say "Three organisations found their archives"
for node in almaty bishkek tashkent; do
	passphrases "$node"
	mkdir "$work/$node-root" "$work/$node-next"
	as "$node" --quiet init --org "${node^} Documentation" --node "$node" --country "$(country "$node")" \
		--keys-to "$work/$node-root" --next-to "$work/$node-next" >"$work/$node.facts" ||
		fail "init of $node"
	tell "${node^} Documentation: $(sed -n 's/^origin //p' "$work/$node.facts")"
	start "$node"
done
organisation=$(sed -n 's/^organisation //p' "$work/tashkent.facts")

say "They pair, each with each"
pair almaty bishkek
pair almaty tashkent
pair bishkek tashkent

say "Tashkent deposits its documents; its vault key goes to a safe place"
cp -r "$documents" "$work/originals" || fail "cp"
as tashkent --quiet add --manifest "$documents/manifest.csv" >"$work/added" || fail "add --manifest"
as tashkent --quiet add --case uz-cotton --type photograph --captured 2017-11-03 "$documents"/photo-*.png \
	>>"$work/added" || fail "add photographs"
as tashkent --quiet add --case uz-cotton --type audio --captured 2017-11-01T10:30:00+05:00 \
	"$documents/recording.wav" >>"$work/added" || fail "add recording"
must as tashkent --quiet key copy vault -o "$work/tashkent-vault.key"
count=$(wc -l <"$work/added")
tell "$count exhibits deposited."
as bishkek --quiet add --open --as-is --title "Poster of the clinic" "$documents/photo-1.png" >"$work/bishkek.added" ||
	fail "add at bishkek"

say "Replicate"
for node in tashkent almaty bishkek; do
	must as "$node" --quiet sync --timeout 120
done
for node in almaty bishkek; do
	as "$node" verify --all >"$work/$node.verify" || fail "verify at $node: $(tail -3 "$work/$node.verify")"
	tell "$node: $(tail -1 "$work/$node.verify")"
done
say "Status at Tashkent"
as tashkent status
tell "(exit $?; 1 means that copies are still at risk by the policy)"

say "Tashkent is raided: its daemon is killed, its disk wiped"
kill -9 "$daemon_tashkent"
wait "$daemon_tashkent" 2>/dev/null
rm -rf "$work/tashkent" "$documents"
[ ! -e "$work/tashkent" ] || fail "the disk is not wiped"
tell "What is left: the root key and the copy of the vault key, kept elsewhere."

say "A successor is founded from the root key, and recovers from Almaty and Bishkek"
passphrases heir
cp "$work/tashkent.passphrase" "$work/heir.passphrase"
must as almaty charter export "$organisation" -o "$work/tashkent.charter"
must as heir --quiet init --join "$work/tashkent.charter" --node heir --country UZ \
	--org-key "$work/tashkent-root/tashkent-root.key"
must as heir --quiet key attach "$work/tashkent-vault.key"
start heir
pair almaty heir
pair bishkek heir
as heir recover >"$work/recover" 2>"$work/recover.log" || fail "recover: $(tail -5 "$work/recover.log")"
sed 's/^/   /' "$work/recover"
grep -q 'charter revoke' "$work/recover" || fail "recover does not say how to revoke the lost node"
as heir verify --all >"$work/heir.verify" || fail "verify at the successor"
tell "$(tail -1 "$work/heir.verify")"

say "Compare every file, byte for byte"
must as heir --quiet unlock --for 15
same=0
while IFS= read -r line; do
	record=${line%% *}
	name=${line##*/}
	as heir --quiet get "$record" -o "$work/back" --force || fail "get $record"
	cmp "$work/back" "$work/originals/$name" || fail "$name came back different"
	same=$((same + 1))
done <"$work/added"
[ "$same" -eq "$count" ] || fail "$same of $count compared"
tell "$same of $count are the same."

say "Check one exhibit with stock tools only: age and sha256sum"
line=$(grep 'parkent-audiotape\|testimony-1' "$work/added" | head -1)
[ -n "$line" ] || line=$(head -1 "$work/added")
read -r record digest _ <<<"$line"
must as heir export "$record" --age -o "$work/exhibit.age"
as heir key reveal vault >"$work/identity" || fail "key reveal"
size=$(as heir --json show "$record" | python3 -c 'import json,sys; print(json.load(sys.stdin)["size"])') ||
	fail "show"
stock=$(age -d -i "$work/identity" "$work/exhibit.age" | head -c "$size" | sha256sum)
tell "age -d | head -c $size | sha256sum: ${stock%% *}"
[ "${stock%% *}" = "$digest" ] || fail "the stock tools give another file than was deposited ($digest)"

printf '\nThe tour held: %d exhibits deposited, seized, recovered and compared; stock tools agree.\n' "$count"
