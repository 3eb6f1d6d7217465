"""Logging on and off in both ways, and being refused."""

import requests

from pypowervm import exceptions as pvm_ex

from pypowervm_suite import clients
from pypowervm_suite import expect


def check_password(report, simulator):
    """Password logon over https; gives the session, or None."""
    session = None
    with report.check("does not trust the self-signed certificate unasked"):
        expect.refused(pvm_ex.SSLError, lambda: clients.password_session(simulator, verified=True),
                       "a certificate that nobody installed")
    with report.check("logs on with a password over https, the certificate verified"):
        with clients.trusted(simulator):
            session = clients.password_session(simulator, verified=True)
            expect.equal(session.mc_type, _mc_type(simulator), "X-MC-Type")
    with report.check("logs on with a password over https"):
        session = clients.password_session(simulator)
        expect.equal(session.mc_type, _mc_type(simulator), "X-MC-Type")
        expect.matches(session.schema_version, r"V\d+_\d+(_\d+)?", "the schema version")
    with report.check("is refused with a wrong password"):
        error = expect.refused(
            pvm_ex.HttpUnauth,
            lambda: clients.password_session(simulator, password="wrong" + simulator.password),
            "a wrong password")
        expect.equal(error.response.status, 401, "the status")
        expect.true(simulator.password not in error.response.body, "the answer keeps the password")
    with report.check("is refused as an unknown user"):
        expect.refused(
            pvm_ex.HttpUnauth,
            lambda: clients.password_session(simulator, user="nobody"),
            "an unknown user")
    return session


def check_token_file(report, simulator):
    """Token-file logon over http; gives the session, or None (always None on an HMC)."""
    if simulator.flavor != "novalink":
        with report.check("is refused without a password on an HMC"):
            expect.refused(
                pvm_ex.Error, lambda: clients.token_file_session(simulator), "a token file logon")
        return None
    session = None
    with report.check("logs on with a token file over http"):
        session = clients.token_file_session(simulator)
        expect.equal(session.mc_type, "PVM", "X-MC-Type")
        expect.true(session.traits.local_api, "the API counts as local")
    return session


def check_traits(site):
    """What the client derives from the flavour."""
    with site.check("derives the traits of the flavour"):
        traits = site.adapter.traits
        expect.equal(traits.vnet_aware, not site.novalink, "vnet_aware")
        expect.equal(traits.has_high_slot, site.novalink, "has_high_slot")
        expect.equal(traits.rmdev_job_available, site.novalink, "rmdev_job_available")


def check_tokens(site):
    """Tokens that are missing, made up, logged off and renewed."""
    base = site.session.dest + "/rest/api/"

    with site.check("a call without a token answers 401"):
        answer = requests.get(base + "uom/ManagedSystem", verify=False, timeout=30)
        expect.equal(answer.status_code, 401, "the status")
    with site.check("a call with a made-up token answers 401"):
        answer = requests.get(base + "uom/ManagedSystem", verify=False, timeout=30,
                              headers={"X-API-Session": "made+up=="})
        expect.equal(answer.status_code, 401, "the status")
    with site.check("logs on again by itself when the token is gone"):
        old = site.session._sessToken
        answer = requests.delete(base + "web/Logon", verify=False, timeout=30,
                                 headers={"X-API-Session": old})
        expect.equal(answer.status_code, 204, "the status of the logoff")
        answer = requests.get(base + "uom/ManagedSystem", verify=False, timeout=30,
                              headers={"X-API-Session": old})
        expect.equal(answer.status_code, 401, "the status with the token logged off")
        expect.some(site.adapter.read("ManagedSystem").feed.entries, "managed system")
        expect.true(site.session._sessToken != old, "the session has a new token")


def check_logoff(site):
    """The session's own end."""
    with site.check("logs off"):
        token = site.session._sessToken
        site.session._logoff()
        answer = requests.get(site.session.dest + "/rest/api/uom/ManagedSystem", verify=False,
                              timeout=30, headers={"X-API-Session": token})
        expect.equal(answer.status_code, 401, "the status after the logoff")


def _mc_type(simulator):
    return "PVM" if simulator.flavor == "novalink" else "HMC"


