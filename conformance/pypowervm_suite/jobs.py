"""Jobs: templates, results, failures, cancellation, and what is left of them."""

import time

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.wrappers import job as pvm_job
from pypowervm.wrappers import managed_system as pvm_ms

from pypowervm_suite import clients
from pypowervm_suite import expect
from pypowervm_suite import partition

OK = pvm_job.JobStatus.COMPLETED_OK


def _template(site, root, uuid, operation):
    return pvm_job.Job.wrap(site.adapter.read(root, uuid, suffix_type=const.SUFFIX_TYPE_DO,
                                              suffix_parm=operation))


def _wwpns(site, pairs="1"):
    job = _template(site, pvm_ms.System.schema_type, site.system.uuid, "GetNextWWPNs")
    return job, [job.create_job_parameter("numberPairsRequested", pairs)]


def _gone(site, job_id):
    expect.refused(pvm_ex.HttpNotFound, lambda: site.adapter.read_job(job_id),
                   "reading a job that was deleted")


def check(site):
    """Jobs that change little."""
    with site.check("a job tells its results by name, and is deleted"):
        job, parameters = _wwpns(site)
        job.run_job(site.system.uuid, job_parms=parameters)
        expect.equal(job.job_status, OK, "its status")
        results = job.get_job_results_as_dict()
        expect.matches(results.get("wwpnList"), r"[0-9a-fA-F]{16},[0-9a-fA-F]{16}", "wwpnList")
        _gone(site, job.job_id)
    with site.check("a job's parameter may be CDATA"):
        job = _template(site, pvm_ms.System.schema_type, site.system.uuid, "GetNextWWPNs")
        job.run_job(site.system.uuid, job_parms=[
            job.create_job_parameter("numberPairsRequested", "2", cdata=True)])
        expect.equal(len(job.get_job_results_as_dict()["wwpnList"].split(",")), 4, "the WWPNs")
    for name, fault, said in (
            ("a job that fails tells why", {"job_error": "HSCL05DF It must not be."}, "HSCL05DF"),
            ("a job that breaks off tells its exception", {"job_exception": "It broke."},
             "It broke."),
            ("a job that firmware fails tells its code", {"firmware": "HSCL3205"}, "HSCL3205")):
        with site.check(name):
            job, parameters = _wwpns(site)
            with site.simulator.fault(job="GetNextWWPNs", first=1, fault=fault):
                error = expect.refused(
                    pvm_ex.JobRequestFailed,
                    lambda j=job, p=parameters: j.run_job(site.system.uuid, job_parms=p), name)
            expect.true(said in str(error), "it says %s: %s" % (said, error))
            expect.true(job.job_status != OK, "its status is %s" % job.job_status)
            _gone(site, job.job_id)
    with site.check("a job that the server refuses to take is a failed job"):
        job, parameters = _wwpns(site)
        with site.simulator.fault(method="PUT", path="*/do/GetNextWWPNs", first=1,
                                  fault={"answer": {"status": 500, "message": "Not now."}}):
            error = expect.refused(
                pvm_ex.JobRequestFailed,
                lambda: job.run_job(site.system.uuid, job_parms=parameters), "the job")
        expect.true("Not now." in str(error), "it says so: %s" % error)
    with site.check("a parameter out of its bounds fails the job"):
        job, parameters = _wwpns(site, pairs="9")
        expect.refused(pvm_ex.JobRequestFailed,
                       lambda: job.run_job(site.system.uuid, job_parms=parameters),
                       "nine pairs")
    with site.check("an unknown operation, and an unknown target, have no template"):
        error = expect.refused(pvm_ex.HttpError, lambda: _template(
            site, "LogicalPartition", site.vioses[0].uuid, "NoSuchOperation"), "the operation")
        expect.within(error.response.status, 400, 404, "the status")
        expect.refused(pvm_ex.HttpNotFound, lambda: _template(
            site, "LogicalPartition", "0DEAD000-BEEF-4000-8000-000000000000", "PowerOn"),
            "the target")
    _waiting(site)


def _waiting(site):
    with site.check("a job that waits is NOT_STARTED, then done"):
        with partition.temporary(site, "conformance-job") as made:
            job = _template(site, "LogicalPartition", made.uuid, "PowerOn")
            with site.simulator.held_jobs():
                entry = site.adapter.create_job(job.entry.element, "LogicalPartition",
                                                made.uuid).entry
                waiting = pvm_job.Job.wrap(entry)
                expect.one_of(waiting.job_status, ("NOT_STARTED", pvm_job.JobStatus.NOT_ACTIVE),
                              "its status")
            done = clients.wait_until(
                lambda: (lambda j: j if j.job_status == OK else None)(
                    pvm_job.Job.wrap(site.adapter.read_job(waiting.job_id).entry)),
                30, "the job is done")
            done.delete_job()
            _gone(site, waiting.job_id)
    with site.check("a job that takes too long is cancelled, and deleted behind the client"):
        with partition.temporary(site, "conformance-slow") as made:
            job = _template(site, "LogicalPartition", made.uuid, "PowerOn")
            with site.simulator.held_jobs():
                begin = time.monotonic()
                expect.refused(pvm_ex.JobRequestTimedOut,
                               lambda: job.run_job(made.uuid, timeout=1), "a slow job")
                expect.within(time.monotonic() - begin, 1, 10, "the seconds that it waited")
            clients.wait_until(lambda: _is_gone(site, job.job_id), 30, "the job is deleted")
    with site.check("an asynchronous job is deleted behind the client too"):
        job, parameters = _wwpns(site)
        job.run_job(site.system.uuid, job_parms=parameters, synchronous=False)
        clients.wait_until(lambda: _is_gone(site, job.job_id), 30, "the job is deleted")


def _is_gone(site, job_id):
    try:
        site.adapter.read_job(job_id)
    except pvm_ex.HttpNotFound:
        return True
    return False
