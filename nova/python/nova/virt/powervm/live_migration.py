"""Live migration: a server goes to another host while it runs.

What one host has found out for the other is the driver's own data, in JSON. Nova carries it in an object that its
conductor has to know as well, and that knows no object of a driver from elsewhere: one of Nova's own takes it along.
"""

import json
from urllib import parse

from oslo_log import log as logging

import nova.conf
from nova import exception
from nova.i18n import _
from nova.objects import migrate_data as objects
from nova.virt.powervm import _native
from nova.virt.powervm import errors
from nova.virt.powervm import plain

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF

# What tells our data from libvirt's: the other fields mean to Nova what they say.
KIND = "powervm"
HERE = ("127.0.0.1", "localhost", "::1")


class LiveMigration:
    """Of the compute driver: the part about live migrations."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        # Servers that are to come: the migration's data and the volumes, as the storage shows them to this host.
        self._coming = {}
        # Servers whose migration from here somebody has stopped.
        self._stopped = set()

    # On the destination, before it.

    def check_can_live_migrate_destination(self, context, instance, src_compute_info, dst_compute_info,
                                           block_migration=False, disk_over_commit=False):
        if block_migration:
            raise exception.MigrationPreCheckError(
                reason=_("disks are not copied: they are in a pool or on volumes that both hosts reach"))
        request = {"instance": instance.uuid, "address": address(), "user": CONF.powervm.migration_user}
        with errors.told():
            told = self._call("check_migration_destination", request, context=context, instance=instance)
        return carried(told)

    def cleanup_live_migration_destination_check(self, context, dest_check_data):
        """The check has changed nothing."""

    def pre_live_migration(self, context, instance, block_device_info, network_info, disk_info, migrate_data):
        found = plain.volumes(block_device_info)
        with errors.told():
            told = self._call("pre_live_migration", {"data": data_of(migrate_data), "volumes": found},
                              context=context, instance=instance)
        self._coming[instance.uuid] = (told, found)
        udids = (told["prepared"] or {}).get("udids", {})
        for volume in plain.mapping(block_device_info):
            udid = udids.get(plain.volume_id(volume["connection_info"]))
            if udid:
                volume["connection_info"]["data"]["target_UDID"] = udid
        migrate_data.filename = json.dumps(told)
        return migrate_data

    # On the source.

    def check_can_live_migrate_source(self, context, instance, dest_check_data, block_device_info=None):
        with errors.told():
            told = self._call("check_migration_source", {"data": data_of(dest_check_data)},
                              context=context, instance=instance)
        dest_check_data.filename = json.dumps(told)
        return dest_check_data

    def live_migration(self, context, instance, dest, post_method, recover_method, block_migration=False,
                       migrate_data=None):
        """A server that does not go stays as it was, which is no error to Nova: the migration has failed."""
        wants_affinity = plain.is_set(instance.flavor.extra_specs.get("powervm:enforce_affinity_check"))
        self._stopped.discard(instance.uuid)
        try:
            with errors.told():
                self._call("live_migration", {"data": data_of(migrate_data), "affinity": wants_affinity},
                           context=context, instance=instance)
        except exception.NovaException as failure:
            LOG.error("%s", failure.format_message(), instance=instance)
            is_stopped = instance.uuid in self._stopped
            recover_method(context, instance, dest, migrate_data=migrate_data,
                           migration_status="cancelled" if is_stopped else "failed")
            if errors.has_left(failure):
                raise
        else:
            post_method(context, instance, dest, block_migration, migrate_data)
        finally:
            self._stopped.discard(instance.uuid)

    def live_migration_abort(self, instance):
        self._stopped.add(instance.uuid)
        try:
            with errors.told():
                self._call("abort_live_migration", {"instance": instance.uuid}, instance=instance)
        except exception.NovaException:
            self._stopped.discard(instance.uuid)
            raise

    def post_live_migration(self, context, instance, block_device_info, migrate_data=None):
        """Removes what the server has left. It has gone: nothing of this is a reason to fail."""
        request = {"data": data_of(migrate_data), "volumes": plain.volumes(block_device_info)}
        try:
            self._call("leave_behind", request, context=context, instance=instance)
        except _native.Trouble as trouble:
            LOG.error("Something of a server that has moved is left: %s", errors.Failure(trouble).message,
                      instance=instance)

    def post_live_migration_at_source(self, context, instance, network_info):
        """Its adapters have gone with it, and trunk adapters with the rest that it left."""

    # On the destination, after it.

    def post_live_migration_at_destination(self, context, instance, network_info, block_migration=False,
                                           block_device_info=None):
        data, _volumes = self._coming.pop(instance.uuid, (None, ()))
        mapping = plain.mapping(block_device_info)
        request = {"instance": instance.uuid, "data": data, "volumes": plain.volumes(block_device_info),
                   "metadata": plain.metadata_of(instance)}
        with errors.told():
            told = self._call("receive", request, context=context, instance=instance)
        if told.get("metadata"):
            instance.system_metadata.update(told["metadata"])
        for volume, attached in zip(mapping, told["volumes"]):
            if attached["target_udid"]:
                volume["connection_info"]["data"]["target_UDID"] = attached["target_udid"]
                volume.save()

    def rollback_live_migration_at_destination(self, context, instance, network_info, block_device_info,
                                               destroy_disks=True, migrate_data=None):
        # Nova names no volumes here: it has had them detached before.
        data, found = self._coming.pop(instance.uuid, (None, ()))
        if data is None:
            data = data_of(migrate_data)
        with errors.told():
            self._call("rollback_live_migration", {"data": data, "volumes": list(found)},
                       context=context, instance=instance)

    def is_coming(self, instance):
        """Whether the server is on its way to this host: what is here of its volumes belongs to the migration."""
        return instance.uuid in self._coming


def address():
    """Where the other host's console finds this host's."""
    if CONF.powervm.migration_address:
        return CONF.powervm.migration_address
    host = parse.urlsplit(CONF.powervm.endpoint).hostname
    # On a NovaLink's own partition the endpoint has an address that nobody else knows it by.
    return CONF.my_ip if not host or host in HERE else host


def carried(data):
    """The driver's data, in an object of Nova's: whose conductor then has the destination cleaned up as well."""
    return objects.LibvirtLiveMigrateData(image_type=KIND, filename=json.dumps(data), is_shared_instance_path=False,
                                          is_shared_block_storage=True, block_migration=False)


def data_of(migrate_data):
    """The driver's data."""
    is_ours = migrate_data is not None and "image_type" in migrate_data and migrate_data.image_type == KIND
    if not is_ours or "filename" not in migrate_data:
        raise exception.MigrationPreCheckError(reason=_("the other host has another driver"))
    return json.loads(migrate_data.filename)
