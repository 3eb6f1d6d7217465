#!/usr/bin/env python3
"""Runs Nova's own functional tests with our driver in the place of Nova's fake one.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-today.txt and the package:
``python nova_functional.py --simulator target/debug/powervm-sim --work /tmp/somewhere``. With CONFORMANCE_WHOLE=1 in
the environment (``cargo xtask conformance --whole``) all tests of nova_functional.toml are run, not only the quick ones.
"""

import os

from nova_functional_suite import verdicts
from nova_functional_suite import workers
from nova_suite import frame
from pypowervm_suite import expect
from pypowervm_suite import hanging
from pypowervm_suite.report import Unmet

PROCESSES = 2
# All of them take some ten minutes on two processors that have nothing else to do.
WHOLE_SECONDS = 3 * 3600


def run(report, simulator_path, work):
    """The lists first, then the tests."""
    is_whole = os.environ.get("CONFORMANCE_WHOLE") == "1"
    if is_whole:
        hanging.watch(WHOLE_SECONDS)
    listed = verdicts.Verdicts.read()
    team = [workers.Worker(simulator_path, os.path.join(work, "process%d" % number)) for number in range(PROCESSES)]
    with report.check("each of Nova's tests is listed, as one that passes or as one that cannot"):
        tests = [test for module in listed.modules() for test in team[0].ask("list " + module)["tests"]]
        expect.equal(listed.faults(listed.wanted(tests)), [], "what is wrong with the lists")
    names = listed.passing | set(listed.cannot) if is_whole else listed.quick
    for told in workers.run(team, sorted(names)):
        check(report, listed, told)
    for worker in team:
        worker.end()


def check(report, listed, told):
    """Whether a test ended as its list says."""
    if told["name"] in listed.cannot:
        with report.check("%s cannot pass" % told["name"]):
            expect.true(told["verdict"] != "passed" or not told["drivers"],
                        "it does not (%s)" % listed.cannot[told["name"]])
        return
    with report.check(told["name"] or "a process of the tests goes on"):
        if told["verdict"] != "passed":
            raise Unmet("it %s: %s" % (told["verdict"], told["why"]))
        expect.true(told["drivers"] > 0, "our driver was started")


if __name__ == "__main__":
    frame.end(lambda: frame.frame(__doc__, "nova_functional", run))
