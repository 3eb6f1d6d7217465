"""What Nova's services say of themselves, whichever driver they run. It needs no pypowervm."""

from pypowervm_suite import expect


def check_listed(site, hosts):
    """The services that are up, and the hypervisors of those hosts."""
    cloud = site.cloud
    with site.check("all services are up"):
        services = cloud.api.get_services()
        expect.equal(sorted(service["binary"] for service in services),
                     ["nova-compute"] * len(hosts) + ["nova-conductor", "nova-scheduler"], "the services")
        expect.equal({service["state"] for service in services}, {"up"}, "their states")
    with site.check("the hypervisor is listed with what the system has"):
        found = cloud.api.api_get("/os-hypervisors/detail").body["hypervisors"]
        expect.equal({hypervisor["hypervisor_type"] for hypervisor in found}, {"phyp"}, "its type")
        expect.equal(sorted(hypervisor["hypervisor_hostname"] for hypervisor in found), sorted(hosts), "its name")
