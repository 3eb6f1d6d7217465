"""Two processes, as two hosts, want the same image in the pool at the same time."""

import os
import subprocess
import sys

from pypowervm.tasks import storage as tsk_stg
from pypowervm.wrappers import storage as pvm_stg

from pypowervm_suite import broker
from pypowervm_suite import content
from pypowervm_suite import expect

NAME = "image_raced"
BYTES = 2 * 1024 * 1024
SECONDS = 120
PROCESS = "pypowervm_suite.image_racer"


def check(site):
    """Starts PROCESS twice, at the same moment."""
    with site.check("two processes race for an image: one uploads, both get it"):
        results = _race(site, ["", ""])
        expect.equal([result["code"] for result in results], [0, 0], "exit codes of %s" % results)
        expect.equal(sorted(result["uploads"] for result in results), ["0", "1"], "uploads")
        expect.equal(len({result["udid"] for result in results}), 1, "the units that they got")
        unit = _only_unit(site)
        expect.equal(unit.udid, results[0]["udid"], "the unit that is there")
        content.arrived(site, unit.udid, content.pattern(BYTES))
        unit.delete()
    with site.check("who fails in its upload leaves nothing behind, and the next one does it"):
        failed = expect.single(_race(site, ["fail"]), "results")
        expect.equal((failed["code"], _units(site)), (3, []), "exit code and units")
        done = expect.single(_race(site, [""]), "results")
        expect.equal((done["code"], done["uploads"]), (0, "1"), "exit code and uploads")
        unit = _only_unit(site)
        content.arrived(site, unit.udid, content.pattern(BYTES))
        unit.delete()
    with site.check("a marker that another host left makes the next one wait until it goes"):
        _, marker = tsk_stg.crt_lu(site.tier, "part00000000" + NAME, 0.001,
                                   typ=pvm_stg.LUType.IMAGE)
        process = _start(site, "")
        try:
            expect.true(_waits(process), "it waits")
            expect.equal([u.name for u in _units(site)], [marker.name], "the units meanwhile")
        finally:
            marker.delete()
        result = _end(process)
        expect.equal((result["code"], result["uploads"]), (0, "1"), "code and uploads")
        _only_unit(site).delete()


def _units(site):
    return [unit for unit in pvm_stg.LUEnt.get(site.adapter, parent=site.tier)
            if unit.name.endswith(NAME)]


def _only_unit(site):
    """The image, with no marker beside it, and no file."""
    expect.equal(broker.files(site), [], "the files")
    units = _units(site)
    expect.equal([unit.name for unit in units], [NAME], "the units of that image")
    return units[0]


def _start(site, how):
    arguments = [sys.executable, "-m", PROCESS, site.tier.uuid, site.vioses[0].uuid, NAME,
                 str(BYTES), how or "well"]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "RACER_HOST": "127.0.0.1",
                   "RACER_PORT": str(site.simulator.https_port),
                   "RACER_USER": site.simulator.user, "RACER_PASSWORD": site.simulator.password}
    with open(os.path.join(site.simulator.folder, "racers.log"), "ab") as log:
        return subprocess.Popen(arguments, cwd=folder, env=environment, text=True, stderr=log,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _waits(process):
    """Whether it is ready, and told to go has not ended after two seconds."""
    expect.equal(process.stdout.readline().strip(), "ready", "what it says")
    process.stdin.write("go\n")
    process.stdin.flush()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(process):
    output, _ = process.communicate(timeout=SECONDS)
    result = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return {"udid": None, "uploads": None, **result, "code": process.returncode}


def _race(site, ways):
    """Starts one process a way, lets them go together; gives their results."""
    processes = [_start(site, how) for how in ways]
    for process in processes:
        expect.equal(process.stdout.readline().strip(), "ready", "what it says")
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [_end(process) for process in processes]
