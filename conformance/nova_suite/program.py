"""A program that drives one of Nova's drivers on pypowervm: configuration, simulators, variants."""

import collections
import importlib
import logging
import os

from nova import conf

from nova_suite import configuration
from nova_suite import endpoint
from nova_suite import fabrics
from nova_suite import frame as frames
from nova_suite import management
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import resources
from pypowervm_suite import clients
from pypowervm_suite import simulator as simulators

CONF = conf.CONF

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
    """As frame.frame, for a driver on pypowervm."""
    return frames.frame(about, name, run, _prepare)


def _prepare(work):
    clients.isolate()
    logging.basicConfig(filename=os.path.join(work, "nova.log"), level=logging.INFO,
                        format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")


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
        frames.check_simulator(report, simulator)
    finally:
        endpoint.forget()
        if linux is not None:
            linux.remove()
        simulator.kill()


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
