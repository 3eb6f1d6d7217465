#!/usr/bin/env python3
"""Makes and removes servers through the API of Nova 34 with our driver, on the simulator.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-today.txt and the package:
``python nova_today.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_today_suite import begin  # noqa: F401  (before all that imports Nova)

import os

from nova_suite import frame
from nova_today_suite import booking
from nova_today_suite import changes
from nova_today_suite import cloud as clouds
from nova_today_suite import console
from nova_today_suite import crowd
from nova_today_suite import host
from nova_today_suite import interface
from nova_today_suite import life
from nova_today_suite import ports
from nova_today_suite import site as sites
from pypowervm_suite import simulator as simulators

LIFE = (
    interface.check_methods,
    interface.check_package,
    interface.check_options,
    life.check_services,
    life.check_life,
    changes.check_interfaces,
    changes.check_volumes,
    changes.check_resize,
    changes.check_images,
    console.check,
    crowd.check,
)
# What takes long, and has nothing to do with disks.
ONCE = (changes.check_shutdown, ports.check, host.check_meters, host.check_claims, host.check_kill, host.check_stop)
END = (
    host.check_log,
    life.check_refusals,
    life.check_end,
)


# Half of the time that things take on a real host: enough for operations to meet.
PACED = ("--time-scale", "2")
# Kind of disks, weather, what is done.
TURNS = (
    ("ssp", "calm", LIFE + ONCE + END),
    ("localdisk", "calm", LIFE + END),
    ("ssp", "typical", (crowd.check_cost,)),
)


def run(report, simulator_path, work):
    """A simulator and a cloud for each turn."""
    for number, (disks, weather, subjects) in enumerate(TURNS):
        report.prefix = "%s, %s: " % (disks, weather)
        folder = os.path.join(work, "turn%d" % number)
        simulator = None
        with report.check("powervm-sim starts"):
            simulator = simulators.Simulator(
                simulator_path, "novalink", folder, PACED if weather == "typical" else (), weather)
        if simulator is None:
            return
        os.chmod(folder, 0o700)
        cloud = clouds.Cloud(simulator, folder, disks)
        if disks == "ssp":
            cloud.secure_consoles()
        try:
            begun = False
            with report.check("the services start with compute_driver=powervm.PowerVMDriver"):
                cloud.setUp()
                cloud.serve_images()
                begun = True
            if begun:
                site = sites.Site(report, simulator, cloud)
                book = booking.Book(site)
                for subject in subjects:
                    report.subject(subject, site)
                    book.check(sites.name_of(subject))
            with report.check("the services stop"):
                cloud.save_log()
                cloud.doCleanups()
            frame.check_simulator(report, simulator)
        finally:
            simulator.kill()


def main(name):
    """The program of that name, to its end."""
    frame.end(lambda: frame.frame(__doc__, name, run))


if __name__ == "__main__":
    main("nova_today")
