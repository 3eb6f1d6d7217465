"""A partition that runs an operating system: made with a disk to boot from, and removed."""

import contextlib
import io

from pypowervm.tasks import power
from pypowervm.tasks import power_opts as popts
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import content
from pypowervm_suite import partition
from pypowervm_suite.report import Unmet

BOOT_SECONDS = 600


@contextlib.contextmanager
def server(site, name, start=True, **attributes):
    """A partition with a boot disk; start: it runs and its RMC connection is up."""
    with partition.temporary(site, name, **attributes) as made:
        _, unit = tsk_stg.crt_lu(site.tier, name, 1)
        try:
            data = content.pattern(4096)
            tsk_stg.upload_lu(site.vioses[0].uuid, unit, io.BytesIO(data), len(data))
            tsk_map.add_vscsi_mapping(
                None, site.vioses[0].uuid, made.uuid,
                pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid))
            try:
                if start:
                    power.PowerOp.start(partition.now(site, made))
                    booted(site, made)
                yield partition.now(site, made)
            finally:
                off(site, made)
                tsk_map.remove_lu_mapping(site.adapter, site.vioses[0].uuid, made.uuid)
        finally:
            [left] = [u for u in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
                      if u.udid == unit.udid]
            left.delete()


def booted(site, made):
    """Lets time pass until the partition runs and its RMC connection is up; gives it."""
    for _ in range(20):
        now = partition.now(site, made)
        if now.state == bp.LPARState.RUNNING and now.rmc_state == bp.RMCState.ACTIVE:
            return now
        site.simulator.advance(BOOT_SECONDS / 20)
    raise Unmet("%s is %s with RMC %s after %d s" % (
        now.name, now.state, now.rmc_state, BOOT_SECONDS))


def off(site, made):
    """Switches it off at once, whatever it does."""
    now = partition.now(site, made)
    if now.state != bp.LPARState.NOT_ACTIVATED:
        power.PowerOp.stop(now, opts=popts.PowerOffOpts().vsp_hard())
