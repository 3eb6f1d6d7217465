"""The ``[powervm]`` group of nova.conf: the names, defaults and ranges that operators know, and the endpoint."""

import os
import secrets

from oslo_config import cfg
from oslo_config import types

# Seconds.
MARGIN = 60

GROUP = cfg.OptGroup("powervm", title="PowerVM", help="Hosts that are driven through the PowerVM REST API.")

ENDPOINT = [
    cfg.StrOpt("endpoint", default="http://127.0.0.1:12080",
               help="The REST API: https://HOST:12443 of an HMC or NovaLink, or (default) that of the NovaLink "
                    "partition that nova-compute runs on."),
    cfg.StrOpt("endpoint_user",
               help="Who logs on. Without a user the token file of the NovaLink partition is used."),
    cfg.StrOpt("endpoint_password_file", help="A file with the user's password, which only nova may read."),
    cfg.StrOpt("endpoint_ca_file", help="A PEM file of the authority that vouches for the endpoint."),
    cfg.StrOpt("endpoint_fingerprint", help="SHA-256 of the endpoint's certificate, instead of an authority."),
    cfg.BoolOpt("endpoint_insecure", default=False,
                help="Believe any certificate. Whoever sits between can read the password."),
    cfg.IntOpt("endpoint_tries", default=300, min=1,
               help="How often, every two seconds, the first logon is tried while the endpoint cannot be reached."),
    cfg.StrOpt("managed_system", default="",
               help="Name or UUID of the system to drive; needed where the endpoint manages several."),
    cfg.StrOpt("journal", default="",
               help="File of the driver's journal; by default powervm/HOST.journal below [DEFAULT]state_path. "
                    "Nobody else may write into its folder."),
    cfg.StrOpt("host_lock", default="",
               help="Tells the system from others with the same serial number, as simulated ones have: two drivers of "
                    "one machine cannot drive one system."),
]

