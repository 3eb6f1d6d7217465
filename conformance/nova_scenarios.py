#!/usr/bin/env python3
"""Plays the scenarios of this repository through the API of Nova 34 with our driver, on the simulator.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-today.txt and the package:
``python nova_scenarios.py --simulator target/debug/powervm-sim --work /tmp/somewhere``. It plays every other scenario; all
with CONFORMANCE_WHOLE=1 in the environment.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import itertools
import os

from nova_suite import frame
from nova_today_suite import cloud as clouds
from nova_today_suite import scenarios
from nova_today_suite import site as sites
from pypowervm_suite import expect
from pypowervm_suite import simulator as simulators

# Scenarios that Nova can be asked for, on both kinds of disks: none gets lost because a step of it is misread.
LEAST = 70
STRIDE = 1 if os.environ.get("CONFORMANCE_WHOLE") == "1" else 2
DISKS = ("ssp", "localdisk")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "scenarios")


def run(report, simulator_path, work):
    """A simulator and a cloud for each kind of disk."""
    with report.check("the scenarios that Nova can be asked for are here"):
        there = sum(len(list(scenarios.read(FOLDER, disks))) for disks in DISKS)
        expect.within(there, LEAST, 1 << 16, "their number")
    for disks in DISKS:
        report.prefix = disks + ": "
        folder = os.path.join(work, disks)
        simulator = None
        with report.check("powervm-sim starts"):
            simulator = simulators.Simulator(simulator_path, "novalink", folder)
        if simulator is None:
            return
        os.chmod(folder, 0o700)
        cloud = clouds.Cloud(simulator, folder, disks)
        try:
            begun = False
            with report.check("the services start with compute_driver=powervm.PowerVMDriver"):
                cloud.setUp()
                cloud.serve_images()
                cloud.serve_volumes()
                begun = True
            if begun:
                site = sites.Site(report, simulator, cloud)
                for name, scenario in itertools.islice(scenarios.read(FOLDER, disks), 0, None, STRIDE):
                    scenarios.play(site, name, scenario)
            with report.check("the services stop"):
                cloud.save_log()
                cloud.doCleanups()
            frame.check_simulator(report, simulator)
        finally:
            simulator.kill()


if __name__ == "__main__":
    frame.end(lambda: frame.frame(__doc__, "nova_scenarios", run))
