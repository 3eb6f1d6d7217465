"""The event queue: what a listener hears of a deploy."""

import re
import threading
import uuid

from pypowervm import adapter as pvm_adapter
from pypowervm.wrappers import event as pvm_evt

from pypowervm_suite import clients
from pypowervm_suite import expect


class _Recorder(pvm_adapter.RawEventHandler):
    """Keeps all events; also a lock, because the listener has its own thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._events = []

    def process(self, events):
        with self._lock:
            self._events.extend(events)

    def having(self, kind, data, detail=""):
        """The recorded events of that type whose data matches and whose detail has that text."""
        with self._lock:
            return [event for event in self._events if event["EventType"] == kind
                    and re.fullmatch(data, event["EventData"] or "")
                    and detail in (event["EventDetail"] or "")]


def listen(site):
    """Starts to listen; keeps recorder and listener."""
    with site.check("a new event listener hears NEW_CLIENT first"):
        listener = site.session.get_event_listener()
        recorder = _Recorder()
        listener.subscribe(recorder)
        site.keep("listener", listener)
        site.keep("recorder", recorder)


def check(site):
    """After the partition has come and gone."""
    partition = r"https?://[^/]+/rest/api/uom/ManagedSystem/%s/LogicalPartition/%s" % (
        site.system.uuid, site.partition.uuid)
    with site.check("the listener heard of the partition's life"):
        for kind, detail in ((pvm_evt.EventType.ADD_URI, ""),
                             (pvm_evt.EventType.MODIFY_URI, "PartitionState"),
                             (pvm_evt.EventType.DELETE_URI, "")):
            event = clients.wait_until(
                lambda kind=kind, detail=detail: site.recorder.having(kind, partition, detail),
                30, "an event %s %s" % (kind, detail))[0]
            expect.matches(event["EventID"], r"\d+", "the event's id")
    with site.check("the listener heard of the mappings"):
        clients.wait_until(
            lambda: site.recorder.having(pvm_evt.EventType.MODIFY_URI, r".*/VirtualIOServer/[^/]+",
                                         "VirtualSCSIMappings"),
            30, "an event of a server's VirtualSCSIMappings")


def check_custom(site):
    """A client's own event; ends the listening."""
    with site.check("a client's own event reaches the listener"):
        data = site.session.dest + "/rest/api/uom/LogicalPartition/X/ClientNetworkAdapter/Y"
        detail = '{"provider": "NOVA_PVM_VIF", "action": "plug", "mac": "FA163E010203"}'
        event = pvm_evt.Event.bld(site.adapter, data, detail).create()
        expect.equal(event.etype, pvm_evt.EventType.CUSTOM_CLIENT_EVENT, "its type")
        heard = clients.wait_until(
            lambda: site.recorder.having(pvm_evt.EventType.CUSTOM_CLIENT_EVENT, re.escape(data)),
            30, "the event")[0]
        expect.equal(heard["EventDetail"], detail, "its detail")
    with site.check("the queue read by its application id begins with NEW_CLIENT"):
        first = pvm_evt.Event.get(site.adapter, uuid.uuid4().hex)
        expect.equal([event.etype for event in first if event.etype == "NEW_CLIENT"],
                     ["NEW_CLIENT"], "its NEW_CLIENT events")
    with site.check("the listener ends"):
        thread = site.listener._pthread
        site.listener.unsubscribe(site.recorder)
        pvm_evt.Event.bld(site.adapter, "end", None).create()
        thread.join(30)
        expect.true(not thread.is_alive(), "its thread has ended")
