#!/usr/bin/env python3
"""Three organisations: pairing, replication, forwarding, recovery, moving keys. Defends P1, P3, P4,
P6."""

import hashlib
import os
import shutil
import time

from harness import (EXIT_FAILED, EXIT_LOCKED, EXIT_REFUSED, EXIT_STORAGE, EXIT_USAGE, Node, Suite,
                     content, expect, pair, wait_for, write)

suite = Suite("replicate")


def three(folder, nodes):
    made = [Node(folder, "Almaty Arxiv", "almaty", "KZ").init(),
            Node(folder, "Bishkek Arxiv", "bishkek", "KG").init(),
            Node(folder, "Toshkent Arxiv", "toshkent", "UZ").init()]
    nodes += made
    for node in made:
        node.start()
    return made


def records_of(node):
    return {row["record"] for row in node.must("--json", "list", "--limit", "100000").json()}


def whole(node):
    return node.run("verify", "--all").code == 0


@suite.check
def both_ways_and_blind(folder, nodes):
    almaty, bishkek, toshkent = three(folder, nodes)
    pair(almaty, bishkek)
    secret = content(1, 300_000)
    sealed = almaty.add(write(os.path.join(folder, "secret-name"), secret), "--title",
                        "a title nobody may see")[0][0]
    opened = bishkek.add(write(os.path.join(folder, "open"), content(2, 2_500_000)), "--open",
                         "--title", "an open letter")[0][0]
    wait_for(lambda: sealed in records_of(bishkek) and opened in records_of(almaty) and
             whole(almaty) and whole(bishkek), "both hold both", 60)
    row = [r for r in bishkek.must("--json", "list").json() if r["record"] == sealed][0]
    expect("title" not in row and "sha256" not in row and "name" not in row,
           "a replica reads a sealed exhibit: %r" % row)
    row = [r for r in almaty.must("--json", "list").json() if r["record"] == opened][0]
    expect(row["title"] == "an open letter", "an open title is not readable: %r" % row)
    expect(almaty.must("get", opened, "-o", "-").out == content(2, 2_500_000), "open content")
    refused = bishkek.run("get", sealed, "-o", "-")
    expect(refused.code == EXIT_LOCKED or refused.code == EXIT_REFUSED, repr(refused))
    expect(refused.out == b"", "bytes of a sealed exhibit were released")
    for node in (almaty, bishkek):
        wait_for(lambda: node.status()["unsigned"] == 0, "signed", 30)


@suite.check
def granted_reader(folder, nodes):
    almaty, bishkek, _ = three(folder, nodes)
    pair(almaty, bishkek)
    reader = bishkek.must("key", "show", "vault").lines()[0].strip()
    expect(reader.startswith("age1"), "key show vault: %r" % reader)
    data = content(5, 100_000)
    record = almaty.add(write(os.path.join(folder, "x"), data), "--to", reader, "--title", "for you",
                        "--source", "@" + write(os.path.join(folder, "s"), b"Nilufar"))[0][0]
    wait_for(lambda: record in records_of(bishkek) and whole(bishkek), "it arrived", 60)
    expect(bishkek.must("get", record, "-o", "-").out == data, "the reader cannot read")
    row = [r for r in bishkek.must("--json", "list").json() if r["record"] == record][0]
    expect(row["title"] == "for you" and "source" not in row, "reader sees %r" % row)
    row = [r for r in almaty.must("--json", "list").json() if r["record"] == record][0]
    expect(row["source"] == "Nilufar", "the owner does not see the source: %r" % row)


@suite.check
def forwarded_to_shared_only(folder, nodes):
    """Almaty - Bishkek - Toshkent in a row: Bishkek forwards Almaty's log where its share says so."""
    almaty, bishkek, toshkent = three(folder, nodes)
    pair(almaty, bishkek)
    pair(bishkek, toshkent)
    first = almaty.add(write(os.path.join(folder, "1"), content(1, 50_000)))[0][0]
    wait_for(lambda: first in records_of(bishkek), "the direct peer has it", 60)
    time.sleep(3)
    expect(first not in records_of(toshkent), "forwarded to an organisation that share does not name")
    pair(almaty, toshkent)
    almaty.must("share", "bishkek", "toshkent")
    almaty.stop()
    almaty.start()
    wait_for(lambda: first in records_of(toshkent) and whole(toshkent), "the named one has it", 60)


