"""pypowervm loads this file by PYPOWERVM_SESSION_CONFIG whenever a session is made.

It is how an unmodified driver, which asks for localhost's well-known port, finds the simulator.
"""

import json
import os

ENDPOINT = "NOVA_SUITE_ENDPOINT"


def session_config(session):
    """Points the session at what the file named by NOVA_SUITE_ENDPOINT says."""
    with open(os.environ[ENDPOINT], encoding="utf-8") as file:
        endpoint = json.load(file)
    session.host = endpoint["host"]
    session.protocol = endpoint["protocol"]
    session.port = endpoint["port"]
    session.dest = "%s://%s:%d" % (session.protocol, session.host, session.port)
    session.timeout = endpoint["timeout"]
    session.certpath = None
    if endpoint["password"] is not None:
        session.use_file_auth = False
        session.username = endpoint["user"]
        session.password = endpoint["password"]
