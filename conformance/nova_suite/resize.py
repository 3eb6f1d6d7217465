"""A server resized on its own host, and back."""

from nova import conf
from nova import exception
from nova import objects
from nova.compute import task_states

from nova_suite import instances
from nova_suite import node as nodes
from pypowervm_suite import expect

CONF = conf.CONF


def check(node):
    """With a server of its own."""
    small = instances.flavor("small", vcpus=1, memory_mb=1024, root_gb=2)
    large = instances.flavor("large", vcpus=2, memory_mb=2048, root_gb=2, max_mem="8192")
    with node.check("refuses to make a disk smaller"):
        made = node.keep("resized", node.spawn("resized", small, node.image))
        tiny = instances.flavor("tiny", root_gb=1)
        error = expect.refused(exception.InstanceFaultRollback, lambda: _begin(node, made, tiny),
                               "a smaller disk")
        expect.true(isinstance(error.inner_exception, exception.ResizeError), repr(error))
    with node.check("resizes: powers off, changes, powers on"):
        disk = _begin(node, made, large)
        expect.equal(node.partition(made).name, "resize_" + made.name, "the name meanwhile")
        expect.equal(node.partition(made).state, "not activated", "the state meanwhile")
        made.flavor = large
        made.root_gb = large.root_gb
        _finish(node, made, disk)
        partition = node.partition(made)
        nodes.booted(partition)
        memory = partition.mem_config
        expect.equal((memory.desired, memory.max), (2048, 8192), "the memory")
        expect.equal(partition.proc_config.shared_proc_cfg.desired_virtual, 2, "the vcpus")
    with node.check("confirms: the partition has its name again"):
        node.driver.confirm_migration(node.context, _migration(), made, [])
        expect.equal(node.partition(made).name, made.name, "the name")
    with node.check("resizes and reverts"):
        disk = _begin(node, made, small)
        made.flavor = small
        _finish(node, made, disk)
        expect.equal(node.partition(made).mem_config.desired, 1024, "the memory before")
        made.task_state = task_states.RESIZE_REVERTING
        node.driver.destroy(node.context, made, [], nodes.block_devices(()), True)
        made.flavor = large
        node.driver.finish_revert_migration(node.context, made, [], nodes.block_devices(()))
        made.task_state = None
        partition = node.partition(made)
        nodes.booted(partition)
        expect.equal(partition.mem_config.desired, 2048, "the memory")
        expect.equal(partition.name, made.name, "the name")
    if CONF.powervm.disk_driver == "localdisk":
        with node.check("resizes to a larger disk"):
            grown = instances.flavor("grown", vcpus=2, memory_mb=2048, root_gb=4)
            disk = _begin(node, made, grown)
            made.flavor = grown
            made.root_gb = grown.root_gb
            _finish(node, made, disk)
            node.driver.confirm_migration(node.context, _migration(), made, [])
            found = [mapping.backing_storage for mappings in
                     node.mappings(node.partition(made).id).values() for mapping in mappings]
            expect.equal([disk.capacity for disk in found], [4], "the disk's size")
    with node.check("destroys the resized server"):
        node.destroy(made)


def _begin(node, made, wanted):
    made.task_state = task_states.RESIZE_MIGRATING
    try:
        return node.driver.migrate_disk_and_power_off(
            node.context, made, CONF.my_ip, wanted, [], nodes.block_devices(()))
    finally:
        made.task_state = None


def _finish(node, made, disk):
    node.driver.finish_migration(
        node.context, _migration(), made, disk, [], instances.image_meta(node.image), True,
        nodes.block_devices(()))


def _migration():
    return objects.Migration(source_compute=CONF.host, dest_compute=CONF.host)
