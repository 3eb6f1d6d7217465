"""Other sizes: resize on the same host."""

from nova.compute import task_states
from nova import exception
from nova import objects
from nova.virt.powervm import errors
from nova.virt.powervm import plain
from nova.virt.powervm import volumes


class Migration:
    """Of the compute driver: the part about resizes."""

    def migrate_disk_and_power_off(self, context, instance, dest, flavor, network_info, block_device_info=None,
                                   timeout=0, retry_interval=0):
        if dest != self.get_host_ip_addr():
            raise _refused("a cold migration to another host is not supported yet")
        request = dict(_connected(instance, block_device_info), flavor=plain.flavor(flavor), from_gb=instance.flavor.root_gb,
                       timeout=timeout or None)
        with errors.told():
            told = self._call("depart", request, context=context, instance=instance)
        return told["disk"] or {}

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True, share_info=None):
        request = dict(_connected(instance, block_device_info), flavor=plain.flavor(instance.flavor),
                       power_on=power_on)
        with errors.told():
            told = self._call("arrive", request, context=context, instance=instance)
        volumes.keep(instance, told)

    def confirm_migration(self, context, migration, instance, network_info):
        request = dict(_named(instance), flavor=plain.flavor(instance.flavor))
        with errors.told():
            self._call("confirm", request, context=context, instance=instance)

    def finish_revert_migration(self, context, instance, network_info, migration, block_device_info=None,
                                power_on=True, share_info=None):
        request = dict(_connected(instance, block_device_info), flavor=plain.flavor(instance.flavor),
                       power_on=power_on)
        with errors.told():
            told = self._call("revert", request, context=context, instance=instance)
        volumes.keep(instance, told)

    def disconnect_after_revert(self, context, instance, block_device_info):
        """Nova ends the connections of a server whose resize is reverted: it must not have their disks any more."""
        request = _connected(instance, block_device_info)
        if not request["volumes"]:
            return
        with errors.told():
            self._call("stop", {"instance": instance.uuid}, context=context, instance=instance)
            self._call("detach_volumes", request, context=context, instance=instance)

    def stays_after_revert(self, context, instance):
        """Whether Nova wants the other half of a resize on this host removed: it is the same partition."""
        if instance.task_state != task_states.RESIZE_REVERTING or not instance.migration_context:
            return False
        migration = objects.Migration.get_by_id(context.elevated(), instance.migration_context.migration_id)
        return migration.source_compute == migration.dest_compute


def _refused(reason):
    return exception.InstanceFaultRollback(exception.ResizeError(reason=reason))


def _named(instance):
    return {"instance": instance.uuid, "name": instance.name}


def _connected(instance, block_device_info):
    """Nova ends the connections of volumes when a server leaves, and makes them anew where it arrives."""
    return dict(_named(instance), volumes=plain.volumes(block_device_info), metadata=plain.metadata_of(instance))
