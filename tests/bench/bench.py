#!/usr/bin/env python3
"""The benchmark behind tests/bench/run.sh: runs every tool on the same bytes, turn by turn, and
prints one table of ratios. Inputs are read once beforehand, so that all find them in memory; every
measurement begins with nothing left to be written to the disk."""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build-bench"
PLACE = os.environ.get("BENCH_DIR", "/var/tmp/dalil-bench")
MEDIA_MIB = int(os.environ.get("BENCH_MEDIA_MIB", "2048"))
DOCUMENTS = int(os.environ.get("BENCH_DOCUMENTS", "20000"))
REPEAT = int(os.environ.get("BENCH_REPEAT", "3"))
SINGLE = 20  # documents that are read one by one
MEMORY_MIB = 64  # design section 7
# What has to hold: operation, other tool, and how many times its speed dalil reaches at least.
TARGETS = [("deposit", "restic", 1.5), ("verify", "restic", 1.5), ("replicate", "rsync", 0.5)]
REPLICATE_TARGET = ("media",)  # rsync's target is for the large file


class Failed(Exception):
    pass


class Result:
    def __init__(self, seconds, cpu, peaks):
        self.seconds, self.cpu, self.peak_mib = seconds, cpu, max(peaks) / 1024


def program(name):
    return os.path.join(BUILD, "tests", "bench", "bench_" + name)


DALIL = os.path.join(BUILD, "cli", "dalil")
DALILD = os.path.join(BUILD, "node", "dalild")


def path(*names):
    return os.path.join(PLACE, *names)


def clean(*names):
    target = path(*names)
    if os.path.isdir(target) and not os.path.islink(target):
        shutil.rmtree(target)
    elif os.path.lexists(target):
        os.unlink(target)


