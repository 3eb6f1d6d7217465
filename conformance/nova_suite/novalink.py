"""One of the NovaLinks of a powervm-sim that simulates several systems."""

import json

from pypowervm_suite import simulator as simulators


class NovaLink(simulators.Simulator):
    """Used like a simulator of its own; somebody else started it and ends it."""

    def __init__(self, ready, http, https, folder):
        self.flavor = "novalink"
        self.folder = folder
        self.ready = ready
        self.http, self.https = http, https
        self.http_port = simulators._port(http)
        self.https_port = simulators._port(https)
        self.user = ready["user"]
        self.password = ready["password"]

    def told(self):
        """What another process needs to know of it."""
        return json.dumps({"ready": self.ready, "http": self.http, "https": self.https,
                           "folder": self.folder})

    @classmethod
    def heard(cls, text):
        """The one that told() told of."""
        return cls(**json.loads(text))


def all_of(simulator, folders):
    """The NovaLinks of that simulator, each with a folder."""
    ready = {key: value for key, value in simulator.ready.items() if key != "neighbours"}
    found = [simulator.ready, *simulator.ready["neighbours"]]
    return [NovaLink(ready, each["http"], each["https"], folder)
            for each, folder in zip(found, folders, strict=True)]
