#!/usr/bin/env python3
"""Makes and removes servers through the API of real Nova services whose driver is PowerVM's.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova.txt:
``python nova_services.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)

import os

from nova_suite import api
from nova_suite import cloud as clouds
from nova_suite import endpoint
from nova_suite import frame
from nova_suite import management
from nova_suite import ours
from nova_suite import program
from pypowervm_suite import clients
from pypowervm_suite import leftovers
from pypowervm_suite import simulator as simulators

LIFE = (
    ours.check_refused,
    leftovers.take,
    api.check_services,
    api.check_life,
    api.check_changes,
    api.check_end,
    leftovers.compare,
)


def run(report, simulator_path, work):
    """One simulator, one cloud."""
    simulator = linux = None
    cloud = clouds.Cloud("stay")
    with report.check("powervm-sim starts"):
        simulator = simulators.Simulator(simulator_path, "novalink", os.path.join(work, "node"))
    if simulator is None:
        return
    try:
        site = clients.Site(report, simulator, clients.token_file_session(simulator))
        linux = management.Management(simulator.folder, site.adapter)
        linux.install()
        endpoint.choose(simulator, password=False)
        with report.check("the services start with compute_driver=powervm.PowerVMDriver"):
            cloud.setUp()
            cloud.serve_images()
            site.keep("cloud", cloud)
        for subject in LIFE:
            report.subject(subject, site)
        frame.check_simulator(report, simulator)
    finally:
        endpoint.forget()
        with open(os.path.join(work, "nova.log"), "a", encoding="utf-8") as log:
            log.write(cloud.stdlog.logger.output)
        if linux is not None:
            linux.remove()
        simulator.kill()


if __name__ == "__main__":
    frame.end(lambda: program.frame(__doc__, "nova_services", run))
