"""Busy Virtual I/O Servers, and the helper of the client that tries again."""

import functools
import io

from pypowervm import adapter as pvm_adapter
from pypowervm import exceptions as pvm_ex
from pypowervm.helpers import vios_busy
from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import broker
from pypowervm_suite import expect

MARK = "busy-retry"
BUSY = (
    ("HSCL3205", {"firmware": "HSCL3205"}),
    ("VIOS0014", {"firmware": "VIOS0014"}),
    ("status 503", {"answer": {"status": 503, "message": "Service unavailable."}}),
    ("a busy server's text", {"answer": {
        "status": 500, "message": "VIOS 1*9999-99Z*2125D4A is busy processing some other request. "
                                  "Please retry the operation after sometime."}}),
    ("a busy system's text", {"answer": {
        "status": 500, "message": "The system is currently too busy to complete the request."}}),
)


def check(site):
    """Reads and updates of a Virtual I/O Server."""
    retrying = pvm_adapter.Adapter(site.session, helpers=[
        functools.partial(vios_busy.vios_busy_retry_helper, delay=0.01)])
    plain = pvm_adapter.Adapter(site.session)
    vios = None
    with site.check("each adapter has helpers of its own"):
        vios = site.vioses[0].uuid
        expect.equal(len(retrying.helpers), 1, "those of the one")
        expect.equal(plain.helpers, [], "those of the other")
    for name, fault in BUSY:
        with site.check("%s is tried again, three times" % name):
            with site.simulator.fault(resource="VirtualIOServer", first=3, fault=fault) as hits:
                expect.equal(pvm_vios.VIOS.get(retrying, uuid=vios).uuid, vios, "what is read")
                expect.equal(hits(), 3, "how often it was busy")
        with site.check("%s is told after that" % name):
            with site.simulator.fault(resource="VirtualIOServer", first=4, fault=fault) as hits:
                expect.refused(pvm_ex.HttpError,
                               lambda: pvm_vios.VIOS.get(retrying, uuid=vios), "the fourth time")
                expect.equal(hits(), 4, "how often it was busy")
        with site.check("%s is told at once without the helper" % name):
            with site.simulator.fault(resource="VirtualIOServer", fault=fault) as hits:
                expect.refused(pvm_ex.HttpError, lambda: pvm_vios.VIOS.get(plain, uuid=vios),
                               "the first time")
                expect.equal(hits(), 1, "how often it was asked")
    _others(site, retrying, vios)


def _others(site, retrying, vios):
    with site.check("an update that finds the server busy is made after all, once"):
        before = pvm_vios.VIOS.get(retrying, uuid=vios)
        priority = before.avail_priority
        try:
            before.avail_priority = priority - 1
            with site.simulator.fault(verb="POST", resource="VirtualIOServer", first=2,
                                      fault={"firmware": "HSCL3205"}) as hits:
                after = before.update()
                expect.equal(hits(), 2, "how often it was busy")
            expect.equal(after.avail_priority, priority - 1, "what was changed")
        finally:
            now = pvm_vios.VIOS.get(retrying, uuid=vios)
            now.avail_priority = priority
            now.update()
    with site.check("any other error is told at once"):
        with site.simulator.fault(resource="VirtualIOServer",
                                  fault={"firmware": "HSCL2957"}) as hits:
            expect.refused(pvm_ex.HttpError, lambda: pvm_vios.VIOS.get(retrying, uuid=vios),
                           "an error that does not pass")
            expect.equal(hits(), 1, "how often it was asked")
    with site.check("an upload is not tried again"):
        _, unit = tsk_stg.crt_lu(site.tier, "busy-upload", 1)
        try:
            with site.simulator.fault(verb="PUT", path="*/File/contents/*",
                                      fault={"firmware": "HSCL3205"}) as hits:
                expect.refused(
                    pvm_ex.HttpError,
                    lambda: tsk_stg.upload_lu(vios, unit, io.BytesIO(b"x" * 512), 512),
                    "the upload")
                expect.equal(hits(), 1, "how often it was sent")
            expect.equal(broker.files(site), [], "the files afterwards")
        finally:
            unit.delete()
    with site.check("a connection that breaks is told as such"):
        with site.simulator.fault(resource="VirtualIOServer", first=1, fault="reset"):
            expect.refused(pvm_ex.ConnectionError, lambda: pvm_vios.VIOS.get(
                retrying, uuid=vios), "a read whose connection breaks")
        expect.equal(pvm_vios.VIOS.get(retrying, uuid=vios).uuid, vios, "the next read")
    with site.check("an answer that breaks off is told as such"):
        with site.simulator.fault(resource="VirtualIOServer", first=1, fault={"cut": 100}):
            expect.refused(pvm_ex.Error, lambda: pvm_vios.VIOS.get(retrying, uuid=vios),
                           "a read whose answer breaks off")
