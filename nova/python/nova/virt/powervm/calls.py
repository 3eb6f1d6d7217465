"""Calls into the driver: none of them blocks Nova's other threads, be they real or green."""

import collections
import itertools
import json
import sys
import threading

from oslo_log import log as logging

from nova import exception
from nova.virt.powervm import _native

LOG = logging.getLogger(__name__)
# Calls of which it is known whom they were for: what they log may be read after their end.
REMEMBERED = 1024
# Seconds that a green thread which is killed waits until what it began is undone: as many as oslo.service gives a
# service for its end (graceful_shutdown_timeout).
LAST_WORDS = 60


class _Late(Exception):
    """The wait took too long."""


def _green():
    """The function that lets a green thread wait for a file descriptor; nothing where threads are real."""
    # Older releases of Nova do not tell.
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is None or not patcher.is_monkey_patched("thread"):
        return None
    from eventlet import hubs

    return hubs.trampoline


def _wait(call, patience=None):
    """Until the call is over. patience: the seconds after which a green thread has waited too long."""
    trampoline = _green()
    if trampoline is None:
        call.wait()
    else:
        trampoline(call.fileno(), read=True, timeout=patience, timeout_exc=_Late)


def outcome(call):
    """Waits for a call that changes nothing, and gives what came of it."""
    try:
        _wait(call)
    except BaseException:
        # Killed or interrupted while it waits.
        call.cancel()
        raise
    return call.result()


def told(call):
    """Waits for an operation, and gives what it tells. Whoever is killed or interrupted meanwhile gives it up."""
    try:
        _wait(call)
    except BaseException:
        give_up(call)
        raise
    return json.loads(call.result())


def give_up(call):
    """Cancels an operation, and waits until it has undone what it did: then nobody meets what is left of it.

    A green thread does not wait for ever. What takes longer goes on, and the journal knows of it.
    """
    call.cancel()
    try:
        _wait(call, LAST_WORDS)
        call.result()
    except _Late:
        LOG.warning("What was cancelled is not undone after %d s; it goes on.", LAST_WORDS)
    except _native.Trouble as trouble:
        # That it was cancelled is what was asked for.
        failure = json.loads(trouble.args[0])
        if failure["left_behind"]:
            LOG.warning("Not all of what was cancelled could be undone: %s", failure["message"])


class Known:
    """Which server and request each of the last calls is for: of all hosts of this process, whose log is one."""

    def __init__(self):
        self._numbers = itertools.count(1)
        self._known = collections.OrderedDict()
        self._lock = threading.Lock()

    def add(self, context, instance):
        """The number of a new call."""
        with self._lock:
            number = next(self._numbers)
            self._known[number] = (context, instance)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return number

    def told_of(self, number):
        """The context and the instance of a call."""
        with self._lock:
            return self._known.get(number, (None, None))


KNOWN = Known()


class Caller:
    """Starts operations on a host."""

    def __init__(self, host=None):
        """host: none before the service has started, and after it has stopped."""
        self.host = host

    def __call__(self, operation, request, pipe=None, outlet=None, context=None, instance=None):
        """Does an operation; raises _native.Trouble."""
        return told(self.begin(operation, request, pipe, outlet, context=context, instance=instance))

    def begin(self, operation, request, pipe=None, outlet=None, plugs=None, context=None, instance=None):
        """Begins an operation."""
        if self.host is None:
            raise exception.VirtDriverNotReady()
        number = KNOWN.add(context, instance)
        return self.host.start(operation, json.dumps(request), number, pipe, outlet, plugs)


class Records:
    """Carries what the driver logs to Nova's log."""

    def __init__(self):
        self._log = _native.Log(10 if LOG.isEnabledFor(logging.DEBUG) else 20)
        self._thread = threading.Thread(target=self._run, name="powervm-log", daemon=True)
        self._thread.start()

    def close(self):
        self._log.close()

    def _run(self):
        while True:
            records = json.loads(outcome(self._log.records()))
            if not records:
                return
            for record in records:
                context, instance = KNOWN.told_of(record["call"])
                more = {}
                if context is not None:
                    more["context"] = context
                if instance is not None:
                    more["instance"] = instance
                LOG.log(record["level"], "%s: %s", record["target"], record["message"], **more)
