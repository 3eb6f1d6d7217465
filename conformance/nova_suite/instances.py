"""Nova's objects as nova-compute would hand them to the driver."""

import datetime
import uuid

from nova import context as nova_context
from nova import objects
from nova.compute import power_state
from nova.compute import vm_states
from nova.objects import fields

_numbers = iter(range(1, 1 << 30))


def context():
    """Somebody's request."""
    return nova_context.RequestContext("conformance-user", "conformance-project", is_admin=True)


def flavor(name="small", vcpus=1, memory_mb=1024, root_gb=2, **extra_specs):
    """A flavor; extra specs by name without ``powervm:``."""
    return objects.Flavor(
        id=1, name=name, flavorid=name, vcpus=vcpus, memory_mb=memory_mb, root_gb=root_gb,
        ephemeral_gb=0, swap=0, rxtx_factor=1.0, vcpu_weight=1, disabled=False, is_public=True,
        extra_specs={"powervm:" + key: value for key, value in extra_specs.items()}, projects=[])


def image_meta(image):
    """The image as the driver gets it."""
    return objects.ImageMeta.from_dict(image)


class Saves:
    """Takes the place of the database below an instance: counts what is saved."""

    def __init__(self):
        self.count = 0

    def __call__(self, *arguments, **keywords):
        self.count += 1


def instance(host, name, wanted, config_drive=False, image=None):
    """A server that is about to be built on that host."""
    number = next(_numbers)
    values = {}
    for key, field in objects.Instance.fields.items():
        if field.nullable:
            values[key] = None
        elif field.default != fields.UnspecifiedDefault:
            values[key] = field.default
    for key in ("ec2_ids", "fault", "info_cache", "keypairs", "tags", "security_groups", "services"):
        values.pop(key, None)
    system_metadata = {}
    if image is not None:
        system_metadata["image_base_image_ref"] = image["id"]
    values.update(
        id=number, uuid=str(uuid.uuid4()), user_id="conformance-user",
        project_id="conformance-project", display_name=name, hostname=name, host=host, node=host,
        vm_state=vm_states.BUILDING, power_state=power_state.NOSTATE, launch_index=0, deleted=False,
        memory_mb=wanted.memory_mb, vcpus=wanted.vcpus, root_gb=wanted.root_gb, ephemeral_gb=0,
        config_drive="True" if config_drive else "", metadata={}, system_metadata=system_metadata,
        created_at=datetime.datetime.now(datetime.timezone.utc), flavor=wanted,
        image_ref=image["id"] if image is not None else "", reservation_id="r-conform")
    made = objects.Instance(context(), **values)
    made.keypairs = objects.KeyPairList(objects=[])
    made.tags = objects.TagList(objects=[])
    made.security_groups = objects.SecurityGroupList(objects=[])
    made.ec2_ids = objects.EC2Ids(instance_id="i-%08x" % number, ami_id="ami-%08x" % number,
                                  kernel_id=None, ramdisk_id=None)
    made.obj_reset_changes(recursive=True)
    made.save = Saves()
    made.refresh = lambda use_slave=False: None
    return made
