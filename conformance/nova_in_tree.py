#!/usr/bin/env python3
"""Drives the unmodified PowerVM driver of nova 25.3.0 through a compute node's work on a NovaLink.

Run by ``cargo xtask conformance``; by hand, in an environment with requirements/nova.txt:
``python nova_in_tree.py --simulator target/debug/powervm-sim --work /tmp/somewhere``.
"""

from nova_suite import begin  # noqa: F401  (before all that imports Nova)
from nova_suite import frame
from nova_suite import program

LIFE = (
    "resources.check",
    "leftovers.take",
    "deploy.check",
    "power.check",
    "interfaces.check",
    "volumes.check_fibre_channel",
    "volumes.check_destroyed",
    "snapshot.check",
    "console.check",
    "crowd.check",
    "deploy.destroy",
    "console.check_closed",
    "deploy.check_failure",
    "leftovers.compare",
)

# With a password every call is a handshake, which takes its time.
SHORT_LIFE = tuple(name for name in LIFE if name not in ("crowd.check", "interfaces.check"))

VARIANTS = (
    program.Variant("ssp, token file", "ssp", password=False, life=LIFE),
    program.Variant("localdisk, token file", "localdisk", password=False, life=LIFE),
    program.Variant("ssp, password", "ssp", password=True, life=SHORT_LIFE),
)


if __name__ == "__main__":
    frame.end(lambda: program.main(
        __doc__, "nova_in_tree", "nova.virt.powervm.driver", VARIANTS))