KNOWN = [
    cfg.FloatOpt("proc_units_factor", default=0.1, min=0.05, max=1,
                 help="Processing units for each virtual processor of a flavor that names none."),
    cfg.IntOpt("uncapped_proc_weight", default=64, min=1, max=255,
               help="Weight of an uncapped partition whose flavor names none."),
    cfg.StrOpt("disk_driver", default="localdisk", choices=["localdisk", "ssp"], ignore_case=True,
               help="Where boot disks live: in a volume group of one Virtual I/O Server, or in a shared storage pool."),
    cfg.StrOpt("volume_group_name", default="", help="Volume group of the boot disks; needed for localdisk."),
    cfg.StrOpt("cluster_name", default="",
               help="Cluster of the shared storage pool; may be left out where there is only one."),
    cfg.StrOpt("vopt_media_volume_group", default="rootvg",
               help="Volume group that gets a media repository where no Virtual I/O Server has one."),
    cfg.IntOpt("vopt_media_rep_size", default=1, min=1, help="Size in GB of a media repository that the driver makes."),
    cfg.BoolOpt("remove_vopt_media_on_boot", default=False,
                help="Take the config drive out of the guest some time after its first start."),
    cfg.IntOpt("remove_vopt_media_time", default=60, min=0, help="After how many minutes."),
    cfg.BoolOpt("use_rmc_mgmt_vif", default=True, help="Give each partition an adapter on the management switch."),
    cfg.BoolOpt("use_rmc_ipv6_scheme", default=True,
                help="Tell the guest, in its config drive, the link-local address of that adapter."),
    cfg.StrOpt("pvm_vswitch_for_novalink_io", default="NovaLinkVEABridge",
               help="Switch of the pairs of adapters that lead to Open vSwitch."),
    cfg.IntOpt("vios_active_wait_timeout", default=300, min=0,
               help="Longest wait in seconds for the Virtual I/O Servers at the start."),
    cfg.StrOpt("fc_attach_strategy", default="vscsi", choices=["vscsi", "npiv"], ignore_case=True,
               help="How servers reach Fibre Channel volumes."),
    cfg.IntOpt("vscsi_vios_connections_required", default=1, min=1,
               help="How many Virtual I/O Servers have to see a Fibre Channel volume at least."),
    cfg.BoolOpt("volume_use_multipath", default=False, help="Whether all ways to a volume are wanted."),
    cfg.StrOpt("iscsi_iface", default="default", help="The interface that iSCSI discovery goes through."),
    cfg.StrOpt("rbd_user", default="", help="The user that Ceph images are opened as."),
    cfg.IntOpt("ports_per_fabric", default=1, min=1, max=8, help="Virtual ports of a server on each NPIV fabric."),
    cfg.StrOpt("fabrics", default="A", help="Names of the NPIV fabrics, separated by commas."),
    cfg.StrOpt("nvram_store", default="none", choices=["none", "file", "swift"], ignore_case=True,
               help="Where slots and NVRAM of servers are kept outside of the host, for evacuation."),
    cfg.StrOpt("swift_container", default="powervm_nvram", help="Swift's container for them."),
    cfg.StrOpt("swift_username", default="powervm", help="Who logs on to Keystone for that."),
    cfg.StrOpt("swift_user_domain_name", default="powervm", help="The domain of that user."),
    cfg.StrOpt("swift_project_name", default="powervm", help="The project that the container belongs to."),
    cfg.StrOpt("swift_project_domain_name", default="powervm", help="The domain of that project."),
    cfg.StrOpt("swift_auth_version", default="3", help="Version of Keystone's API: 3."),
    cfg.StrOpt("swift_auth_url", help="Keystone's URL; needed for swift."),
    cfg.StrOpt("swift_cacert", help="A PEM file of the authority behind the certificates of Keystone and Swift."),
    cfg.StrOpt("swift_endpoint_type", help="publicURL (default), internalURL or adminURL of the catalogue."),
    cfg.BoolOpt("vnc_use_x509_auth", default=False, help="Whether consoles are served with TLS (VeNCrypt, x509None)."),
    cfg.StrOpt("vnc_ca_certs", help="With TLS, a PEM file of authorities one of which vouches for clients."),
    cfg.StrOpt("vnc_server_cert", help="The certificate that consoles are served with; needed for TLS."),
    cfg.StrOpt("vnc_server_key", help="The key of that certificate; needed for TLS."),
    cfg.StrOpt("image_meta_local_path", default="", help="Without effect: a config drive is made in memory."),
    cfg.StrOpt("fc_npiv_adapter_api", default="", help="Without effect: the adapters are built in."),
    cfg.StrOpt("fc_vscsi_adapter_api", default="", help="Without effect: the adapters are built in."),
]

# How the driver does what the one of that time did not.
OURS = [
    cfg.StrOpt("nvram_store_folder", default="",
               help="With nvram_store = file: a folder that all hosts reach that a server may be evacuated to."),
    cfg.StrOpt("swift_password_file", default="",
               help="A file with the user's password, which only nova may read; instead of swift_password."),
    cfg.StrOpt("swift_storage_url", default="", help="Swift's URL with the account, instead of the catalogue's."),
    cfg.IntOpt("image_wait_timeout", default=3600, min=1,
               help="Longest wait in seconds for another host that uploads the same image."),
    cfg.IntOpt("image_marker_stale_after", default=1800, min=60,
               help="After how many seconds without a change such an upload is reported as abandoned."),
    cfg.BoolOpt("image_marker_takeover", default=False, help="Whether to remove an abandoned upload and start anew."),
    cfg.IntOpt("max_uploads", default=3, min=1, max=16, help="Uploads at the same time."),
    cfg.IntOpt("recovery_wait", default=15, min=0, max=600,
               help="How many seconds a recovery waits for what a killed nova-compute asked for last."),
]

