#!/usr/bin/env python3
"""docs/formats.md says what the source does: the tables of fields are those of proto/field.c, the
limits those of the headers, the kinds, parts and relations those that the parsers know, and every tag
that is signed stands in both."""

import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TYPES = {
    "FIELD_T_STR": "str", "FIELD_T_TEXT": "T", "FIELD_T_STR_OR_BIN": "path",
    "FIELD_T_UINT": "uint", "FIELD_T_LATITUDE": "latitude", "FIELD_T_LONGITUDE": "longitude",
    "FIELD_T_BIN32": "hash", "FIELD_T_BIN64": "bin64", "FIELD_T_CAPTURED": "captured",
    "FIELD_T_LINK": "link", "FIELD_T_MEMBER": "member", "FIELD_T_MAP": "map",
    "FIELD_T_OTHER": "other", "FIELD_T_NAMED": "named",
}
FIRST = {"common": 47}


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


def constants():
    """FIELD_X = N of proto/field.h, for the designators of the table."""
    return {name: int(number)
            for name, number in re.findall(r"(FIELD_\w+) = (\d+)", read("proto/field.h"))}


def source_fields(kind):
    body = re.search(r"%s_fields\[[^]]*\] = \{\n(.*?)\n\};" % kind, read("proto/field.c"), re.S)
    slot = FIRST.get(kind, 0)
    known = constants()
    for place, name, kind_of in re.findall(
            r'(?:\[(\w+)\] = )?\{"([^"]+)",\s*(\w+)\}', body.group(1)):
        if place:
            slot = int(place) if place.isdigit() else known[place]
        yield str(slot), name, TYPES[kind_of]
        slot += 1


def documented_fields(text, kind):
    table = re.search(r"<!-- fields: %s -->\n\|.*?\n\|.*?\n((?:\|.*\n)+)" % kind, text)
    return [tuple(cell.strip() for cell in row.strip("|").split("|"))
            for row in table.group(1).splitlines()]


def field_problems(text):
    for kind in ("deposit", "endorse", "custody", "withdraw", "common"):
        if list(source_fields(kind)) != documented_fields(text, kind):
            yield "the fields of %s are not those of proto/field.c" % kind


def limit_problems(text):
    rows = re.findall(r"^\| [^|]+ \| (\d+) \| `(\w+)` in (\S+) \|$", text, re.M)
    if len(rows) < 20:
        yield "the table of limits is not there"
    for number, name, header in rows:
        found = re.search(r"#define %s (\d+)" % name, read(header))
        if found is None or found.group(1) != number:
            yield "%s is not %s in %s" % (name, number, header)


def name_problems(text):
    """Texts in the source's tables of names that this page must say."""
    lists = [("proto/record.c", r"kind_names\[[^]]*\] = \{(.*?)\};"),
             ("proto/statement.c", r"kind_names\[[^]]*\] = \{(.*?)\};"),
             ("proto/parts.c", r"names\[[^]]*\] = \{(.*?)\};"),
             ("proto/field.c", r"relations\[[^]]*\] = \{(.*?)\};"),
             ("proto/later.c", r"roles\[[^]]*\] = \{(.*?)\};"),
             ("proto/later.c", r"types\[[^]]*\] = \{(.*?)\};")]
    for name, pattern in lists:
        table = re.search(pattern, read(name), re.S)
        if table is None:
            yield "%s has no table %s" % (name, pattern)
            continue
        for word in re.findall(r'"([^"]+)"', table.group(1)):
            if "`%s`" % word not in text:
                yield "%s of %s is not said" % (word, name)


def tag_problems(text):
    signed = set(re.findall(r'"(dalil [a-z]+ v1)\\n"', text))
    for name in sorted(os.listdir(os.path.join(TOP, "proto"))):
        if not name.endswith((".c", ".h")):
            continue
        code = re.sub(r"/\*.*?\*/", "", read("proto/" + name), flags=re.S)
        for tag in re.findall(r'"(dalil [a-z]+ v1)\\n"', code):
            if tag not in signed and tag not in read("docs/wire.md"):
                yield "the tag %s of %s is not said" % (tag, name)


CHECKS = (field_problems, limit_problems, name_problems, tag_problems)


def main():
    text = read("docs/formats.md")
    failed = 0
    for check in CHECKS:
        bad = list(check(text))
        failed += bool(bad)
        for line in bad:
            print("formats: %s" % line)
    # The check itself: a changed slot, limit, name and tag are found.
    planted = (text.replace("| 5 | title | T |", "| 5 | title | str |"),
               text.replace("| record | 65535 |", "| record | 65536 |"),
               text.replace("`transcript-of`", "`transcript`"),
               text.replace('"dalil record v1', '"dalil record v2'))
    for check, other in zip(CHECKS, planted):
        if not list(check(other)):
            print("formats: %s finds nothing that is planted" % check.__name__)
            failed += 1
    print("%d passed, %d failed, 0 skipped" % (2 * len(CHECKS) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
