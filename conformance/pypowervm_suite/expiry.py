"""Sessions that expire: the client logs on again by itself, once, and listeners go on."""

import requests

from pypowervm import exceptions as pvm_ex
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import expect
from pypowervm_suite import partition

IDLE_HOURS = 2


def _status(site, token):
    return requests.get(site.session.dest + "/rest/api/uom/ManagedSystem", verify=False,
                        timeout=30, headers={"X-API-Session": token}).status_code


def check(site):
    """Lets more time pass than a session may be idle."""
    with site.check("an idle session expires, and the client logs on again"):
        old = site.session._sessToken
        expect.equal(_status(site, old), 200, "the status before")
        site.simulator.advance(IDLE_HOURS * 3600 + 60)
        expect.equal(_status(site, old), 401, "the status after %d hours" % IDLE_HOURS)
        expect.some(pvm_ms.System.get(site.adapter), "managed system")
        expect.true(site.session._sessToken != old, "the session has a new token")
        expect.equal(_status(site, site.session._sessToken), 200, "the new token's status")
    with site.check("a session that is used does not expire"):
        token = site.session._sessToken
        for _ in range(3):
            site.simulator.advance(IDLE_HOURS * 1800)
            pvm_ms.System.get(site.adapter)
        expect.equal(site.session._sessToken, token, "its token")
    with site.check("a create and an update survive the expiry, and happen once"):
        site.simulator.advance(IDLE_HOURS * 3600 + 60)
        with partition.temporary(site, "conformance-expiry") as made:
            site.simulator.advance(IDLE_HOURS * 3600 + 60)
            made.avail_priority = 99
            made.update()
            found = pvm_lpar.LPAR.search(site.adapter, name="conformance-expiry")
            expect.equal([p.avail_priority for p in found], [99], "what is there")
    with site.check("a logon that is refused meanwhile is told, and not tried again and again"):
        site.simulator.advance(IDLE_HOURS * 3600 + 60)
        with site.simulator.fault(
                method="PUT", path="*/Logon", first=1,
                fault={"answer": {"status": 401, "message": "Not now."}}) as hits:
            expect.refused(pvm_ex.HttpError, lambda: pvm_ms.System.get(site.adapter),
                           "the read")
            expect.refused(pvm_ex.HttpError, lambda: pvm_ms.System.get(site.adapter),
                           "the next read")
            expect.equal(hits(), 1, "the logons that were tried")
        site.session._logged_in = False
        site.session._sessToken = None
        site.session._relogin_unsafe = False
        site.session._logon()
        expect.some(pvm_ms.System.get(site.adapter), "managed system")
