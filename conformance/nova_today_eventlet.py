#!/usr/bin/env python3
"""The same as nova_today.py, on Nova's other backend: green threads of eventlet."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_today  # noqa: E402  (after the choice of the backend)

# Disks have nothing to do with threads, and nova_31 has local ones on green threads.
nova_today.TURNS = tuple(turn for turn in nova_today.TURNS if turn[0] == "ssp")

if __name__ == "__main__":
    nova_today.main("nova_today_eventlet")
