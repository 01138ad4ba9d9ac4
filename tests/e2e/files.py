#!/usr/bin/env python3
"""Deposits of every kind of file that a folder can hold. Defends P1, P2, P7."""

import hashlib
import os
import shutil
import subprocess
import threading
import time

from harness import (EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_STORAGE, EXIT_USAGE, Node, Skip,
                     Suite, content, expect, write)

suite = Suite("files")


def single(folder, nodes, **options):
    node = Node(folder, "Bir", "bir", **options).init()
    nodes.append(node)
    return node


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


@suite.check
def same_file_twice(folder, nodes):
    node = single(folder, nodes)
    path = write(os.path.join(folder, "a.txt"), content(1, 5000))
    first = node.add(path)
    before = sum(os.path.getsize(os.path.join(base, name))
                 for base, _, names in os.walk(os.path.join(node.store, "segments"))
                 for name in names)
    again = node.must("add", path)
    expect(again.lines()[0].split("  ")[0] == first[0][0], "the old id is not printed: %r" % again)
    expect(b"already" in again.err, "it does not say already: %r" % again)
    after = sum(os.path.getsize(os.path.join(base, name))
                for base, _, names in os.walk(os.path.join(node.store, "segments"))
                for name in names)
    expect(before == after, "the payload was stored again")
    expect(len(node.must("--json", "list").json()) == 1, "a second exhibit appeared")
    third = node.add("--again", path)
    expect(third[0][0] != first[0][0], "--again made no new record")
    expect(len(node.must("--json", "list").json()) == 2, "--again is not listed")


@suite.check
def odd_names(folder, nodes):
    node = single(folder, nodes)
    base = os.path.join(folder, "in").encode()
    os.mkdir(base)
    names = [b"-", b"--help", b"new\nline", b"bad\xff\xfeutf8", b"n" * 255, b" lead and trail ",
             "жалоба.txt".encode(), b"esc\x1b[31mred", b"..."]
    for index, name in enumerate(names):
        write(os.path.join(base, name), content(index, 100 + index))
    result = node.must("--json", "add", "--recursive", base)
    rows = result.json()
    expect(len(rows) == len(names), "%d of %d deposited: %r" % (len(rows), len(names), result))
    expect(b"\x1b" not in result.err, "an escape sequence reached the terminal")
    plain = node.must("list")
    expect(b"\x1b" not in plain.out, "an escape sequence reached the terminal in list")
    for row in rows:
        target = os.path.join(folder, "out")
        node.must("get", row["record"], "-o", target, "--force")
        expect(sha256(target) == row["sha256"], "another content came back")
    wanted = {hashlib.sha256(content(i, 100 + i)).hexdigest() for i in range(len(names))}
    expect({row["sha256"] for row in rows} == wanted, "not the files that were given")
    # A file named "-" is a path when it is written ./-
    alone = node.run("add", "--again", "./-", cwd=base)
    expect(alone.code == EXIT_DONE, repr(alone))


@suite.check
def empty_file(folder, nodes):
    node = single(folder, nodes)
    path = write(os.path.join(folder, "empty"), b"")
    for option in ((), ("--open", "--again")):
        record = node.add(path, *option)[0]
        expect(record[1] == hashlib.sha256(b"").hexdigest(), "the hash of nothing is wrong")
        out = node.must("get", record[0], "-o", "-")
        expect(out.out == b"", "bytes came back for an empty file")
    expect(node.run("verify", "--all").code == 0, "verify --all fails")


@suite.check
def standard_input(folder, nodes):
    node = single(folder, nodes)
    data = content(3, 3_000_000)
    result = node.must("add", "-", "--name", "tape.bin", stdin=data)
    record = result.lines()[0].split("  ")[0]
    expect(node.must("get", record, "-o", "-").out == data, "another content came back")
    expect(node.run("add", "-", stdin=b"x").code == EXIT_USAGE, "standard input without --name")


@suite.check
def unreadable(folder, nodes):
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("needs root and setpriv to become another user")
    os.chmod(folder, 0o777)
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    node = Node(folder, "Bir", "bir")
    nodes.append(node)
    for path in (node.folder, node.keys, node.next):
        os.chown(path, 65534, 65534)
    result = node.run("init", "--org", "Bir", "--node", "bir", "--keys-to", node.keys, "--next-to",
                      node.next, "--no-passphrase", prefix=prefix)
    expect(result.code == 0, repr(result))
    secret = write(os.path.join(folder, "secret"), b"x" * 100)
    good = write(os.path.join(folder, "good"), b"y" * 100)
    os.chmod(secret, 0o600)
    os.chmod(good, 0o644)
    result = node.run("add", secret, good, prefix=prefix)
    expect(result.code == EXIT_STORAGE or result.code == EXIT_REFUSED, repr(result))
    expect(b"secret" in result.err and b"ermission" in result.err, "not said which and why: %r" % result)
    expect(len(result.lines()) == 1 and result.lines()[0].endswith("good"),
           "the readable file was not deposited: %r" % result)
    # The store of another user: exit 4, with the line that works.
    other = node.run("list", prefix=("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"))
    expect(other.code == EXIT_REFUSED, "another user's store: %r" % other)


