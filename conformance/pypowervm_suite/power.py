"""Power on and off through jobs, and what a running partition refuses."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import power
from pypowervm.tasks import power_opts as popts
from pypowervm.tasks import vterm
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import job as pvm_job
from pypowervm.wrappers import logical_partition as pvm_lpar

from pypowervm_suite import clients
from pypowervm_suite import expect

JOB_SECONDS = 120
STATE_SECONDS = 120


def _now(site):
    return pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)


def _reaches(site, state):
    """Waits for a state, as the drivers read it (quick)."""
    return clients.wait_until(lambda: _now(site).state == state, STATE_SECONDS,
                              "state `%s` of the partition" % state)


def check(site):
    """Runs site.partition up and down; leaves it off."""
    with site.check("reads the job templates"):
        for name in ("PowerOn", "PowerOff"):
            response = site.adapter.read("LogicalPartition", site.partition.uuid,
                                         suffix_type="do", suffix_parm=name)
            template = pvm_job.Job.wrap(response)
            expect.equal(template.entry.element.findtext("RequestedOperation/OperationName"),
                         name, "the operation")
            expect.equal(template.entry.element.findtext("RequestedOperation/GroupName"),
                         "LogicalPartition", "the group")
    with site.check("powers a partition on"):
        power.PowerOp.start(_now(site), timeout=JOB_SECONDS)
        _reaches(site, bp.LPARState.RUNNING)
    with site.check("powering on what is on counts as done"):
        power.PowerOp.start(_now(site), timeout=JOB_SECONDS)
        expect.equal(_now(site).state, bp.LPARState.RUNNING, "the state")
    with site.check("a running partition has its memory and RMC"):
        running = clients.wait_until(
            lambda: (lambda p: p if p.rmc_state == bp.RMCState.ACTIVE else None)(_now(site)),
            STATE_SECONDS, "RMC active")
        expect.equal(running.mem_config.current, running.mem_config.desired, "current memory")
        expect.true(running.can_modify_io()[0], "its I/O can be modified")
        expect.true(running.capabilities.io_dlpar, "it takes I/O while running")
        expect.true(running.ref_code is not None, "it has a reference code")
    with site.check("refuses to delete a running partition"):
        expect.refused(pvm_ex.HttpError, _now(site).delete, "deleting a running partition")
        expect.equal(_now(site).state, bp.LPARState.RUNNING, "the state")
    with site.check("restarts a partition"):
        power.PowerOp.stop(_now(site), opts=popts.PowerOffOpts().vsp_hard().restart(),
                           timeout=JOB_SECONDS)
        _reaches(site, bp.LPARState.RUNNING)
    with site.check("powers a partition off, politely first"):
        clients.wait_until(lambda: _now(site).rmc_state == bp.RMCState.ACTIVE, STATE_SECONDS,
                           "RMC active")
        power.power_off_progressive(_now(site), timeout=JOB_SECONDS)
        _reaches(site, bp.LPARState.NOT_ACTIVATED)
    with site.check("powering off what is off counts as done"):
        power.PowerOp.stop(_now(site), opts=popts.PowerOffOpts().vsp_hard(), timeout=JOB_SECONDS)
        expect.equal(_now(site).state, bp.LPARState.NOT_ACTIVATED, "the state")
    with site.check("a job that fails tells its message"):
        job = pvm_job.Job.wrap(site.adapter.read(
            "LogicalPartition", site.partition.uuid, suffix_type="do", suffix_parm="PowerOff"))
        error = expect.refused(
            pvm_ex.JobRequestFailed,
            lambda: job.run_job(site.partition.uuid,
                                job_parms=popts.PowerOffOpts().vsp_hard().bld_jparms(),
                                timeout=JOB_SECONDS),
            "powering off what is off")
        known = ("HSCL1558", "PVME04000005", "PVME01050901")
        expect.true(any(code in str(error) for code in known), "%s has one of %s" % (error, known))
        expect.refused(pvm_ex.HttpNotFound, lambda: site.adapter.read_job(job.job_id),
                       "reading the job that was deleted")
    with site.check("powers on into the SMS menus and hard off"):
        power.PowerOp.start(_now(site), opts=popts.PowerOnOpts().bootmode(popts.BootMode.SMS),
                            timeout=JOB_SECONDS)
        clients.wait_until(
            lambda: _now(site).state in (bp.LPARState.OPEN_FIRMWARE, bp.LPARState.RUNNING),
            STATE_SECONDS, "open firmware or running")
        power.PowerOp.stop(_now(site), opts=popts.PowerOffOpts().vsp_hard(), timeout=JOB_SECONDS)
        _reaches(site, bp.LPARState.NOT_ACTIVATED)
    if not site.adapter.traits.local_api:
        with site.check("closes the virtual terminal"):
            vterm.close_vterm(site.adapter, site.partition.uuid)