def run(*command, env=None, text=None):
    done = subprocess.run(command, env=dict(os.environ, **(env or {})), input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failed("%s: exit %d: %s" % (" ".join(command), done.returncode,
                                          done.stderr.strip()[-400:]))
    return done.stdout


def measure(*command, env=None, also=(), cwd=None, output="output"):
    """One command; what it prints goes to a file, so that no pipe holds it up."""
    os.sync()
    also = [word for pid in also for word in ("--also", str(pid))]
    with open(path(output), "w", encoding="utf-8") as out, \
            open(path("errors"), "w+", encoding="utf-8", errors="replace") as errors:
        done = subprocess.run([program("measure"), path("measured"), *also, *command], cwd=cwd,
                              env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                              stdout=out, stderr=errors, check=False)
        if done.returncode != 0:
            errors.seek(0)
            raise Failed("%s: exit %d: %s" % (" ".join(command)[:200], done.returncode,
                                              errors.read().strip()[-400:]))
    with open(path("measured"), encoding="utf-8") as file:
        numbers = [float(word) for word in file.read().split()]
    return Result(numbers[0], numbers[1], numbers[2:])


class Corpus:
    def __init__(self, name, source, files):
        self.name, self.source, self.files = name, source, files
        self.bytes = sum(os.path.getsize(file) for file in files)


def corpora():
    """Made once and kept; a corpus of another size is made anew."""
    os.makedirs(PLACE, exist_ok=True)
    media, documents = path("media-%d.mp4" % MEDIA_MIB), path("documents-%d" % DOCUMENTS)
    if MEDIA_MIB and not os.path.exists(media):
        run(program("corpora"), "media", media + ".part", str(MEDIA_MIB))
        os.rename(media + ".part", media)
    if DOCUMENTS and not os.path.exists(documents):
        clean(os.path.basename(documents) + ".part")
        run(program("corpora"), "documents", documents + ".part", str(DOCUMENTS))
        os.rename(documents + ".part", documents)
    if MEDIA_MIB:
        yield Corpus("media", media, [media])
    if DOCUMENTS:
        yield Corpus("documents", documents, sorted(
            os.path.join(base, name) for base, _, names in os.walk(documents) for name in names))


class Tool:
    """What a tool cannot do it leaves None, and the table shows a dash."""
    def __init__(self, corpus):
        self.corpus = corpus

    def deposit(self):
        return None

    def verify(self):
        return None

    def get(self):
        return None

    def replicate(self):
        return None

    def start(self):
        """The least that a command does: what a run costs before its work."""
        return None


def chosen(corpus):
    """The documents that are read one by one: evenly spread."""
    step = max(1, len(corpus.files) // SINGLE)
    return corpus.files[::step][:SINGLE]


def same(one, other):
    return subprocess.run(["cmp", "-s", one, other], check=False).returncode == 0


def singles(corpus, read):
    """One command a document; the sum."""
    results = []
    for number, file in enumerate(chosen(corpus)):
        clean("got")
        results.append(read(number, file))
        if not same(path("got"), file):
            raise Failed("%s came back different" % file)
    return Result(sum(r.seconds for r in results), sum(r.cpu for r in results),
                  [max(r.peak_mib for r in results) * 1024])


class Floor(Tool):
    name = "floor"

    def deposit(self):
        clean("floor")
        clean("floor.index")
        return measure(program("floor"), "deposit", path("floor"), self.corpus.source)

    def verify(self):
        return measure(program("floor"), "verify", path("floor"))

    def get(self):
        if self.corpus.name != "media":
            return None
        clean("got")
        return measure(program("floor"), "get", path("floor"), path("got"))


class Restic(Tool):
    name = "restic"
    env = {"RESTIC_PASSWORD": "benchmark", "RESTIC_CACHE_DIR": path("restic-cache"),
           "RESTIC_PROGRESS_FPS": "0.01"}

    def restic(self, *words, timed=True):
        command = ("restic", "--quiet", "-r", path("restic"), *words)
        return measure(*command, env=self.env, output="got.out") if timed else \
            run(*command, env=self.env)

    def deposit(self):
        clean("restic")
        clean("restic-cache")
        self.restic("init", "--repository-version", "2", timed=False)
        return self.restic("backup", "--compression", "off", self.corpus.source)

    def verify(self):
        return self.restic("check", "--read-data")

    def start(self):
        return self.restic("snapshots")

    def get(self):
        if self.corpus.name != "media":
            def read(_, file):
                result = self.restic("dump", "latest", file)
                os.rename(path("got.out"), path("got"))
                return result
            return singles(self.corpus, read)
        clean("restored")
        result = self.restic("restore", "latest", "--target", path("restored"))
        if not same(path("restored") + self.corpus.source, self.corpus.source):
            raise Failed("restic: another file came back")
        clean("restored")
        return result


class Borg(Tool):
    name = "borg"
    env = {"BORG_PASSPHRASE": "benchmark", "BORG_BASE_DIR": path("borg-base"),
           "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
           "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

    def deposit(self):
        clean("borg")
        clean("borg-base")
        run("borg", "init", "--encryption", "repokey", path("borg"), env=self.env)
        return measure("borg", "create", "--compression", "none", path("borg") + "::one",
                       self.corpus.source, env=self.env)

    def verify(self):
        return measure("borg", "check", "--verify-data", path("borg"), env=self.env)

    def start(self):
        return measure("borg", "list", path("borg"), env=self.env)

    def get(self):
        if self.corpus.name != "media":
            def read(_, file):
                result = measure("borg", "extract", "--stdout", path("borg") + "::one",
                                 file.lstrip("/"), env=self.env, output="got.out")
                os.rename(path("got.out"), path("got"))
                return result
            return singles(self.corpus, read)
        clean("restored")
        os.mkdir(path("restored"))
        result = measure("borg", "extract", path("borg") + "::one", env=self.env,
                         cwd=path("restored"))
        if not same(path("restored") + self.corpus.source, self.corpus.source):
            raise Failed("borg: another file came back")
        clean("restored")
        return result


class Rsync(Tool):
    """To a daemon on this machine, every file synced: what replication has to be held against."""
    name = "rsync"

    def replicate(self):
        clean("rsync")
        os.mkdir(path("rsync"))
        with open(path("rsyncd.conf"), "w", encoding="utf-8") as file:
            file.write("use chroot = no\naddress = 127.0.0.1\nport = 18730\n[to]\npath = %s\n"
                       "read only = no\nuid = %d\ngid = %d\n" % (path("rsync"), os.getuid(),
                                                               os.getgid()))
        with subprocess.Popen(["rsync", "--daemon", "--no-detach", "--config",
                               path("rsyncd.conf")], stderr=subprocess.DEVNULL) as daemon:
            try:
                wait_for(lambda: subprocess.run(
                    ["rsync", "rsync://127.0.0.1:18730/"], check=False,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0)
                return measure("rsync", "-a", "--fsync", "--whole-file", self.corpus.source,
                               "rsync://127.0.0.1:18730/to/")
            finally:
                daemon.terminate()


def wait_for(ready, seconds=30):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise Failed("waited %d s in vain" % seconds)
        time.sleep(0.05)


class Daemon:
    """A running dalild; started again, it listens where it did."""
    def __init__(self, store):
        self.store, self.port, self.process = store, 0, None

    def start(self):
        if not os.path.exists(DALILD):
            raise Failed("there is no %s" % DALILD)
        with open(path("dalild.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [DALILD, "--store", self.store, "--listen", "127.0.0.1:%d" % self.port],
                text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        found = re.match(r"ready listen=\S+:(\d+)", line)
        if not found:
            self.stop()
            raise Failed("dalild is not ready: %r; see %s" % (line, path("dalild.log")))
        self.port = int(found.group(1))
        return self

    @property
    def pid(self):
        return self.process.pid

    def address(self):
        return "127.0.0.1:%d" % self.port

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None


class Dalil(Tool):
    name = "dalil"
    ids = {}  # record by path, of the last deposit

    def dalil(self, store, *words):
        return run(DALIL, "--store", path(store), *words)

    def init(self, store, name):
        clean(store)
        clean(store + "-keys")
        os.mkdir(path(store + "-keys"))
        self.dalil(store, "init", "--org", name, "--node", store, "--keys-to",
                   path(store + "-keys"), "--no-passphrase")

    def measured(self, store, *words, also=()):
        return measure(DALIL, "--store", path(store), *words, also=also, output="dalil.out")

    def add(self, store):
        words = ["--recursive"] if self.corpus.name != "media" else []
        return self.measured(store, "add", *words, self.corpus.source)

    def records(self):
        """Record ids by path, from what add printed."""
        with open(path("dalil.out"), encoding="utf-8") as file:
            return {line.split(None, 2)[2].rstrip("\n"): line.split(None, 1)[0] for line in file}

    def record(self, file):
        if file not in self.ids:
            raise Failed("no record of %s" % file)
        return self.ids[file]

    def deposit(self):
        self.init("dalil", "Benchmark")
        result = self.add("dalil")
        self.ids = self.records()
        if len(self.ids) != len(self.corpus.files):
            raise Failed("dalil add printed %d lines for %d files"
                         % (len(self.ids), len(self.corpus.files)))
        return result

    def verify(self):
        return self.measured("dalil", "verify", "--all")

    def get(self):
        if self.corpus.name != "media":
            return singles(self.corpus, lambda _, file: self.measured(
                "dalil", "get", self.record(file), "-o", path("got")))
        clean("got")
        result = self.measured("dalil", "get", self.record(self.corpus.source), "-o", path("got"))
        if not same(path("got"), self.corpus.source):
            raise Failed("dalil: another file came back")
        return result

    def replicate(self):
        """From the start of the other node until it has everything and its receipts are back."""
        self.init("one", "First")
        self.init("two", "Second")
        first, second = Daemon(path("one")), Daemon(path("two"))
        try:
            first.start()
            second.start()
            invite = self.dalil("one", "peer", "invite", "--address", first.address()).strip()
            reply = self.dalil("two", "peer", "accept", invite, "--address", second.address())
            self.dalil("one", "peer", "confirm", reply.strip())
            self.dalil("two", "sync")
            second.stop()
            self.add("one")
            os.sync()
            begin = time.monotonic()
            second.start()
            # The depositor's round: it signs what it added, and ends once the other has it all.
            result = self.measured("one", "sync", "--timeout", "1800",
                                   also=(first.pid, second.pid))
            result.seconds = time.monotonic() - begin
            self.check_replica()
            return result
        finally:
            first.stop()
            second.stop()

    def check_replica(self):
        last = self.dalil("two", "--json", "verify", "--all").splitlines()[-1]
        if json.loads(last).get("intact") != len(self.corpus.files):
            raise Failed("of %d exhibits the replica says %s" % (len(self.corpus.files), last))

    def start(self):
        return self.measured("dalil", "list", "--limit", "1")


TOOLS = [Floor, Dalil, Restic, Borg, Rsync]
OPERATIONS = ["deposit", "verify", "get", "replicate", "start"]


def wanted(what, name):
    """BENCH_TOOLS and BENCH_OPERATIONS, where given, name what to measure."""
    given = os.environ.get("BENCH_" + what)
    return not given or name in given.split()


def have(tool):
    if tool is Dalil:
        return os.path.exists(DALIL)
    return tool is Floor or shutil.which(tool.name) is not None


def progress(text):
    if sys.stderr.isatty():
        print("\r" + text + "\033[K", end="", file=sys.stderr, flush=True)


def measure_corpus(corpus, results, notes):
    """Every operation of every tool in turn, as often as asked."""
    tools = [tool(corpus) for tool in TOOLS if have(tool) and wanted("TOOLS", tool.name)]
    for turn in range(REPEAT):
        for operation in OPERATIONS:
            for tool in tools:
                if not wanted("OPERATIONS", operation):
                    continue
                progress("%s, %d of %d: %s by %s" % (corpus.name, turn + 1, REPEAT, operation,
                                                     tool.name))
                try:
                    result = getattr(tool, operation)()
                except Failed as failure:
                    notes.append("%s of %s by %s failed: %s" % (operation, corpus.name,
                                                                tool.name, failure))
                    result = None
                if result is not None:
                    results.setdefault((corpus.name, operation, tool.name), []).append(result)
    progress("")


def median(results, key, what="seconds"):
    values = [getattr(result, what) for result in results.get(key, [])]
    return statistics.median(values) if values else None


def label(corpus, operation):
    if operation == "get" and corpus.name != "media":
        return "get %d, one by one" % min(SINGLE, len(corpus.files))
    return {"verify": "verify all", "start": "start (a short list)"}.get(operation, operation)


def moved(corpus, operation):
    if operation == "get" and corpus.name != "media":
        return sum(os.path.getsize(file) for file in chosen(corpus))
    return corpus.bytes


def cell(text, width):
    return text.rjust(width)


def print_table(listed, results):
    others = [tool.name for tool in TOOLS if tool is not Dalil]
    print("\nSeconds (median of %d), and dalil's speed as a multiple of each other tool's." % REPEAT)
    print("Above 1.00 dalil is faster. restic and borg do not compress; rsync syncs every file.\n")
    print("%-31s%9s%8s%9s" % ("", "dalil s", "MB/s", "RssAnon") +
          "".join(cell(name + " s", 11) + cell("ratio", 7) for name in others))
    for corpus in listed:
        for operation in OPERATIONS:
            mine = median(results, (corpus.name, operation, "dalil"))
            peaks = [r.peak_mib for r in results.get((corpus.name, operation, "dalil"), [])]
            line = "%-10s%-21s" % (corpus.name, label(corpus, operation))
            line += cell("%.2f" % mine if mine else "-", 9)
            rate = mine and operation != "start"
            line += cell("%.0f" % (moved(corpus, operation) / mine / 1e6) if rate else "-", 8)
            line += cell("%.1f M" % max(peaks) if peaks else "-", 9)
            for name in others:
                other = median(results, (corpus.name, operation, name))
                line += cell("%.2f" % other if other else "-", 11)
                line += cell("%.2f" % (other / mine) if other and mine else "-", 7)
            print(line)
    print()
    for name in others:
        peaks = [r.peak_mib for key, found in results.items() if key[2] == name for r in found]
        if peaks:
            print("peak RssAnon of %s: %.0f MiB" % (name, max(peaks)))


def judge(listed, results):
    """The targets, one line each; false if one is missed."""
    good = True
    for operation, other, factor in TARGETS:
        for corpus in listed:
            if operation == "replicate" and corpus.name not in REPLICATE_TARGET:
                continue
            mine = median(results, (corpus.name, operation, "dalil"))
            theirs = median(results, (corpus.name, operation, other))
            met = mine is not None and theirs is not None and theirs / mine >= factor
            good = good and met
            print("target: %s of %s at %.1f times %s's speed: %s" % (
                operation, corpus.name, factor, other,
                "not measured" if mine is None or theirs is None else
                ("met" if met else "MISSED") + ", %.2f" % (theirs / mine)))
    peaks = [r.peak_mib for key, found in results.items() if key[2] == "dalil" for r in found]
    if peaks:
        met = max(peaks) < MEMORY_MIB
        good = good and met
        print("target: memory under %d MiB: %s, %.1f" % (MEMORY_MIB, "met" if met else "MISSED",
                                                        max(peaks)))
    return good and bool(peaks)


def main():
    results, notes = {}, []
    listed = list(corpora())
    begin = time.monotonic()
    for corpus in listed:
        for file in corpus.files:
            with open(file, "rb") as data:
                while data.read(1 << 20):
                    pass
        measure_corpus(corpus, results, notes)
    print("%d MiB of media, %d documents of %.0f MiB; %d processors; %.0f s of measuring" % (
        MEDIA_MIB, DOCUMENTS, sum(c.bytes for c in listed if c.name != "media") / 2**20,
        os.cpu_count(), time.monotonic() - begin))
    print_table(listed, results)
    good = judge(listed, results)
    for note in notes:
        print("note: " + note)
    for name in ("floor", "floor.index", "restic", "restic-cache", "borg", "borg-base", "rsync",
                 "rsyncd.conf", "dalil", "dalil-keys", "one", "one-keys", "two", "two-keys", "got",
                 "got.out", "restored", "output", "errors", "measured", "dalil.out", "dalild.log"):
        clean(name)
    if notes or (os.environ.get("BENCH_STRICT") and not good):
        sys.exit(1)


main()
