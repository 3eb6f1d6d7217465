"""The files of scenarios/, played through the compute API, as far as Nova has their verbs."""

import glob
import hashlib
import os
import tomllib

from nova_suite import cinder
from nova_suite import glance
from nova_today_suite import changes
from pypowervm_suite import content
from pypowervm_suite import expect
from pypowervm_suite.report import Unmet

IMAGE_BYTES = 256 * 1024
# What a scenario's default server is.
FLAVOR = {"vcpus": 1, "memory_mb": 512, "root_gb": 1}
# Keys of steps that say things that only the driver is told.
DRIVERS = ("named_like", "cancel_in", "host", "volumes", "power_on")


def read(folder, disks):
    """(name, scenario) of all that can be played on this kind of disk."""
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.toml"))):
        with open(path, "rb") as file:
            scenario = tomllib.load(file)
        steps = scenario["step"]
        # Cinder writes the image to the volume then, which nothing here does.
        reimages = any("boot_volume" in step for step in steps) and any(step["do"] == "rebuild" for step in steps)
        if scenario["disk"] == disks and not reimages and all(map(playable, steps)):
            yield os.path.basename(path)[:-len(".toml")], scenario


def playable(step):
    """Whether Nova can be asked for it."""
    expected = step.get("expect", {})
    flavor = step.get("flavor", {})
    return (hasattr(Player, verb(step))
            and not any(key in step for key in DRIVERS)
            and "refused" not in expected and "used" not in expected
            and not any(isinstance(flavor.get(key), str) for key in ("memory_mb", "root_gb")))


def verb(step):
    """The method that does it."""
    return "do_" + step["do"].replace("-", "_")


def play(site, name, scenario):
    """A scenario from begin to end, as one check; what it made is removed whatever happens."""
    before = site.inventory()
    player = Player(site, name, scenario)
    with site.check("%s: %s" % (name, scenario["title"])):
        try:
            for step in scenario["step"]:
                try:
                    player.step(step)
                except Exception as error:
                    raise Unmet("step %r: %s" % (step["name"], error)) from error
        finally:
            player.clean_up()
        expect.equal(changes.without_images(site.compare(before)), ([], []), "what is left or lost")


