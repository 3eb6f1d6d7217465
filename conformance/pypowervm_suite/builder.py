"""lpar_builder: every kind of partition, and everything that it refuses."""

from pypowervm import exceptions as pvm_ex
from pypowervm.utils import lpar_builder
from pypowervm.wrappers import base_partition as bp
from pypowervm.wrappers import logical_partition as pvm_lpar

from pypowervm_suite import expect
from pypowervm_suite import partition

DEDICATED = bp.DedicatedSharingMode
CLIENT_ERRORS = (ValueError, TypeError, lpar_builder.LPARBuilderException)

# What the client refuses by itself: a name for the check, and attributes of the partition.
REFUSED = (
    ("an empty name", {"name": ""}),
    ("a name of 32 characters", {"name": "n" * 32}),
    ("a partition without memory", {"memory": None}),
    ("a partition without processors", {"vcpu": None}),
    ("memory that is no number", {"memory": "much"}),
    ("memory below 128 MB", {"memory": 64}),
    ("memory that is no multiple of a region", {"memory": 1000}),
    ("more desired than maximum memory", {"memory": 2048, "max_mem": 1024}),
    ("less desired than minimum memory", {"memory": 1024, "min_mem": 2048}),
    ("an expansion factor below 1", {"ame_factor": "0.5"}),
    ("an expansion factor above 10", {"ame_factor": "10.5"}),
    ("a page table ratio on a system without", {"ppt_ratio": "1:128"}),
    ("no virtual processor", {"vcpu": 0}),
    ("more desired than maximum virtual processors", {"vcpu": 4, "max_vcpu": 2}),
    ("fewer desired than minimum virtual processors", {"vcpu": 1, "min_vcpu": 2}),
    ("processing units below 0.05", {"proc_units": 0.01}),
    ("more desired than maximum processing units", {"proc_units": 1, "max_proc_units": 0.5}),
    ("less desired than minimum processing units", {"proc_units": 0.5, "min_proc_units": 1}),
    ("an unknown sharing mode of dedicated processors",
     {"dedicated_proc": True, "sharing_mode": "sometimes"}),
    ("dedicated processors that are neither true nor false", {"dedicated_proc": "perhaps"}),
    ("an unknown type of partition", {"env": "BeOS"}),
    ("one virtual slot", {"max_io_slots": 1}),
    ("65535 virtual slots", {"max_io_slots": 65535}),
    ("an availability priority of 256", {"avail_priority": 256}),
    ("a partition id of 0", {"id": 0}),
    ("remote restart that is neither true nor false", {"srr_capability": "perhaps"}),
    ("a compatibility mode that the system has not", {"processor_compatibility": "POWER5"}),
    ("secure boot on a system without", {"secure_boot": 2}),
    ("metrics that are neither true nor false", {"enable_lpar_metric": "perhaps"}),
    ("an affinity check that is neither true nor false", {"enforce_affinity_check": "perhaps"}),
)


def check(site):
    """Partitions that it creates and deletes."""
    _shared(site)
    _dedicated(site)
    _others(site)
    for name, attributes in REFUSED:
        with site.check("lpar_builder refuses " + name):
            expect.refused(CLIENT_ERRORS,
                           lambda a=attributes: partition.build(site, **{"name": "refused", **a}),
                           name)
    with site.check("lpar_builder refuses a factor of processing units above 1"):
        expect.refused(lpar_builder.LPARBuilderException,
                       lambda: lpar_builder.DefaultStandardize(site.system, proc_units_factor=1.1),
                       "a factor of 1.1")
    _server_refuses(site)


def _shared(site):
    with site.check("builds a capped partition with ranges"):
        with partition.temporary(
                site, "built-capped", sharing_mode=bp.SharingMode.CAPPED, vcpu=2, min_vcpu=1,
                max_vcpu=8, proc_units=0.5, min_proc_units=0.1, max_proc_units=4, memory=2048,
                min_mem=1024, max_mem=8192) as made:
            now = partition.now(site, made)
            shared = now.proc_config.shared_proc_cfg
            expect.equal(now.proc_config.sharing_mode, bp.SharingMode.CAPPED, "its sharing mode")
            expect.equal((shared.min_virtual, shared.desired_virtual, shared.max_virtual),
                         (1, 2, 8), "its virtual processors")
            expect.equal((shared.min_units, shared.desired_units, shared.max_units),
                         (0.1, 0.5, 4.0), "its processing units")
            memory = now.mem_config
            expect.equal((memory.min, memory.desired, memory.max), (1024, 2048, 8192),
                         "its memory")
    with site.check("builds an uncapped partition with a weight in a processor pool"):
        with partition.temporary(site, "built-weight", uncapped_weight=128, vcpu=1,
                                 proc_units=0.3, avail_priority=91,
                                 enable_lpar_metric=True) as made:
            now = partition.now(site, made)
            expect.equal(now.proc_config.sharing_mode, bp.SharingMode.UNCAPPED, "its mode")
            expect.equal(now.proc_config.shared_proc_cfg.uncapped_weight, 128, "its weight")
            expect.equal(now.avail_priority, 91, "its availability priority")
            expect.true(now.allow_perf_data_collection, "its metrics are collected")
    with site.check("builds a partition with memory expansion"):
        with partition.temporary(site, "built-expanded", ame_factor="1.5") as made:
            expect.equal(partition.now(site, made).mem_config.exp_factor, 1.5, "the factor")


