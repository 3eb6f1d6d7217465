#!/usr/bin/env python3
"""Drives the unmodified nova-powervm 9.0.0 in nova 20.6.1 through a compute node's work on NovaLinks.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova-powervm.txt:
``python nova_out_of_tree.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)
from nova_suite import frame
from nova_suite import program

LIFE = (
    "neutron.make_switch",
    "resources.check",
    "leftovers.take",
    "deploy.check",
    "lifecycle.begin",
    "full.check",
    "power.check",
    "interfaces.check",
    "sriov.check",
    "volumes.check_fibre_channel",
    "volumes.check_destroyed",
    "npiv.check",
    "iscsi.check",
    "snapshot.check",
    "rescue.check",
    "resize.check",
    "console.check",
    "crowd.check",
    "lifecycle.check",
    "deploy.destroy",
    "console.check_closed",
    "deploy.check_failure",
    "deploy.check_image_cache",
    "leftovers.compare",
    "lifecycle.end",
)

# With a password every call is a handshake, which takes its time.
SHORT_LIFE = tuple(name for name in LIFE if name not in (
    "crowd.check", "interfaces.check", "sriov.check"))

VARIANTS = (
    program.Variant("ssp, token file", "ssp", password=False, life=("ours.check_options", *LIFE)),
    program.Variant("localdisk, token file", "localdisk", password=False, life=LIFE),
    program.Variant("ssp, password", "ssp", password=True, life=SHORT_LIFE),
)


if __name__ == "__main__":
    frame.end(lambda: program.main(
        __doc__, "nova_out_of_tree", "nova.virt.powervm_ext.driver", VARIANTS))
