"""What the host has, as Nova and placement want it."""

import json

import os_resource_classes

import nova.conf
from nova.objects import fields

CONF = nova.conf.CONF
VERSION = 8


def resources(capacity, nodename):
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
    }


def records(capacity, ratios, reserved_gb):
    """For placement."""
    totals = {
        os_resource_classes.VCPU: (capacity["vcpus"], CONF.reserved_host_cpus),
        os_resource_classes.MEMORY_MB: (capacity["memory_mb"], CONF.reserved_host_memory_mb),
        os_resource_classes.DISK_GB: (int(capacity["disk"]["total_gb"]), reserved_gb),
    }
    return {name: {"total": total, "max_unit": total, "reserved": reserved, "allocation_ratio": ratios[name]}
            for name, (total, reserved) in totals.items()}
