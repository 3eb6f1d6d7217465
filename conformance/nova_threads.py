#!/usr/bin/env python3
"""Has threads make and remove ten servers at once with our driver, called as nova-compute calls it.

Run by ``cargo xtask conformance`` and, with figures beside goals, by ``cargo xtask bench nova``; by hand, in an
environment with requirements/nova-today.txt and the package:
``python nova_threads.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import argparse
import logging
import os
import statistics
import sys

from nova_suite import frame
from nova_threads_suite import compute as computes
from nova_threads_suite import counts
from nova_today_suite import changes
from nova_today_suite import site as sites
from nova_today_suite import ticks
from pypowervm_suite import content
from pypowervm_suite import expect
from pypowervm_suite import simulator as simulators

CROWD = 10
IMAGE_BYTES = 300 * 1024
# Of the mappings of one Virtual I/O Server, for all ten together.
MOST_WRITES = 3
# What ten at once may take, by what one takes.
MOST_TIME = 1.3
# A thread that is never held up runs about a hundred times a second.
LEAST_TICKS = 20
# The checks count; a quarter of the time that things take on a real host does for that. The driver's own short waits
# are not scaled, so that ratios are told by the honest clock only.
PACED = ("--time-scale", "4")
# Servers alone, when it is measured: no two meet the same weather.
ALONE = 3


class Room:
    """A host with the driver on it."""

    def __init__(self, report, simulator, folder):
        self.report = report
        self.simulator = simulator
        self.compute = computes.Compute(simulator, folder)
        self.site = sites.Site(report, simulator, None)

    def image(self):
        """One that the host has never seen."""
        glance = self.compute.glance
        number = len(glance.images)
        return glance.add("image %d" % number, content.pattern(IMAGE_BYTES, seed=number))

    def make(self, count):
        """Servers of a new image, all at once; gives them and the seconds."""
        image = self.image()
        servers = [self.compute.server(image) for _ in range(count)]
        return servers, computes.at_once(self.compute.spawn, servers)

    def remove(self, servers):
        """All at once."""
        computes.at_once(self.compute.destroy, servers)

    def running(self, servers):
        """How many of them run."""
        found = [self.site.partition({"id": made.uuid}) for made, _, _ in servers]
        return len([partition for partition in found if partition and partition["state"] == "running"])


def check(room, alone):
    """One server, so many times, then ten at once; gives figures by name."""
    compute, seconds = room.compute, []
    before = room.site.inventory()
    with room.report.check("one thread makes a server and removes it"):
        for _ in range(alone):
            servers, took = room.make(1)
            seconds.append(took)
            room.remove(servers)
    crowd, figures = [], {}
    with room.report.check("ten make ten servers at once, and other threads run meanwhile"):
        downloads, counted = len(compute.glance.downloads), counts.Counts(room.simulator)
        compute.virtapi.waited.clear()
        with ticks.ticking() as ran:
            crowd, took = room.make(CROWD)
        told = counted.read()
        expect.equal(room.running(crowd), CROWD, "how many run")
        expect.equal(len(compute.virtapi.waited), CROWD, "the ports that were waited for")
        expect.within(ran(), LEAST_TICKS, 1 << 30, "how often another thread could run")
        one = statistics.median(seconds)
        figures = {"one": one, "all alone": seconds, "ten": took, "ratio": took / one,
                   "writes": max(told["mapping_writes"].values()),
                   # Each has a config drive of its own.
                   "uploads": told["uploads"] - CROWD, "requests": told["requests"],
                   "conflicts": told["preconditions_failed"], "downloads": len(compute.glance.downloads) - downloads}
        print("# ten: %(ten).1f s, one: %(one).1f s, ratio %(ratio).2f, requests %(requests)d, at most %(writes)d writes "
              "of mappings to one server" % figures)
    with room.report.check("they share one download and one upload, and few writes, and meet no conflict"):
        expect.true(figures, "ten servers were made")
        expect.equal(figures["downloads"], 1, "the downloads of their image")
        expect.equal(figures["uploads"], 1, "the uploads of their image")
        expect.within(figures["writes"], 1, MOST_WRITES, "the most writes to one Virtual I/O Server")
        expect.equal(figures["conflicts"], 0, "the conflicts")
    with room.report.check("ten remove them at once, and nothing is left or lost"):
        room.remove(crowd)
        expect.equal(changes.without_images(room.site.compare(before)), ([], []), "what is left or lost")
    return figures


def tell(figures):
    """The figures beside their goals, as other benchmarks print them."""
    def line(name, value, goal=None, form="%.2f"):
        verdict = "" if goal is None else "   at most %-4s %s" % (goal, "ok" if value <= goal else "MISSED")
        print("  %-58s %10s%s" % (name, form % value, verdict))

    print("\nten servers at once through the Python driver, typical weather, a new image")
    line("one server [s], median of " + ", ".join("%.1f" % one for one in figures["all alone"]), figures["one"])
    line("ten servers [s]", figures["ten"])
    line("ten, by one", figures["ratio"], MOST_TIME)
    line("writes of the mappings of one Virtual I/O Server", figures["writes"], MOST_WRITES, "%d")
    line("uploads of the image", figures["uploads"], 1, "%d")
    line("updates refused for a stale etag", figures["conflicts"], 0, "%d")
    line("HTTP requests", figures["requests"], form="%d")


def is_wanted_green():
    """Whether the program has chosen green threads."""
    return os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] == "no"


def run(report, simulator_path, work, is_measured):
    """One simulator, one driver."""
    logging.basicConfig(filename=os.path.join(work, "nova.log"), level=logging.INFO, force=True)
    with report.check("threads are of the kind that this program is about"):
        patcher = sys.modules.get("eventlet.patcher")
        is_green = patcher is not None and patcher.is_monkey_patched("thread")
        expect.equal(is_green, is_wanted_green(), "whether they are green")
    room = simulator = None
    try:
        with report.check("powervm-sim starts, and the driver as compute_driver=powervm.PowerVMDriver"):
            simulator = simulators.Simulator(simulator_path, "novalink", os.path.join(work, "host"),
                                             () if is_measured else PACED, "typical")
            room = Room(report, simulator, os.path.join(work, "nova"))
            room.compute.driver.init_host(computes.HOST)
        if report.failed:
            return
        figures = check(room, ALONE if is_measured else 1)
        with report.check("the driver stops"):
            room.compute.driver.cleanup_host(computes.HOST)
        frame.check_simulator(report, simulator)
        if is_measured and figures:
            tell(figures)
    finally:
        if simulator is not None:
            simulator.kill()


def main(name):
    """The program of that name, to its end."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--bench", action="store_true")
    ours, sys.argv[1:] = parser.parse_known_args()
    frame.end(lambda: frame.frame(
        __doc__, name, lambda report, simulator, work: run(report, simulator, work, ours.bench)))


if __name__ == "__main__":
    main("nova_threads")
