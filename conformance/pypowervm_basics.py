#!/usr/bin/env python3
"""Drives the unmodified pypowervm 1.1.27 through a deploy and back, on both flavours.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/pypowervm.txt:
``python pypowervm_basics.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

import argparse
import faulthandler
import logging
import os
import shutil
import sys
import traceback
import warnings

from pypowervm_suite import clients
from pypowervm_suite import contention
from pypowervm_suite import disks
from pypowervm_suite import events
from pypowervm_suite import expect
from pypowervm_suite import host
from pypowervm_suite import leftovers
from pypowervm_suite import logon
from pypowervm_suite import mappings
from pypowervm_suite import network
from pypowervm_suite import partition
from pypowervm_suite import pools
from pypowervm_suite import power
from pypowervm_suite import protocol
from pypowervm_suite import report as reports
from pypowervm_suite import simulator as simulators
from pypowervm_suite import units

# A run takes a minute or two; one that hangs shows where and ends.
HANGING_SECONDS = 900


# All that a session can do, in the order of a deploy and its removal.
DEPLOY_AND_BACK = (
    logon.check_traits,
    host.check,
    pools.check,
    network.check,
    leftovers.take,
    events.listen,
    partition.check,
    network.check_adapters,
    units.check,
    disks.check,
    mappings.check,
    units.check_mapped,
    protocol.check,
    partition.check_change,
    power.check,
    mappings.remove,
    disks.remove,
    units.remove,
    network.remove_adapters,
    partition.remove,
    contention.check,
    events.check,
    events.check_custom,
    leftovers.compare,
    logon.check_tokens,
    logon.check_logoff,
)


def run_flavor(report, program, flavor, folder):
    """One simulator; a token file session (NovaLink), then a password session."""
    simulator = None
    report.prefix = flavor + ": "
    with report.check("powervm-sim starts on free ports and says where"):
        simulator = simulators.Simulator(program, flavor, folder)
    if simulator is None:
        return
    try:
        by_file = logon.check_token_file(report, simulator)
        by_password = logon.check_password(report, simulator)
        for name, session in (("token file", by_file), ("password", by_password)):
            if session is not None:
                report.prefix = "%s, %s: " % (flavor, name)
                site = clients.Site(report, simulator, session)
                for subject in DEPLOY_AND_BACK:
                    report.subject(subject, site)
        report.prefix = flavor + ": "
        with report.check("powervm-sim still runs and broke no invariant"):
            expect.true(simulator.running(), "it runs; it said: " + simulator.said())
            expect.true("panicked" not in simulator.said(), "it did not panic")
            broken = simulator.admin("/invariants")
            expect.true(not any(broken.values()) if isinstance(broken, dict) else not broken,
                        "no invariant is broken: %s" % broken)
        with report.check("SIGTERM ends powervm-sim within a second"):
            code, seconds = simulator.stop()
            expect.equal(code, 0, "its exit code")
            expect.within(seconds, 0, 1, "the seconds")
    finally:
        simulator.kill()


def main():
    """Parses the command line, runs both flavours, tells the tally; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim to start")
    parser.add_argument("--work", required=True, help="a folder for logs and token files")
    parser.add_argument("--keep", action="store_true", help="keep that folder after a success")
    arguments = parser.parse_args()

    work = os.path.join(os.path.abspath(arguments.work), "pypowervm_basics")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    warnings.simplefilter("ignore")
    clients.isolate()
    logging.basicConfig(filename=os.path.join(work, "pypowervm.log"), level=logging.INFO,
                        format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)

    with open(os.path.join(work, "failures.txt"), "w", encoding="utf-8") as details:
        report = reports.Report(details)
        for flavor in ("novalink", "hmc"):
            run_flavor(report, arguments.simulator, flavor, os.path.join(work, flavor))
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
    sys.stdout.flush()
    sys.stderr.flush()
    # A listener's thread that still waits for events must not hold the process.
    os._exit(CODE)
