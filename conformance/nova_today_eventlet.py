#!/usr/bin/env python3
"""The same as nova_today.py, on Nova's other backend: green threads of eventlet."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_today  # noqa: E402  (after the choice of the backend)

if __name__ == "__main__":
    nova_today.main("nova_today_eventlet")
