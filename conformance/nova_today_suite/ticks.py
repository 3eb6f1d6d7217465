"""Whether other threads of a process run while it is busy."""

import contextlib
import threading
import time

# Seconds.
PAUSE = 0.01


@contextlib.contextmanager
def ticking():
    """Gives how often another thread of this process ran within it."""
    counted = [0]
    is_over = threading.Event()

    def count():
        while not is_over.is_set():
            time.sleep(PAUSE)
            counted[0] += 1

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield lambda: counted[0]
    finally:
        is_over.set()
        thread.join()
