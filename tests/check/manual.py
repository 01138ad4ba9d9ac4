#!/usr/bin/env python3
"""The man pages say what the programs take: every command of the table in cli/main.c has a page whose
synopsis holds exactly the options of its --help and which explains each of them; no page names a
command or an option that is not there, nor does an example of a page, a --help or a guide; dalild.8 and
dalil.conf.5 likewise; and mandoc finds nothing to warn of. The programs are those in $DALIL_BUILD."""

import os
import re
import shlex
import shutil
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.abspath(os.environ.get("DALIL_BUILD", os.path.join(TOP, "build")))
MAN = os.path.join(TOP, "docs", "man")
FLAG = re.compile(r"\bFl (-?[a-z][a-z-]*)")


def read(*names):
    with open(os.path.join(TOP, *names), encoding="utf-8") as file:
        return file.read()


def help_of(program, *words):
    result = subprocess.run([os.path.join(BUILD, program), *words, "--help"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    if result.returncode != 0:
        raise RuntimeError("%s %s --help: exit %d" % (program, " ".join(words), result.returncode))
    return result.stdout


def options_of_help(text):
    """Of a command's help: its section Options, one option a line; what it says goes further in."""
    section = re.search(r"\nOptions\n(.*?)(?:\n\n|\Z)", text, re.S)
    lines = section.group(1).splitlines() if section else []
    return {match.group(1) for match in (re.match(r"  (--?[a-z][a-z-]*)", line) for line in lines)
            if match}


def words_of_usage(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def macros(text):
    """The lines of a page that are not an example's: Fl stands in macros only."""
    return "\n".join(line for line in text.splitlines() if line.startswith("."))


def flags(text):
    return {"-" + name for name in FLAG.findall(macros(text))}


class Page:
    """A page in mdoc."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        sections = re.split(r"^\.Sh (.*)$", text, flags=re.M)
        self.sections = dict(zip(sections[1::2], sections[2::2]))
        self.names = re.findall(r"^\.Nm (\S+)", self.sections.get("NAME", ""), re.M)

    def synopses(self):
        """{command: options}; a command may have several forms. `dalil` itself is ''."""
        found = {}
        for form in re.split(r"^\.Nm dalild?\b.*$", self.sections.get("SYNOPSIS", ""), flags=re.M)[1:]:
            command = re.search(r"^\.Cm (.*)$", form, re.M)
            name = command.group(1).strip() if command else ""
            found[name] = found.get(name, set()) | flags(form)
        return found

    def explained(self):
        items = "\n".join(re.findall(r"^\.It (.*)$", self.text, re.M))
        return {"-" + name for name in FLAG.findall(items)}

    def examples(self):
        """Lines of shell in which dalil is called."""
        for block in re.findall(r"^\.Bd -literal.*?$(.*?)^\.Ed$", self.text, re.S | re.M):
            yield from (line for line in block.splitlines() if "dalil" in line)
        yield from re.findall(r"^\.Dl (.*\bdalil .*)$", self.text, re.M)


def command_at(words, commands):
    """The longest command that these words begin with."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and name in commands:
            return name
    return None


def example_problems(line, commands, common):
    words = shlex.split(line)
    for at, word in enumerate(words):
        if word != "dalil" or (at > 0 and words[at - 1] not in ("|", "&&", ";")):
            continue
        rest = words[at + 1:]
        rest = rest[:min([rest.index(end) for end in ("|", ">", "&&", ";") if end in rest] or [len(rest)])]
        while rest and rest[0].startswith("--"):
            if rest[0].split("=")[0] not in common:
                yield "%s is no global option: %s" % (rest[0], line)
            takes = rest[0] in ("--store", "--identity", "--passphrase-file")
            rest = rest[2 if takes else 1:]
        name = command_at(rest, commands)
        if name is None:
            yield "no such command: %s" % line
            continue
        for option in rest:
            if re.match(r"-[^-]$|--[a-z]", option) and option.split("=")[0] not in commands[name]:
                yield "%s has no %s: %s" % (name, option, line)


def command_problems(name, options, pages):
    """What is wrong with the page of one command."""
    mine = [page for page in pages if "dalil-" + name.split()[0] in page.names]
    if len(mine) != 1:
        yield "%s has %d pages" % (name, len(mine))
        return
    page = mine[0]
    written = page.synopses().get(name)
    if written is None:
        yield "%s has no synopsis of %s" % (page.name, name)
        return
    for option in sorted(options - written):
        yield "the synopsis of %s in %s lacks %s" % (name, page.name, option)
    for option in sorted(written - options):
        yield "the synopsis of %s in %s has %s, which is not there" % (name, page.name, option)
    for option in sorted(options - page.explained()):
        yield "%s does not explain %s" % (page.name, option)


def page_problems(page, commands, common):
    """What a page names that is not there. Its own options it may name, the global ones, and those of
    commands to whose page it refers."""
    spoken_of = set(page.names) | set(re.findall(r"^\.(?:It )?Xr (dalil-\S+) 1", page.text, re.M))
    known = set(common)
    for name, options in commands.items():
        if page.name == "dalil.1" or "dalil-" + name.split()[0] in spoken_of:
            known |= options
    for name in sorted(set(page.synopses()) - set(commands) - {""}):
        yield "%s: there is no command %s" % (page.name, name)
    for mention in re.findall(r"^\.(?:Pq )?Ic dalil (.*)$", page.text, re.M):
        if command_at(mention.split(), commands) is None:
            yield "%s: there is no command dalil %s" % (page.name, mention)
    for option in sorted(flags(page.text) - known):
        yield "%s names %s, which is not there" % (page.name, option)
    for line in page.examples():
        yield from ("%s: %s" % (page.name, bad)
                    for bad in example_problems(line, commands, common))


def help_problems(name, text, commands, common):
    """A help fits a terminal, and its example is one that works."""
    for line in text.splitlines():
        if len(line) > 80:
            yield "%s --help: more than 80 columns: %s" % (name, line)
    section = re.search(r"\nExample\n(.*?)(?:\n\n|\Z)", text, re.S)
    lines = [] if section is None else section.group(1).replace("\\\n", " ").splitlines()
    if not any("dalil" in line for line in lines):
        yield "%s --help has no example" % name
    for line in lines:
        yield from ("%s --help: %s" % (name, bad) for bad in example_problems(line, commands, common))


def guide_problems(name, commands, common):
    """Commands in a guide: lines that are indented, and words in backquotes."""
    text = read(*name.split("/")).replace("\\\n", " ")
    lines = re.findall(r"^ {4,}(.*\bdalil .*)$", text, re.M)
    lines += re.findall(r"`(dalil [^`]*)`", text)
    if not lines:
        yield "%s names no command" % name
    for line in lines:
        if "COMMAND" not in line and "--help" not in line:
            yield from ("%s: %s" % (name, bad) for bad in example_problems(line, commands, common))


def lint_problems(path):
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True,
                            text=True, check=False)
    yield from (line.replace(MAN + "/", "") for line in result.stdout.splitlines())
    if result.returncode != 0 and not result.stdout:
        yield "mandoc: exit %d" % result.returncode


def reference_problems(pages, names):
    for page in pages:
        for name, section in re.findall(r"^\.(?:It )?Xr (dalil\S*) (\d)", page.text, re.M):
            if "%s.%s" % (name, section) not in names:
                yield "%s refers to %s(%s), which is not there" % (page.name, name, section)


def config_problems():
    """dalil.conf.5 and the example have the keys of node/config.c, and no others."""
    keys = set(re.findall(r'^\s+\{"([a-z-]+)", VALUE_', read("node", "config.c"), re.M))
    page = set(re.findall(r"^\.TP\n\.B ([a-z-]+)$", read("docs", "man", "dalil.conf.5"), re.M))
    example = set(re.findall(r"^#?([a-z-]+) = ", read("docs", "dalil.conf.example"), re.M))
    if len(keys) < 3:
        yield "node/config.c has no table of keys"
    for what, found in (("dalil.conf.5", page), ("dalil.conf.example", example)):
        for key in sorted(keys - found):
            yield "%s lacks %s" % (what, key)
        for key in sorted(found - keys):
            yield "%s has %s, which is no key" % (what, key)


def daemon_problems(page):
    if not os.access(os.path.join(BUILD, "node", "dalild"), os.X_OK):
        yield "dalild is not built"
        return
    text = help_of(os.path.join("node", "dalild"))
    options = words_of_usage(text) | {"--help"}
    for option in sorted(options - (page.synopses().get("", set()) & page.explained())):
        yield "dalild.8 lacks %s" % option
    for option in sorted(page.synopses().get("", set()) - options):
        yield "dalild.8 has %s, which is not there" % option


def overview_problems(page, pages, common, listed, table):
    if listed != table:
        yield "dalil --help lists other commands than cli/main.c: %s" % sorted(listed ^ table)
    written = page.synopses().get("", set())
    if written != common or common - page.explained():
        yield "the global options of dalil.1 are not those of dalil --help: %s" % sorted(
            (written ^ common) | (common - page.explained()))
    for other in pages:
        if other.name.startswith("dalil-") and "Xr %s 1\n" % other.name[:-2] not in page.text:
            yield "dalil.1 does not name %s" % other.name


def self_test():
    """A page from which an option was taken, or to which one was added, is found."""
    text = (".Sh NAME\n.Nm dalil-x\n.Sh SYNOPSIS\n.Nm dalil\n.Cm x\n.Op Fl -one\n.Op Fl o Ar F\n"
            ".Sh DESCRIPTION\n.Bl\n.It Fl -one\n.It Fl o Ar F\n.El\n.Dl dalil x --one\n")
    commands = {"x": {"--one", "-o"}}

    def bad(changed, taken=commands):
        page = Page("dalil-x.1", changed)
        return list(command_problems("x", taken["x"], [page])) + \
            list(page_problems(page, taken, {"--store"}))
    return not bad(text) and bad(text, {"x": {"--one", "-o", "--two"}}) and \
        bad(text.replace(".It Fl -one\n", "")) and bad(text.replace(".Op Fl o", ".Op Fl p")) and \
        bad(text.replace("x --one", "x --two")) and bad(text.replace("x --one", "y")) and \
        bad(text.replace(".Cm x", ".Cm z"))


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, problems):
        found = list(problems)
        for text in found:
            print("manual: %s" % text)
        self.failed += bool(found)
        self.passed += not found


def main():
    names = sorted(os.listdir(MAN))
    pages = [Page(name, read("docs", "man", name)) for name in names if not name.endswith(".5")]
    overview = next(page for page in pages if page.name == "dalil.1")
    text = help_of(os.path.join("cli", "dalil"))
    table = set(re.findall(r'^\s+\{"([a-z ]+)", GROUP_', read("cli", "main.c"), re.M))
    listed = {match.strip() for match in re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", text, re.M)}
    common = words_of_usage(text) | {"--help"}
    helps = {name: help_of(os.path.join("cli", "dalil"), *name.split()) for name in sorted(table)}
    commands = {name: options_of_help(said) for name, said in helps.items()}
    tally = Tally()
    tally.add(overview_problems(overview, pages, common, listed, table))
    for name, options in commands.items():
        tally.add(command_problems(name, options, pages))
        tally.add(help_problems(name, helps[name], commands, common))
    for name in ("README.md", "docs/guide-start.md"):
        tally.add(guide_problems(name, commands, common))
    for page in pages:
        if page.name.startswith("dalil-") or page is overview:
            tally.add(page_problems(page, commands, common))
        elif page.name == "dalild.8":
            tally.add(daemon_problems(page))
    tally.add(config_problems())
    tally.add(reference_problems(pages, names))
    if shutil.which("mandoc") is None:
        print("manual: skipped: mandoc is not here")
        tally.skipped += len(names)
    else:
        for name in names:
            tally.add(lint_problems(os.path.join(MAN, name)))
    tally.add([] if self_test() else ["what was planted was not found"])
    print("%d passed, %d failed, %d skipped" % (tally.passed, tally.failed, tally.skipped))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
