#!/usr/bin/env python3
"""kill -9 at random instants: nothing acknowledged is lost, replication resumes without fetching a
verified leaf again, the log never forks. Defends P1, P2, P4."""

import hashlib
import os
import random
import re
import threading
import time

from harness import Node, Suite, content, expect, pair, times, wait_for, write

suite = Suite("kill")
SEED = int(os.environ.get("DALIL_SEED", "1"))


class Depositor:
    """Runs `dalil add` over folders of new files again and again, and may be killed at any time."""

    def __init__(self, node, folder, label):
        self.node, self.label = node, label
        self.folder = os.path.join(folder, "in-" + label)
        os.mkdir(self.folder)
        self.round = 0
        self.process = None
        self.acknowledged = {}  # record -> sha256

    def start(self):
        names = []
        for index in range(12):
            size = 40 + index * 7919 if index else 2_500_000
            name = os.path.join(self.folder, "%d-%d" % (self.round, index))
            names.append(write(name, content("%s %d %d" % (self.label, self.round, index), size)))
        self.round += 1
        self.process = self.node.spawn("add", *names)

    def collect(self):
        """What was printed before the end was acknowledged, a torn last line apart."""
        out, err = self.process.communicate(timeout=120)
        for line in out.decode().split("\n")[:-1]:
            record, digest, _ = line.split("  ", 2)
            self.acknowledged[record] = digest
        code, self.process = self.process.returncode, None
        expect(code in (0, -9), "dalil add ended with %d: %s" % (code, err.decode()[-1500:]))
        return code

    def kill(self):
        self.process.kill()
        return self.collect()


def check_all(node, acknowledged):
    result = node.run("verify", "--all", timeout=300)
    expect(result.code == 0, "%s: verify --all: %r" % (node.name, result))
    rows = {row["record"]: row for row in node.must("--json", "list", "--limit", "1000000").json()}
    for record, digest in acknowledged.items():
        expect(record in rows, "%s: acknowledged %s is not there" % (node.name, record))
        if "sha256" in rows[record]:
            expect(rows[record]["sha256"] == digest, "%s has another file" % record)


def sizes_never_fork(node, seen):
    """Every checkpoint ever shown of the log must be consistent with the newest."""
    note = node.run("log", "checkpoint")
    if note.code != 0:
        return
    lines = note.lines()
    size, root = int(lines[1]), lines[2]
    expect(seen.setdefault(size, root) == root, "two roots at size %d" % size)


