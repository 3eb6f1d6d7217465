"""A process that runs tests: names on its standard input, a line of JSON for each on its standard output.

A line `list MODULE` tells the names of the tests of a module instead.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import json
import os
import sys
import time
import traceback
import unittest
import warnings

from nova_functional_suite import room as rooms
from nova_functional_suite import stand_in

# Seconds that a test may take.
LIMIT = "90"
# What Nova's tests are loaded from.
ROOT = "nova.tests.functional."


class Result(unittest.TestResult):
    """How one test ended, and why. testtools hands over details in the place of an error."""

    def __init__(self):
        super().__init__()
        self.verdict = "passed"
        self.why = ""

    def end(self, verdict, why):
        """What comes first holds: what fails in a clean-up often follows from it."""
        if self.verdict != "failed":
            self.verdict, self.why = verdict, why

    def addSuccess(self, test, details=None):
        pass

    def addError(self, test, err=None, details=None):
        self.end("failed", _text(err, details))

    addFailure = addError

    def addSkip(self, test, reason=None, details=None):
        self.end("skipped", reason or "")

    def addExpectedFailure(self, test, err=None, details=None):
        pass

    def addUnexpectedSuccess(self, test, details=None):
        self.end("failed", "it was expected to fail")


def _text(err, details):
    parts = [] if err is None else ["".join(traceback.format_exception(*err))]
    parts += ["---- %s\n%s" % (name, content.as_text()) for name, content in sorted((details or {}).items())]
    return "\n".join(parts)


def _short(why):
    """The last line that names an exception."""
    lines = [line for line in why.splitlines() if line.strip() and not line.startswith(("----", " "))]
    found = [line for line in lines
             if line.split(":")[0].rsplit(".", 1)[-1].endswith(("Error", "Exception", "Mismatch"))]
    return (found or lines or [""])[-1][:300]


def _names(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _names(test)
        else:
            yield test.id()


def listed(module):
    """The names of a module's tests."""
    loaded = unittest.defaultTestLoader.loadTestsFromName(ROOT + module)
    return {"name": module, "tests": sorted(name.removeprefix(ROOT) for name in _names(loaded))}


def ran(name, room, drivers, folder):
    """How a test ended."""
    began = time.monotonic()
    room.renew()
    result = Result()
    started = 0
    try:
        unittest.defaultTestLoader.loadTestsFromName(ROOT + name).run(result)
        started = drivers.close()
    except Exception:
        result.end("failed", traceback.format_exc())
    if result.verdict == "failed":
        with open(os.path.join(folder, name + ".txt"), "w", encoding="utf-8") as file:
            file.write(result.why)
    return {"name": name, "verdict": result.verdict, "why": _short(result.why), "drivers": started,
            "seconds": round(time.monotonic() - began, 2)}


def main(simulator_path, folder):
    """Until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.path.join(folder, "said.txt"), "w", encoding="utf-8") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    os.environ.setdefault("OS_TEST_TIMEOUT", LIMIT)
    # Nova's own parser must not see them.
    del sys.argv[1:]
    warnings.showwarning = lambda *arguments, **keywords: None
    room = rooms.Room(simulator_path, os.path.join(folder, "room"))
    drivers = stand_in.install(room)
    for line in sys.stdin:
        words = line.split()
        told = listed(words[1]) if words[0] == "list" else ran(words[0], room, drivers, folder)
        answers.write(json.dumps(told) + "\n")
        answers.flush()
    room.simulator.kill()
    # A thread of a test that still waits must not hold the process.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
