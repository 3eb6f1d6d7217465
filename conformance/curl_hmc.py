#!/usr/bin/env python3
"""Runs the examples of README.md and docs/simulator-by-hand.md with curl against an HMC, as they show them.

Run by ``cargo xtask conformance``; by hand: ``python curl_hmc.py --simulator target/debug/powervm-sim
--work /tmp/somewhere``. It needs no package, but bash and curl.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import traceback

from pypowervm_suite import expect
from pypowervm_suite import report as reports
from pypowervm_suite import simulator as simulators

ROOT = os.path.join(os.path.dirname(__file__), "..")
DOCUMENTS = ("README.md", "docs/simulator-by-hand.md")
SECONDS = 120
# The documents' address, in the place of which comes that of the simulator that is started here.
ADDRESS = "127.0.0.1:12443"
MARK = "@@@ example"


class Example:
    """A block of commands with the heading that it stands below and what it is to print."""

    def __init__(self, title, commands):
        self.title = title
        self.commands = commands
        self.output = None


def read(document):
    """The options of the document's powervm-sim, and the examples."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    options, examples, heading = None, [], ""
    for match in re.finditer(r"^##+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        title, kind, block = match.groups()
        if title is not None:
            heading = title
        elif kind == "console":
            options = shlex.split(re.fullmatch(r"\$ powervm-sim serve (.*)\n", block).group(1))
        elif kind == "sh":
            number = sum(example.title.startswith(heading) for example in examples) + 1
            examples.append(Example("%s (%d)" % (heading, number), block))
        elif kind == "text":
            examples[-1].output = block
    return options, examples


def run(simulator, examples, folder):
    """What each example printed; shorter than the examples if one of them failed."""
    script = ["set -e -o pipefail"]
    for example in examples:
        script += ["echo '%s'" % MARK, example.commands.replace(
            ADDRESS, "127.0.0.1:%d" % simulator.https_port)]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": folder})
    printed = done.stdout.decode("utf-8", "replace").split(MARK + "\n")[1:]
    return printed, done.returncode


def matches(printed, wanted):
    """Whether every line is as wanted, where the ellipsis stands for anything."""
    pattern = "".join(".*" if part == "…" else re.escape(part)
                      for part in re.split("(…)", wanted.rstrip("\n")))
    return re.fullmatch(pattern, printed.rstrip("\n")) is not None


def check(report, program, work, document):
    """All examples of a document, one check each."""
    simulator = None
    try:
        with report.check("powervm-sim starts as the document says"):
            options, examples = read(os.path.join(ROOT, document))
            expect.some(examples, "example")
            expect.equal(options[:2], ["--flavor", "hmc"], "the flavour")
            simulator = simulators.Simulator(program, "hmc", os.path.join(work, "hmc"), options[2:])
        if simulator is None:
            return
        folder = os.path.join(work, "shell")
        os.makedirs(folder)
        printed, code = run(simulator, examples, folder)
        for number, example in enumerate(examples):
            with report.check(example.title):
                expect.true(number < len(printed), "an earlier example failed")
                ended = number + 1 < len(printed) or code == 0
                expect.true(ended, "it ended with %d and printed %r" % (code, printed[number]))
                expect.true(matches(printed[number], example.output or ""),
                            "%r is what the document says: %r" % (printed[number], example.output))
        with report.check("powervm-sim broke no invariant"):
            broken = simulator.admin("/invariants")
            expect.true(not any(broken.values()) if isinstance(broken, dict) else not broken,
                        "no invariant is broken: %s" % broken)
    finally:
        if simulator is not None:
            simulator.kill()


def main():
    """Parses the command line, runs the documents, tells the tally; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim to start")
    parser.add_argument("--work", required=True, help="a folder for logs and the shell's files")
    parser.add_argument("--keep", action="store_true", help="keep that folder after a success")
    arguments = parser.parse_args()
    work = os.path.join(os.path.abspath(arguments.work), "curl_hmc")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    with open(os.path.join(work, "failures.txt"), "w", encoding="utf-8") as details:
        report = reports.Report(details)
        with report.check("bash and curl are installed"):
            for program in ("bash", "curl"):
                expect.true(shutil.which(program), "%s is in PATH" % program)
        if not report.failed:
            for number, document in enumerate(DOCUMENTS):
                report.prefix = document + ": "
                check(report, os.path.abspath(arguments.simulator),
                      os.path.join(work, str(number)), document)
            report.prefix = ""
    if report.failed or arguments.keep:
        print("# logs and tracebacks: " + work)
    else:
        shutil.rmtree(work, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    try:
        CODE = main()
    except Exception:
        traceback.print_exc()
        CODE = 2
    sys.exit(CODE)
