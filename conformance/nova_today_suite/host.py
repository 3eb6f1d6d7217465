"""What the host tells of itself, and what the service writes into its log."""

import contextlib
import threading
import time

import greenlet

from nova.compute import provider_tree
from nova import context as contexts
from nova_suite import glance
from nova_today_suite import cloud as clouds
from nova_today_suite import ports
from pypowervm_suite import content
from pypowervm_suite import expect

# Samples are taken so often, in seconds.
SAMPLES = 35
CLAIMS = 10


def check_meters(site):
    """With site.server."""
    cloud = site.cloud
    with site.check("the hypervisor tells how long it has been up"):
        (found,) = cloud.api.api_get("/os-hypervisors").body["hypervisors"]
        with cloud.older("2.87"):
            told = cloud.api.api_get("/os-hypervisors/%s/uptime" % found["id"]).body["hypervisor"]
        expect.matches(told["uptime"], "up .*", "what it tells")
    with site.check("the monitor of the processors has something to tell"):
        driver = cloud.computes[clouds.HOST].manager.driver
        driver.get_host_cpu_stats()
        site.simulator.advance(SAMPLES)
        ports.until(lambda: sum(driver.get_host_cpu_stats()[name] for name in ("kernel", "user", "idle")) > 0,
                     "time is counted")
    with site.check("diagnostics of a server have its memory and its interfaces"):
        with cloud.older("2.47"):
            told = cloud.api.api_get("/servers/%s/diagnostics" % site.server["id"]).body
        memory = cloud.api.get_server(site.server["id"])["flavor"]["ram"]
        expect.equal(told["memory"], memory * 1024, "the memory")


def check_kill(site):
    """Of the green thread that waits for an operation, where threads are green."""
    try:
        from eventlet import patcher
    except ImportError:
        return
    if not patcher.is_monkey_patched("thread"):
        return
    import eventlet

    cloud = site.cloud
    with site.check("a green thread that is killed ends when what it began is undone"):
        before = site.inventory()
        driver = cloud.computes[clouds.HOST].manager.driver
        begun = []
        begin = driver._call.begin

        def note(*arguments, **more):
            begun.append(begin(*arguments, **more))
            return begun[-1]

        image = glance.Image("killed", content.pattern(300 * 1024, seed=9))
        cloud.add_image(image)
        go_on = cloud.stick(image["id"])
        driver._call.begin = note
        try:
            thread = eventlet.spawn(driver.cache_image, contexts.get_admin_context(), image["id"])
            ports.until(lambda: image["id"] in cloud.downloads, "its image is on its way")
            thread.kill()
            # Its own end is not that of the thread that kills it.
            with contextlib.suppress(greenlet.GreenletExit):
                thread.wait()
            (call,) = begun[-1:]
            readable, _, _ = patcher.original("select").select([call.fileno()], [], [], 0)
            expect.equal(readable, [call.fileno()], "the calls that are over")
            expect.equal(site.compare(before), ([], []), "what is left or lost")
        finally:
            del driver._call.begin
            go_on()


def check_claims(site):
    """What a claim costs, during which Nova makes no other."""
    cloud = site.cloud
    with site.check("ten claims ask the host once what it has, and a look at the host asks anew"):
        driver = cloud.computes[clouds.HOST].manager.driver
        (node,) = driver.get_available_nodes()
        (uuid,) = driver.get_nodenames_by_uuid()
        asked = []
        ask = driver._capacity._ask
        driver._capacity._ask = lambda: asked.append(True) or ask()
        try:
            driver.get_available_resource(node)
            expect.equal(len(asked), 1, "the looks at the host")
            tree = provider_tree.ProviderTree()
            tree.new_root(node, uuid)
            for _ in range(CLAIMS):
                driver.update_provider_tree(tree, node)
            expect.equal(len(asked), 1, "the looks at the host after ten claims")
            expect.true(tree.data(node).inventory["MEMORY_MB"]["total"] > 0, "there is an inventory")
            driver.get_available_resource(node)
            expect.equal(len(asked), 2, "the looks at the host after another one")
            # Long ago.
            driver._capacity._since -= 3600
            driver.update_provider_tree(tree, node)
            expect.equal(len(asked), 3, "the looks at the host when the last is long ago")
        finally:
            driver._capacity._ask = ask


def check_stop(site):
    """Ends the compute service, and starts it again."""
    cloud = site.cloud
    with site.check("a stop of the service cancels what runs, and undoes it"):
        before = site.inventory()
        image = glance.Image("stuck", content.pattern(300 * 1024, seed=7))
        cloud.add_image(image)
        go_on = cloud.stick(image["id"])
        request = cloud._build_server("stuck", image["id"], site.flavor, networks="none")
        thread = threading.Thread(target=ports.post, args=(cloud, request), daemon=True)
        thread.start()
        ports.until(lambda: image["id"] in cloud.downloads, "its image is on its way")
        server = ports.appearing(cloud, "stuck")
        ports.until(lambda: site.partition(server), "its partition is there")
        begin = time.monotonic()
        cloud.computes[clouds.HOST].manager.driver.cleanup_host(clouds.HOST)
        expect.within(int(time.monotonic() - begin), 0, 30, "the seconds that it took")
        go_on()
        thread.join(60)
        left, lost = site.compare(before)
        expect.equal((left, lost), ([], []), "what is left or lost")
        cloud.computes[clouds.HOST].stop()
        cloud.start_host(clouds.HOST)
        cloud._delete_server(server)


def check_log(site):
    """Of everything so far."""
    cloud = site.cloud
    lines = [line for line in cloud.log.getvalue().splitlines() if "powervm_driver" in line]
    with site.check("what the driver logs names the request and the instance"):
        mine = [line for line in lines if "[instance: %s]" % site.server["id"] in line]
        expect.true(mine, "there are lines about the server")
        expect.true(all("[req-" in line or "[None req-" in line for line in mine if "spawn" in line), "with requests")
        expect.true(any("req-" in line for line in mine), "with requests")
    check_secrets(site)


def check_secrets(site):
    """Of everything so far."""
    cloud = site.cloud
    with site.check("no secret is in the log"):
        text = cloud.log.getvalue() + cloud.stdlog.logger.output
        for name, secret in cloud.secrets().items():
            expect.true(secret not in text, name + " is not there")
