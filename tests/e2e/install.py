#!/usr/bin/env python3
"""`meson install` puts everything in place and nothing else: both programs, every man page, the example
configuration and the guides; the programs run from there, the pages are clean, the example is taken."""

import os
import shutil
import subprocess

from harness import BUILD, Result, Skip, Suite, expect, write

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
suite = Suite("install")


def run(*command, **options):
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **options)
    return Result(process.returncode, process.stdout, process.stderr)


def installed(folder):
    """Install below ${folder}; {path below the prefix: path on this disk}."""
    result = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                 env=dict(os.environ, DESTDIR=folder))
    expect(result.code == 0, "meson install: %r" % result)
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            found[os.path.join(base, name)] = None
    programs = [path for path in found if path.endswith("/bin/dalil")]
    expect(len(programs) == 1, "bin/dalil is not installed: %s" % sorted(found))
    prefix = programs[0][:-len("bin/dalil")]
    return {os.path.relpath(path, prefix): path for path in found}


def pages():
    return sorted(os.listdir(os.path.join(TOP, "docs", "man"))) + ["dalil-lock.1"]


@suite.check
def puts_what_belongs_and_nothing_else(folder, _):
    wanted = {"bin/dalil", "bin/dalild"}
    wanted |= {"share/man/man%s/%s" % (page[-1], page) for page in pages()}
    wanted |= {"share/doc/dalil/" + name
               for name in ("dalil.conf.example", "guide-start.md", "threat-model.md")}
    found = installed(folder)
    expect(set(found) == wanted, "installed too much or too little: %s" % sorted(set(found) ^ wanted))
    for name, path in found.items():
        mode = os.stat(path).st_mode & 0o777
        expect(mode == (0o755 if name.startswith("bin/") else 0o644), "%s has mode %o" % (name, mode))


@suite.check
def programs_run_from_there(folder, _):
    found = installed(folder)
    result = run(found["bin/dalil"], "version")
    expect(result.code == 0 and result.lines()[0].startswith("dalil "), "%r" % result)
    with open(found["bin/dalil"], "rb") as file:
        digest = run("sha256sum", "-", input=file.read()).lines()[0].split()[0]
    expect("sha256 " + digest in result.lines(), "version names another program: %r" % result)
    result = run(found["bin/dalild"], "--help")
    expect(result.code == 0 and b"--listen" in result.out, "%r" % result)


@suite.check
def pages_are_clean(folder, _):
    if shutil.which("mandoc") is None:
        raise Skip("mandoc is not here")
    found = installed(folder)
    count = 0
    for name, path in found.items():
        if name.startswith("share/man/"):
            result = run("mandoc", "-T", "lint", "-W", "warning", path)
            expect(result.code == 0 and not result.out, "%s: %r" % (name, result))
            text = run("mandoc", "-T", "utf8", path)
            expect(text.code == 0 and len(text.out) > 500, "%s is empty" % name)
            count += 1
    expect(count == len(pages()), "%d pages" % count)


@suite.check
def the_example_is_taken(folder, _):
    found = installed(os.path.join(folder, "root"))
    store = os.path.join(folder, "store")
    result = run(found["bin/dalil"], "--store", store, "--no-passphrase", "init", "--org", "Example",
                 "--node", "one", "--keys-to", folder)
    expect(result.code == 0, "%r" % result)
    with open(found["share/doc/dalil/dalil.conf.example"], encoding="utf-8") as file:
        text = file.read()
    write(os.path.join(store, "dalil.conf"), text.encode())
    expect(run(found["bin/dalil"], "--store", store, "list", "--at-risk").code == 0, "as it is")
    lines = [line.lstrip("#") if line.startswith("#") and line[1:2].isalpha() else line
             for line in text.splitlines()]
    write(os.path.join(store, "dalil.conf"), "\n".join(lines).encode())
    result = run(found["bin/dalil"], "--store", store, "list", "--at-risk")
    expect(result.code == 0, "with every key: %r" % result)
    write(os.path.join(store, "dalil.conf"), b"no-such-key = 1\n")
    result = run(found["bin/dalil"], "--store", store, "list", "--at-risk")
    expect(result.code == 2 and b"no-such-key" in result.err, "an unknown key: %r" % result)


suite.run()
