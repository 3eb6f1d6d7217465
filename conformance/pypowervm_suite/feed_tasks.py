"""Sixteen FeedTasks at once on both Virtual I/O Servers, and what tasks do otherwise."""

import concurrent.futures

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import partition as tsk_par
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.utils import transaction as tx
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios
from taskflow import task

from pypowervm_suite import expect
from pypowervm_suite import partition

THREADS = 16
GROUPS = [const.XAG.VIO_SMAP]


def check(site):
    """Its own partitions and units."""
    made = []
    with site.check("%d partitions and units for tasks are made" % THREADS):
        for number in range(THREADS):
            name = "feed-task-%02d" % number
            client = partition.create(site, name)
            _, unit = tsk_stg.crt_lu(site.tier, name, 1)
            made.append((client, unit))
    _together(site, made)
    _ways(site, made)
    with site.check("sixteen FeedTasks at once remove their mappings, and lose none"):
        _in_threads(site, made, lambda vios, client, unit: tsk_map.remove_maps(vios, client.uuid))
        for vios in _servers(site):
            left = [m for m in vios.scsi_mappings if m.client_lpar_href
                    and m.server_adapter.lpar_id in [client.id for client, _ in made]]
            expect.equal(left, [], "the mappings that are left on " + vios.name)
    with site.check("the partitions and units for tasks go"):
        for client, unit in made:
            client.refresh().delete()
            unit.refresh().delete()


def _servers(site):
    return pvm_vios.VIOS.get(site.adapter, xag=GROUPS)


def _in_threads(site, made, change):
    """All feeds are read before the first update, so that all etags but one are stale."""
    tasks = []
    for client, unit in made:
        both = tsk_par.build_active_vio_feed_task(site.adapter, xag=GROUPS)
        expect.equal(len(both.feed), 2, "the servers of the task")
        both.add_functor_subtask(change, client, unit)
        tasks.append(both)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(both.execute) for both in tasks]:
            future.result()


def _together(site, made):
    with site.check("sixteen FeedTasks at once map on two servers, and lose no update"):
        site.simulator.order("DELETE", "/requests")

        def add(vios, client, unit):
            mapping = tsk_map.build_vscsi_mapping(
                None, vios, client.uuid,
                pvm_stg.LU.bld_ref(site.adapter, unit.name, unit.udid))
            return tsk_map.add_map(vios, mapping)

        _in_threads(site, made, add)
        for vios in _servers(site):
            for client, unit in made:
                mapping = expect.single(
                    tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=client.uuid),
                    "mappings of %s on %s" % (client.name, vios.name))
                expect.equal(mapping.backing_storage.udid, unit.udid, "its unit")
            slots = [m.server_adapter.vios_slot_num for m in vios.scsi_mappings]
            hosts = {m.server_adapter.name for m in vios.scsi_mappings}
            expect.equal(len(set(slots)), len(hosts), "the slots and adapters of " + vios.name)
    with site.check("the etags were stale, and each refusal was followed by another try"):
        posts = [r for r in site.simulator.admin(
            "/requests?most=4096&method=POST&contains=/VirtualIOServer/")["requests"]]
        good = [r for r in posts if r["status"] == 200]
        stale = [r for r in posts if r["status"] == 412]
        expect.equal(len(good), 2 * THREADS, "the updates that were made")
        expect.within(len(stale), 1, 60 * THREADS, "the updates that were refused")
        expect.equal(len(good) + len(stale), len(posts), "all updates")


def _ways(site, made):
    with site.check("a FeedTask that changes nothing sends nothing"):
        before = {vios.uuid: vios.etag for vios in _servers(site)}
        nothing = tx.FeedTask("nothing", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
        nothing.add_functor_subtask(lambda vios: None)
        nothing.execute()
        expect.equal({vios.uuid: vios.etag for vios in _servers(site)}, before, "the etags")
    with site.check("a FeedTask gives what its subtasks return, and runs what follows"):
        seen = []

        class Follows(task.Task):
            """Gets what the subtasks returned."""

            def execute(self, wrapper_task_rets):
                """Keeps it."""
                seen.append(wrapper_task_rets)

        returning = tx.FeedTask("returns", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
        returning.add_functor_subtask(lambda vios: vios.name, provides="name", flag_update=False)
        returning.add_post_execute(Follows("follows"))
        returning.execute()
        found = {rets["name"] for rets in expect.single(seen, "runs of what follows").values()}
        expect.equal(found, {vios.name for vios in site.vioses}, "the names")
    with site.check("a subtask that raises fails its FeedTask, and nothing is sent"):
        before = {vios.uuid: vios.etag for vios in _servers(site)}

        def broken(_):
            raise ValueError("on purpose")

        failing = tx.FeedTask("broken", pvm_vios.VIOS.getter(site.adapter, xag=GROUPS))
        failing.add_functor_subtask(broken)
        expect.refused((ValueError, pvm_ex.MultipleExceptionsInFeedTask), failing.execute,
                       "the task")
        expect.equal({vios.uuid: vios.etag for vios in _servers(site)}, before, "the etags")
    with site.check("a FeedTask over an empty feed is refused"):
        expect.refused(pvm_ex.FeedTaskEmptyFeed, lambda: tx.FeedTask("empty", []), "no server")
