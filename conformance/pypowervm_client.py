#!/usr/bin/env python3
"""Drives the unmodified pypowervm 1.1.27 through all that the protocol has, on both flavours.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/pypowervm.txt:
``python pypowervm_client.py --simulator target/debug/powervm-sim --work /tmp/somewhere``, with
``--run NAME`` for one of the runs, and ``--subject NAME`` for some of its subjects (and whatever
they build on).
"""

import argparse
import logging
import os
import shutil
import sys
import traceback
import warnings

from pypowervm_suite import clients
from pypowervm_suite import hanging
from pypowervm_suite import plan
from pypowervm_suite import report as reports
from pypowervm_suite import side_by_side

# A run takes half a minute; one that hangs shows where and ends.
HANGING_SECONDS = 600


def main():
    """Parses the command line, does the runs, tells the tally; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim to start")
    parser.add_argument("--work", required=True, help="a folder for logs and token files")
    parser.add_argument("--keep", action="store_true", help="keep that folder after a success")
    parser.add_argument("--run", choices=sorted(plan.RUNS), help="only this run, in this process")
    parser.add_argument("--subject", action="append", default=[], choices=plan.subjects(),
                        help="only this subject of the run, and what all need; may be repeated")
    arguments = parser.parse_args()

    if arguments.run:
        return _one(arguments)
    work = os.path.join(os.path.abspath(arguments.work), "pypowervm_client")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    tally = side_by_side.run(__file__, list(plan.RUNS), arguments.simulator, work)
    if tally.failed or arguments.keep:
        print("# logs and tracebacks: " + work)
    else:
        shutil.rmtree(work, ignore_errors=True)
    return tally.close()


def _one(arguments):
    """One run with a simulator of its own, in a folder of its own."""
    work = os.path.join(os.path.abspath(arguments.work), arguments.run)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    warnings.simplefilter("ignore")
    clients.isolate()
    logging.basicConfig(filename=os.path.join(work, "pypowervm.log"), level=logging.INFO,
                        format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")
    hanging.watch(HANGING_SECONDS)
    with open(os.path.join(work, "failures.txt"), "w", encoding="utf-8") as details:
        report = reports.Report(details)
        plan.RUNS[arguments.run](report, arguments.simulator, work, arguments.subject)
        report.prefix = ""
        return report.close()


if __name__ == "__main__":
    try:
        CODE = main()
    except Exception:
        traceback.print_exc()
        CODE = 2
    sys.stdout.flush()
    sys.stderr.flush()
    # A listener's thread that still waits for events must not hold the process.
    os._exit(CODE)
