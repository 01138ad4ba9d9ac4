#!/usr/bin/env python3
"""docs/ARCHITECTURE.md names every source and header of proto/, node/ and cli/ once, names none that
is not there, and its rows are sorted. A row is | `path.[ch]` | what it is for |. With --mend it sorts
the rows, drops those that stand twice or for nothing, and adds an empty one for each file that is missing."""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ROW = re.compile(r"^\| `((?:proto|node|cli)/[^`]+)` \| (.*) \|$")


def files_of(pattern):
    if pattern.endswith(".[ch]"):
        return [pattern[:-4] + "c", pattern[:-4] + "h"]
    return [pattern]


def tree():
    found = set()
    for folder in ("proto", "node", "cli"):
        for base, _, names in os.walk(os.path.join(TOP, folder)):
            found |= {os.path.relpath(os.path.join(base, name), TOP)
                      for name in names if name.endswith((".c", ".h"))}
    return found


def problems(rows, files):
    named = [name for pattern, _ in rows for name in files_of(pattern)]
    for name in sorted(files - set(named)):
        yield "%s is not in the map" % name
    for name in sorted(set(named) - files):
        yield "%s is in the map and not in the tree" % name
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield "%s stands in the map twice" % name
    for (pattern, job), (after, _) in zip(rows, rows[1:] + [("~", "")]):
        if pattern.split("/")[0] == after.split("/")[0] and pattern > after:
            yield "%s stands before %s" % (pattern, after)
        if not job.strip():
            yield "%s has no job" % pattern


def mend(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    rows = [line for line in lines if ROW.match(line)]
    begin = lines.index(rows[0])
    rest = [line for line in lines if line not in rows]
    named = {name for row in rows for name in files_of(ROW.match(row).group(1))}
    missing = tree() - named
    for name in sorted(missing):
        stem = name[:-2]
        both = stem + ".c" in missing and stem + ".h" in missing
        rows.append("| `%s` |  |" % (stem + ".[ch]" if both else name))
    rows = sorted(set(rows), key=lambda row: ROW.match(row).group(1))
    seen = set()
    kept = []
    for row in rows:
        names = set(files_of(ROW.match(row).group(1)))
        if names & tree() and not names & seen:
            kept.append(row)
            seen |= names
    rows = kept
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(rest[:begin] + rows + rest[begin:]) + "\n")


def main():
    path = os.path.join(TOP, "docs", "ARCHITECTURE.md")
    if sys.argv[1:] == ["--mend"]:
        mend(path)
    with open(path, encoding="utf-8") as file:
        rows = [match.groups() for match in map(ROW.match, file.read().splitlines()) if match]
    bad = list(problems(rows, tree()))
    for text in bad:
        print("map: %s" % text)
    # The check itself: a file that is nowhere in the map, and a row without its file, are found.
    planted = list(problems(rows + [("proto/zz.c", "x")], tree() | {"cli/planted.c"}))
    caught = "cli/planted.c is not in the map" in planted and \
        "proto/zz.c is in the map and not in the tree" in planted
    if not caught:
        print("map: a planted hole was not found")
    failed = (1 if bad else 0) + (0 if caught else 1)
    print("%d passed, %d failed, 0 skipped" % (2 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
