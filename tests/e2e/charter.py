#!/usr/bin/env python3
"""Charters from hand to hand: exported, applied, requests enrolled, half-signed statements completed
elsewhere, and what is refused. Defends P2 and P4."""

import os
import subprocess

from harness import (DALIL, EXIT_DONE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_USAGE, Node, Result, Suite,
                     expect, write)

suite = Suite("charter")
PREFIX = "dalil-statement-1-"


def founded(folder, nodes, organisation="Yo'lchi Arxiv", name="bir"):
    node = Node(folder, organisation, name, "UZ").init()
    nodes.append(node)
    return node


def further(folder, nodes, charter, name, *options):
    """A node that joins, and the request it makes where keys are missing."""
    node = Node(folder, "", name)
    nodes.append(node)
    request = os.path.join(folder, name + ".request")
    node.must("init", "--join", charter, "--node", name, "--no-passphrase", "-o", request, *options)
    return node, request


def statements(path):
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if line.startswith(PREFIX)]


def without_store(folder, *arguments):
    """dalil on a machine that holds root keys and no store."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DALIL_")}
    environment["HOME"] = folder
    environment.pop("XDG_DATA_HOME", None)
    process = subprocess.run([DALIL, *arguments], env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return Result(process.returncode, process.stdout, process.stderr)


def exported(folder, node, name="charter"):
    path = os.path.join(folder, name)
    node.must("charter", "export", "-o", path)
    return path


def shown(node, *organisation):
    return node.must("--json", "charter", "show", *organisation).json()[0]


@suite.check
def shown_and_exported(folder, nodes):
    one = founded(folder, nodes)
    row = shown(one)
    expect(row["organisation"] == one.organisation_id, "another organisation: %r" % row)
    expect(row["name"] == "Yo'lchi Arxiv" and row["statements"] == 3 and row["threshold"] == 1,
           repr(row))
    expect(row["vault"] == one.must("key", "show", "vault").lines()[0].strip(), repr(row))
    expect([node["vkey"] for node in row["nodes"]] == [one.vkey], repr(row))
    people = one.must("charter", "show").out.decode()
    expect(one.organisation_id in people and "in force, UZ" in people, people)
    expect(max(map(len, people.splitlines())) <= 140, "lines too long")
    path = exported(folder, one)
    expect(len(statements(path)) == 3, "not three statements")
    expect(one.run("charter", "export", "-o", path).code != EXIT_DONE, "overwritten")
    one.must("charter", "export", "-o", path, "--force")
    out = one.must("charter", "export").out.decode()
    expect([line for line in out.splitlines() if line.startswith(PREFIX)] == statements(path), out)


@suite.check
def applied_elsewhere(folder, nodes):
    one = founded(folder, nodes)
    two = founded(folder, nodes, "Boshqa", "ikki")
    path = exported(folder, one)
    expect(two.must("--json", "charter", "apply", path).json() == [{"accepted": 3}], "three are new")
    expect(two.must("--json", "charter", "apply", path).json() == [{"accepted": 0}], "known now")
    for name in (one.organisation_id, one.organisation_id[:8], "Yo'lchi Arxiv"):
        expect(shown(two, name)["organisation"] == one.organisation_id, "not found by %s" % name)
    expect(two.run("charter", "show", "Hech kim").code == EXIT_NOT_FOUND, "nobody is shown")
    again = exported(folder, two, "own")
    two.must("charter", "export", one.organisation_id[:12], "-o", os.path.join(folder, "through"))
    expect(statements(os.path.join(folder, "through")) == statements(path), "handed on altered")
    expect(statements(again) != statements(path), "the own charter is another")


@suite.check
def enrolled_by_request(folder, nodes):
    one = founded(folder, nodes)
    two, request = further(folder, nodes, exported(folder, one), "ikki")
    expect(len(statements(request)) == 1, "a request is one statement")
    refused = two.run("charter", "apply", request)
    expect(refused.code == EXIT_REFUSED and b"missing" in refused.err, "not signed: %r" % refused)
    expect(two.run("add", request).code != EXIT_DONE, "deposits before it is enrolled")
    whole = os.path.join(folder, "ikki.enrol")
    one.must("charter", "enrol", request, "--org-key", one.root_key(), "-o", whole)
    expect([node["name"] for node in shown(one)["nodes"]] == ["bir", "ikki"], "not in the charter")
    two.must("charter", "apply", whole)
    expect(shown(two)["statements"] == 4, "the joining node does not know it")
    record = two.add(write(os.path.join(folder, "first"), b"the first"))[0][0]
    expect(two.run("verify", record).code == EXIT_DONE, "its first exhibit does not verify")
    one.must("charter", "enrol", request, "--org-key", one.root_key(), "-o", whole, "--force")
    expect(shown(one)["statements"] == 4, "enrolled twice")


@suite.check
def enrolled_at_once(folder, nodes):
    one = founded(folder, nodes)
    two, request = further(folder, nodes, exported(folder, one), "ikki", "--org-key", one.root_key())
    expect(not os.path.exists(request), "a request where none is needed")
    expect(len(shown(two)["nodes"]) == 2, "not enrolled")
    one.must("charter", "apply", exported(folder, two, "newer"))
    expect(shown(one) == shown(two), "they differ")


@suite.check
def completed_on_a_machine_without_store(folder, nodes):
    one = founded(folder, nodes)
    two, request = further(folder, nodes, exported(folder, one), "ikki")
    half, whole = os.path.join(folder, "half"), os.path.join(folder, "whole")
    result = one.must("charter", "enrol", request, "-o", half)
    expect(b"still wants 1 signature" in result.err, "wants: %r" % result)
    expect(shown(one)["statements"] == 3, "taken half signed")
    result = without_store(folder, "charter", "sign", half, "--org-key", one.root_key(), "-o", whole)
    expect(result.code == EXIT_DONE and b"ikki" in result.err, "sign: %r" % result)
    for node in (one, two):
        node.must("charter", "apply", whole)
        expect(len(shown(node)["nodes"]) == 2, "not applied")
    # A second request made beside it names a predecessor that is no longer the last.
    stale = os.path.join(folder, "stale")
    third, stale_request = further(folder, nodes, os.path.join(folder, "charter"), "uch")
    for command in ("enrol", "sign"):
        result = one.run("charter", command, stale_request, "--org-key", one.root_key(), "-o", stale)
        expect(result.code == EXIT_REFUSED and not os.path.exists(stale),
               "signs a second statement of one number: %r" % result)
    expect(shown(one)["statements"] == 4, "a stale request counts")


@suite.check
def refused(folder, nodes):
    one = founded(folder, nodes)
    other = founded(folder, nodes, "Boshqa", "ikki")
    charter = exported(folder, one)
    two, request = further(folder, nodes, charter, "uch")
    out = os.path.join(folder, "out")
    wrong = one.run("charter", "sign", request, "--org-key", other.root_key(), "-o", out)
    expect(wrong.code == EXIT_REFUSED and not os.path.exists(out), "a stranger's key: %r" % wrong)
    wrong = one.run("charter", "sign", request, "--org-key", os.path.join(
        one.next, "bir-next.key"), "-o", out)
    expect(wrong.code == EXIT_REFUSED, "a next key signs an enrol: %r" % wrong)
    expect(one.run("charter", "sign", request, "-o", out).code == EXIT_USAGE, "no key at all")
    expect(one.run("charter", "sign", charter, "--org-key", one.root_key()).code == EXIT_USAGE,
           "a whole charter is no request")
    result = one.run("charter", "enrol", request, "--org-key", other.root_key())
    expect(result.code == EXIT_REFUSED, "enrolled with a stranger's key: %r" % result)
    line = statements(request)[0]
    for altered in (line[:-3], line[:60] + ("A" if line[60] != "A" else "B") + line[61:], "x" + line,
                    ""):
        path = write(os.path.join(folder, "altered"), altered.encode() + b"\n")
        result = one.run("charter", "enrol", path, "--org-key", one.root_key())
        expect(result.code not in (EXIT_DONE,) and result.code > 0, "taken: %r" % result)
    expect(shown(one)["statements"] == 3, "something was taken")


@suite.check
def joining_refused_leaves_nothing(folder, nodes):
    one = founded(folder, nodes)
    other = founded(folder, nodes, "Boshqa", "ikki")
    charter = exported(folder, one)
    two = Node(folder, "", "uch")
    lines = statements(charter)
    torn = write(os.path.join(folder, "torn"), (lines[0] + "\n" + lines[2] + "\n").encode())
    empty = write(os.path.join(folder, "empty"), b"# nothing\n")
    for path, options in ((charter, ["--org-key", other.root_key()]), (torn, []), (empty, [])):
        result = two.run("init", "--join", path, "--node", "uch", "--no-passphrase", *options)
        expect(result.code > 0, "joined with %s: %r" % (path, result))
        expect(not os.path.exists(two.store), "a store half made is left behind: %r" % result)
    two.must("init", "--join", charter, "--node", "uch", "--no-passphrase", "--org-key",
             one.root_key())


@suite.check
def another_vault(folder, nodes):
    one = founded(folder, nodes)
    other = founded(folder, nodes, "Boshqa", "ikki")
    recipient = other.must("key", "show", "vault").lines()[0].strip()
    expect(one.run("charter", "vault", "age1nothing", "--org-key", one.root_key()).code == EXIT_USAGE,
           "no recipient")
    one.must("charter", "vault", recipient, "--org-key", one.root_key())
    expect(shown(one)["vault"] == recipient, "another vault is shown")
    result = one.run("charter", "vault", recipient, "--org-key", one.root_key())
    expect(result.code == EXIT_REFUSED, "the same key twice: %r" % result)


suite.run()
