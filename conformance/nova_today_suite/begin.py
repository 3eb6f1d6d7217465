"""What has to happen before anything of Nova is imported: import this module first."""

import os
import sys

if sys.version_info[:2] < (3, 11):
    sys.exit("Nova needs Python 3.11 or newer, this is %d.%d: name one with PYTHON=..." % sys.version_info[:2])

# Real threads, as nova-compute 34 has them by default.
os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "yes")

from nova import monkey_patch  # noqa: E402

# Older releases have done it by now.
getattr(monkey_patch, "patch", lambda: None)()
