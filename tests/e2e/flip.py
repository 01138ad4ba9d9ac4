#!/usr/bin/env python3
"""A single bit flipped anywhere in a store: content is never another, nothing dies by a signal, what
is damaged is named, and reindex brings back what an index flip hid. Defends P1, P2."""

import hashlib
import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor

from harness import Node, Suite, content, died_by_signal, expect, times, write

suite = Suite("flip")
SEED = int(os.environ.get("DALIL_SEED", "1"))


def make_store(folder, nodes):
    node = Node(folder, "Bir", "bir").init()
    nodes.append(node)
    names = [write(os.path.join(folder, "f%d" % i), content(i, size))
             for i, size in enumerate((0, 1, 300, 5000, 70_000, 1_200_000))]
    rows = node.add(*names, "--title", "жалоба")
    rows += node.add("--again", "--open", *names[:3])
    return node, {row[0]: row[1] for row in rows}


def files_of(store, folders):
    found = []
    for name in folders:
        for base, _, names in os.walk(os.path.join(store, name)):
            for entry in names:
                path = os.path.join(base, entry)
                if entry != "lock.mdb" and os.path.isfile(path) and os.path.getsize(path) > 0:
                    found.append(path)
    return sorted(found)


def used_bits(path):
    """Where bytes that are not a hole or zero stand, so that most flips hit something."""
    with open(path, "rb") as file:
        data = file.read()
    return [i for i in range(0, len(data), 1) if data[i]] or [0]


class Trial:
    def __init__(self, node, records, kind):
        self.node, self.records, self.kind = node, records, kind

    def gets(self, node):
        good = 0
        for record, digest in self.records.items():
            result = node.run("get", record, "-o", "-")
            expect(not died_by_signal(result.code), "get died: %r" % result)
            if result.code == 0:
                expect(hashlib.sha256(result.out).hexdigest() == digest, "get gave other content")
                good += 1
        return good


def flip_one(node, records, kind, path, position, bit, folder):
    """One copy of the store with one bit flipped; says what was noticed."""
    copy = Node.__new__(Node)
    copy.__dict__.update(node.__dict__)
    copy.store = os.path.join(folder, "copy")
    shutil.copytree(node.store, copy.store)
    target = os.path.join(copy.store, os.path.relpath(path, node.store))
    with open(target, "r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ (1 << bit)]))
    where = "%s byte %d bit %d" % (os.path.relpath(path, node.store), position, bit)
    try:
        trial = Trial(copy, records, kind)
        verify = copy.run("verify", "--all")
        listing = copy.run("--json", "list")
        for result in (verify, listing):
            expect(not died_by_signal(result.code), "%s: died: %r" % (where, result))
        good = trial.gets(copy)
        if kind != "index":
            if good < len(records):
                expect(verify.code not in (0,), "%s: %d of %d readable and verify says all is well" % (
                    where, good, len(records)))
            return verify.code != 0
        hidden = good < len(records) or len(listing.lines()) != len(records)
        if hidden:
            expect(verify.code != 0, "%s: an index flip hides an exhibit and verify says nothing" % where)
        reindex = copy.run("reindex")
        expect(reindex.code == 0, "%s: reindex: %r" % (where, reindex))
        expect(trial.gets(copy) == len(records), "%s: reindex did not bring everything back" % where)
        expect(copy.run("verify", "--all").code == 0, "%s: not good after reindex" % where)
        return verify.code != 0
    finally:
        shutil.rmtree(copy.store)


def flip_many(folder, nodes, kind, folders, count):
    node, records = make_store(folder, nodes)
    expect(node.run("verify", "--all").code == 0, "the store is not good to begin with")
    chance = random.Random("%d %s" % (SEED, kind))
    files = files_of(node.store, folders)
    expect(files, "no file of kind %s" % kind)
    places = []
    used = {path: used_bits(path) for path in files}
    for _ in range(count):
        path = chance.choice(files)
        places.append((path, chance.choice(used[path]), chance.randrange(8)))

    def one(numbered):
        index, (path, position, bit) = numbered
        place = os.path.join(folder, "t%d" % index)
        os.mkdir(place)
        try:
            return flip_one(node, records, kind, path, position, bit, place)
        finally:
            shutil.rmtree(place)

    with ThreadPoolExecutor(2) as pool:
        noticed = sum(pool.map(one, enumerate(places)))
    print("        %d flips in %s, %d noticed by verify" % (count, kind, noticed))
    return noticed


@suite.check
def segments(folder, nodes):
    count = times(30, 500)
    # Every byte that is not zero in a segment belongs to a payload or its leaf hashes.
    expect(flip_many(folder, nodes, "segments", ["segments"], count) == count,
           "a flip in a segment was not named")


@suite.check
def journal(folder, nodes):
    count = times(30, 500)
    expect(flip_many(folder, nodes, "journal", ["journal"], count) == count,
           "a flip in the journal was not named")


@suite.check
def index(folder, nodes):
    flip_many(folder, nodes, "index", ["index"], times(30, 700))


@suite.check
def keys(folder, nodes):
    flip_many(folder, nodes, "keys", ["keys"], times(20, 300))


suite.run()
