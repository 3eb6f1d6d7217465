"""Partition tasks: Virtual I/O Servers that are up, down or without RMC; physical I/O; UUIDs."""

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import partition as tsk_par
from pypowervm.tasks import vterm
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import partition


def check(site):
    """Servers fail and come back."""
    one, other = site.vioses
    with site.check("a server that loses its RMC connection is not active"):
        site.simulator.incident("rmc_lost", one.uuid)
        try:
            active = tsk_par.get_active_vioses(site.adapter)
            expect.equal([vios.uuid for vios in active], [other.uuid], "the active ones")
            expect.refused(pvm_ex.NotEnoughActiveVioses,
                           lambda: tsk_par.get_active_vioses(site.adapter, find_min=2),
                           "two active servers")
            task = tsk_par.build_active_vio_feed_task(site.adapter)
            expect.equal([vios.uuid for vios in task.feed], [other.uuid], "those of a task")
            tsk_par.validate_vios_ready(site.adapter, max_wait_time=0.1)
        finally:
            site.simulator.incident("rmc_back", one.uuid)
        expect.equal(len(tsk_par.get_active_vioses(site.adapter, find_min=2)), 2, "afterwards")
    with site.check("without any active server the host is not ready"):
        for vios in site.vioses:
            site.simulator.incident("rmc_lost", vios.uuid)
        try:
            expect.refused(pvm_ex.ViosNotAvailable,
                           lambda: tsk_par.validate_vios_ready(site.adapter, max_wait_time=0.1),
                           "a host without servers")
            expect.refused(pvm_ex.NotEnoughActiveVioses,
                           lambda: tsk_par.build_active_vio_feed_task(site.adapter),
                           "a task without servers")
        finally:
            for vios in site.vioses:
                site.simulator.incident("rmc_back", vios.uuid)
        tsk_par.validate_vios_ready(site.adapter, max_wait_time=0.1)
    with site.check("a server that goes down is seen down, and comes up again"):
        site.simulator.incident("down", other.uuid)
        try:
            now = pvm_vios.VIOS.get(site.adapter, uuid=other.uuid)
            expect.true(now.state != bp.LPARState.RUNNING, "its state is " + now.state)
            active = tsk_par.get_active_vioses(site.adapter)
            expect.equal([vios.uuid for vios in active], [one.uuid], "the active ones")
        finally:
            site.simulator.incident("up", other.uuid)
            site.simulator.advance(1200)
        expect.equal(len(tsk_par.get_active_vioses(site.adapter)), 2, "the active ones after it")
    with site.check("partitions are listed by kind"):
        every = tsk_par.get_partitions(site.adapter)
        expect.true({one.uuid, other.uuid} <= {p.uuid for p in every}, "the servers are there")
        servers = tsk_par.get_partitions(site.adapter, lpars=False, vioses=True)
        expect.equal({p.uuid for p in servers}, {one.uuid, other.uuid}, "the servers alone")
        if site.novalink:
            expect.true(site.management.uuid in {p.uuid for p in tsk_par.get_partitions(
                site.adapter, lpars=False, vioses=False, mgmt=True)}, "the management partition")
    with site.check("a server has physical I/O, a new partition has none"):
        expect.true(tsk_par.has_physical_io(site.vioses[0]), "the server has")
        with partition.temporary(site, "conformance-io") as made:
            expect.true(not tsk_par.has_physical_io(made), "the partition has not")
            _terminal(site, made)


def _terminal(site, made):
    if site.adapter.traits.local_api:
        return
    with site.check("closing a terminal that is not open does no harm"):
        vterm.close_vterm(site.adapter, made.uuid)
        vterm.close_vterm(site.adapter, made.uuid)
