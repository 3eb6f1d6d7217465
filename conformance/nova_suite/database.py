"""Nova's database and Neutron's security groups, as far as the drivers look there."""

import importlib

from nova import exception
from nova import objects

# Servers by UUID and their volumes, as the last spawn left them.
servers = {}
volumes = {}


def stand_in():
    """Answers instead of the database and of Neutron."""
    def get_by_uuid(context, uuid, *arguments, **keywords):
        if uuid not in servers:
            raise exception.InstanceNotFound(instance_id=uuid)
        return servers[uuid]

    def get_by_instance_uuid(context, uuid, *arguments, **keywords):
        return objects.BlockDeviceMappingList(objects=volumes.get(uuid, []))

    objects.Instance.get_by_uuid = get_by_uuid
    objects.BlockDeviceMappingList.get_by_instance_uuid = get_by_instance_uuid
    for name, owner in (("nova.network.security_group_api", None),
                        ("nova.network.security_group.neutron_driver", "SecurityGroupAPI")):
        try:
            module = importlib.import_module(name)
        except ImportError:  # one of the two, by Nova's release
            continue
        target = getattr(module, owner) if owner else module
        target.get_instance_security_groups = lambda *arguments, **keywords: []
