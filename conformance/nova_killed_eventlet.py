#!/usr/bin/env python3
"""The same as nova_killed.py on Nova 31, whose nova-compute runs on green threads of eventlet."""

import os

# Nova-compute, which is a process of its own, inherits it.
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_killed  # noqa: E402  (after the choice of the backend)

if __name__ == "__main__":
    nova_killed.main("nova_killed_eventlet")
