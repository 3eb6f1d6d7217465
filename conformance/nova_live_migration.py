#!/usr/bin/env python3
"""Moves running servers between two simulated systems with the unmodified nova-powervm 9.0.0.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-powervm.txt:
``python nova_live_migration.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)

import contextlib
import os

from nova import objects

from nova_suite import frame
from nova_suite import migration
from nova_suite import migration_failure
from nova_suite import neutron
from nova_suite import node as nodes
from nova_suite import novalink
from nova_suite import peer
from nova_suite import program
from pypowervm_suite import clients
from pypowervm_suite import expect
from pypowervm_suite import leftovers
from pypowervm_suite import simulator as simulators

HOSTS = ("first", "second")
# After so many seconds a job has failed, and after four times as many a migration.
IMPATIENT = 1
# As long as it takes to see a server on its way.
WEATHER = """base = "calm"
[pace.migration_start]
low_ms = 300
high_ms = 400
[pace.migration]
low_ms = 1500
high_ms = 2000
"""

LIFE = (
    migration.check_life,
    migration.destroy,
    migration.check_npiv,
    migration_failure.check,
)


def run(report, simulator_path, work):
    """One simulator with two systems, a compute service on each."""
    objects.register_all()
    weather = os.path.join(work, "weather.toml")
    with open(weather, "w", encoding="utf-8") as file:
        file.write(WEATHER)
    simulator = None
    with report.check("powervm-sim starts with two systems on one storage"):
        simulator = simulators.Simulator(
            simulator_path, "novalink", os.path.join(work, "systems"),
            ["--systems", "2", "--shared-storage"], weather=weather)
    if simulator is None:
        return
    with contextlib.ExitStack() as ends:
        ends.callback(simulator.kill)
        site = clients.Site(report, simulator, clients.token_file_session(simulator))
        start(site, work, ends)
        for host in site.hosts:
            leftovers.take(host.node)
        for subject in LIFE:
            report.subject(subject, site)
        for host in site.hosts:
            report.prefix = "the %s system: " % host.name
            leftovers.compare(host.node)
        report.prefix = ""
        frame.check_simulator(report, simulator)


def start(site, work, ends):
    """Keeps hosts, and impatient: a second service of the first host."""
    systems = novalink.all_of(site.simulator, [os.path.join(work, name) for name in HOSTS])
    with site.check("two compute services start, each on a system of its own"):
        there = []
        for name, system in zip(HOSTS, systems, strict=True):
            service = peer.Peer(name, system, system.folder)
            ends.callback(service.end)
            node = nodes.Node(site.report, system, clients.token_file_session(system), None)
            neutron.make_switch(node)
            there.append(migration.Host(service, node))
        system = novalink.all_of(site.simulator, [os.path.join(work, "impatient")] * 2)[0]
        impatient = site.keep("impatient", peer.Peer(HOSTS[0], system, system.folder, IMPATIENT))
        ends.callback(impatient.end)
        site.keep("hosts", there)
        for host in there:
            host.resources = host.ask("start")
            expect.equal(host.resources["hypervisor_hostname"], host.name, "its name")
        impatient("start")


if __name__ == "__main__":
    frame.end(lambda: program.frame(__doc__, "nova_live_migration", run))
