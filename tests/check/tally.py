#!/usr/bin/env python3
"""Counts what `meson test` ran, by the cases inside where a test says how many it has: cmocka's
summary, or a last line `N passed, N failed, N skipped`; every other test counts as one. Shows the
output of what failed and why a case was skipped. Argument: meson-logs/testlog.json."""

import json
import re
import sys

OWN = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
CMOCKA = {word: re.compile(r"^\[  %s +\] (\d+) test\(s\)" % word, re.M)
          for word in ("PASSED", "FAILED", "SKIPPED")}


def cases(output, good):
    """(passed, failed, skipped) of one test program."""
    own = OWN.findall(output)
    if own:
        return tuple(int(n) for n in own[-1])
    counts = {word: sum(int(n) for n in pattern.findall(output))
              for word, pattern in CMOCKA.items()}
    if sum(counts.values()) > 0:
        return counts["PASSED"], counts["FAILED"], counts["SKIPPED"]
    return (1, 0, 0) if good else (0, 1, 0)


def main():
    totals = [0, 0, 0]
    programs = 0
    try:
        lines = open(sys.argv[1], encoding="utf-8", errors="replace").read().splitlines()
    except OSError as error:
        print("tally: no test ran: %s" % error)
        print("0 passed, 1 failed, 0 skipped")
        return 1
    for line in lines:
        test = json.loads(line)
        programs += 1
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        output = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
        if test["result"] == "SKIP":
            found = (0, 0, 1)
        else:
            found = cases(output, good)
            if not good and found[1] == 0:
                found = (found[0], 1, found[2])
        totals = [total + one for total, one in zip(totals, found)]
        if not good and test["result"] != "SKIP":
            print("FAILED  %s (%s)" % (test["name"], test["result"]))
            print("\n".join("        " + text for text in output.splitlines()[-40:]))
        if found[2]:
            reasons = [text for text in output.splitlines() if "skip" in text.lower()]
            print("skipped in %s: %s" % (test["name"], "; ".join(reasons) or "no reason given"))
    print("%d test programs" % programs)
    print("%d passed, %d failed, %d skipped" % tuple(totals))
    return 1 if totals[1] or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