class Player:
    """Knows the scenario's servers, images and volumes by its words for them."""

    def __init__(self, site, name, scenario):
        self.site = site
        self.cloud = site.cloud
        self.name = name
        self.default = dict(FLAVOR, **scenario.get("server", {}).get("flavor", {}))
        self.servers = {}
        self.images = {}
        self.volumes = {}
        self.flavors = {}
        self.ports = {}

    def step(self, step):
        """Does it to each of its servers at once, and looks at what came out."""
        count = step.get("parallel", 1)
        word = step.get("server")
        words = [word] if count == 1 else ["%s-%d" % (word, number) for number in range(1, count + 1)]
        waits = [getattr(self, verb(step))(word, step) for word in words]
        for wait in waits:
            if wait is not None:
                wait()
        expected = step.get("expect", {})
        if "state" in expected:
            for word in words:
                self.settled(word)
                expect.equal(self.site.partition(self.servers[word])["state"], expected["state"], "the state")
        there = {partition["uuid"].lower() for partition in self.site.simulator.admin("/inventory")["partitions"]}
        for key, wanted in (("listed", True), ("absent", False)):
            for word in expected.get(key, ()):
                server = self.servers.get(word)
                found = server is not None and self.site.partition(server) is not None
                expect.equal(found, wanted, "whether %s is among %d partitions" % (word, len(there)))

    def clean_up(self):
        """Removes what no step removed."""
        for word in list(self.servers):
            self.cloud._delete_server(self.servers.pop(word))
        for port in self.ports.values():
            self.cloud.neutron.delete_port(port)
        for word, volume in self.volumes.items():
            for call, path in (("POST", "/volumes/%s/unmap"), ("DELETE", "/volumes/%s")):
                cinder.ask(self.site.simulator, call, path % volume, {} if call == "POST" else None)

    def image(self, word):
        """The image of that word; made if no step did."""
        if word not in self.images:
            made = glance.Image("%s %s" % (self.name, word), content.pattern(IMAGE_BYTES))
            self.cloud.add_image(made)
            self.images[word] = made["id"]
        return self.images[word]

    def port(self, *key, vlan):
        """The port of that key, on that VLAN; made if there is none."""
        if key not in self.ports:
            self.ports[key] = self.cloud.sea_port(vlan)
        return self.ports[key]

    def volume(self, word):
        """The volume of that word; made if no step did."""
        if word not in self.volumes:
            # An operating system is on each, as far as firmware can tell.
            made = cinder.ask(self.site.simulator, "POST", "/volumes", {
                "name": "%s-%s" % (self.name, word), "gigabytes": 1, "protocol": "fibre_channel",
                "content": {"bytes": IMAGE_BYTES, "sha256": hashlib.sha256(bytes(IMAGE_BYTES)).hexdigest()}})
            self.volumes[word] = made["id"]
        return self.volumes[word]

    def flavor(self, step):
        """A flavor of its own for each step."""
        if step["name"] in self.flavors:
            return self.flavors[step["name"]]
        size = dict(self.default, **step.get("flavor", {}))
        self.flavors[step["name"]] = self.cloud._create_flavor(
            name="%s %s" % (self.name, step["name"]), memory_mb=size["memory_mb"], vcpu=size["vcpus"],
            disk=size["root_gb"], ephemeral=0, swap=0, extra_spec=size.get("extra_specs", {}))
        return self.flavors[step["name"]]

    def act(self, word, action, status=None):
        """Asks for an action; gives what waits for its end."""
        self.cloud.api.post_server_action(self.servers[word]["id"], action)
        return lambda: self.settled(word) if status is None else self.cloud.wait(self.servers[word], status)

    def settled(self, word):
        """Once Nova has no task with it."""
        self.cloud._wait_for_server_parameter(self.servers[word], {"OS-EXT-STS:task_state": None})

    def do_create(self, word, step):
        flavor = self.flavor(step)
        volume = step.get("boot_volume")
        image = "" if volume else self.image(step.get("image", "main"))
        ports = [{"port": self.port(word, place, vlan=vlan)} for place, vlan in enumerate(step.get("networks", ()))]
        request = dict(self.cloud._build_server(word, image, flavor, networks=ports or "none"),
                       config_drive=step.get("config_drive", True))
        if volume:
            request.pop("imageRef")
            request["block_device_mapping_v2"] = [{
                "boot_index": 0, "uuid": self.volume(volume), "source_type": "volume",
                "destination_type": "volume"}]
        self.servers[word] = self.cloud.api.post_server({"server": request})
        return lambda: self.cloud.wait(self.servers[word], "ACTIVE")

    def do_show(self, word, step):
        self.cloud.api.get_server(self.servers[word]["id"])

    def do_list(self, word, step):
        self.cloud.api.get_servers()

    def do_delete(self, word, step):
        # Once more is no error for a driver; Nova has forgotten the server by then.
        server = self.servers.pop(word, None)
        if server is None:
            return None
        self.cloud.api.delete_server(server["id"])
        return lambda: self.cloud._wait_until_deleted(server)

    def do_stop(self, word, step):
        if self.cloud.api.get_server(self.servers[word]["id"])["status"] == "SHUTOFF":
            return None
        return self.act(word, {"os-stop": None}, "SHUTOFF")

    def do_start(self, word, step):
        if self.cloud.api.get_server(self.servers[word]["id"])["status"] == "ACTIVE":
            return None
        return self.act(word, {"os-start": None}, "ACTIVE")

    def do_reboot(self, word, step):
        return self.act(word, {"reboot": {"type": step["kind"].upper()}}, "ACTIVE")

    def do_resize(self, word, step):
        return self.act(word, {"resize": {"flavorRef": self.flavor(step)}}, "VERIFY_RESIZE")

    def do_confirm(self, word, step):
        return self.act(word, {"confirmResize": None})

    def do_revert(self, word, step):
        return self.act(word, {"revertResize": None})

    def do_rebuild(self, word, step):
        return self.act(word, {"rebuild": {"imageRef": self.image(step.get("image", "main"))}})

    def do_rescue(self, word, step):
        image = self.image(step.get("image", "main"))
        return self.act(word, {"rescue": {"rescue_image_ref": image}}, "RESCUE")

    def do_unrescue(self, word, step):
        return self.act(word, {"unrescue": None}, "ACTIVE")

    def do_snapshot(self, word, step):
        self.site.show_disks()
        server = self.servers[word]
        answer = self.cloud.api.post_server_action(server["id"], {"createImage": {"name": step["image"]}})
        self.settled(word)
        self.images[step["image"]] = answer["image_id"]
        expect.equal(self.cloud.glance.images[answer["image_id"]]["status"], "active", "the image's status")

    def do_shelve(self, word, step):
        self.site.show_disks()
        return self.act(word, {"shelve": None}, "SHELVED_OFFLOADED")

    def do_unshelve(self, word, step):
        return self.act(word, {"unshelve": None}, "ACTIVE")

    def do_attach_volume(self, word, step):
        self.reach(word)
        volume = self.volume(step["volume"])
        attached = self.cloud.api.get_server_volumes(self.servers[word]["id"])
        if not any(one["volumeId"] == volume for one in attached):
            self.cloud._attach_volume(self.servers[word], volume)

    def do_detach_volume(self, word, step):
        self.reach(word)
        volume = self.volume(step["volume"])
        self.cloud.api.delete_server_volume(self.servers[word]["id"], volume)
        self.cloud._wait_for_volume_detach(self.servers[word]["id"], volume)

    def do_attach_interface(self, word, step):
        self.reach(word)
        before = self.adapters(word)
        self.cloud._attach_interface(self.servers[word], self.port(step["network"], vlan=step["network"]))
        expect.equal(self.adapters(word), before + 1, "the number of its adapters")

    def do_detach_interface(self, word, step):
        self.reach(word)
        before = self.adapters(word)
        self.cloud._detach_interface(self.servers[word], self.port(step["network"], vlan=step["network"]))
        expect.equal(self.adapters(word), before - 1, "the number of its adapters")

    def adapters(self, word):
        """How many its partition has."""
        return len(self.site.partition(self.servers[word])["network_adapters"])

    def do_console(self, word, step):
        console = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        self.cloud.api.api_post("/servers/%s/remote-consoles" % self.servers[word]["id"], console)

    def reach(self, word):
        """Waits for the operating system of a server that runs."""
        partition = self.site.partition(self.servers[word])
        if partition is not None and partition["state"] == "running":
            self.site.server = self.servers[word]
            changes.reachable(self.site)
