"""What is run: which subjects, in which order, against which simulator."""

import os
import subprocess

from pypowervm_suite import bridges
from pypowervm_suite import builder
from pypowervm_suite import busy
from pypowervm_suite import clients
from pypowervm_suite import consoles
from pypowervm_suite import contention
from pypowervm_suite import disks
from pypowervm_suite import events
from pypowervm_suite import expect
from pypowervm_suite import expiry
from pypowervm_suite import feed_tasks
from pypowervm_suite import fibre_channel
from pypowervm_suite import hdisks
from pypowervm_suite import host
from pypowervm_suite import ibmi
from pypowervm_suite import image_race
from pypowervm_suite import iscsi
from pypowervm_suite import jobs
from pypowervm_suite import leftovers
from pypowervm_suite import logon
from pypowervm_suite import mappings
from pypowervm_suite import media
from pypowervm_suite import memory
from pypowervm_suite import metrics
from pypowervm_suite import migration
from pypowervm_suite import network
from pypowervm_suite import partition
from pypowervm_suite import pools
from pypowervm_suite import power
from pypowervm_suite import power_ways
from pypowervm_suite import processor_pools
from pypowervm_suite import protocol
from pypowervm_suite import resize
from pypowervm_suite import scrub
from pypowervm_suite import simulator as simulators
from pypowervm_suite import slots
from pypowervm_suite import sriov
from pypowervm_suite import storage_tasks
from pypowervm_suite import trunks
from pypowervm_suite import units
from pypowervm_suite import vios_tasks
from pypowervm_suite import vnics
from pypowervm_suite import walk

# What the others build on: they find the host and what is on it.
FOUND = (logon.check_traits, host.check, pools.check, network.check, leftovers.take)

# A deploy and its removal, in its order.
DEPLOY = (
    events.listen, partition.check, network.check_adapters, units.check, disks.check,
    mappings.check, units.check_mapped, protocol.check, partition.check_change, power.check,
    mappings.remove, disks.remove, units.remove, network.remove_adapters,
    partition.remove, contention.check, events.check, events.check_custom,
)

# What stands alone and leaves nothing behind.
ALONE = {
    "deploy": DEPLOY,
    "walk": (walk.check,),
    "builder": (builder.check,),
    "ibmi": (ibmi.check,),
    "resize": (resize.check,),
    "power": (power_ways.check,),
    "jobs": (jobs.check,),
    "busy": (busy.check,),
    "feed_tasks": (feed_tasks.check,),
    "image_race": (image_race.check,),
    "storage_tasks": (storage_tasks.check,),
    "media": (media.check,),
    "fibre_channel": (fibre_channel.check,),
    "hdisks": (hdisks.check,),
    "iscsi": (iscsi.check,),
    "trunks": (trunks.check,),
    "bridges": (bridges.check,),
    "sriov": (sriov.check,),
    "vnics": (vnics.check,),
    "processor_pools": (processor_pools.check,),
    "slots": (slots.check,),
    "scrub": (scrub.check,),
    "consoles": (consoles.check,),
    "memory": (memory.check,),
    "vios_tasks": (vios_tasks.check,),
    "metrics": (metrics.check,),
}

END = (leftovers.compare, storage_tasks.check_group, expiry.check, logon.check_tokens,
       logon.check_logoff)


def subjects():
    """The names of what stands alone."""
    return sorted(ALONE)


def _simulator(report, program, flavor, folder, arguments=()):
    """A started simulator, or None after a failed check."""
    report.prefix = flavor + ": "
    simulator = None
    with report.check("powervm-sim starts on free ports and says where"):
        simulator = simulators.Simulator(program, flavor, folder, arguments)
    return simulator


def _end(report, simulator):
    """What holds of every simulator in the end."""
    with report.check("powervm-sim still runs and broke no invariant"):
        expect.true(simulator.running(), "it runs; it said: " + simulator.said())
        expect.true("panicked" not in simulator.said(), "it did not panic")
        broken = simulator.admin("/invariants")
        expect.true(not any(broken.values()) if isinstance(broken, dict) else not broken,
                    "no invariant is broken: %s" % broken)
    with report.check("SIGTERM ends powervm-sim within a second"):
        code, seconds = simulator.stop()
        expect.equal(code, 0, "its exit code")
        expect.within(seconds, 0, 1, "the seconds")


def _chosen(names, wanted):
    """The checks of these subjects, as far as they are wanted; none wanted: all."""
    return [check for name in names if not wanted or name in wanted for check in ALONE[name]]


