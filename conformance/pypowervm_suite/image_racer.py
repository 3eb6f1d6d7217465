"""One host of image_race.py: ensures that an image is in the pool, and says how it went.

Arguments: the tier's UUID, a Virtual I/O Server's, the image's name and size, and `well` or
`fail`, for an image whose reading breaks off. Says `ready`, waits for a line, then works.
"""

import os
import sys
import warnings

from pypowervm import adapter as pvm_adapter
from pypowervm.tasks import cluster_ssp as tsk_cs
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import clients
from pypowervm_suite import content


class Image:
    """A stream of so many bytes; if it fails, half of them come."""

    def __init__(self, size, fails):
        self._data = content.pattern(size)
        self._fails = fails
        self._at = 0

    def read(self, size):
        """The next bytes."""
        if self._fails and self._at >= len(self._data) // 2:
            raise OSError("The image's store is gone.")
        piece = self._data[self._at:self._at + size]
        self._at += len(piece)
        return piece

    def close(self):
        """As streams have it."""


def main():
    """Prints `udid=` and `uploads=`; the exit code is 3 if the upload failed."""
    tier_uuid, vios_uuid, name, size, how = sys.argv[1:]
    clients.isolate()
    warnings.simplefilter("ignore")
    # How long it sleeps while another one uploads: 30 to 60 s otherwise.
    tsk_cs.SLEEP_U_MIN, tsk_cs.SLEEP_U_MAX = 1, 1
    session = pvm_adapter.Session(
        host=os.environ["RACER_HOST"], port=int(os.environ["RACER_PORT"]),
        username=os.environ["RACER_USER"], password=os.environ.pop("RACER_PASSWORD"),
        protocol="https", certpath=None)
    adapter = pvm_adapter.Adapter(session)
    tier = pvm_stg.Tier.get(adapter, uuid=tier_uuid)
    uploads = []

    def opened():
        uploads.append(1)
        return Image(int(size), how == "fail")

    print("ready", flush=True)
    sys.stdin.readline()
    try:
        unit = tsk_cs.get_or_upload_image_lu(tier, name, vios_uuid, opened, int(size))
    except Exception as error:  # told by the exit code, and in the log
        print("error=%r" % error, flush=True)
        return 3
    print("udid=%s\nuploads=%d" % (unit.udid, len(uploads)), flush=True)
    return 0


if __name__ == "__main__":
    CODE = main()
    sys.stdout.flush()
    # Sessions log off at their end, which fails while the interpreter shuts down.
    os._exit(CODE)
