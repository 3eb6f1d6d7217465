"""What the host has, as Nova and placement want it."""

import json
import time

import os_resource_classes

import nova.conf
from nova.objects import fields

CONF = nova.conf.CONF
VERSION = 8
# The physical network of ports without a label.
DEFAULT_NETWORK = "default"


# Seconds for which a host is believed to have what it had: as often Nova looks anew (update_resources_interval).
LATELY = 60


class Capacity:
    """What a host has, asked for no more often than need be.

    Nova wants an inventory for each claim, and lets nobody else claim until it has it: of ten servers that are asked for at
    once the last would wait for ten looks at the host.
    """

    def __init__(self, ask):
        self._ask = ask
        self._told = None
        self._since = 0

    def now(self):
        """As the host says."""
        began = time.monotonic()
        self._told = self._ask()
        self._since = began
        return self._told

    def lately(self):
        """As it said a while ago at most."""
        if self._told is None or time.monotonic() - self._since > LATELY:
            return self.now()
        return self._told


def resources(capacity, sriov, nodename):
    """For the resource tracker."""
    return {
        "vcpus": capacity["vcpus"],
        "vcpus_used": capacity["vcpus_used"],
        "memory_mb": capacity["memory_mb"],
        "memory_mb_used": capacity["memory_mb_used"],
        "local_gb": int(capacity["disk"]["total_gb"]),
        "local_gb_used": int(capacity["disk"]["used_gb"]),
        "hypervisor_type": fields.HVType.PHYP,
        "hypervisor_version": VERSION,
        "hypervisor_hostname": nodename,
        "cpu_info": json.dumps({"vendor": "ibm", "arch": "ppc64"}),
        "numa_topology": None,
        "supported_instances": [(arch, fields.HVType.PHYP, fields.VMMode.HVM)
                                for arch in (fields.Architecture.PPC64, fields.Architecture.PPC64LE)],
        "stats": {
            "proc_units": "%.2f" % capacity["proc_units"],
            "proc_units_used": "%.2f" % capacity["proc_units_used"],
            "memory_region_size": capacity["memory_block_mb"],
        },
        "pci_passthrough_devices": json.dumps(list(devices(sriov))),
    }


def devices(sriov):
    """Each logical port that a physical one can have, for ports of Neutron with the vnic_type direct."""
    for port in sriov["ports"]:
        if port["adapter"] is None or port["port"] is None or not port["logical_ports_limit"]:
            continue
        label = port["label"] or DEFAULT_NETWORK
        for number in range(port["logical_ports_limit"]):
            yield {"physical_network": label, "label": label, "dev_type": fields.PciDeviceType.SRIOV_VF,
                   "address": "*:%d:%d.%d" % (port["adapter"], port["port"], number), "parent_addr": "*:*:*.*",
                   "vendor_id": "*", "product_id": "*", "numa_node": 1}


def records(capacity, ratios, reserved_gb):
    """For placement."""
    totals = {
        os_resource_classes.VCPU: (capacity["vcpus"], CONF.reserved_host_cpus),
        os_resource_classes.MEMORY_MB: (capacity["memory_mb"], CONF.reserved_host_memory_mb),
        os_resource_classes.DISK_GB: (int(capacity["disk"]["total_gb"]), reserved_gb),
    }
    return {name: {"total": total, "max_unit": total, "reserved": reserved, "allocation_ratio": ratios[name]}
            for name, (total, reserved) in totals.items()}
