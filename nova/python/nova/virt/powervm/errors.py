"""Errors of the driver as Nova's: the driver names the exception (docs/nova-exceptions.md), and here it is made."""

import contextlib
import json

from nova import exception
from nova.i18n import _
from nova.virt.powervm import _native


class PowerVMAPIFailed(exception.NovaException):
    """An operation that failed for a reason that Nova has no exception for."""

    msg_fmt = _("PowerVM API failed to complete: %(reason)s")


class ViosNotAvailable(exception.NovaException):
    """No Virtual I/O Server works."""

    msg_fmt = _("No Virtual I/O Server is available: %(reason)s")


class LiveMigrationFailed(exception.NovaException):
    """The live migration failed, and the server is where it was."""

    msg_fmt = _("Live migration failed: %(reason)s")


class LiveMigrationVolume(exception.NovaException):
    """The server has moved, and could not be looked at there."""

    msg_fmt = _("The server could not be looked at after its migration: %(reason)s")


class InvalidRebuild(exception.NovaException):
    """The disks that the server had cannot be had here."""

    msg_fmt = _("Unable to rebuild the server here: %(reason)s")


OWN = {kind.__name__: kind
       for kind in (PowerVMAPIFailed, ViosNotAvailable, LiveMigrationFailed, LiveMigrationVolume, InvalidRebuild)}


class Failure:
    """What the driver said."""

    def __init__(self, trouble):
        told = json.loads(trouble.args[0])
        self.kind = told["kind"]
        self.message = told["message"]
        self.name = told["exception"]
        self.inner = told["inner"]
        self.has_left = told["left_behind"]

    def exception(self):
        """What Nova is to get."""
        if self.inner:
            return _kind(self.name)(_kind(self.inner)(self.message))
        return _kind(self.name)(self.message)


def has_left(raised):
    """Whether something was left behind by what an exception of ours tells of."""
    cause = raised.__cause__
    return isinstance(cause, _native.Trouble) and Failure(cause).has_left


def _kind(name):
    return OWN.get(name) or getattr(exception, name or "", PowerVMAPIFailed)


@contextlib.contextmanager
def told():
    """Raises what Nova is to get for what the driver fails with."""
    try:
        yield
    except _native.Trouble as trouble:
        raise Failure(trouble).exception() from trouble
