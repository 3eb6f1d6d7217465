"""What only nova-powervm can do of a node: overhead, monitoring, storage questions.

Left out is what it cannot do with these libraries: get_host_uptime calls what nova 20 has no more, and
instance_on_disk and cold migration search a pool's units in a way that pypowervm refuses.
"""

from nova_suite import instances
from pypowervm_suite import expect


def check(node):
    """With node.server."""
    with node.check("estimates the overhead of a partition"):
        small = node.driver.estimate_instance_overhead({"memory_mb": 1024, "extra_specs": {}})
        large = node.driver.estimate_instance_overhead(instances.flavor(memory_mb=65536))
        expect.within(small["memory_mb"], 1, 2048, "the overhead of 1 GB")
        expect.true(large["memory_mb"] > small["memory_mb"], "64 GB have more: %s, %s" % (
            small, large))
    with node.check("tells the host's processor statistics"):
        found = node.driver.get_host_cpu_stats()
        for key in ("kernel", "user", "idle", "iowait"):
            expect.within(found[key], 0, 1 << 62, key)
        expect.equal(found["frequency"], 3425, "the frequency in MHz")
    with node.check("tells the host's address"):
        expect.equal(node.driver.get_host_ip_addr(), "127.0.0.1", "the address")
    with node.check("knows that the server is there and nobody else"):
        expect.true(node.driver.instance_exists(node.server), "the server exists")
        expect.true(not node.driver.instance_exists(
            instances.instance(node.server.host, "nobody", instances.flavor())), "nobody exists")
    with node.check("knows whether the server's disk could be reached from elsewhere"):
        if node.driver.disk_dvr.capabilities["shared_storage"]:
            data = node.driver.check_instance_shared_storage_local(node.context, node.server)
            expect.true(node.driver.check_instance_shared_storage_remote(node.context, data),
                        "its own pool is the same")
            node.driver.check_instance_shared_storage_cleanup(node.context, data)
        else:
            expect.refused(NotImplementedError, lambda:
                           node.driver.check_instance_shared_storage_local(
                               node.context, node.server), "the question")
            expect.true(not node.driver.instance_on_disk(node.server), "it could not")
