#!/usr/bin/env python3
"""What of the house style can be checked without compiling: size, format, include guards, banned
functions, no `default:` over an enum of ours, purposes in headers, promises in tests."""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LINES_MAX = 700
BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok|atoi|atol|alloca|rand|srand"
    r"|tmpnam|mktemp|scanf|sscanf|fscanf|strncpy|strncat)\s*\(")
# proto/ never prints, opens files, or asks for time or randomness.
IMPURE = re.compile(
    r"(?<![\w.>])(printf|puts|perror|fopen|time|clock_gettime|gettimeofday|getenv"
    r"|randombytes_buf|randombytes_random|randombytes_uniform|getrandom)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)
NAMES_OF_PLACES = re.compile(r"(?<![\w.])/(home|root|Users)/\w")


def listed(*folders):
    for folder in folders:
        for base, _, names in os.walk(os.path.join(TOP, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")) and "/corpus/" not in base:
                    yield os.path.relpath(os.path.join(base, name), TOP)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def bare(text):
    """The code without comments and strings, line for line."""
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n") + " ", text)


def enum_labels(texts):
    labels = set()
    for text in texts:
        for body in re.findall(r"\benum\s+\w*\s*\{([^}]*)\}", text):
            labels |= set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b\s*(?:=[^,]*)?(?:,|$)", body.strip()))
    return labels


def defaults_over(code, labels):
    """Line numbers of `default:` in a switch whose cases are labels of our enums."""
    stack = []
    for number, line in enumerate(code.splitlines(), 1):
        if re.search(r"\bswitch\s*\(", line):
            stack.append([len(line) - len(line.lstrip("\t")), False, False])
        depth = len(line) - len(line.lstrip("\t"))
        while stack and line.strip() == "}" and depth <= stack[-1][0]:
            stack.pop()
        if not stack:
            continue
        case = re.match(r"\s*case\s+(\w+):", line)
        if case and case.group(1) in labels:
            stack[-1][1] = True
        if re.match(r"\s*default:", line) and stack[-1][1]:
            yield number


def problems_of(path, text, labels):
    code = bare(text)
    ours = path.startswith(("proto/", "node/", "cli/"))
    if text.count("\n") > LINES_MAX:
        yield "%d lines: split it" % text.count("\n")
    for match in BANNED.finditer(code):
        yield "%s is banned" % match.group(1)
    if path.startswith("proto/"):
        for match in IMPURE.finditer(code):
            yield "%s in proto/" % match.group(1)
    if path.endswith(".h"):
        guard = "DALIL_" + re.sub(r"[^A-Z0-9]", "_", path.upper())
        if not re.search(r"^#ifndef %s\n#define %s\n" % (guard, guard), text):
            yield "does not begin with the guard %s" % guard
        if "Purpose:" not in text:
            yield "does not say its purpose"
    if ours:
        for number in defaults_over(code, labels):
            yield "line %d: default: over an enum of ours" % number
    if NAMES_OF_PLACES.search(text):
        yield "names a folder of somebody's machine"
    if re.match(r"tests/unit/test_", path) and not re.search(r"\bP[1-7]\b", text[:1500]):
        yield "its head does not say which promise it defends"


def format_problems(paths):
    program = shutil.which("clang-format") or shutil.which("clang-format-14")
    if program is None:
        yield "clang-format is not here"
        return
    result = subprocess.run([program, "--dry-run", "-Werror", *paths], cwd=TOP,
                            capture_output=True, text=True, check=False)
    for name in sorted({line.split(":")[0] for line in result.stderr.splitlines()
                        if "error:" in line}):
        yield "%s is not as clang-format writes it" % name


def self_test():
    text = "switch (a) {\n\tcase AA_ONE:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n}\n"
    planted = "/* system( */ int x; void f(void) { strcpy(a, b); }\n"
    found = list(problems_of("node/x.c", planted + text, {"AA_ONE"}))
    return found == ["strcpy is banned", "line 5: default: over an enum of ours"] and \
        list(problems_of("proto/x.c", "a = time(NULL);", set())) == ["time in proto/"] and \
        len(list(problems_of("cli/x.h", "int x;", set()))) == 2


def main():
    paths = list(listed("proto", "node", "cli", "tests"))
    texts = {path: read(path) for path in paths}
    labels = enum_labels(texts[path] for path in paths if not path.startswith("tests/"))
    passed = failed = 0
    for path in paths:
        bad = list(problems_of(path, texts[path], labels))
        for text in bad:
            print("style: %s: %s" % (path, text))
        failed += bool(bad)
        passed += not bad
    bad = list(format_problems(paths))
    for text in bad:
        print("style: %s" % text)
    failed += bool(bad)
    passed += not bad
    if self_test():
        passed += 1
    else:
        print("style: what was planted was not found")
        failed += 1
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