def _part(report, simulator, prefix, session, chosen, last=True):
    """A session with what it finds, these checks, and its end; last: nothing comes after it."""
    if session is None or not chosen:
        return
    report.prefix = prefix
    site = clients.Site(report, simulator, session)
    end = [check for check in END if last or check is not storage_tasks.check_group]
    for subject in (*FOUND, *chosen, *end):
        report.subject(subject, site)


def _everything(flavor, token_file):
    """A run of all subjects with one form of logon."""
    def run(report, program, folder, wanted):
        simulator = _simulator(report, program, flavor, folder)
        if simulator is None:
            return
        try:
            by_file = logon.check_token_file(report, simulator)
            if token_file:
                _part(report, simulator, flavor + ", token file: ", by_file,
                      _chosen(ALONE, wanted))
            else:
                # A deploy over https, where every call is a handshake; what stands alone over http.
                _part(report, simulator, flavor + ", password: ",
                      logon.check_password(report, simulator),
                      _chosen(["deploy"], wanted), last=False)
                _part(report, simulator, flavor + ", password over http: ",
                      clients.plain_session(simulator),
                      _chosen([name for name in ALONE if name != "deploy"], wanted))
            report.prefix = flavor + ": "
            _end(report, simulator)
        finally:
            simulator.kill()
    return run


def _example(program, flavor):
    """The program's own example of an inventory; for a NovaLink the first system becomes its."""
    text = subprocess.run([program, "inventory", "example"], check=True, stdout=subprocess.PIPE,
                          text=True, encoding="utf-8").stdout
    if flavor == "hmc":
        return text
    text = (text[:text.index("# A system with a NovaLink partition")]
            + text[text.index("[[clusters]]"):])
    return text.replace("[[systems.vioses]]", NOVALINK + "[[systems.vioses]]", 1)


NOVALINK = """[systems.management_partition]
name = "novalink"
id = 10
disk_gb = 30

"""


def _full_house(flavor):
    """A run that reads an inventory of everything that one can hold."""
    def run(report, program, folder, _):
        inventory = os.path.join(folder, "inventory.toml")
        with open(inventory, "w", encoding="utf-8") as file:
            file.write(_example(program, flavor))
        simulator = _simulator(report, program, flavor, folder, ("--inventory", inventory))
        if simulator is None:
            return
        try:
            report.prefix = flavor + ", full inventory: "
            site = clients.Site(report, simulator, clients.password_session(simulator))
            report.subject(walk.check_example, site)
            _end(report, simulator)
        finally:
            simulator.kill()
    return run


def _two_systems(flavor):
    """A run with two systems that share their storage."""
    def run(report, program, folder, _):
        simulator = _simulator(report, program, flavor, folder,
                               ("--systems", "2", "--shared-storage"))
        if simulator is None:
            return
        try:
            report.prefix = flavor + ", two systems: "
            migration.check(report, simulator)
            _end(report, simulator)
        finally:
            simulator.kill()
    return run


def _two_processes(flavor):
    """A run with two simulators that have one of two systems each and know each other."""
    def run(report, program, folder, _):
        folders = {name: os.path.join(folder, name) for name in ("neo", "neo2")}
        names = {"neo": "192.0.2.11", "neo2": "192.0.2.12"}
        started = {}
        try:
            for name, other in (("neo", "neo2"), ("neo2", "neo")):
                ready = os.path.join(folders[other], "ready.json")
                started[name] = _simulator(report, program, flavor, folders[name], (
                    "--systems", "2", "--shared-storage", "--only-system", name,
                    "--peer", "%s=%s" % (names[other], ready)))
            if None in started.values():
                return
            report.prefix = flavor + ", two processes: "
            migration.check_peers(report, [(started[name], names[name]) for name in names])
            _end(report, started["neo2"])
            report.prefix = flavor + ", two processes: "
            migration.check_silence(report, started["neo"], names["neo2"])
            _end(report, started["neo"])
        finally:
            for simulator in started.values():
                if simulator is not None:
                    simulator.kill()
    return run


# The longest first, so that they are not alone at the end.
RUNS = {
    "novalink-token-file": _everything("novalink", True),
    "novalink-password": _everything("novalink", False),
    "hmc-password": _everything("hmc", False),
    "novalink-two-systems": _two_systems("novalink"),
    "hmc-two-systems": _two_systems("hmc"),
    "novalink-two-processes": _two_processes("novalink"),
    "hmc-two-processes": _two_processes("hmc"),
    "hmc-full-house": _full_house("hmc"),
    "novalink-full-house": _full_house("novalink"),
}
