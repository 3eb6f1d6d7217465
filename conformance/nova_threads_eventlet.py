#!/usr/bin/env python3
"""The same as nova_threads.py on Nova 31, with green threads of eventlet."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_threads  # noqa: E402  (after the choice of the backend)

if __name__ == "__main__":
    nova_threads.main("nova_threads_eventlet")
