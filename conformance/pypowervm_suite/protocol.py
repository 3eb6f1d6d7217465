"""Etags, quick properties, searches, empty feeds and errors."""

import json
import threading

from pypowervm import const
from pypowervm import exceptions as pvm_ex
from pypowervm.utils import retry as pvm_retry
from pypowervm.wrappers import cluster as pvm_clust
from pypowervm.wrappers import http_error
from pypowervm.wrappers import logical_partition as pvm_lpar
from pypowervm.wrappers import network as pvm_net
from pypowervm.wrappers import storage as pvm_stg
from pypowervm.wrappers import virtual_io_server as pvm_vios

from pypowervm_suite import expect

NOWHERE = "0DEAD000-BEEF-4000-8000-000000000000"


def check(site):
    """Uses site.partition, which is off."""
    _etags(site)
    _quick(site)
    _search(site)
    _errors(site)


def _etags(site):
    with site.check("an unchanged partition answers 304"):
        partition = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        expect.true(partition.refresh() is partition, "the refresh gives the same object")
        response = site.adapter.read("LogicalPartition", partition.uuid, etag=partition.etag)
        expect.equal(response.status, 304, "the status")
        expect.equal(response.body, "", "the body")
    with site.check("a changed partition answers 200 and a new etag"):
        partition = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other.avail_priority = 100
        changed = other.update()
        expect.true(changed.etag != partition.etag, "the etag is new")
        fresh = partition.refresh()
        expect.equal(fresh.avail_priority, 100, "the value after the refresh")
        expect.equal(fresh.etag, changed.etag, "the etag after the refresh")
    with site.check("a stale etag answers 412, and nothing is changed"):
        stale = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other.avail_priority = 101
        other.update()
        stale.avail_priority = 102
        error = expect.refused(pvm_ex.HttpError, stale.update, "an update with a stale etag")
        expect.equal(error.response.status, const.HTTPStatus.ETAG_MISMATCH, "the status")
        now = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        expect.equal(now.avail_priority, 101, "the value")
    with site.check("the client's retry gets over a stale etag"):
        stale = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        other.avail_priority = 103
        other.update()

        @pvm_retry.retry(argmod_func=pvm_retry.refresh_wrapper)
        def change(partition):
            partition.avail_priority = 127
            return partition.update()

        expect.equal(change(stale).avail_priority, 127, "the value")
    with site.check("parallel updates through the retry lose none"):
        _parallel(site)
    with site.check("a VIOS's etag does not change with what it does not show"):
        vios = site.vioses[0]
        plain = pvm_vios.VIOS.get(site.adapter, uuid=vios.uuid)
        group = site.data_vg[1].refresh()
        expect.true(group.uuid, "the volume group is there")
        expect.true(plain.refresh() is plain, "an unchanged server answers 304")


def _parallel(site):
    """Each thread appends its own text to the partition's name, again after each 412."""
    failures = []

    @pvm_retry.retry(argmod_func=pvm_retry.refresh_wrapper, tries=60,
                     delay_func=pvm_retry.STEPPED_RANDOM_DELAY)
    def append(partition, letter):
        partition.name = partition.name + letter
        return partition.update()

    def run(letter):
        try:
            append(pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid), letter)
        except Exception as error:  # told to the check, which runs in another thread
            failures.append(repr(error))

    before = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid).name
    threads = [threading.Thread(target=run, args=(letter,)) for letter in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect.equal(failures, [], "failures")
    partition = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
    expect.equal("".join(sorted(partition.name[len(before):])), "abcdef", "the letters appended")
    partition.name = before
    partition.update()


def _quick(site):
    def quick(name):
        response = site.adapter.read("LogicalPartition", site.partition.uuid,
                                     suffix_type="quick", suffix_parm=name)
        return json.loads(response.body)

    with site.check("quick properties are bare JSON values"):
        expect.equal(quick("PartitionState"), "not activated", "PartitionState")
        expect.equal(quick("PartitionID"), site.partition.id, "PartitionID")
        expect.equal(quick("PartitionType"), "AIX/Linux", "PartitionType")
        expect.equal(quick("PartitionName"),
                     pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid).name,
                     "PartitionName")
    with site.check("an unknown quick property is refused"):
        expect.refused(pvm_ex.HttpError, lambda: quick("NoSuchProperty"), "NoSuchProperty")
    with site.check("all quick properties come as an object, of a feed as a list"):
        response = site.adapter.read("LogicalPartition", site.partition.uuid, suffix_type="quick")
        values = json.loads(response.body)
        expect.kind(values, dict, "the properties")
        expect.equal(values.get("PartitionState"), "not activated", "PartitionState")
        response = site.adapter.read("LogicalPartition", suffix_type="quick", suffix_parm="All")
        values = json.loads(response.body)
        expect.kind(values, list, "the properties of all")
        expect.true(site.partition.uuid in [value.get("UUID") for value in values],
                    "the partition's UUID is in the list")


