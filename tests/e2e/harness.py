"""What the end-to-end tests share: nodes of organisations on this machine, driven only through the
programs a user has.  Each test file makes a Suite, adds checks with @suite.check, and ends with
suite.run(), which prints `N passed, N failed, N skipped` and exits 1 if one failed."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(os.environ.get("DALIL_BUILD", os.path.join(
    os.path.dirname(__file__), "..", "..", "build")))
DALIL = os.path.join(BUILD, "cli", "dalil")
DALILD = os.path.join(BUILD, "node", "dalild")
SOAK = os.environ.get("DALIL_SOAK", "") not in ("", "0")

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_STORAGE, EXIT_LOCKED = range(7)


class Skip(Exception):
    """Raised by a check that cannot run here, with the reason."""


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def times(short, long):
    """A count: short in every run, long in the soak."""
    return long if SOAK else short


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def lines(self):
        return self.out.decode("utf-8", "surrogateescape").splitlines()

    def json(self):
        return [json.loads(line) for line in self.lines() if line.strip()]

    def __repr__(self):
        return "exit %s\n--- stdout\n%s\n--- stderr\n%s" % (
            self.code, self.out.decode("utf-8", "replace")[-3000:],
            self.err.decode("utf-8", "replace")[-3000:])


def died_by_signal(code):
    return code < 0


class Node:
    """One node: its store, its keys outside the store, and its dalild while it runs."""

    def __init__(self, folder, organisation, name, country=None, passphrase=False, extra=()):
        self.folder = os.path.join(folder, name)
        self.store = os.path.join(self.folder, "store")
        self.keys = os.path.join(self.folder, "keys")
        self.next = os.path.join(self.folder, "next")
        os.makedirs(self.keys)
        os.makedirs(self.next)
        self.organisation, self.name, self.country = organisation, name, country
        self.daemon = None
        self.port = 0
        self.environment = dict(os.environ)
        self.environment.pop("DALIL_STORE", None)
        if passphrase:
            path = os.path.join(self.folder, "passphrase")
            with open(path, "w") as file:
                file.write("store: correct horse\nroot: root battery\nnext: next staple\ncopy: copy\n")
            os.chmod(path, 0o600)
            self.environment["DALIL_PASSPHRASE_FILE"] = path
        self.wrapping = [] if passphrase else ["--no-passphrase"]
        self.extra = list(extra)

    def init(self):
        arguments = ["init", "--org", self.organisation, "--node", self.name, "--keys-to", self.keys,
                     "--next-to", self.next]
        if self.country:
            arguments += ["--country", self.country]
        result = self.must(*arguments, *self.wrapping, *self.extra)
        facts = dict(line.split(" ", 1) for line in result.lines())
        self.organisation_id, self.origin, self.vkey = (
            facts["organisation"], facts["origin"], facts["vkey"])
        return self

    def root_key(self):
        return os.path.join(self.keys, self.name + "-root.key")

    def command(self, *arguments):
        return [DALIL, "--store", self.store] + [os.fsencode(a) if isinstance(a, str) else a
                                                 for a in arguments]

    def run(self, *arguments, stdin=b"", timeout=120, cwd=None, prefix=(), environment=None):
        process = subprocess.run(list(prefix) + self.command(*arguments), input=stdin,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                                 env=environment or self.environment, cwd=cwd)
        return Result(process.returncode, process.stdout, process.stderr)

    def must(self, *arguments, **options):
        result = self.run(*arguments, **options)
        expect(result.code == 0, "dalil %s: %r" % (" ".join(map(str, arguments)), result))
        return result

    def status(self):
        """Exit 1 says that copies are at risk: the numbers are there all the same."""
        result = self.run("--json", "status")
        expect(result.code in (EXIT_DONE, EXIT_FAILED), "status: %r" % result)
        return result.json()[0]

    def spawn(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def start(self, wait=20):
        """Run dalild; the port it got is kept, so that a restarted node is found again."""
        self.log = open(os.path.join(self.folder, "dalild.log"), "ab")
        self.daemon = subprocess.Popen(
            [DALILD, "--store", self.store, "--listen", "127.0.0.1:%d" % self.port],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment)
        deadline = time.monotonic() + wait
        line = b""
        os.set_blocking(self.daemon.stdout.fileno(), False)
        while not line.endswith(b"\n"):
            expect(time.monotonic() < deadline, "dalild of %s is not ready" % self.name)
            expect(self.daemon.poll() is None, "dalild of %s ended: %s: %s" % (
                self.name, self.daemon.returncode, self.daemon_log()[-2000:]))
            piece = self.daemon.stdout.read()
            if piece:
                line += piece
            else:
                time.sleep(0.01)
        match = re.match(rb"ready listen=[^ ]*:(\d+)", line)
        expect(match, "an unexpected first line of dalild: %r" % line)
        self.port = int(match.group(1))
        return self

    def daemon_log(self):
        with open(os.path.join(self.folder, "dalild.log"), "rb") as file:
            return file.read().decode("utf-8", "replace")

    def stop(self):
        if self.daemon is None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        try:
            code = self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise AssertionError("dalild of %s did not stop within 20 s" % self.name)
        self.daemon = None
        expect(code == 0, "dalild of %s stopped with %d: %s" % (
            self.name, code, self.daemon_log()[-2000:]))

    def kill(self):
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    def address(self):
        return "127.0.0.1:%d" % self.port

    def anonymous_kib(self):
        with open("/proc/%d/status" % self.daemon.pid) as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1))

    def add(self, *arguments, **options):
        """Deposit; returns [(record, sha256, path)]."""
        return [tuple(line.split("  ", 2)) for line in self.must("add", *arguments, **options).lines()]


def pair(first, second, *options):
    """Pair two nodes whose dalild run; the second dials the first."""
    invite = first.must("peer", "invite", "--address", first.address()).lines()[0]
    reply = second.must("peer", "accept", invite, "--address", second.address(), "--as", first.name,
                        *options).lines()[0]
    first.must("peer", "confirm", reply, "--as", second.name, *options)


def wait_for(condition, text, seconds=30, pause=0.1):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError("not within %d s: %s" % (seconds, text))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def content(seed, size):
    """Bytes that no compressor helps with, the same for the same seed."""
    return random.Random(seed).randbytes(size)


class Suite:
    def __init__(self, name):
        self.name, self.checks = name, []
        self.folder = None

    def check(self, function):
        self.checks.append(function)
        return function

    def run(self):
        passed = failed = skipped = 0
        only = sys.argv[1:]
        for program in (DALIL, DALILD):
            if not os.access(program, os.X_OK):
                print("%s: %s is not built" % (self.name, program))
                print("0 passed, 1 failed, 0 skipped")
                sys.exit(1)
        for function in self.checks:
            if only and function.__name__ not in only:
                continue
            folder = tempfile.mkdtemp(prefix="dalil-%s-" % function.__name__)
            begin = time.monotonic()
            nodes = []
            try:
                function(folder, nodes)
                passed += 1
                print("ok      %s: %s (%.1f s)" % (self.name, function.__name__,
                                                   time.monotonic() - begin), flush=True)
            except Skip as reason:
                skipped += 1
                print("skipped %s: %s: %s" % (self.name, function.__name__, reason), flush=True)
            except Exception:
                failed += 1
                print("FAILED  %s: %s" % (self.name, function.__name__), flush=True)
                traceback.print_exc(file=sys.stdout)
            finally:
                for node in nodes:
                    node.kill()
                if os.environ.get("DALIL_KEEP"):
                    print("        kept in %s" % folder)
                else:
                    shutil.rmtree(folder, ignore_errors=True)
        print("%d passed, %d failed, %d skipped" % (passed, failed, skipped), flush=True)
        sys.exit(1 if failed else 0)
