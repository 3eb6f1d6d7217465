"""Which Nova this package may stand beside."""

import importlib.metadata
import importlib.util

OLDEST = 31


def check(version, has_own_options):
    """Why this Nova will not do; nothing when it will."""
    if has_own_options:
        return ("Nova %s brings a PowerVM driver of its own, into whose folder powervm-nova was installed: "
                "uninstall powervm-nova and install Nova again, or use Nova %d or newer" % (version, OLDEST))
    if int(version.split(".")[0]) < OLDEST:
        return "powervm-nova needs Nova %d or newer, this is %s" % (OLDEST, version)
    return None


def refuse():
    """Refuses a Nova that will not do."""
    try:
        version = importlib.metadata.version("nova")
    except importlib.metadata.PackageNotFoundError:
        # A source tree on the path, as a CI has one: what it has is looked at.
        version = str(OLDEST)
    wrong = check(version, importlib.util.find_spec("nova.conf.powervm") is not None)
    if wrong:
        raise ImportError(wrong)


refuse()