# What Python uses, and the driver does not know.
HERE = [
    cfg.StrOpt("swift_password", secret=True, help="The user's password; swift_password_file keeps it out of here."),
    cfg.StrOpt("migration_address", default="",
               help="Where the consoles of other hosts reach that of this one, for live migrations: by default the host "
                    "of the endpoint, or [DEFAULT]my_ip on a NovaLink partition."),
    cfg.StrOpt("migration_user", default="wlp",
               help="The user there: wlp on NovaLinks; on HMCs one for whom mkauthkeys was run."),
    cfg.IntOpt("vnc_port", default=5901, min=0, max=65535,
               help="Port of [vnc]server_listen at which the consoles of all servers are served on a NovaLink; 0 has "
                    "each console on a port of its own, which only this machine reaches."),
]

MACHINE = [
    cfg.StrOpt("device_folder", default="/dev/disk/by-id",
               help="Folder that names the disks of this machine by their identifiers, for snapshots."),
    cfg.IntOpt("device_timeout", default=300, min=1, max=3600,
               help="Longest wait in seconds for a disk that was mapped to the management partition."),
    cfg.StrOpt("mkvterm", default="mkvterm", help="The command that opens consoles on the management partition."),
]

# Options that the driver knows by the same name.
SAME = tuple(option.dest for option in KNOWN + OURS + MACHINE) + ("managed_system", "host_lock")


def register(conf):
    """Makes the group known to Nova's configuration, and an option of Nova's fit for hosts of this driver."""
    # Agents of a host are told of a server's ports once its partition is there: before a live migration Nova would
    # wait in vain for news of them, and give it up.
    conf.set_default("live_migration_wait_for_vif_plug", False, group="compute")
    conf.register_group(GROUP)
    conf.register_opts(ENDPOINT + KNOWN + OURS + HERE + MACHINE, group=GROUP)


def fabrics(names):
    """An option for each fabric of a list with commas."""
    return [cfg.Opt("fabric_%s_port_wwpns" % name.strip(), type=types.String(), default="",
                    help="Port names of the Virtual I/O Servers on this fabric, separated by commas.")
            for name in names.split(",") if name.strip()]


def register_fabrics(conf):
    """Makes known an option for each fabric that the group names."""
    options = fabrics(conf.powervm.fabrics)
    conf.register_opts(options, group=GROUP)
    return [option.dest for option in options]


def settings(conf, host):
    """What the driver is started with."""
    group = conf.powervm
    options = {name: getattr(group, name) for name in SAME if getattr(group, name) not in (None, "")}
    if group.swift_password:
        options["swift_password_file"] = _secret_file("swift_password", group.swift_password)
    for name in register_fabrics(conf):
        if getattr(group, name):
            options[name] = getattr(group, name)
    options["host"] = host
    # Neutron's agents on the host connect ports once they hear of them.
    options["announce_interfaces"] = True
    options["shutdown_timeout"] = conf.shutdown_timeout
    options["vif_plugging_is_fatal"] = conf.vif_plugging_is_fatal
    # Nova itself counts the time: the driver would only count it a little differently.
    options["vif_plugging_timeout"] = conf.vif_plugging_timeout and conf.vif_plugging_timeout + MARGIN
    options["journal"] = group.journal or _journal(conf, host)
    return {
        "endpoint": group.endpoint,
        "user": group.endpoint_user,
        "password": _password(group.endpoint_password_file),
        "ca": group.endpoint_ca_file,
        "fingerprint": group.endpoint_fingerprint,
        "insecure": group.endpoint_insecure,
        "connect_tries": group.endpoint_tries,
        "options": options,
        "seed": secrets.randbits(64),
    }


def _secret_file(name, text):
    """A file that lives in memory and as long as this process, and that nobody else can open."""
    number = os.memfd_create(name)
    os.fchmod(number, 0o600)
    os.write(number, text.encode("utf-8"))
    return "/proc/self/fd/%d" % number


def _password(path):
    if not path:
        return None
    # Editors end files with a line end that is no part of the password.
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip("\r\n")


def _journal(conf, host):
    folder = os.path.join(conf.state_path, "powervm")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return os.path.join(folder, "%s.journal" % host)
