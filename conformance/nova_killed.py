#!/usr/bin/env python3
"""Kills or stops nova-compute with our driver while it makes ten servers, and starts it again.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-today.txt and the package:
``python nova_killed.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import os

from nova_functional_suite import images
from nova_killed_suite import cloud as clouds
from nova_killed_suite import kills
from nova_suite import frame
from nova_today_suite import site as sites
from pypowervm_suite import simulator as simulators

# Servers that start one after the other are seen on their way.
WEATHER = """base = "calm"
[pace.power_on]
low_ms = 500
high_ms = 3000
[pace.other_job]
low_ms = 100
high_ms = 300
"""

SUBJECTS = (
    kills.check_begin,
    kills.check_kill_early,
    kills.check_kill_late,
    kills.check_stop,
    kills.check_interrupt,
)


def run(report, simulator_path, work):
    """One simulator, one cloud."""
    images.install()
    weather = os.path.join(work, "weather.toml")
    with open(weather, "w", encoding="utf-8") as file:
        file.write(WEATHER)
    simulator = None
    with report.check("powervm-sim starts"):
        simulator = simulators.Simulator(simulator_path, "novalink", os.path.join(work, "host"), weather=weather)
    if simulator is None:
        return
    folder = os.path.join(work, "nova")
    os.makedirs(folder, mode=0o700)
    cloud = clouds.Cloud(simulator, folder)
    try:
        begun = False
        with report.check("the other services start, with a message queue between processes"):
            cloud.setUp()
            begun = True
        if begun:
            site = sites.Site(report, simulator, cloud)
            for subject in SUBJECTS:
                report.subject(subject, site)
        with report.check("the services stop"):
            cloud.save_log()
            cloud.doCleanups()
        frame.check_simulator(report, simulator)
    finally:
        cloud.end()
        simulator.kill()


def main(name):
    """The program of that name, to its end."""
    frame.end(lambda: frame.frame(__doc__, name, run))


if __name__ == "__main__":
    main("nova_killed")
