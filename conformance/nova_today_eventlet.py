#!/usr/bin/env python3
"""What ten servers at once cost, as nova_today.py has it, on Nova's other backend: green threads of eventlet.

With CONFORMANCE_WHOLE=1 a server's life as well, which nova_31.py has on green threads in any case.
"""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "no"

import nova_today  # noqa: E402  (after the choice of the backend)

WEATHERS = ("calm", "typical") if os.environ.get("CONFORMANCE_WHOLE") == "1" else ("typical",)
nova_today.TURNS = tuple(turn for turn in nova_today.TURNS if turn[0] == "ssp" and turn[1] in WEATHERS)

if __name__ == "__main__":
    nova_today.main("nova_today_eventlet")
