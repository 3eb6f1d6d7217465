"""What has to happen before anything of Nova is imported: import this module first."""

import os
import sys

if sys.version_info[:2] != (3, 11):
    sys.exit("Nova's drivers and pypowervm's session hook need Python 3.11, this is %d.%d: "
             "name one with PYTHON=..." % sys.version_info[:2])

# eventlet's resolver would ask a name server for localhost.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"

try:
    # Patches the standard library as nova-compute does.
    import nova.monkey_patch  # noqa: F401
except AttributeError:
    # nova 20 then asks oslo.service for a hub whose clock never jumps. Today's oslo.service has none,
    # as eventlet's own hub has such a clock now.
    os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "yes"
    import nova.monkey_patch  # noqa: F401
