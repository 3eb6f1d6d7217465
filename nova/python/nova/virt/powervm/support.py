"""Which methods of Nova's the driver has, and why it does not have the others.

``python -m nova.virt.powervm.support`` prints the table that docs/nova-methods.md is.
"""

import inspect

from nova.virt import driver

NO_REST = "the REST API has nothing for it"
PER_VOLUME = "meters are kept by adapter, not by volume"
NO_SHARES = "servers have no file systems of the host"

# Methods that stay as Nova's base class has them: most of them say that they are not implemented.
UNSUPPORTED = {
    "block_stats": PER_VOLUME,
    "default_device_names_for_instance": "Nova names devices itself; a partition's firmware gives other names",
    "default_root_device_name": "Nova names devices itself",
    "get_all_volume_usage": PER_VOLUME,
    "get_console_output": "a console keeps nothing of what it showed",
    "get_device_name_for_instance": "Nova names devices itself",
    "get_instance_diagnostics": "Nova's API refuses diagnostics of a driver that is not on its own list; "
                                "`get_diagnostics` has them",
    "get_instance_disk_info": "disks are no files of the host, so there is no block migration",
    "get_mks_console": "there is no such console",
    "get_serial_console": "there is no such console: consoles are opened as VNC servers",
    "get_spice_console": "there is no such console",
    "host_maintenance_mode": "hosts are not put out of service from here",
    "host_power_action": "hosts are not powered from here",
    "is_share_mounted": NO_SHARES,
    "live_migration_force_complete": NO_REST,
    "mount_share": NO_SHARES,
    "pause": NO_REST,
    "poll_rebooting_instances": "a reboot is over when its call is",
    "power_update_event": "for bare metal only",
    "quiesce": NO_REST,
    "restore": "Nova's own way, power on, is right",
    "set_admin_password": NO_REST,
    "set_host_enabled": "Nova's own service state is enough",
    "soft_delete": "Nova's own way, power off, is right",
    "swap_volume": "no request copies a volume while a server uses it",
    "umount_share": NO_SHARES,
    "unpause": NO_REST,
    "unquiesce": NO_REST,
    "volume_snapshot_create": "for file-backed volumes of other hypervisors only",
    "volume_snapshot_delete": "for file-backed volumes of other hypervisors only",
}

# Methods whose answer in Nova's base class is the right one.
INHERITED = {
    "capabilities_as_traits", "check_instance_shared_storage_cleanup", "check_source_migrate_data_at_dest",
    "clean_networks_preparation", "cleanup_lingering_instance_resources", "delete_instance_files", "emit_event",
    "failed_spawn_cleanup", "get_num_instances", "inject_network_info", "is_node_deleted", "is_supported_fs_format",
    "manages_network_binding_host_id", "network_binding_host_id", "node_is_available", "post_claim_migrate_data",
    "prepare_for_spawn", "prepare_networks_before_block_device_mapping",
    "process_instances_at_startup", "register_event_listener", "rollback_live_migration_at_source",
}

# Public methods of the driver that are not Nova's: its parts and the objects that it hands to Nova use them.
OURS = {"disconnect_after_revert", "is_coming", "stays_after_revert"}


def methods():
    """The public methods of Nova's class."""
    return sorted(name for name, value in vars(driver.ComputeDriver).items()
                  if not name.startswith("_") and inspect.isroutine(value))


def findings(ours):
    """What of Nova's class is neither implemented nor declared, declared wrongly, or implemented with other parameters,
    and what is implemented or declared that Nova's class has not (any more).
    """
    found = []
    for name in methods():
        declared = (name in UNSUPPORTED) + (name in INHERITED)
        theirs = getattr(driver.ComputeDriver, name)
        if getattr(ours, name) is theirs:
            if declared != 1:
                found.append("%s is neither implemented nor declared" % name)
        elif declared:
            found.append("%s is implemented and declared not to be" % name)
        elif list(inspect.signature(theirs).parameters) != list(inspect.signature(getattr(ours, name)).parameters):
            found.append("%s has other parameters than Nova's" % name)
    found += ["%s is declared, and Nova has no such method" % name
              for name in sorted((set(UNSUPPORTED) | INHERITED) - set(methods()))]
    found += ["%s is implemented, and Nova has no such method" % name
              for name, value in inspect.getmembers(ours, inspect.isroutine)
              if not name.startswith("_") and name not in OURS and not hasattr(driver.ComputeDriver, name)]
    return found


def table():
    """The table, as text."""
    lines = ["# Methods of Nova's compute driver", "",
             "Written by `python -m nova.virt.powervm.support` for Nova 34; `cargo xtask conformance --only nova_today` holds",
             "it against Nova's own class.", "", "| method | | why |", "| --- | --- | --- |"]
    for name in methods():
        if name in UNSUPPORTED:
            lines.append("| `%s` | no | %s |" % (name, UNSUPPORTED[name]))
        elif name in INHERITED:
            lines.append("| `%s` | as Nova has it | |" % name)
        else:
            lines.append("| `%s` | yes | |" % name)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
