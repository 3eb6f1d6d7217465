"""The frame of a program that drives one of Nova's drivers: options, configuration, simulators."""

import argparse
import collections
import faulthandler
import importlib
import logging
import os
import shutil
import sys
import traceback
import warnings

from nova import conf

from nova_suite import configuration
from nova_suite import endpoint
from nova_suite import fabrics
from nova_suite import management
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import resources
from pypowervm_suite import clients
from pypowervm_suite import expect
from pypowervm_suite import report as reports
from pypowervm_suite import simulator as simulators

CONF = conf.CONF
# A run takes a minute or two; one that hangs shows where and ends.
HANGING_SECONDS = 900

# A way to run the driver: disks: ssp or localdisk; password: whether it logs on with one; life: names of
# checks, MODULE.FUNCTION, in the order of a server's life.
Variant = collections.namedtuple("Variant", "name disks password life")


def main(about, name, driver, variants):
    """Runs each variant's life on a simulator of its own; gives the exit code."""
    def run(report, program, work):
        glance = None
        for number, variant in enumerate(variants):
            report.prefix = variant.name + ": "
            folder = os.path.join(work, "node%d" % number)
            with report.check("powervm-sim starts"):
                simulator = simulators.Simulator(program, "novalink", folder)
                # The ports are the same in all of them.
                glance = glance or configuration.configure(
                    work, resources.HOST, fabrics.options(fabrics.ports(simulator)))
                _run(report, simulator, variant, driver, glance)

    return frame(about, name, run)


def frame(about, name, run):
    """Options, logs and tally around run(report, simulator's path, folder); gives the exit code."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim to start")
    parser.add_argument("--work", required=True, help="a folder for logs and token files")
    parser.add_argument("--keep", action="store_true", help="keep that folder after a success")
    arguments = parser.parse_args()
    # Nova's own parser must not see them.
    del sys.argv[1:]

    work = os.path.join(os.path.abspath(arguments.work), name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    # Libraries of today have much to say to Nova of then, and Nova's fixtures switch it on.
    warnings.showwarning = lambda *arguments, **keywords: None
    clients.isolate()
    logging.basicConfig(filename=os.path.join(work, "nova.log"), level=logging.INFO,
                        format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
    # What green threads that outlive their simulator say; errors of this program go to __stderr__.
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


def _run(report, simulator, variant, driver, glance):
    """One driver on one simulator."""
    linux = None
    try:
        with report.check("a node is set up"):
            CONF.set_override("disk_driver", variant.disks, group="powervm")
            CONF.set_override("volume_group_name", "datavg", group="powervm")
            session = clients.password_session(simulator)
            node = _node(report, simulator, session, driver, glance)
            node.management.install()
            linux = node.management
            endpoint.choose(simulator, variant.password)
        if linux is not None:
            for name in variant.life:
                report.subject(_check(name), node)
        check_simulator(report, simulator)
    finally:
        endpoint.forget()
        if linux is not None:
            linux.remove()
        simulator.kill()


def check_simulator(report, simulator):
    """At the end of a simulator's work."""
    with report.check("powervm-sim still runs and broke no invariant"):
        expect.true(simulator.running(), "it runs; it said: " + simulator.said())
        expect.true("panicked" not in simulator.said(), "it did not panic")
        broken = simulator.admin("/invariants")
        expect.true(not any(broken.values()) if isinstance(broken, dict) else not broken,
                    "no invariant is broken: %s" % broken)


def _node(report, simulator, session, driver, glance):
    node = nodes.Node(report, simulator, session, glance)
    node.management = management.Management(simulator.folder, node.adapter)
    node.virtapi = neutron.VirtAPI(neutron.Agent(session))
    node.driver = importlib.import_module(driver).PowerVMDriver(node.virtapi)
    return node


def _check(name):
    """The function of nova_suite or pypowervm_suite that is called MODULE.FUNCTION."""
    module, function = name.rsplit(".", 1)
    package = "pypowervm_suite" if module == "leftovers" else "nova_suite"
    return getattr(importlib.import_module(package + "." + module), function)


def end(run):
    """Ends the process with the exit code that run gives."""
    try:
        code = run()
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        code = 2
    sys.stdout.flush()
    sys.__stderr__.flush()
    # A listener's thread that still waits for events must not hold the process.
    os._exit(code)
