#!/usr/bin/env python3
"""The same as nova_today.py on Nova 31, the oldest that our package goes with, on green threads of eventlet."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_today  # noqa: E402  (after the choice of the backend)
from nova_today_suite import interface  # noqa: E402
from nova_today_suite import older  # noqa: E402

# Disks have nothing to do with releases, or with threads; and what a crowd costs is for nova_today_eventlet.
DISKS = ("ssp", "localdisk") if os.environ.get("CONFORMANCE_WHOLE") == "1" else ("ssp",)
nova_today.TURNS = tuple(
    (disks, weather,
     tuple(older.check_methods if subject is interface.check_methods else subject for subject in subjects))
    for disks, weather, subjects in nova_today.TURNS if weather == "calm" and disks in DISKS)

if __name__ == "__main__":
    nova_today.main("nova_31")
