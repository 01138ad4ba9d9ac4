#!/usr/bin/env python3
"""Who may include whom (docs/ARCHITECTURE.md, "Layers"). Reads the #include lines of every source
and header, and then plants bad ones in a copy of the tree's list, to prove that each is found."""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# Headers of the C library that touch nothing outside memory.
PURE = set("assert.h ctype.h errno.h inttypes.h limits.h pthread.h stdarg.h stdbool.h stddef.h "
           "stdint.h stdio.h stdlib.h string.h".split())
# Libraries, by header, and the only places that may see them.
LIBRARIES = [
    (r"sodium\.h", r"proto/|node/|cli/"),
    (r"openssl/", r"proto/hash\.c|proto/aead\.c"),
    (r"msgpack(\.h|/)", r"proto/pack\.c"),
    (r"lmdb\.h", r"node/store/index\.c"),
    (r"uv\.h", r"node/net/|node/http/|node/dalild\.c"),
    (r"microhttpd\.h", r"node/http/"),
    (r"ini\.h", r"node/config\.c"),
    (r"jansson\.h", r"cli/"),
    (r"magic\.h", r"node/archive|node/media\.c|cli/"),
    (r"archive(_entry)?\.h", r"node/archive|cli/"),
]
# Layers: a file under the first matching prefix may include our headers that match the second.
LAYERS = [
    ("proto/", r"proto/"),
    ("node/store/", r"proto/|node/store/|node/storage\.h|node/storage_calls\.h"),
    ("node/storage.h", r"proto/"),
    ("node/log/", r"proto/|node/log/|node/storage\.h"),
    ("node/sync/", r"proto/|node/sync/"),
    ("node/keys/", r"proto/|node/keys/"),
    ("node/config", r"proto/|node/config"),
    ("node/net/", r"proto/|node/"),
    ("node/http/", r"proto/|node/"),
    ("node/dalild", r"proto/|node/"),
    # archive.h and node.h are the faces, with what they include themselves.
    ("node/", r"proto/|node/(?!net/|http/|sync/)"),
    ("cli/", r"proto/|cli/|node/archive\.h|node/node\.h"),
]
# Layers that see of the system only memory: time, randomness and storage are arguments.
SYSTEM_FREE = ("proto/", "node/log/", "node/sync/")


def layer_of(path):
    return next(((prefix, allowed) for prefix, allowed in LAYERS if path.startswith(prefix)), None)


def refuse_ours(path, header):
    layer = layer_of(path)
    if layer is None:
        return "belongs to no layer"
    if not re.match(layer[1], header):
        return "%s may not include %s" % (layer[0], header)
    return None


def refuse_foreign(path, header):
    for library, places in LIBRARIES:
        if re.match(library + ("$" if library.endswith("h") else ""), header):
            if not re.match(places, path):
                return "%s is seen by %s only" % (header, places)
            return None
    if path.startswith(SYSTEM_FREE) and header not in PURE:
        return "%s touches the system" % header
    return None


def refuse(path, header, quoted):
    """Why ${path} may not include ${header}, or None."""
    ours = header.startswith(("proto/", "node/", "cli/"))
    if ours and not quoted or not ours and quoted:
        return "our headers stand in quotes with their path from the top, others in <>: %s" % header
    return refuse_ours(path, header) if ours else refuse_foreign(path, header)


def sources():
    for folder in ("proto", "node", "cli"):
        for base, _, names in os.walk(os.path.join(TOP, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(base, name), TOP)


def includes(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return [(header, mark == '"') for mark, header in INCLUDE.findall(file.read())]


PLANTED = [
    ("proto/tree.c", "time.h", False), ("proto/tree.c", "unistd.h", False),
    ("proto/tree.c", "openssl/evp.h", False), ("proto/tree.c", "msgpack.h", False),
    ("proto/tree.c", "node/storage.h", True), ("proto/tree.c", "lmdb.h", False),
    ("proto/tree.c", "tree.h", True), ("proto/tree.c", "sys/random.h", False),
    ("node/store/journal.c", "lmdb.h", False), ("node/store/journal.c", "node/sync/sync.h", True),
    ("node/store/journal.c", "uv.h", False), ("node/log/log.c", "node/store/store.h", True),
    ("node/log/log.c", "unistd.h", False), ("node/sync/sync.c", "node/storage.h", True),
    ("node/sync/sync.c", "uv.h", False), ("node/sync/sync.c", "time.h", False),
    ("node/keys/lend.c", "uv.h", False), ("node/archive.c", "uv.h", False),
    ("node/archive.c", "node/sync/sync.h", True), ("node/net/net.c", "lmdb.h", False),
    ("node/net/net.c", "cli/output.h", True), ("cli/add.c", "node/store/store.h", True),
    ("cli/add.c", "node/keys/keys.h", True), ("cli/add.c", "uv.h", False),
    ("cli/add.c", "msgpack.h", False), ("cli/add.c", "openssl/sha.h", False),
]
GOOD = [
    ("proto/hash.c", "openssl/evp.h", False), ("proto/pack.c", "msgpack.h", False),
    ("node/store/index.c", "lmdb.h", False), ("node/log/log.c", "node/storage.h", True),
    ("node/net/net.c", "uv.h", False), ("cli/add.c", "node/archive.h", True),
    ("cli/add.c", "unistd.h", False), ("node/store/journal.c", "fcntl.h", False),
]


def main():
    passed = failed = 0
    for path in sources():
        bad = [reason for reason in (refuse(path, *one) for one in includes(path)) if reason]
        for reason in bad:
            print("layering: %s: %s" % (path, reason))
        failed += bool(bad)
        passed += not bad
    for one in PLANTED:
        if refuse(*one) is None:
            print("layering: planted in %s: %s was not found" % one[:2])
            failed += 1
        else:
            passed += 1
    for one in GOOD:
        if refuse(*one) is not None:
            print("layering: %s may include %s, and is refused" % one[:2])
            failed += 1
        else:
            passed += 1
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
