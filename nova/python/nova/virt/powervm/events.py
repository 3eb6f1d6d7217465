"""What servers do by themselves, told to Nova."""

import json
import threading

from oslo_log import log as logging

from nova import context as contexts
from nova import exception
from nova import objects
from nova.virt import event
from nova.virt.powervm import calls

LOG = logging.getLogger(__name__)

# Seconds.
PATIENCE = 5

TRANSITIONS = {
    "started": event.EVENT_LIFECYCLE_STARTED,
    "stopped": event.EVENT_LIFECYCLE_STOPPED,
    "suspended": event.EVENT_LIFECYCLE_SUSPENDED,
    "resumed": event.EVENT_LIFECYCLE_RESUMED,
}


class Listener:
    """Listens as long as the session lasts."""

    def __init__(self, host, emit):
        self._host = host
        self._emit = emit
        self._thread = threading.Thread(target=self._run, name="powervm-events", daemon=True)
        self._thread.start()

    def join(self):
        """Waits for its end, once the session is over."""
        self._thread.join(PATIENCE)
        self._host = None

    def _run(self):
        while True:
            heard = json.loads(calls.outcome(self._host.event()))
            if heard is None:
                return
            try:
                self._tell(heard)
            except Exception:
                LOG.exception("What a server did could not be told.")

    def _tell(self, heard):
        LOG.debug("Heard of %s: %s.", heard["instances"], heard["transition"])
        transition = TRANSITIONS.get(heard["transition"])
        instance = self._instance(heard["instances"])
        # Whatever Nova is doing to a server, it knows.
        if transition is None or instance is None or instance.task_state is not None:
            return
        LOG.info("The partition is %s.", heard["state"], instance=instance)
        self._emit(event.LifecycleEvent(instance.uuid, transition))

    def _instance(self, candidates):
        """A partition's UUID lacks a bit of the instance's: one of two it is."""
        context = contexts.get_admin_context()
        for uuid in candidates:
            try:
                return objects.Instance.get_by_uuid(context, uuid)
            except exception.InstanceNotFound:
                continue
        return None
