"""How servers are made and removed, rescued and kept as images."""

import contextlib
import time

from oslo_log import log as logging

from nova.compute import task_states
import nova.conf
from nova import exception
from nova.image import glance
from nova import objects
from nova.virt import configdrive
from nova.virt.powervm import _native
from nova.virt.powervm import calls
from nova.virt.powervm import errors
from nova.virt.powervm import images
from nova.virt.powervm import plain

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF


class _Over(Exception):
    """The operation has ended before it waited for its ports."""


class Servers:
    """Of the compute driver: the part about whole servers."""

    def spawn(self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None,
              block_device_info=None, power_on=True, accel_info=None):
        # An evacuated server finds its disk in the pool, or on a volume.
        is_evacuated = instance.task_state == task_states.REBUILD_SPAWNING and instance.host != self.node
        has_volume = plain.is_booted_from_volume(block_device_info)
        is_back = is_evacuated and (has_volume or self.instance_on_disk(instance))
        request = self._whole(instance, network_info, block_device_info, power_on)
        request["existing_disk"] = is_back
        self._with_config_drive(request, instance, injected_files, admin_password, network_info)
        wants_image = not is_back and not has_volume
        if wants_image:
            if not image_meta.obj_attr_is_set("size"):
                # What Nova keeps of the image of an evacuated server is less than what Glance knows.
                image_meta = objects.ImageMeta.from_image_ref(context, glance.API(), image_meta.id)
            request["image"] = plain.image(image_meta)
        with errors.told():
            with self._download(context, instance, image_meta if wants_image else None) as pipe:
                self._make("spawn", request, context, instance, network_info, pipe)

    @staticmethod
    def _whole(instance, network_info, block_device_info, power_on):
        """A request for a server with all that belongs to it."""
        return {
            "instance": instance.uuid,
            "name": instance.name,
            "flavor": plain.flavor(instance.flavor),
            "volumes": plain.volumes(block_device_info),
            "metadata": plain.metadata_of(instance),
            "networks": plain.ports(network_info, instance),
            "power_on": power_on,
        }

    @staticmethod
    def _with_config_drive(request, instance, injected_files, admin_password, network_info):
        if configdrive.required_by(instance):
            request["config_drive"] = plain.config_drive(
                instance, injected_files, admin_password, network_info)
            request["dated"] = int(time.time())

    def rebuild(self, context, instance, image_meta, injected_files, admin_password, allocations, bdms,
                detach_block_devices, attach_block_devices, network_info=None, evacuate=False, block_device_info=None,
                preserve_ephemeral=False, accel_uuids=None, reimage_boot_volume=False):
        """Exchanges the boot disk and the config drive; the server keeps all else, its volumes too."""
        if evacuate or preserve_ephemeral or reimage_boot_volume:
            # Nova's own way, removal and spawn, is right.
            raise NotImplementedError()
        wants_image = not plain.is_booted_from_volume(block_device_info)
        request = {
            "instance": instance.uuid,
            "name": instance.name,
            "root_gb": instance.flavor.root_gb,
            "metadata": plain.metadata_of(instance),
        }
        self._with_config_drive(request, instance, injected_files, admin_password, network_info)
        if wants_image:
            request["image"] = plain.image(image_meta)
        for state, before in ((task_states.REBUILD_BLOCK_DEVICE_MAPPING, task_states.REBUILDING),
                              (task_states.REBUILD_SPAWNING, task_states.REBUILD_BLOCK_DEVICE_MAPPING)):
            instance.task_state = state
            instance.save(expected_task_state=[before])
        with errors.told():
            with self._download(context, instance, image_meta if wants_image else None) as pipe:
                self._call("rebuild", request, pipe, context=context, instance=instance)

    def _make(self, operation, request, context, instance, network_info, pipe=None):
        """Makes a server, which starts when Neutron has said that its ports are up."""
        ports = [vif["id"] for vif in network_info or [] if vif.get("active") is False]
        if not ports or not CONF.vif_plugging_is_fatal or not CONF.vif_plugging_timeout:
            self._call(operation, request, pipe, context=context, instance=instance)
            return
        plugs = _native.Plugs(ports)
        call = self._call.begin(operation, request, pipe, plugs=plugs, context=context, instance=instance)
        try:
            plugs.done(self._listen(instance, ports, plugs))
        except BaseException:
            calls.give_up(call)
            raise
        calls.told(call)

    def _listen(self, instance, ports, plugs):
        """Waits, as soon as the operation does, until Neutron has said that the ports are up; or says why not."""
        events = [("network-vif-plugged", port) for port in ports]
        try:
            # The name of the third parameter is not the same in all releases.
            with self.virtapi.wait_for_instance_event(instance, events, CONF.vif_plugging_timeout, _refuse):
                if not calls.outcome(plugs.waiting()):
                    raise _Over()
        except _Over:
            return None
        except exception.InstanceEventTimeout:
            return "Neutron did not say within %d s that the ports are up" % CONF.vif_plugging_timeout
        except exception.VirtualInterfaceCreateException:
            return "Neutron says that it failed to plug a port"
        return None

    @contextlib.contextmanager
    def _download(self, context, instance, image_meta):
        """The image on its way, if there is one."""
        if image_meta is None:
            yield None
            return
        certificates = instance.trusted_certs if instance.obj_attr_is_set("trusted_certs") else None
        with images.Download(glance.API(), context, image_meta.id, certificates) as pipe:
            yield pipe

    def destroy(self, context, instance, network_info, block_device_info=None, destroy_disks=True,
                destroy_secrets=True):
        if self.stays_after_revert(context, instance):
            self.disconnect_after_revert(context, instance, block_device_info)
            return
        with errors.told():
            self._remove(context, instance, block_device_info, destroy_disks)

    def _remove(self, context, instance, block_device_info, destroy_disks):
        request = {"instance": instance.uuid, "name": instance.name, "destroy_disks": destroy_disks,
                   "volumes": plain.volumes(block_device_info)}
        self._call("destroy", request, context=context, instance=instance)

    def cleanup(self, context, instance, network_info, block_device_info=None, destroy_disks=True,
                migrate_data=None, destroy_vifs=True, destroy_secrets=True):
        """Removal leaves nothing to be cleaned up."""

    def snapshot(self, context, instance, image_id, update_task_state):
        api = glance.API()
        metadata = {
            "name": api.get(context, image_id)["name"],
            "status": "active",
            "disk_format": "raw",
            "container_format": "bare",
            "properties": {"image_location": "snapshot", "image_state": "available",
                           "owner_id": instance.project_id},
        }
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        update_task_state(task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD)
        with errors.told():
            with images.Upload(api, context, image_id, metadata) as outlet:
                self._call("snapshot", {"instance": instance.uuid}, outlet=outlet, context=context, instance=instance)

    def cache_image(self, context, image_id):
        image = glance.API().get(context, image_id)
        request = {"image": {"id": image["id"], "name": image["name"], "checksum": image["checksum"] or image["id"],
                             "size": image["size"]}}
        before = len(self._call("images", {}))
        with errors.told():
            with images.Download(glance.API(), context, image_id) as pipe:
                self._call("cache_image", request, pipe, context=context)
            return len(self._call("images", {})) > before

    def manage_image_cache(self, context, all_instances):
        if not CONF.image_cache.remove_unused_base_images:
            return
        keep = {instance.image_ref for instance in all_instances if instance.image_ref}
        with errors.told():
            self._call("prune_images", {"keep": sorted(keep)}, context=context)

    def rescue(self, context, instance, network_info, image_meta, rescue_password, block_device_info,
               share_info=None):
        request = {"instance": instance.uuid, "name": instance.name, "image": plain.image(image_meta)}
        with errors.told():
            with self._download(context, instance, image_meta) as pipe:
                self._call("rescue", request, pipe, context=context, instance=instance)

    def unrescue(self, context, instance):
        with errors.told():
            self._call("unrescue", {"instance": instance.uuid, "name": instance.name},
                       context=context, instance=instance)


def _refuse(name, instance):
    LOG.error("Neutron failed to plug a port: %s", name, instance=instance)
    raise exception.VirtualInterfaceCreateException()
