#!/usr/bin/env python3
"""Moves servers between two compute hosts of Nova 34 with our driver, on two simulated systems with one storage.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-today.txt and the package:
``python nova_today_moves.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import contextlib
import os

from nova_suite import frame
from nova_suite import novalink
from nova_today_suite import booking
from nova_today_suite import cloud as clouds
from nova_today_suite import evacuation
from nova_today_suite import folder_store
from nova_today_suite import host
from nova_today_suite import migration
from nova_today_suite import moving
from nova_today_suite import object_store
from nova_today_suite import pair
from nova_today_suite import site as sites
from pypowervm_suite import simulator as simulators

SYSTEMS = ("--systems", "2", "--shared-storage", "--partitions", "0")
# As long as it takes to see a server on its way, and to stop it.
WEATHER = """base = "calm"
[pace.migration_start]
low_ms = 300
high_ms = 400
[pace.migration]
low_ms = 2500
high_ms = 3000
"""

RUNNING = (
    moving.check_services,
    moving.check_life,
    moving.check_kept,
    moving.check_modes,
    migration.check_there_and_back,
    migration.check_abort,
    migration.check_failure,
    moving.check_end,
    moving.check_forgotten,
)
OFF = (
    moving.check_services,
    moving.check_life,
    moving.check_kept,
    moving.check_disk,
    moving.check_migration,
    moving.check_resize,
    moving.check_unplugged,
    evacuation.check,
    moving.check_end,
    moving.check_forgotten,
    host.check_secrets,
)


def run(report, simulator_path, work):
    """Servers that run go between two systems of one simulator, and those that are off between two simulators."""
    weather = os.path.join(work, "weather.toml")
    with open(weather, "w", encoding="utf-8") as file:
        file.write(WEATHER)
    with contextlib.ExitStack() as ends:
        def start(name, *arguments):
            folder = os.path.join(work, name)
            simulator = simulators.Simulator(
                simulator_path, "novalink", folder, [*SYSTEMS, *arguments], weather=weather)
            ends.callback(simulator.kill)
            os.chmod(folder, 0o700)
            return simulator

        report.prefix = "running: "
        with report.check("powervm-sim starts with two systems on one storage"):
            simulator = start("systems")
        folders = [os.path.join(simulator.folder, host) for host in moving.HOSTS]
        links = dict(zip(moving.HOSTS, novalink.all_of(simulator, folders)))
        cloud = clouds.Cloud(simulator, simulator.folder, "ssp", links)
        site = sites.Site(report, simulator, cloud)
        store = site.keep("store", folder_store.FolderStore(os.path.join(simulator.folder, "kept")))
        cloud.options = store.options()
        _live(report, cloud, site, RUNNING)
        frame.check_simulator(report, simulator)
        report.prefix = "off: "
        with report.check("a powervm-sim starts for each of two systems on one storage"):
            each = {host: start(host, "--only-system", system) for host, system in zip(moving.HOSTS, ("neo", "neo2"))}
        cloud = clouds.Cloud(each["first"], os.path.join(work, "first"), "ssp", each)
        site = pair.Pair(report, cloud, each)
        store = site.keep("store", object_store.ObjectStore())
        ends.callback(store.close)
        cloud.options = store.options()
        _live(report, cloud, site, OFF)
        for simulator in each.values():
            frame.check_simulator(report, simulator)


def _live(report, cloud, site, life):
    """The services, and what is done with them."""
    begun = False
    with report.check("the services start, with a compute service on each system"):
        cloud.setUp()
        cloud.serve_images()
        begun = True
    if begun:
        book = booking.Book(site)
        for subject in life:
            report.subject(subject, site)
            book.check(sites.name_of(subject))
    with report.check("the services stop"):
        cloud.save_log()
        cloud.doCleanups()


if __name__ == "__main__":
    frame.end(lambda: frame.frame(__doc__, "nova_today_moves", run))