@suite.check
def seized_and_recovered(folder, nodes):
    almaty, bishkek, toshkent = three(folder, nodes)
    pair(almaty, toshkent)
    pair(bishkek, toshkent)
    files = [write(os.path.join(folder, "f%d" % i), content(i, 1 + i * 90_000)) for i in range(12)]
    rows = toshkent.add(*files)
    copy = os.path.join(folder, "vault.copy")
    toshkent.must("key", "copy", "vault", "-o", copy, *toshkent.wrapping)
    toshkent.must("sync", "--timeout", "60")
    for node in (almaty, bishkek):
        wait_for(lambda: {row[0] for row in rows} <= records_of(node) and whole(node), "held", 60)
    toshkent.kill()
    shutil.rmtree(toshkent.store)
    charter = os.path.join(folder, "charter")
    almaty.must("charter", "export", toshkent.organisation_id, "-o", charter)
    heir = Node(folder, "Toshkent Arxiv", "yangi", "UZ")
    nodes.append(heir)
    heir.must("init", "--join", charter, "--node", "yangi", "--country", "UZ", "--org-key",
              toshkent.root_key(), "--no-passphrase")
    heir.must("key", "attach", copy)
    heir.start()
    for node in (almaty, bishkek):
        pair(node, heir)
    result = heir.must("recover", timeout=180)
    expect(b"charter revoke" in result.out + result.err, "no revoke line: %r" % result)
    expect(heir.run("verify", "--all").code == 0, "not whole after recover")
    for (record, digest, _), path in zip(rows, files):
        out = heir.must("get", record, "-o", "-").out
        with open(path, "rb") as file:
            expect(out == file.read(), "%s came back different" % path)
    again = heir.add(write(os.path.join(folder, "new"), b"work goes on"))[0][0]
    heir.must("sync", "--timeout", "60")
    wait_for(lambda: again in records_of(almaty), "the heir's own log replicates", 60)


@suite.check
def peer_errors(folder, nodes):
    almaty, bishkek, toshkent = three(folder, nodes)
    pair(almaty, bishkek)
    expect(almaty.must("peer", "test", "bishkek").code == 0, "peer test")
    expect("bishkek" in "\n".join(almaty.must("peer", "list").lines()), "peer list")
    invite = almaty.must("peer", "invite", "--address", almaty.address()).lines()[0]
    for wrong in (invite[:-4], invite[1:], invite.replace("invite-1", "invite-2")):
        expect(toshkent.run("peer", "accept", wrong).code == EXIT_USAGE, "a cut invite was taken")
    bishkek.stop()
    tested = almaty.run("peer", "test", "bishkek")
    expect(tested.code == EXIT_STORAGE and b"unreachable" in tested.err + tested.out, repr(tested))
    round_ = almaty.run("sync", "--timeout", "5")
    expect(round_.code == EXIT_STORAGE, "sync with an unreachable peer: %r" % round_)
    bishkek.start()
    bishkek.must("peer", "remove", "almaty")
    wait_for(lambda: almaty.run("peer", "test", "bishkek").code == EXIT_REFUSED,
             "unknown there, and said so", 10)


@suite.check
def sync_without_daemons_of_its_own(folder, nodes):
    """`dalil sync` dials a peer's dalild while its own does not run."""
    almaty, bishkek, _ = three(folder, nodes)
    pair(almaty, bishkek)
    almaty.stop()
    record = almaty.add(write(os.path.join(folder, "x"), content(9, 3_000_000)))[0][0]
    status = almaty.status()
    expect(status["unsigned"] > 0, "signed without having asked a peer: %r" % status)
    result = almaty.must("--json", "sync", "--timeout", "60")
    expect(result.json()[0]["peer"] == "bishkek", repr(result))
    expect(record in records_of(bishkek) and whole(bishkek), "sync returned before it was held")
    expect(almaty.status()["unsigned"] == 0, "still unsigned after sync")


suite.run()