@suite.check
def deposit_and_replication(folder, nodes):
    chance = random.Random(SEED)
    first = Node(folder, "Birinchi", "birinchi", "UZ").init()
    second = Node(folder, "Ikkinchi", "ikkinchi", "KG").init()
    nodes += [first, second]
    first.start()
    second.start()
    pair(first, second)
    depositors = [Depositor(first, folder, "a"), Depositor(second, folder, "b")]
    seen = {first.name: {}, second.name: {}}
    kills = 0
    wanted = times(36, 200)
    while kills < wanted:
        for depositor in depositors:
            if depositor.process is None:
                depositor.start()
        time.sleep(chance.uniform(0, 0.5))
        choice = chance.randrange(5)
        if choice < 2:
            depositors[choice].kill()
            kills += 1
        elif choice < 4:
            node = (first, second)[choice - 2]
            node.kill()
            node.start()
            kills += 1
        for depositor in depositors:
            if depositor.process is not None and depositor.process.poll() is not None:
                depositor.collect()
        for node in (first, second):
            sizes_never_fork(node, seen[node.name])
    for depositor in depositors:
        if depositor.process is not None:
            depositor.collect()
    acknowledged = {}
    for depositor in depositors:
        check_all(depositor.node, depositor.acknowledged)
        acknowledged.update(depositor.acknowledged)
    expect(len(acknowledged) > 20, "only %d acknowledged: the test shows nothing" % len(acknowledged))
    for node in (first, second):
        wait_for(lambda: node.status()["unsigned"] == 0,
                 "%s signs its log" % node.name, 60)
        sizes_never_fork(node, seen[node.name])

    def replicated():
        return all(set(acknowledged) <= {row["record"] for row in
                   node.must("--json", "list", "--limit", "1000000").json()}
                   for node in (first, second))

    wait_for(replicated, "both hold everything", 120, 1)
    for node in (first, second):
        wait_for(lambda: node.run("verify", "--all", timeout=300).code == 0,
                 "%s holds every payload" % node.name, 120, 2)
    for depositor, node in ((depositors[0], first), (depositors[1], second)):
        for record in list(depositor.acknowledged)[:: max(1, len(depositor.acknowledged) // 40)]:
            out = node.must("get", record, "-o", "-").out
            expect(hashlib.sha256(out).hexdigest() == depositor.acknowledged[record],
                   "another content for %s" % record)
    print("        %d kills, %d exhibits acknowledged, all verified on both" % (
        kills, len(acknowledged)))


@suite.check
def two_writers_and_a_daemon(folder, nodes):
    """No frame of one is ever cut by another."""
    chance = random.Random(SEED + 1)
    node = Node(folder, "Bir", "bir").init()
    nodes.append(node)
    node.start()
    depositors = [Depositor(node, folder, "a"), Depositor(node, folder, "b")]
    kills = 0
    wanted = times(24, 200)
    while kills < wanted:
        for depositor in depositors:
            if depositor.process is None:
                depositor.start()
        time.sleep(chance.uniform(0, 0.25))
        victim = chance.randrange(3)
        if victim == 2:
            node.kill()
            node.start()
        else:
            depositors[victim].kill()
        kills += 1
        for depositor in depositors:
            if depositor.process is not None and depositor.process.poll() is not None:
                depositor.collect()
    acknowledged = {}
    for depositor in depositors:
        if depositor.process is not None:
            depositor.collect()
        acknowledged.update(depositor.acknowledged)
    expect(len(acknowledged) > 20, "only %d acknowledged: the test shows nothing" % len(acknowledged))
    check_all(node, acknowledged)
    node.stop()
    before = node.must("--json", "list", "--limit", "1000000").json()
    node.must("reindex")
    expect(before == node.must("--json", "list", "--limit", "1000000").json(),
           "the rebuilt index answers something else")
    check_all(node, acknowledged)
    print("        %d kills, %d exhibits acknowledged" % (kills, len(acknowledged)))


def sent_bytes(node):
    """What dalild has written so far, to sockets above all: its own files are small beside it."""
    with open("/proc/%d/io" % node.daemon.pid) as file:
        return int(re.search(r"wchar: (\d+)", file.read()).group(1))


@suite.check
def large_payload_resumes(folder, nodes):
    """A large payload whose transfer is cut again and again: what was verified and durable does not
    travel twice. Each cut may cost what was in flight (32 MiB) and not yet synced, and no more."""
    first = Node(folder, "Birinchi", "birinchi").init()
    second = Node(folder, "Ikkinchi", "ikkinchi").init()
    nodes += [first, second]
    first.start()
    second.start()
    pair(first, second)
    mebibytes, cuts, step = times((448, 4, 80), (2048, 12, 150))
    path = os.path.join(folder, "large")
    with open(path, "wb") as file:
        for index in range(mebibytes):
            file.write(content(index, 1 << 20))
    before = sent_bytes(first)
    record = first.add(path)[0][0]
    for _ in range(cuts):
        mark = sent_bytes(first)
        wait_for(lambda: sent_bytes(first) - mark > step << 20, "the transfer goes on", 120, 0.01)
        second.kill()
        second.start()
    wait_for(lambda: second.run("verify", record[:16]).code == 0, "the payload arrives", 240, 1)
    sent = (sent_bytes(first) - before) >> 20
    allowed = mebibytes + 16 + cuts * 48
    print("        %d MiB sent for a payload of %d MiB, cut %d times" % (sent, mebibytes, cuts))
    expect(sent >= mebibytes, "less sent than there is: the measure is wrong")
    expect(sent <= allowed, "%d MiB sent, at most %d allowed" % (sent, allowed))


suite.run()