@suite.check
def changes_while_read(folder, nodes):
    node = single(folder, nodes)
    path = os.path.join(folder, "growing")
    with open(path, "wb") as file:
        file.truncate(400 << 20)
    stop = threading.Event()

    def change():
        with open(path, "r+b") as file:
            index = 0
            while not stop.is_set():
                file.seek((index * 7919) % (400 << 20))
                file.write(b"changed")
                file.flush()
                os.utime(path)
                index += 1
                time.sleep(0.002)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        result = node.run("add", path)
    finally:
        stop.set()
        thread.join()
    expect(result.code == EXIT_STORAGE, repr(result))
    expect(b"changed while" in result.err, "no clear message: %r" % result)
    expect(result.out == b"", "a record was acknowledged")
    expect(node.must("--json", "list").json() == [], "an exhibit was left behind")
    expect(node.run("verify", "--all").code == 0, "the store is not good afterwards")


@suite.check
def sparse_five_gib(folder, nodes):
    if shutil.disk_usage(folder).free < 14 << 30:
        raise Skip("less than 14 GiB of free disk")
    node = single(folder, nodes)
    path = os.path.join(folder, "sparse")
    with open(path, "wb") as file:
        file.truncate(5 << 30)
        file.seek(3 << 30)
        file.write(b"in the middle")
    log = os.path.join(folder, "memory")
    process = node.spawn("add", path)
    peak = 0
    while process.poll() is None:
        try:
            with open("/proc/%d/status" % process.pid) as status:
                for line in status:
                    if line.startswith("RssAnon:"):
                        peak = max(peak, int(line.split()[1]))
        except OSError:
            pass
        time.sleep(0.02)
    out, err = process.communicate()
    expect(process.returncode == 0, "%r %r" % (out, err))
    expect(0 < peak < 64 << 10, "RssAnon reached %d KiB" % peak)
    record, digest, _ = out.decode().splitlines()[0].split("  ", 2)
    os.unlink(path)
    target = os.path.join(folder, "back")
    node.must("get", record, "-o", target, timeout=300)
    expect(sha256(target) == digest, "another content came back")
    expect(os.path.getsize(target) == 5 << 30, "another size came back")
    print("        deposit of 5 GiB: RssAnon at most %d KiB" % peak)


@suite.check
def directory_without_recursive(folder, nodes):
    node = single(folder, nodes)
    os.mkdir(os.path.join(folder, "d"))
    expect(node.run("add", os.path.join(folder, "d")).code == EXIT_USAGE, "not a usage error")
    expect(node.run("add", os.path.join(folder, "none")).code != 0, "a missing path is accepted")


@suite.check
def full_disk(folder, nodes):
    if os.getuid() != 0:
        raise Skip("needs root to mount a small disk")
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", disk],
                             stderr=subprocess.PIPE)
    if mounted.returncode != 0:
        raise Skip("cannot mount a small disk here: %s" % mounted.stderr.decode().strip())
    try:
        node = Node(folder, "Bir", "bir")
        nodes.append(node)
        node.store = os.path.join(disk, "store")
        node.init()
        kept = []
        code = 0
        for index in range(100):
            path = write(os.path.join(folder, "f%d" % index), content(index, 1_500_000))
            result = node.run("add", path)
            code = result.code
            if code != 0:
                expect(code == EXIT_STORAGE, "a full disk: %r" % result)
                expect(b"space" in result.err, "it does not say that space is out: %r" % result)
                expect(result.out == b"", "acknowledged and failed at once")
                break
            kept.append(result.lines()[0].split("  ")[:2])
        expect(code != 0 and kept, "the disk never filled")
        for record, digest in kept:
            out = node.must("get", record, "-o", "-").out
            expect(hashlib.sha256(out).hexdigest() == digest, "another content came back")
        result = node.run("verify", "--all")
        expect(result.code == 0, "the store is not good: %r" % result)
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


suite.run()
