"""Images on their way from Glance to a host, and only when the host wants them; and from a host to Glance."""

import threading

from oslo_log import log as logging

from nova.virt.powervm import _native
from nova.virt.powervm import calls

LOG = logging.getLogger(__name__)
BLOCK = 1 << 20


class Download:
    """A pipe for one operation, with the thread that fills it."""

    def __init__(self, api, context, image_id, trusted_certs=None):
        self._open = lambda: api.download(context, image_id, trusted_certs=trusted_certs)
        self.pipe = _native.Pipe()
        self._thread = threading.Thread(target=self._run, name="powervm-image", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self.pipe

    def __exit__(self, *_):
        # An operation that was refused has left it where it was.
        self.pipe.close()

    def _run(self):
        while calls.outcome(self.pipe.wanted()):
            failure = None
            try:
                self._carry(self._open())
            except Exception as error:
                LOG.exception("An image could not be downloaded.")
                failure = "the image service failed: %s" % type(error).__name__
            self.pipe.end(failure)

    def _carry(self, chunks):
        for chunk in chunks:
            for start in range(0, len(chunk), BLOCK):
                more = self.pipe.put(bytes(chunk[start:start + BLOCK]))
                if not isinstance(more, bool):
                    more = calls.outcome(more)
                if not more:
                    return


class Upload:
    """An outlet for one operation, with the thread that empties it into an image of Glance's."""

    def __init__(self, api, context, image_id, metadata):
        self._send = lambda data: api.update(context, image_id, metadata, data, purge_props=False)
        self.outlet = _native.Outlet()
        self._thread = threading.Thread(target=self._run, name="powervm-upload", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self.outlet

    def __exit__(self, *_):
        # An operation that was refused has left it where it was.
        self.outlet.close()
        self._thread.join()

    def _run(self):
        is_taken = False
        try:
            reader = Reader(self.outlet)
            # Glance is told nothing of a copy that never began.
            if reader.begin():
                self._send(reader)
                is_taken = True
        except Exception:
            LOG.exception("An image could not be uploaded.")
        finally:
            self.outlet.done(is_taken)


class Reader:
    """What comes out of an outlet, as a file."""

    def __init__(self, outlet):
        self._outlet = outlet
        self._rest = b""
        self._is_over = False

    def begin(self):
        """Waits for the first bytes; whether there are any."""
        try:
            self._fill()
        except _native.Trouble:
            return False
        return True

    def _fill(self):
        block = calls.outcome(self._outlet.next())
        if block is None:
            self._is_over = True
        else:
            self._rest += block

    def read(self, size=-1):
        while not self._is_over and (size < 0 or len(self._rest) < size):
            self._fill()
        end = len(self._rest) if size < 0 else size
        told, self._rest = self._rest[:end], self._rest[end:]
        return told
