"""Nova's objects as plain data."""

import base64

from nova.api.metadata import base as metadata
from nova import exception
from nova.i18n import _
from nova.virt import driver


def flavor(flavor):
    """What a flavor says of a server's size."""
    return {"vcpus": flavor.vcpus, "memory_mb": flavor.memory_mb, "root_gb": flavor.root_gb,
            "extra_specs": {key: str(value) for key, value in (flavor.extra_specs or {}).items()}}


def metadata_of(instance):
    """What is kept for an instance."""
    return {key: value for key, value in instance.system_metadata.items() if isinstance(value, str)}


def image(image_meta):
    """What Glance says of an image."""
    return {"id": image_meta.id, "name": _set(image_meta, "name") or image_meta.id,
            # An image without a checksum is told by its UUID.
            "checksum": _set(image_meta, "checksum") or image_meta.id, "size": image_meta.size}


def _set(thing, field):
    return getattr(thing, field) if thing.obj_attr_is_set(field) else None


def mapping(block_device_info):
    """The volumes, as Nova has them."""
    return driver.block_device_info_get_mapping(block_device_info)


def volumes(block_device_info):
    """The connection information of each volume."""
    return [dict(volume["connection_info"]) for volume in mapping(block_device_info)]


def volume_id(connection_info):
    """Cinder's identifier of a volume."""
    return connection_info.get("serial") or connection_info["data"].get("volume_id")


def is_set(text):
    """Whether an extra spec says yes, as flavors say it."""
    return str(text).lower() in ("true", "t", "yes", "y")


def is_booted_from_volume(block_device_info):
    """Whether the first disk is a volume."""
    root = driver.block_device_info_get_root_device(block_device_info)
    return any(volume.get("boot_index") == 0 or (root and volume.get("mount_device") == root)
               for volume in mapping(block_device_info))


def port(vif, instance):
    """A port."""
    network = vif.get("network") or {}
    meta = network.get("meta") or {}
    details = vif.get("details") or {}
    kind = vif.get("type")
    plain = {"mac": vif["address"], "id": vif["id"], "network": network.get("id"), "mtu": meta.get("mtu")}
    if kind == "pvm_sea":
        vlan = meta.get("vlan") or details.get("vlan")
        return dict(plain, kind="sea", vlan=int(vlan))
    if kind == "ovs":
        return dict(plain, kind="ovs", bridge=network.get("bridge") or details.get("bridge_name"),
                    interface=vif.get("ovs_interfaceid") or vif["id"], device=vif.get("devname"))
    if kind == "pvm_sriov":
        vlan = details.get("vlan")
        return dict(plain, kind="sriov", vlan=int(vlan) if vlan else None,
                    physical_network=details.get("physical_network") or meta.get("physical_network") or "default",
                    redundancy=_number(details.get("redundancy"), int),
                    capacity=_number(details.get("capacity"), float),
                    max_capacity=_number(details.get("maxcapacity"), float))
    if not kind:
        raise exception.VirtualInterfacePlugException(
            _("vif_type parameter must be present for this vif_driver implementation"))
    raise exception.VirtualInterfacePlugException(
        _("Unable to find appropriate PowerVM VIF Driver for VIF type %(kind)s on instance %(name)s") %
        {"kind": kind, "name": instance.name})


def _number(text, kind):
    return None if text in (None, "") else kind(text)


def ports(network_info, instance):
    """All ports."""
    return [port(vif, instance) for vif in network_info or []]


def config_drive(instance, injected_files, admin_password, network_info):
    """The files of a config drive, base64."""
    extra = {"admin_pass": admin_password} if admin_password else {}
    told = metadata.InstanceMetadata(instance, content=injected_files, extra_md=extra,
                                     network_info=network_info)
    return {path: base64.b64encode(_bytes(content)).decode("ascii")
            for path, content in told.metadata_for_config_drive()}


def _bytes(content):
    return content.encode("utf-8") if isinstance(content, str) else content
