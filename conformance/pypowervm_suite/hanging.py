"""Ends a program that hangs, and says where."""

import collections
import faulthandler
import gc
import os
import sys
import threading

# A stack's innermost frames; what called them is the same frame of a service mostly.
FRAMES = 12
# Threads of a pool stand at one place: each place is shown once.
PLACES = 20
# When the interpreter itself is held, only faulthandler can still speak.
GRACE_SECONDS = 60

_timers = []


def watch(seconds):
    """Ends this process after so long, as one failed check; a later call replaces an earlier one."""
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True)
    while _timers:
        _timers.pop().cancel()
    # On green threads, the hub may be what hangs.
    patcher = sys.modules.get("eventlet.patcher")
    timer = (patcher.original("threading") if patcher else threading).Timer(seconds, _end, [seconds])
    timer.daemon = True
    _timers.append(timer)
    timer.start()


def _end(seconds):
    for count, stack in _places():
        print("# %d x %s" % (count, " < ".join(stack)), file=sys.__stdout__)
    main = sys._current_frames().get(threading.main_thread().ident)
    print("not ok - it ends within %d s: %s" % (seconds, " < ".join(_stack(main))), file=sys.__stdout__, flush=True)
    os._exit(3)


def _places():
    """(how many, stack) of all threads and green threads, the rarest first."""
    frames = list(sys._current_frames().values())
    greenlet = sys.modules.get("greenlet")
    if greenlet is not None:
        found = (thing for thing in gc.get_objects() if isinstance(thing, greenlet.greenlet))
        frames.extend(thing.gr_frame for thing in found if thing.gr_frame is not None)
    counted = collections.Counter(tuple(_stack(frame)) for frame in frames)
    return sorted(((count, stack) for stack, count in counted.items()), key=lambda place: place[0])[:PLACES]


def _stack(frame):
    """Its innermost frames, the deepest first."""
    told = []
    while frame is not None and len(told) < FRAMES:
        code = frame.f_code
        told.append("%s (%s:%d)" % (code.co_name, "/".join(code.co_filename.split(os.sep)[-2:]), frame.f_lineno))
        frame = frame.f_back
    return told
