#!/usr/bin/env python3
"""Boots one server and ten through Nova 34, with its own fake driver and with ours: what of the time is Nova's.

Run by ``cargo xtask bench nova``, and by ``cargo xtask conformance`` on demand; by hand, in an environment with
requirements/nova-today.txt and the package:
``python nova_boots.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import os
import sys
import time

from nova_suite import frame
from nova_threads_suite import counts
from nova_today_suite import cloud as clouds
from nova_today_suite import crowd
from nova_today_suite import site as sites
from pypowervm_suite import expect
from pypowervm_suite import simulator as simulators


class FakeCloud(clouds.Cloud):
    """With the driver that Nova has for its own tests: it does nothing."""

    compute_driver = "fake.FakeDriver"


# Name, cloud and weather, by the honest clock.
TURNS = (
    ("Nova's fake driver", FakeCloud, "calm"),
    ("ours, a host that takes no time", clouds.Cloud, "calm"),
    ("ours, typical weather", clouds.Cloud, "typical"),
)


class Calls:
    """When the driver was called to spawn, and when it was done."""

    def __init__(self, cloud):
        driver = cloud.computes[clouds.HOST].manager.driver
        self._spawn = driver.spawn
        driver.spawn = self._timed
        self.begun, self.ended = [], []

    def _timed(self, *arguments, **keywords):
        self.begun.append(time.monotonic())
        try:
            return self._spawn(*arguments, **keywords)
        finally:
            self.ended.append(time.monotonic())

    def read(self):
        """When the first call was, when the last was, and when all were over; then forgets them."""
        told = min(self.begun), max(self.begun), max(self.ended)
        self.begun, self.ended = [], []
        return told


def check(site, name):
    """One, then ten."""
    cloud = site.cloud
    calls = Calls(cloud)
    for count in (1, crowd.CROWD):
        with site.check("boots %d" % count):
            counted = counts.Counts(site.simulator)
            seconds, _ = crowd.boot(site, "boots-%d" % count, count)
            done = time.monotonic()
            expect.equal(len(calls.begun), count, "the calls of the driver")
            first, last, over = calls.read()
            writes = max(counted.read()["mapping_writes"].values(), default=0)
            print("# %s, %d: %.1f s = %.1f s until the driver is called first + %.1f s until last + %.1f s until it is done "
                  "+ %.1f s until the API tells; at most %d writes of mappings to one server" % (
                      name, count, seconds, first - (done - seconds), last - first, over - last, done - over, writes))
    with site.check("deletes them"):
        crowd.delete(site, [server for server in cloud.api.get_servers()])


def run(report, simulator_path, work):
    """A simulator and a cloud for each turn."""
    for number, (name, kind, weather) in enumerate(TURNS):
        report.prefix = name + ": "
        folder = os.path.join(work, "turn%d" % number)
        simulator = None
        with report.check("powervm-sim starts"):
            simulator = simulators.Simulator(simulator_path, "novalink", folder, (), weather)
        if simulator is None:
            return
        os.chmod(folder, 0o700)
        cloud = kind(simulator, folder, "ssp")
        try:
            begun = False
            with report.check("the services start"):
                cloud.setUp()
                cloud.serve_images()
                begun = True
            if begun:
                report.subject(check, sites.Site(report, simulator, cloud), name)
            with report.check("the services stop"):
                cloud.save_log()
                cloud.doCleanups()
            frame.check_simulator(report, simulator)
        finally:
            simulator.kill()


if __name__ == "__main__":
    # It measures in any case.
    sys.argv = [argument for argument in sys.argv if argument != "--bench"]
    frame.end(lambda: frame.frame(__doc__, "nova_boots", run))
