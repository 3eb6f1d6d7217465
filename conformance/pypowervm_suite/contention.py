"""Several deploys at once on the same Virtual I/O Servers."""

import threading

from pypowervm import const
from pypowervm.tasks import scsi_mapper as tsk_map
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect
from pypowervm_suite import mappings
from pypowervm_suite import partition

DEPLOYS = 6


def check(site):
    """Makes and removes DEPLOYS partitions, each with a unit on both servers."""
    made, failures = [], []

    def deploy(number):
        try:
            name = "conformance-many-%d" % number
            client = partition.create(site, name)
            _, unit = tsk_stg.crt_lu(site.tier, name, 1)
            made.append((client, unit))
            mappings.attach(site, client, unit)
        except Exception as error:  # told to the check, which runs in another thread
            failures.append(repr(error))

    with site.check("%d deploys at once keep all their mappings" % DEPLOYS):
        threads = [threading.Thread(target=deploy, args=(n,)) for n in range(DEPLOYS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect.equal(failures, [], "failures")
        expect.equal(len({client.id for client, _ in made}), DEPLOYS, "the partitions' ids")
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_SMAP]):
            for client, unit in made:
                mapping = expect.single(
                    tsk_map.find_maps(vios.scsi_mappings, client_lpar_id=client.uuid),
                    "mappings of %s on %s" % (client.name, vios.name))
                expect.equal(mapping.backing_storage.udid, unit.udid, "its unit")
            adapters = [m.server_adapter.name for m in vios.scsi_mappings]
            clients = {(m.server_adapter.lpar_id, m.server_adapter.name)
                       for m in vios.scsi_mappings}
            expect.equal(len(set(adapters)), len({name for _, name in clients}),
                         "the adapters' names")
    with site.check("and leave together"):
        for vios in pvm_vios.VIOS.get(site.adapter, xag=[const.XAG.VIO_SMAP]):
            for client, _ in made:
                tsk_map.remove_maps(vios, client.id)
            vios.update()
        for client, unit in made:
            unit.refresh().delete()
            client.refresh().delete()
        names = [u.name for u in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)]
        expect.equal([n for n in names if n.startswith("conformance-many")], [], "units left")
