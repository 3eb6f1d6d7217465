"""The life of a partition: built, refused, changed, deleted."""

import contextlib
import uuid

from pypowervm import exceptions as pvm_ex
from pypowervm.tasks import power
from pypowervm.tasks import power_opts as popts
from pypowervm.utils import lpar_builder
from pypowervm.utils import uuid as pvm_uuid
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import http_error
from pypowervm.wrappers import logical_partition as pvm_lpar

from pypowervm_suite import expect


def build(site, name, **attributes):
    """A partition as the drivers make one, not yet created."""
    wanted = {"name": name, "memory": 1024, "vcpu": 1, "env": bp.LPARType.AIXLINUX,
              "max_io_slots": 200, **attributes}
    standard = lpar_builder.DefaultStandardize(site.system, proc_units_factor=0.1)
    return lpar_builder.LPARBuilder(site.adapter, wanted, standard).build()


def create(site, name, **attributes):
    """A new partition below the system."""
    return build(site, name, **attributes).create(parent=site.system)


@contextlib.contextmanager
def temporary(site, name, **attributes):
    """A partition that is switched off and deleted in the end, with its network adapters."""
    made = create(site, name, **attributes)
    try:
        yield made
    finally:
        now = pvm_lpar.LPAR.get(site.adapter, uuid=made.uuid)
        if now.state != bp.LPARState.NOT_ACTIVATED:
            power.PowerOp.stop(now, opts=popts.PowerOffOpts().vsp_hard())
        pvm_lpar.LPAR.get(site.adapter, uuid=made.uuid).delete()


def now(site, made):
    """The partition as the server has it now."""
    return pvm_lpar.LPAR.get(site.adapter, uuid=made.uuid)


def check(site):
    """Creates site.partition and sees what is refused."""
    with site.check("creates a partition with lpar_builder"):
        instance = str(uuid.UUID("f3c1a9d2-5b7e-4c46-9d6a-0c1de2f3a4b5"))
        wanted = pvm_uuid.convert_uuid_to_pvm(instance).upper()
        used = {p.id for p in pvm_lpar.LPAR.get(site.adapter)} | {v.id for v in site.vioses}
        partition = create(site, "conformance-1", uuid=wanted, vcpu=2, memory=2048,
                           srr_capability=False)
        site.keep("partition", partition)
        expect.equal(partition.uuid, wanted, "its UUID")
        expect.equal(partition.partition_uuid, wanted, "its PartitionUUID")
        expect.equal(partition.name, "conformance-1", "its name")
        expect.true(partition.id not in used, "its id %d is new" % partition.id)
        expect.equal(partition.state, bp.LPARState.NOT_ACTIVATED, "its state")
        expect.one_of(partition.rmc_state, (bp.RMCState.NONE, bp.RMCState.INACTIVE), "its RMC")
        expect.true(partition.can_modify_io()[0], "its I/O can be modified")
        expect.true(not partition.is_mgmt_partition, "it is no management partition")
        expect.true(partition.etag, "it has an etag")
    with site.check("the new partition has what was asked for"):
        partition = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        memory = partition.mem_config
        expect.equal((memory.min, memory.desired, memory.max), (2048,) * 3, "its memory")
        processors = partition.proc_config
        expect.true(not processors.has_dedicated, "its processors are shared")
        expect.equal(processors.sharing_mode, bp.SharingMode.UNCAPPED, "its sharing mode")
        shared = processors.shared_proc_cfg
        expect.equal((shared.min_virtual, shared.desired_virtual, shared.max_virtual), (2, 2, 2),
                     "its vcpus")
        expect.equal(shared.desired_units, 0.2, "its processing units")
        expect.equal(shared.uncapped_weight, 64, "its weight")
        expect.equal(shared.pool_id, 0, "its pool")
        expect.equal(partition.io_config.max_virtual_slots, 200, "its slots")
        expect.equal(partition.avail_priority, 127, "its availability priority")
        expect.equal(partition.pending_proc_compat_mode, "default", "its compatibility mode")
        expect.equal(partition.etag, site.partition.etag, "its etag")
    with site.check("creates a partition with dedicated processors"):
        partition = create(site, "conformance-dedicated", dedicated_proc=True, vcpu=2)
        processors = pvm_lpar.LPAR.get(site.adapter, uuid=partition.uuid).proc_config
        expect.true(processors.has_dedicated, "its processors are dedicated")
        expect.equal(processors.dedicated_proc_cfg.desired, 2, "how many")
        expect.equal(processors.sharing_mode, bp.DedicatedSharingMode.SHARE_IDLE_PROCS,
                     "its sharing mode")
        partition.delete()
        expect.refused(pvm_ex.HttpNotFound,
                       lambda: pvm_lpar.LPAR.get(site.adapter, uuid=partition.uuid),
                       "reading the deleted partition")
    _refusals(site)


def _refusals(site):
    with site.check("refuses a second partition of the same name"):
        error = expect.refused(pvm_ex.HttpError, lambda: create(site, "conformance-1"),
                               "the name for the second time")
        said = http_error.HttpError.wrap(error.response.entry)
        expect.equal(int(said.status), error.response.status, "the status in the error document")
        expect.true(said.message, "the error document has a message")
    with site.check("refuses a second partition of the same UUID"):
        expect.refused(pvm_ex.HttpError,
                       lambda: create(site, "conformance-2", uuid=site.partition.uuid),
                       "the UUID for the second time")
    with site.check("the refused partitions are not there"):
        names = [p.name for p in pvm_lpar.LPAR.get(site.adapter)]
        expect.equal(names.count("conformance-1"), 1, "partitions called conformance-1")
        expect.true("conformance-2" not in names, "conformance-2 is not there")


def check_change(site):
    """Changes the partition while it is off."""
    with site.check("renames and resizes a partition"):
        partition = site.partition.refresh()
        wanted = {"name": "conformance-renamed", "memory": 4096, "vcpu": 4,
                  "env": bp.LPARType.AIXLINUX, "max_io_slots": 200}
        standard = lpar_builder.DefaultStandardize(site.system, proc_units_factor=0.1)
        builder = lpar_builder.LPARBuilder(site.adapter, wanted, standard)
        changed = builder.rebuild(partition).update()
        expect.equal(changed.name, "conformance-renamed", "its name")
        expect.equal(changed.mem_config.desired, 4096, "its memory")
        expect.equal(changed.proc_config.shared_proc_cfg.desired_virtual, 4, "its vcpus")
        expect.equal(changed.proc_config.shared_proc_cfg.desired_units, 0.4, "its units")
        expect.equal(changed.id, site.partition.id, "its id")
        expect.equal(changed.uuid, site.partition.uuid, "its UUID")
        site.keep("partition", changed)


def remove(site):
    """Deletes site.partition."""
    with site.check("deletes the partition"):
        partition = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        partition.delete()
        expect.refused(pvm_ex.HttpNotFound,
                       lambda: pvm_lpar.LPAR.get(site.adapter, uuid=partition.uuid),
                       "reading the deleted partition")
        expect.refused(
            pvm_ex.HttpNotFound,
            lambda: site.adapter.read("LogicalPartition", partition.uuid, suffix_type="quick",
                                      suffix_parm="PartitionState"),
            "the quick state of the deleted partition")
        expect.refused(pvm_ex.HttpNotFound, partition.delete, "deleting it once more")
