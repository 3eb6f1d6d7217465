"""What a partition costs of the host's memory, as the hypervisor says."""

from pypowervm.tasks import memory as tsk_mem
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import expect


def check(site):
    """By the job for it."""
    def cost(**data):
        return tsk_mem.calculate_memory_overhead_on_host(
            site.adapter, site.system.uuid, reserved_mem_data=data)

    with site.check("a partition's overhead is told, with the memory that is free"):
        overhead, free = cost(desired_mem=2048, max_mem=4096, lpar_env="AIX/Linux",
                              num_virt_eth_adapters=2, num_vscsi_adapters=1, num_vfc_adapters=1)
        system = pvm_ms.System.get(site.adapter, uuid=site.system.uuid)
        expect.within(overhead, 1, 4096, "the overhead (MB)")
        expect.equal(overhead % system.memory_region_size, 0, "of whole regions, the rest")
        expect.equal(free, system.memory_free, "the free memory (MB)")
    with site.check("more maximum memory costs more"):
        larger, _ = cost(desired_mem=2048, max_mem=262144)
        expect.within(larger - overhead, 1, 65536, "the difference (MB)")
    with site.check("a job that fails gives the default"):
        with site.simulator.fault(job="QueryReservedMemoryRequiredForPartition", first=1,
                                  fault={"firmware": "HSCL3205"}):
            expect.equal(cost(desired_mem=2048, max_mem=4096)[0], 512, "the overhead")