def _search(site):
    with site.check("searches partitions by name and id"):
        now = pvm_lpar.LPAR.get(site.adapter, uuid=site.partition.uuid)
        found = pvm_lpar.LPAR.search(site.adapter, name=now.name, one_result=True)
        expect.equal(found.uuid, now.uuid, "by name")
        found = pvm_lpar.LPAR.search(site.adapter, id=now.id, one_result=True)
        expect.equal(found.uuid, now.uuid, "by id")
        others = pvm_lpar.LPAR.search(site.adapter, negate=True, name=now.name)
        expect.true(now.uuid not in [p.uuid for p in others], "the negated search leaves it out")
        expect.equal(len(others) + 1, len(pvm_lpar.LPAR.get(site.adapter)), "all but one")
    with site.check("searches for a name with strange characters"):
        found = pvm_lpar.LPAR.search(site.adapter, name="no such/%'\"&<ü")
        expect.equal(found, [], "what is found")
    with site.check("searches Virtual I/O Servers, clusters and pools"):
        vios = site.vioses[1]
        expect.equal(pvm_vios.VIOS.search(site.adapter, name=vios.name)[0].uuid, vios.uuid,
                     "the server by name")
        expect.equal(pvm_vios.VIOS.search(site.adapter, id=vios.id)[0].uuid, vios.uuid,
                     "the server by id")
        expect.equal(pvm_vios.VIOS.search(site.adapter, name="nobody"), [], "an unknown server")
        cluster = pvm_clust.Cluster.search(site.adapter, name=site.cluster.name)
        expect.equal(cluster[0].uuid, site.cluster.uuid, "the cluster")
        pool = pvm_stg.SSP.search(site.adapter, name=site.pool.name)
        expect.equal(pool[0].uuid, site.pool.uuid, "the pool")
    with site.check("an unknown search key is refused"):
        expect.refused(
            pvm_ex.HttpError,
            lambda: site.adapter.read("LogicalPartition", suffix_type="search",
                                      suffix_parm="(NoSuchKey=='1')"),
            "NoSuchKey")


def _errors(site):
    with site.check("an empty feed answers 204"):
        for cna in pvm_net.CNA.get(site.adapter, parent=site.partition):
            cna.delete()
        response = site.adapter.read("LogicalPartition", site.partition.uuid,
                                     "ClientNetworkAdapter")
        expect.equal(response.status, 204, "the status")
        expect.equal(response.feed.entries, [], "the entries")
    with site.check("what is not there answers 404 with an error document"):
        for read in (lambda: pvm_lpar.LPAR.get(site.adapter, uuid=NOWHERE),
                     lambda: pvm_vios.VIOS.get(site.adapter, uuid=NOWHERE),
                     lambda: pvm_stg.Tier.get(site.adapter, uuid=NOWHERE),
                     lambda: pvm_net.CNA.get(site.adapter, parent_type=pvm_lpar.LPAR,
                                             parent_uuid=NOWHERE)):
            error = expect.refused(pvm_ex.HttpNotFound, read, "something unknown")
            said = http_error.HttpError.wrap(error.response.entry)
            expect.equal(said.status, 404, "the status in the document")
            expect.true(said.message, "the document has a message")
    with site.check("an unknown type is refused with an error document"):
        error = expect.refused(pvm_ex.HttpError, lambda: site.adapter.read("NoSuchType"),
                               "an unknown type")
        expect.one_of(error.response.status, (400, 404), "the status")
        expect.true(http_error.HttpError.wrap(error.response.entry).message, "it has a message")
    with site.check("nonsense is refused with an error document"):
        for body, media in (("<LogicalPartition", "LogicalPartition"), ("", "LogicalPartition"),
                            ("<a><b></a></b>", "LogicalPartition")):
            error = expect.refused(
                pvm_ex.HttpError,
                lambda body=body, media=media: site.adapter._request(
                    "PUT", "/rest/api/uom/ManagedSystem/%s/%s" % (site.system.uuid, media),
                    headers={"Content-Type": "application/vnd.ibm.powervm.uom+xml; type=" + media},
                    body=body),
                "the body %r" % body)
            expect.within(error.response.status, 400, 499, "the status")
            expect.true(http_error.HttpError.wrap(error.response.entry).message, "it has a message")
