"""Errors of the driver as Nova's."""

import contextlib
import json

from nova import exception
from nova.i18n import _
from nova.virt.powervm import _native

# Who is asked differently can succeed; another host would say the same.
HOPELESS = ("invalid",)


class PowerVMAPIFailed(exception.NovaException):
    """An operation that failed for a reason that Nova has no exception for."""

    msg_fmt = _("PowerVM API failed to complete for instance=%(inst_name)s. %(reason)s")


class Failure:
    """What the driver said."""

    def __init__(self, trouble):
        told = json.loads(trouble.args[0])
        self.kind = told["kind"]
        self.message = told["message"]


def not_found(instance):
    return exception.InstanceNotFound(instance_id=instance.uuid)


def spawn(failure, instance):
    if failure.kind in HOPELESS:
        return exception.BuildAbortException(instance_uuid=instance.uuid, reason=failure.message)
    if failure.kind == "no_space":
        return exception.ComputeResourcesUnavailable(reason=failure.message)
    return other(failure, instance)


def destroy(failure, instance):
    return exception.InstanceTerminationFailure(reason=failure.message)


def power_off(failure, instance):
    return exception.InstancePowerOffFailure(reason=failure.message)


def power_on(failure, instance):
    return exception.InstancePowerOnFailure(reason=failure.message)


def reboot(failure, instance):
    return exception.InstanceRebootFailure(reason=failure.message)


def suspend(failure, instance):
    return exception.InstanceSuspendFailure(reason=failure.message)


def rescue(failure, instance):
    return exception.InstanceRescueFailure(reason=failure.message)


def volume(kind, connection_info):
    """For kind VolumeAttachFailed, VolumeDetachFailed or VolumeExtendFailed."""
    def made(failure, instance):
        return kind(volume_id=connection_info.get("serial") or connection_info["data"].get("volume_id"),
                    reason=failure.message)

    return made


def plug(failure, instance):
    return exception.VirtualInterfacePlugException(failure.message)


def attach_interface(failure, instance):
    return exception.InterfaceAttachFailed(failure.message, instance_uuid=instance.uuid)


def unplug(failure, instance):
    return exception.InterfaceDetachFailed(failure.message, instance_uuid=instance.uuid)


def resize(failure, instance):
    return exception.InstanceFaultRollback(exception.ResizeError(reason=failure.message))


def console(failure, instance):
    return exception.ConsoleTypeUnavailable(
        _("VNC based terminal for instance %(name)s failed to open: %(reason)s") %
        {"name": instance.name, "reason": failure.message}, console_type="vnc")


def other(failure, instance):
    return PowerVMAPIFailed(inst_name=instance.name if instance else "-", reason=failure.message)


@contextlib.contextmanager
def told(instance, kind=other, missing=not_found):
    """Raises what Nova expects for what the driver fails with; missing: for a partition that is not there."""
    try:
        yield
    except _native.Trouble as trouble:
        failure = Failure(trouble)
        if failure.kind == "not_found" and missing is not None and instance is not None:
            raise missing(instance) from trouble
        raise kind(failure, instance) from trouble
