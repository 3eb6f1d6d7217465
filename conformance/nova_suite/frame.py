"""The frame of a program that drives one of Nova's drivers: options, logs, tally. It needs no pypowervm."""

import argparse
import os
import shutil
import sys
import traceback
import warnings

from pypowervm_suite import expect
from pypowervm_suite import hanging
from pypowervm_suite import report as reports

# A run takes minutes, the longest a quarter of an hour on a slow machine; one that hangs shows where and ends.
HANGING_SECONDS = 1800


def frame(about, name, run, prepare=None):
    """Options, logs and tally around run(report, simulator's path, folder); gives the exit code.

    prepare: called with the folder before anything runs.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim to start")
    parser.add_argument("--work", required=True, help="a folder for logs and token files")
    parser.add_argument("--keep", action="store_true", help="keep that folder after a success")
    arguments = parser.parse_args()
    # Nova's own parser must not see them.
    del sys.argv[1:]

    work = os.path.join(os.path.abspath(arguments.work), name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work, mode=0o700)
    # What is deprecated is of no interest here, and Nova's fixtures switch it on.
    warnings.showwarning = lambda *arguments, **keywords: None
    if prepare is not None:
        prepare(work)
    hanging.watch(HANGING_SECONDS)
    # What threads that outlive their simulator say; errors of this program go to __stderr__.
    sys.stderr = open(os.path.join(work, "stderr.txt"), "w", encoding="utf-8")

    with open(os.path.join(work, "failures.txt"), "w", encoding="utf-8") as details:
        report = reports.Report(details)
        run(report, os.path.abspath(arguments.simulator), work)
        report.prefix = ""
    if report.failed or arguments.keep:
        print("# logs and tracebacks: " + work)
    else:
        shutil.rmtree(work, ignore_errors=True)
    return report.close()


def check_simulator(report, simulator):
    """At the end of a simulator's work."""
    with report.check("powervm-sim still runs and broke no invariant"):
        expect.true(simulator.running(), "it runs; it said: " + simulator.said())
        expect.true("panicked" not in simulator.said(), "it did not panic")
        broken = simulator.admin("/invariants")
        expect.true(not any(broken.values()) if isinstance(broken, dict) else not broken,
                    "no invariant is broken: %s" % broken)


def end(run):
    """Ends the process with the exit code that run gives."""
    try:
        code = run()
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        code = 2
    sys.stdout.flush()
    sys.__stderr__.flush()
    # A thread that still waits must not hold the process.
    os._exit(code)
