"""IBM i partitions: load source, panel functions, power, licences."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import ibmi as tsk_ibmi
from pypowervm.tasks import partition as tsk_par
from pypowervm.tasks import power
from pypowervm.tasks import power_opts as popts
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import logical_partition as pvm_lpar

from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import running

OS400 = bp.LPARType.OS400


def check(site):
    """With a partition of its own."""
    with site.check("IBM i: a server with a boot disk is made and removed"):
        with running.server(site, "conformance-ibmi", start=False, env=OS400) as made:
            _settings(site, made)
            _panel(site, made)
            _power(site, made)
    with site.check("IBM i: without a disk there is no load source"):
        with partition.temporary(site, "ibmi-diskless", env=OS400) as made:
            expect.refused(
                pvm_ex.IBMiLoadSourceNotFound,
                lambda: tsk_ibmi.update_ibmi_settings(
                    site.adapter, made, pvm_lpar.BootStorageType.VSCSI), "no load source")


def _settings(site, made):
    with site.check("IBM i: the disk's slot becomes the load source"):
        changed = tsk_ibmi.update_ibmi_settings(
            site.adapter, partition.now(site, made), pvm_lpar.BootStorageType.VSCSI).update()
        now = partition.now(site, made)
        tagged = now.io_config.tagged_io
        expect.matches(tagged.load_src, r"\d+", "the load source")
        expect.equal(tagged.alt_load_src, tagged.load_src, "the alternate load source")
        expect.equal(tagged.console, "HMC", "the console")
        expect.equal(now.desig_ipl_src, pvm_lpar.IPLSrc.B, "the IPL source")
        expect.equal(now.keylock_pos, bp.KeylockPos.NORMAL, "the keylock's position")
        expect.equal(changed.etag, now.etag, "the etag")


def _panel(site, made):
    with site.check("IBM i: panel functions run as jobs, while the partition is on"):
        power.PowerOp.start(partition.now(site, made), opts=popts.PowerOnOpts().ibmi_ipl_source(
            popts.IPLSrc.B))
        site.simulator.advance(600)
        now = partition.now(site, made)
        expect.equal(now.state, bp.LPARState.RUNNING, "the state")
        for function in (tsk_ibmi.IBMiPanelOperations.DSTON,
                         tsk_ibmi.IBMiPanelOperations.CONSOLESERVICE):
            tsk_ibmi.start_panel_job(now, opt=function)
    with site.check("IBM i: panel functions of no operation, or of another partition, are refused"):
        expect.refused(pvm_ex.InvalidIBMiPanelFunctionOperation,
                       lambda: tsk_ibmi.start_panel_job(made, opt="shout"), "an unknown function")
        expect.refused(pvm_ex.PartitionIsNotIBMi,
                       lambda: tsk_ibmi.start_panel_job(site.vioses[0], opt="dston"),
                       "a function of a Virtual I/O Server")
    with site.check("IBM i: a licence key is added, and a wrong one refused"):
        tsk_par.ibmi_add_license_key(site.adapter, made.uuid, "0" * 18)
        expect.refused(pvm_ex.JobRequestFailed,
                       lambda: tsk_par.ibmi_add_license_key(site.adapter, made.uuid, ""),
                       "an empty licence key")


def _power(site, made):
    with site.check("IBM i: shuts its operating system down without RMC"):
        power.PowerOp.stop(partition.now(site, made), opts=popts.PowerOffOpts().os_normal())
        site.simulator.advance(600)
        expect.equal(partition.now(site, made).state, bp.LPARState.NOT_ACTIVATED, "the state")
    with site.check("IBM i: the progressive power-off ends with it off"):
        power.PowerOp.start(partition.now(site, made))
        site.simulator.advance(600)
        power.power_off_progressive(partition.now(site, made))
        site.simulator.advance(600)
        expect.equal(partition.now(site, made).state, bp.LPARState.NOT_ACTIVATED, "the state")