def _dedicated(site):
    for mode in (DEDICATED.KEEP_IDLE_PROCS, DEDICATED.SHARE_IDLE_PROCS,
                 DEDICATED.SHARE_IDLE_PROCS_ACTIVE, DEDICATED.SHARE_IDLE_PROCS_ALWAYS):
        with site.check("builds dedicated processors, mode `%s`" % mode):
            with partition.temporary(site, "built-dedicated", dedicated_proc="true", vcpu=2,
                                     min_vcpu=1, max_vcpu=3, sharing_mode=mode) as made:
                processors = partition.now(site, made).proc_config
                expect.true(processors.has_dedicated, "its processors are dedicated")
                expect.equal(processors.sharing_mode, mode, "its sharing mode")
                dedicated = processors.dedicated_proc_cfg
                expect.equal((dedicated.min, dedicated.desired, dedicated.max), (1, 2, 3),
                             "how many")


def _others(site):
    with site.check("builds an IBM i partition"):
        with partition.temporary(site, "built-ibmi", env=bp.LPARType.OS400, load_src="3",
                                 alt_load_src="4", console="HMC") as made:
            now = partition.now(site, made)
            expect.equal(now.env, bp.LPARType.OS400, "its type")
            tagged = now.io_config.tagged_io
            expect.equal((tagged.load_src, tagged.alt_load_src, tagged.console), ("3", "4", "HMC"),
                         "load source, alternate load source and console")
            expect.true(now.restrictedio, "its I/O is restricted")
    with site.check("builds a partition with an id and a compatibility mode of its own"):
        mode = sorted(m for m in site.system.proc_compat_modes if m != "default")[0]
        with partition.temporary(site, "built-id", id=77,
                                 processor_compatibility=mode) as made:
            now = partition.now(site, made)
            expect.equal(now.id, 77, "its id")
            expect.equal(now.pending_proc_compat_mode, mode, "its mode")
    with site.check("builds a partition with and without simplified remote restart"):
        for capable in (True, False):
            with partition.temporary(site, "built-restart", srr_capability=capable) as made:
                expect.equal(partition.now(site, made).srr_enabled, capable, "what it has")
    with site.check("rebuilds a partition from shared to dedicated processors and back"):
        with partition.temporary(site, "built-again") as made:
            for attributes, dedicated in (({"dedicated_proc": True, "vcpu": 2}, True),
                                          ({"proc_units": 0.4, "vcpu": 2}, False)):
                wanted = {"name": "built-again", "memory": 1024, "max_io_slots": 200, **attributes}
                lpar_builder.LPARBuilder(
                    site.adapter, wanted,
                    lpar_builder.DefaultStandardize(site.system)).rebuild(
                        partition.now(site, made)).update()
                expect.equal(partition.now(site, made).proc_config.has_dedicated, dedicated,
                             "whether its processors are dedicated")


def _server_refuses(site):
    before = None
    with site.check("the partitions can be counted"):
        before = sorted(p.name for p in pvm_lpar.LPAR.get(site.adapter))
    taken = site.vioses[0].id

    def changed(attributes, change):
        made = partition.build(site, **{"name": "server-refuses", **attributes})
        change(made)
        return made.create(parent=site.system)

    def more_than_most(made):
        made.mem_config.desired = made.mem_config.max * 2

    def no_region(made):
        memory = made.mem_config
        memory.desired = memory.max = memory.min = 1000

    def few_units(made):
        shared = made.proc_config.shared_proc_cfg
        shared.desired_units = shared.min_units = 0.05

    for name, attributes, change in (
            ("an id that is taken", {"id": taken}, lambda made: None),
            ("more desired than maximum memory", {}, more_than_most),
            ("memory that is no multiple of a region", {}, no_region),
            ("too few processing units for its virtual processors", {"vcpu": 20}, few_units)):
        with site.check("the server refuses " + name):
            error = expect.refused(pvm_ex.HttpError, lambda a=attributes, c=change: changed(a, c),
                                   name)
            expect.within(error.response.status, 400, 599, "the status")
    with site.check("none of the refused partitions is there"):
        now = sorted(p.name for p in pvm_lpar.LPAR.get(site.adapter))
        expect.equal(now, before, "the partitions")
