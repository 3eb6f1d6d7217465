"""Volumes of servers."""

from oslo_log import log as logging

from nova.compute import task_states
from nova import exception
from nova.virt.powervm import errors
from nova.virt.powervm import plain


LOG = logging.getLogger(__name__)


class Volumes:
    """Of the compute driver: the part about volumes."""

    def attach_volume(self, context, connection_info, instance, mountpoint, disk_bus=None, device_type=None,
                      encryption=None):
        with errors.told():
            told = self._call("attach_volumes", _request(connection_info, instance),
                              context=context, instance=instance)
        keep(instance, told)
        for volume in told["volumes"]:
            if volume["target_udid"]:
                connection_info["data"]["target_UDID"] = volume["target_udid"]

    def detach_volume(self, context, connection_info, instance, mountpoint, encryption=None):
        if self.is_coming(instance):
            LOG.debug("The volume goes with what was prepared for a server that does not come.", instance=instance)
            return
        try:
            with errors.told():
                told = self._call("detach_volumes", _request(connection_info, instance),
                                  context=context, instance=instance)
        except exception.InstanceNotFound:
            LOG.warning("The server is not here, and so none of its volumes is attached here.", instance=instance)
            return
        keep(instance, told)

    def extend_volume(self, context, connection_info, instance, requested_size):
        with errors.told():
            self._call("extend_volumes", _request(connection_info, instance), context=context, instance=instance)

    def get_volume_connector(self, instance):
        is_coming = instance.task_state == task_states.MIGRATING and instance.host != self.node
        with errors.told():
            told = self._call("arriving_connector" if is_coming else "volume_connector",
                              {"instance": instance.uuid, "metadata": plain.metadata_of(instance)},
                              instance=instance)
        keep(instance, told)
        return told["connector"]


def _request(connection_info, instance):
    return {"instance": instance.uuid, "volumes": [dict(connection_info)],
            "metadata": plain.metadata_of(instance)}


def keep(instance, told):
    """What the driver wants to know of the instance next time: names of its ports."""
    kept = told.get("metadata")
    if kept:
        instance.system_metadata.update(kept)
        instance.save()
