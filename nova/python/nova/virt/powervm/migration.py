"""Other sizes and other hosts, with the server off: resize and cold migration."""

from nova.compute import task_states
from nova import objects
from nova.virt.powervm import errors
from nova.virt.powervm import plain
from nova.virt.powervm import volumes


class Migration:
    """Of the compute driver: the part about resizes and cold migrations."""

    def migrate_disk_and_power_off(self, context, instance, dest, flavor, network_info, block_device_info=None,
                                   timeout=0, retry_interval=0):
        request = dict(_connected(instance, block_device_info), flavor=plain.flavor(flavor), from_gb=instance.flavor.root_gb,
                       timeout=timeout or None, other_host=self._leaves(context, instance, dest))
        with errors.told():
            told = self._call("depart", request, context=context, instance=instance)
        return told["disk"] or {}

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True, share_info=None):
        if stays(migration):
            request = dict(_connected(instance, block_device_info), flavor=plain.flavor(instance.flavor),
                           power_on=power_on)
            with errors.told():
                told = self._call("arrive", request, context=context, instance=instance)
            volumes.keep(instance, told)
            return
        request = self._whole(instance, network_info, block_device_info, power_on)
        request.update(existing_disk=True, place=disk_info or None)
        self._with_config_drive(request, instance, [], None, network_info)
        with errors.told():
            self._make("arrive_from_disk", request, context, instance, network_info)

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
        if instance.task_state != task_states.RESIZE_REVERTING:
            return False
        migration = _migration(context, instance)
        return migration is not None and stays(migration)

    def _leaves(self, context, instance, dest):
        """Whether the server goes to another host. Hosts of one machine may share an address."""
        migration = _migration(context, instance)
        return dest != self.get_host_ip_addr() if migration is None else not stays(migration)

    # Which disks outlive their host.

    def check_instance_shared_storage_local(self, context, instance):
        pool = self._pool()
        if pool is None:
            raise NotImplementedError()
        return {"ssp_uuid": pool}

    def check_instance_shared_storage_remote(self, context, data):
        return bool(data) and data.get("ssp_uuid") == self._pool()

    def _pool(self):
        """The UUID of the shared storage pool that boot disks are in; nothing where they are in a volume group."""
        with errors.told():
            return self._call("host", {})["pool"]


def stays(migration):
    """Whether it is one of a server that stays on its host."""
    return migration.source_compute == migration.dest_compute


def _migration(context, instance):
    if not instance.migration_context:
        return None
    return objects.Migration.get_by_id(context.elevated(), instance.migration_context.migration_id)


def _named(instance):
    return {"instance": instance.uuid, "name": instance.name}


def _connected(instance, block_device_info):
    """Nova ends the connections of volumes when a server leaves, and makes them anew where it arrives."""
    return dict(_named(instance), volumes=plain.volumes(block_device_info), metadata=plain.metadata_of(instance))
