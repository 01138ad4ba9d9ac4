#!/usr/bin/env python3
"""What the programs write is read by other people's: Debian's age opens an export, Go's note and
tlog packages verify checkpoint and proofs. Defends P5."""

import hashlib
import os
import shutil
import subprocess

from harness import Node, Skip, Suite, content, expect, write

suite = Suite("interop")


@suite.check
def age_opens_an_export(folder, nodes):
    if shutil.which("age") is None:
        raise Skip("Debian's age is not installed")
    node = Node(folder, "Bir", "bir").init()
    nodes.append(node)
    identity = write(os.path.join(folder, "identity"), node.must("key", "reveal", "vault").out)
    for size in (0, 1, 65_536, 1_048_576, 3_000_001):
        data = content(size, size)
        for number, options in enumerate(((), ("--open", "--again"))):
            path = write(os.path.join(folder, "f"), data)
            record = node.add(path, *options)[0][0]
            target = os.path.join(folder, "export-%d-%d.age" % (size, number))
            node.must("export", record, "--age", "-o", target)
            plain = subprocess.run(["age", "-d", "-i", identity, target], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
            expect(plain.returncode == 0, "age: %s" % plain.stderr.decode())
            expect(plain.stdout[:size] == data, "age gives another file of %d bytes" % size)
            expect(not any(plain.stdout[size:]), "the padding is not zeros")
            expect(len(plain.stdout) == size if options else len(plain.stdout) >= max(size, 16384),
                   "padded where open, or not where sealed")


@suite.check
def go_verifies_the_log(folder, nodes):
    script = os.path.join(os.path.dirname(__file__), "..", "interop", "go_note.sh")
    node = Node(folder, "Bir", "bir").init()
    nodes.append(node)
    files = os.path.join(folder, "files")
    os.mkdir(files)
    records = []
    sizes = []
    for index in range(5):
        path = write(os.path.join(folder, "f%d" % index), content(index, 1000 + index))
        records.append(node.add(path)[0][0])
        sizes.append(int(node.must("log", "checkpoint").lines()[1]))
    write(os.path.join(files, "vkey"), node.must("log", "vkey").out)
    write(os.path.join(files, "checkpoint"), node.must("log", "checkpoint").out)
    write(os.path.join(files, "entries"), node.must("log", "entries").out)
    for record in records:
        write(os.path.join(files, record[:16] + ".tlog-proof"),
              node.must("log", "proof", record).out)
    for size in sizes[:-1]:
        write(os.path.join(files, "consistency-%d" % size),
              node.must("log", "consistency", str(size), str(sizes[-1])).out)
    result = subprocess.run([script, "--files", files], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    if result.returncode == 77:
        raise Skip(result.stdout.decode().strip())
    expect(result.returncode == 0, result.stdout.decode()[-2000:])
    # The same proofs against a checkpoint with another root must not verify.
    note = node.must("log", "checkpoint").out
    root = note.split(b"\n")[2]
    forged = note.replace(root, root[:5] + (b"A" if root[5:6] != b"A" else b"B") + root[6:])
    write(os.path.join(files, "checkpoint"), forged)
    result = subprocess.run([script, "--files", files], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    expect(result.returncode not in (0, 77), "Go takes a forged checkpoint")


suite.run()
