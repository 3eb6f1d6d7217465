#!/usr/bin/env python3
"""A server's life through the API of Nova 32, on green threads of eventlet: what nova_31.py does, in short."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_today  # noqa: E402  (after the choice of the backend)
from nova_today_suite import older  # noqa: E402

nova_today.TURNS = older.SHORT

if __name__ == "__main__":
    nova_today.main("nova_32")
