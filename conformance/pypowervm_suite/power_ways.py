"""Power jobs in every way: refusals that count as done, failures, timeouts, progressions."""

import contextlib

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import power
from pypowervm.tasks import power_opts as popts
from pypowervm.wrappers import base_partition as bp

from pypowervm_suite import clients
from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import running

ALREADY_ON = ("HSCL3681", "PVME01042026")
ALREADY_OFF = ("HSCL1558", "PVME04000005", "PVME01050901")
NO_OS_SHUTDOWN = ("HSCL0DB4", "PVME01050905", "PVME01050402")
RUNNING, OFF = bp.LPARState.RUNNING, bp.LPARState.NOT_ACTIVATED


def _is(site, made, state):
    expect.equal(partition.now(site, made).state, state, "the state")


def check(site):
    """With a server of its own, which goes up and down."""
    with site.check("a server for power jobs is made and removed"):
        with running.server(site, "conformance-power", start=False) as made:
            _codes(site, made)
            _start(site, made)
            _stop(site, made)
            _progressive(site, made)
            _timeouts(site, made)


def _codes(site, made):
    for code in ALREADY_ON:
        with site.check("power on: a job that fails with %s counts as done" % code):
            with site.simulator.fault(job="PowerOn", first=1, fault={"firmware": code}) as hits:
                power.PowerOp.start(partition.now(site, made))
                expect.equal(hits(), 1, "jobs that failed so")
            _is(site, made, OFF)
    for code in ALREADY_OFF:
        with site.check("power off: a job that fails with %s counts as done" % code):
            with site.simulator.fault(job="PowerOff", first=1, fault={"firmware": code}) as hits:
                power.PowerOp.stop(partition.now(site, made), opts=popts.PowerOffOpts().vsp_hard())
                expect.equal(hits(), 1, "jobs that failed so")
        with site.check("restart: a job that fails with %s does not count as done" % code):
            with site.simulator.fault(job="PowerOff", first=1, fault={"firmware": code}):
                expect.refused(
                    pvm_ex.VMPowerOffFailure,
                    lambda: power.PowerOp.stop(partition.now(site, made),
                                               opts=popts.PowerOffOpts().vsp_hard().restart()),
                    "a restart of what is off")
    with site.check("power on: any other failure is told"):
        with site.simulator.fault(job="PowerOn", first=1, fault={"firmware": "HSCL03EC"}):
            error = expect.refused(pvm_ex.VMPowerOnFailure,
                                   lambda: power.PowerOp.start(partition.now(site, made)),
                                   "not enough memory")
            expect.true("HSCL03EC" in str(error), "it says HSCL03EC: %s" % error)
        _is(site, made, OFF)
    with site.check("power on: a job that breaks off with an exception is told"):
        with site.simulator.fault(job="PowerOn", first=1, fault={"job_exception": "It broke."}):
            error = expect.refused(pvm_ex.VMPowerOnFailure,
                                   lambda: power.PowerOp.start(partition.now(site, made)),
                                   "an exception")
            expect.true("It broke." in str(error), "it says so: %s" % error)


def _start(site, made):
    with site.check("power on: keylock, boot mode and boot string are taken"):
        opts = popts.PowerOnOpts().bootmode(popts.BootMode.NORM).keylock_pos(
            popts.KeylockPos.NORMAL).bootstring("/vdevice/v-scsi@30000002/disk@8").force()
        power.PowerOp.start(partition.now(site, made), opts=opts)
        running.booted(site, made)
    with site.check("restart: from running to running, through an activation"):
        running.booted(site, made)
        power.PowerOp.stop(partition.now(site, made),
                           opts=popts.PowerOffOpts().os_immediate().restart())
        running.booted(site, made)


def _stop(site, made):
    for name, opts in (("OS shutdown", popts.PowerOffOpts().os_normal()),
                       ("immediate OS shutdown", popts.PowerOffOpts().os_immediate()),
                       ("VSP shutdown", popts.PowerOffOpts().vsp_normal()),
                       ("hard VSP shutdown", popts.PowerOffOpts().vsp_hard())):
        with site.check("power off by %s" % name):
            _on(site, made)
            power.PowerOp.stop(partition.now(site, made), opts=opts)
            site.simulator.advance(600)
            _is(site, made, OFF)
    with site.check("without RMC an OS shutdown is not even tried"):
        _on(site, made)
        with _rmc_lost(site, made):
            expect.refused(
                pvm_ex.OSShutdownNoRMC,
                lambda: power.PowerOp.stop(partition.now(site, made),
                                           opts=popts.PowerOffOpts().os_normal()),
                "an OS shutdown without RMC")
            _is(site, made, RUNNING)
    with site.check("an asynchronous power-off goes on after it returns"):
        _on(site, made)
        power.PowerOp.stop(partition.now(site, made), opts=popts.PowerOffOpts().vsp_hard(),
                           synchronous=False)
        clients.wait_until(lambda: partition.now(site, made).state == OFF, 30, "it is off")


def _progressive(site, made):
    for code in NO_OS_SHUTDOWN:
        with site.check("progressive: an OS shutdown that fails with %s goes on to VSP" % code):
            _on(site, made)
            with site.simulator.fault(job="PowerOff", first=1, fault={"firmware": code}) as hits:
                power.power_off_progressive(partition.now(site, made))
                expect.equal(hits(), 1, "jobs that failed so")
            site.simulator.advance(600)
            _is(site, made, OFF)
    with site.check("progressive: after two failures it is hard"):
        _on(site, made)
        with site.simulator.fault(job="PowerOff", first=2,
                                  fault={"job_error": "It does not end."}) as hits:
            power.power_off_progressive(partition.now(site, made))
            expect.equal(hits(), 2, "jobs that failed")
        _is(site, made, OFF)
    with site.check("progressive: without RMC it begins with VSP"):
        _on(site, made)
        with _rmc_lost(site, made):
            power.power_off_progressive(partition.now(site, made))
        site.simulator.advance(600)
        _is(site, made, OFF)
    with site.check("progressive restart: it runs again"):
        _on(site, made)
        power.power_off_progressive(partition.now(site, made), restart=True)
        running.booted(site, made)


def _timeouts(site, made):
    with site.check("power off: a job that does not begin in time is a timeout"):
        _on(site, made)
        with site.simulator.held_jobs():
            expect.refused(
                pvm_ex.VMPowerOffTimeout,
                lambda: power.PowerOp.stop(partition.now(site, made), timeout=1,
                                           opts=popts.PowerOffOpts().vsp_hard()),
                "a job that does not begin")
        running.booted(site, made)
    with site.check("power on: a job that does not begin in time is a timeout"):
        running.off(site, made)
        with site.simulator.held_jobs():
            expect.refused(pvm_ex.VMPowerOnTimeout,
                           lambda: power.PowerOp.start(partition.now(site, made), timeout=1),
                           "a job that does not begin")
        running.off(site, made)


def _on(site, made):
    """It runs, with RMC."""
    if partition.now(site, made).state == OFF:
        power.PowerOp.start(partition.now(site, made))
    running.booted(site, made)


@contextlib.contextmanager
def _rmc_lost(site, made):
    site.simulator.incident("rmc_lost", made.uuid)
    try:
        yield
    finally:
        if site.simulator.running():
            site.simulator.incident("rmc_back", made.uuid)
