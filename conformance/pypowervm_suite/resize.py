"""Partitions that change while they run, and what the client's validators say before."""

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.utils import lpar_builder
from pypowervm.utils import validation
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import expect
from pypowervm_suite import partition
from pypowervm_suite import running

RANGES = {"memory": 2048, "min_mem": 1024, "max_mem": 8192, "vcpu": 2, "min_vcpu": 1,
          "max_vcpu": 8, "proc_units": 0.4, "min_proc_units": 0.1, "max_proc_units": 4}


def _rebuilt(site, made, **attributes):
    """The partition with other attributes, not yet sent."""
    wanted = {"name": made.name, "max_io_slots": 200, **RANGES, **attributes}
    standard = lpar_builder.DefaultStandardize(site.system, proc_units_factor=0.1)
    return lpar_builder.LPARBuilder(site.adapter, wanted, standard).rebuild(
        partition.now(site, made))


def _validate(site, made, new):
    host = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
    validation.LPARWrapperValidator(new, host, cur_lpar_w=made).validate_all()


def check(site):
    """With a running server of its own."""
    with site.check("validators refuse what the host has not"):
        host = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
        for attributes in ({"memory": 2 * host.memory_total, "max_mem": 2 * host.memory_total},
                           {"vcpu": 60, "max_vcpu": 64, "proc_units": 50,
                            "max_proc_units": 60}):
            new = partition.build(site, "validated", **{**RANGES, **attributes})
            expect.refused(validation.ValidatorException,
                           lambda n=new: validation.LPARWrapperValidator(n, host).validate_all(),
                           "more than there is: %s" % attributes)
    with site.check("a server for resizing runs and is removed"):
        with running.server(site, "conformance-resize", **RANGES) as made:
            _grow(site, made)
            _refused(site, made)
            _without_rmc(site, made)
            _off(site, made)


def _grow(site, made):
    with site.check("a running partition gets more memory, and the host has less"):
        before = pvm_ms.System.get(site.adapter, uuid=site.system.uuid).memory_free
        new = _rebuilt(site, made, memory=4096)
        _validate(site, partition.now(site, made), new)
        expect.equal(new.update().mem_config.current, 4096, "its current memory")
        after = pvm_ms.System.get(site.adapter, uuid=site.system.uuid).memory_free
        expect.equal(before - after, 2048, "the host's memory that it took (MB)")
    with site.check("a running partition gives memory back"):
        expect.equal(_rebuilt(site, made, memory=1024).update().mem_config.current, 1024,
                     "its current memory")
    with site.check("a running partition gets more processors and units"):
        new = _rebuilt(site, made, vcpu=4, proc_units=1.5)
        _validate(site, partition.now(site, made), new)
        shared = new.update().proc_config.shared_proc_cfg
        expect.equal((shared.desired_virtual, shared.desired_units), (4, 1.5), "what it has")


def _refused(site, made):
    for name, attributes in (("maximum memory", {"max_mem": 16384}),
                             ("minimum memory", {"min_mem": 512}),
                             ("maximum processors", {"max_vcpu": 16}),
                             ("kind of processors", {"dedicated_proc": True})):
        with site.check("a running partition's %s stays: so say validator and server" % name):
            new = _rebuilt(site, made, **attributes)
            now = partition.now(site, made)
            expect.refused(validation.ValidatorException,
                           lambda n=new, m=now: _validate(site, m, n), "the change, by the client")
            expect.refused(pvm_ex.HttpError, new.update, "the change, by the server")
            expect.equal(partition.now(site, made).etag, now.etag, "the etag afterwards")


def _without_rmc(site, made):
    with site.check("without RMC a running partition is not changed, except by force"):
        site.simulator.incident("rmc_lost", made.uuid)
        try:
            now = partition.now(site, made)
            expect.true(not now.can_modify_mem()[0], "the client sees that it cannot")
            expect.true(not now.can_modify_io()[0], "nor its I/O")
            new = _rebuilt(site, made, memory=3072)
            expect.refused(validation.ValidatorException, lambda: _validate(site, now, new),
                           "the change, by the client")
            error = expect.refused(pvm_ex.HttpError, new.update, "the change, by the server")
            expect.true("HSCL2957" in str(error), "it says HSCL2957: %s" % error)
            forced = _rebuilt(site, made, memory=3072).update(force=True)
            expect.equal(forced.mem_config.desired, 3072, "the memory by force")
        finally:
            site.simulator.incident("rmc_back", made.uuid)


def _off(site, made):
    with site.check("what is off changes its bounds too"):
        running.off(site, made)
        changed = _rebuilt(site, made, memory=8192, max_mem=16384, vcpu=8, max_vcpu=16,
                           proc_units=0.8).update()
        expect.equal((changed.mem_config.desired, changed.mem_config.max), (8192, 16384),
                     "its memory")
        expect.equal(changed.proc_config.shared_proc_cfg.max_virtual, 16, "its processors")
    with site.check("NVRAM is kept, and read only in its group"):
        full = pvm_lpar.LPAR.get(site.adapter, uuid=made.uuid, xag=[const.XAG.NVRAM])
        full.nvram = "AAECAwQF"
        full.update()
        expect.equal(partition.now(site, made).nvram, None, "NVRAM without its group")
        full = pvm_lpar.LPAR.get(site.adapter, uuid=made.uuid, xag=[const.XAG.NVRAM])
        expect.equal(full.nvram, "AAECAwQF", "NVRAM with its group")
