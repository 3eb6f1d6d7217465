"""Tells the drivers where the simulator is and how to log on."""

import json
import os

from nova_suite import session_config

CALL_SECONDS = 120


def choose(simulator, password):
    """What sessions made from now on use. password: whether by password, else by token file."""
    name = os.path.join(simulator.folder, "endpoint.json")
    with open(name, "w", encoding="utf-8") as file:
        json.dump({
            "host": "127.0.0.1",
            "protocol": "https" if password else "http",
            "port": simulator.https_port if password else simulator.http_port,
            "timeout": CALL_SECONDS,
            "user": simulator.user,
            "password": simulator.password if password else None,
        }, file)
    os.environ[session_config.ENDPOINT] = name
    os.environ["PYPOWERVM_SESSION_CONFIG"] = os.path.abspath(session_config.__file__)


def forget():
    """Sessions made from now on are those that their makers ask for."""
    os.environ.pop("PYPOWERVM_SESSION_CONFIG", None)
