#!/usr/bin/env python3
"""What powervm-harness reports is read by those for whom it is made: subunit2html, stestr, a browser.

Run by ``cargo xtask conformance``; by hand: ``target/conformance/reports/bin/python conformance/reports.py --simulator
target/debug/powervm-sim --work /tmp/somewhere``. It needs the packages of requirements/reports.txt and a Chromium, and
runs the powervm-harness that lies beside the powervm-sim.
"""

import argparse
import base64
import filecmp
import gzip
import hashlib
import html
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import traceback
import zlib

import subunit
from testtools import StreamResult

from pypowervm_suite import expect as expectations
from pypowervm_suite import report as reports

SECONDS = 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCENARIOS = ("test_server_basic_ops", "test_create_with_invalid_flavor")
HOSTILE = "tempest.api.</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SECRETS = ("s3cr3t-value", "opensesame", "10.77.1.2", "9.114.3.4", "fd00:77::2", "2600:1f18::77", "hmc7.lab.example",
           "MIIEowIBAAKCAQEA")
# What stands in the logs of a run, each line with something that nobody is to read.
SERVICE_LOG = """2026-11-23 03:40:37.123 12 DEBUG nova [req-1] password=s3cr3t-value for 10.77.1.2
curl -g -i -X GET http://hmc7.lab.example:9696/v2.0/ports -H "X-Auth-Token: s3cr3t-value"
PUT https://9.114.3.4:12443/rest/api/web/Logon <Password kb="CUR" kxe="false">s3cr3t-value</Password>
<X-API-Session kb="ROR" kxe="false">s3cr3t-value</X-API-Session> from [fd00:77::2]:443 and 2600:1f18::77
transport_url = rabbit://stackrabbit:s3cr3t-value@10.77.1.2:5672/
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAs3cr3t-value
-----END RSA PRIVATE KEY-----
it said opensesame
"""


class expect:
    """Expectations whose failures say what was found."""

    Unmet = reports.Unmet

    @staticmethod
    def true(condition, found):
        expectations.true(condition, str(found))

    @staticmethod
    def equal(found, wanted, what="it"):
        expectations.equal(found, wanted, what)


class Site:
    """The folder that everything is made in, and the programs that make it."""

    def __init__(self, folder, simulator, report):
        self.folder = folder
        self.harness = os.path.join(os.path.dirname(os.path.abspath(simulator)), "powervm-harness")
        self.check = report.check

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def read(self, *names):
        with open(self.path(*names), "rb") as file:
            content = file.read()
        return gzip.decompress(content) if names[-1].endswith(".gz") else content

    def run(self, *command, code=0, stdin=None, cwd=None):
        """What a command printed; its exit code has to be this one."""
        done = subprocess.run(command, cwd=cwd or self.folder, stdin=stdin, capture_output=True, timeout=SECONDS)
        if done.returncode != code:
            raise expect.Unmet("%s ended with %s, not %s: %s" % (
                os.path.basename(command[0]), done.returncode, code, (done.stdout + done.stderr)[-800:].decode("utf-8", "replace")))
        return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


class Counted(StreamResult):
    """Counts how tests of a stream ended, and keeps their texts."""

    def __init__(self):
        super().__init__()
        self.ended, self.texts, self.began = {}, {}, {}

    def status(self, test_id=None, test_status=None, timestamp=None, file_name=None, file_bytes=None, **others):
        if test_status == "inprogress":
            self.began[test_id] = timestamp
        elif test_status:
            self.ended[test_id] = (test_status, timestamp)
        if file_name:
            key = (test_id, file_name)
            self.texts[key] = self.texts.get(key, b"") + file_bytes


def log_of_another_producer(path):
    """A log as a program in another language writes it: hostile names, secrets, every verdict, several workers."""
    at = "2026-11-23T10:%02d:%02d.500Z"
    lines = [
        {"event": "log", "format": 1, "producer": "conformance 1"},
        {"event": "run-begins", "run": "api", "seed": 7, "commit": "c0ffee" * 7, "target": "https://hmc7.lab.example:12443",
         "repro": "repeat --password s3cr3t-value", "wall": at % (0, 0)},
        {"event": "environment", "facts": {"python": sys.version.split()[0], "os_password": "s3cr3t-value", "endpoint": "https://10.77.1.2"}},
    ]
    for number in range(40):
        test = "tempest.api.compute.test_%02d.Test.test_it" % number
        verdict = {7: "failed", 11: "skipped"}.get(number, "passed")
        if number == 23:
            test, verdict = HOSTILE, "failed"
        minute = number // 4
        lines.append({"event": "test-begins", "run": "api", "test": test, "worker": number % 4, "wall": at % (minute, 1)})
        lines.append({"event": "step-begins", "run": "api", "test": test, "step": "create", "wall": at % (minute, 1)})
        for call in range(12):
            lines.append({"event": "call", "run": "api", "test": test, "step": "create", "method": "GET", "path": "/rest/api/uom/ManagedSystem/{id}",
                          "status": 503 if call == 5 and number == 7 else 200, "took_us": 1000 + 4000 * call * call, "sent": 0,
                          "received": 5000, "attempt": 2 if call == 6 and number == 7 else 1, "wall": at % (minute, 2 + 3 * call)})
        if number == 7:
            lines.append({"event": "fault", "run": "api", "test": test, "step": "create", "fault": "answered with 503", "struck": "GET /x", "wall": at % (minute, 20)})
            lines.append({"event": "attachment", "run": "api", "test": test, "name": "pythonlogging", "text": SERVICE_LOG * 200})
            lines.append({"event": "finding", "run": "api", "test": test, "finding": "left behind: partition vm-1"})
        lines.append({"event": "step-ends", "run": "api", "test": test, "step": "create", "verdict": verdict, "took_us": 38000000})
        lines.append({"event": "test-ends", "run": "api", "test": test, "verdict": verdict, "wall": at % (minute, 40),
                      **({"reason": HOSTILE + " opensesame"} if verdict == "failed" else {}), **({"reason": "no second host"} if verdict == "skipped" else {})})
    lines.append({"event": "run-ends", "run": "api", "verdict": "failed", "wall": at % (10, 0)})
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))


def runs(site):
    """The harness's own run, twice."""
    for folder in ("one", "two"):
        with site.check("a run writes its reports (%s)" % folder):
            site.run(site.harness, "run", *SCENARIOS, "--seed", "7", "--weather", "stormy", "--quiet", "--report", site.path(folder))
    with site.check("the same seed writes the same bytes, whatever the report"):
        names = sorted(os.listdir(site.path("one")))
        expect.equal(names, ["events.jsonl", "junit.xml", "machine.jsonl", "report.html", "report.json", "results.subunit"])
        differing = [name for name in names if not filecmp.cmp(site.path("one", name), site.path("two", name), shallow=False)]
        expect.equal(differing, ["machine.jsonl"])
    with site.check("the event log has every kind of event, and each call in its step"):
        events = [json.loads(line) for line in site.read("one", "events.jsonl").splitlines()]
        kinds = {event["event"] for event in events}
        expect.true({"run-begins", "test-begins", "step-begins", "operation", "phase", "call", "check", "step-ends", "test-ends", "run-ends"} <= kinds, kinds)
        creates = [event for event in events if event["event"] == "call" and event.get("step") == "create"]
        expect.true(len(creates) > 10 and all(event["test"] in SCENARIOS and "at_us" in event and "wall" not in event for event in creates), len(creates))
    with site.check("what is rendered again of a stored log is what the run rendered"):
        site.run(site.harness, "report", "--from", site.path("one", "events.jsonl"), "--html", site.path("again.html"), "--junit", site.path("again.xml"),
                 "--subunit", site.path("again.subunit"), "--quiet")
        for again, name in (("again.html", "report.html"), ("again.xml", "junit.xml"), ("again.subunit", "results.subunit")):
            expect.true(site.read(again) == site.read("one", name), name)


def endings(site):
    """Exit codes: three."""
    with site.check("a failed log ends with 1"):
        site.run(site.harness, "report", "--from", site.path("one", "events.jsonl"), "--from", site.path("api.jsonl"), "--quiet", "--html", site.path("all.html"),
                 "--subunit", site.path("all.subunit"), "--junit", site.path("all.xml"), code=1)
    with site.check("a log that is cut short, one that is none and a wrong command line end with 255"):
        cut = site.path("cut.jsonl")
        with open(cut, "wb") as file:
            file.write(site.read("one", "events.jsonl")[:-300])
        _, told = site.run(site.harness, "report", "--from", cut, "--quiet", code=255)
        expect.true("cut.jsonl" in told and "line" in told, told)
        with open(cut, "wb") as file:
            file.write(b"\n".join(site.read("one", "events.jsonl").splitlines()[:-1]))
        site.run(site.harness, "report", "--from", cut, "--quiet", code=255)
        site.run(site.harness, "report", "--from", os.path.abspath(__file__), "--quiet", code=255)
        site.run(site.harness, "report", code=255)


def streams(site):
    """subunit v2."""
    with site.check("python-subunit reads the stream"):
        counted = Counted()
        with open(site.path("all.subunit"), "rb") as file:
            subunit.ByteStreamToStreamResult(file, non_subunit_name="garbage").run(counted)
        verdicts = [status for status, _ in counted.ended.values()]
        expect.equal((len(verdicts), verdicts.count("fail"), verdicts.count("skip")), (42, 2, 1))
        expect.true(not any(name == "garbage" for _, name in counted.texts), "no garbage")
        failed = "tempest.api.compute.test_07.Test.test_it"
        expect.equal((counted.ended[failed][1] - counted.began[failed]).total_seconds(), 39.0)
        expect.true(len(counted.texts[(failed, "pythonlogging")]) > 100_000, "the long text is whole")
        expect.true(b"LEAK: left behind: partition vm-1" in counted.texts[(failed, "traceback")], "what failed is told")
    python = os.path.dirname(sys.executable)
    with site.check("subunit2html makes its page of it"):
        site.run(os.path.join(python, "subunit2html"), site.path("all.subunit"), site.path("subunit2html.html"))
        page = site.read("subunit2html.html").decode()
        expect.true("test_server_basic_ops" in page and "Failure 2" in page and "left behind: partition vm-1" in page, page[-1500:])
    with site.check("stestr loads it, and tells it as its last run"):
        repository = site.path("stestr")
        os.makedirs(repository, exist_ok=True)
        with open(os.path.join(repository, ".stestr.conf"), "w", encoding="utf-8") as file:
            file.write("[DEFAULT]\ntest_path=.\n")
        stestr = os.path.join(python, "stestr")
        site.run(stestr, "init", cwd=repository)
        with open(site.path("all.subunit"), "rb") as file:
            site.run(stestr, "load", stdin=file, cwd=repository)
        told, _ = site.run(stestr, "last", code=1, cwd=repository)
        expect.true(" - Passed: 39" in told and " - Failed: 2" in told and " - Skipped: 1" in told, told[-900:])
        told, _ = site.run(stestr, "failing", "--list", code=1, cwd=repository)
        expect.true("test_07" in told, told)


def browser(site):
    """The page, in a browser."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    with site.check("there is a browser"):
        expect.true(found, "install chromium; looked for " + ", ".join(BROWSERS))
    if not found:
        return

    def look(name, *options, hash_="", width=1280, height=1800):
        out, log = site.run(found[0], "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                            "--user-data-dir=" + site.path("profile"), "--enable-logging=stderr", "--virtual-time-budget=5000",
                            "--window-size=%d,%d" % (width, height), *options, "file://" + site.path(name) + hash_)
        said = [line for line in log.splitlines() if "CONSOLE" in line]
        expect.equal(said, [], "the console")
        return out

    def boxes(dom):
        """Verdict and whether it is shown, of each test in its order."""
        tags = [part.split(">", 1)[0] for part in dom.split("<details ")[1:]]
        return [(tag.split('data-verdict="')[1].split('"')[0], "hidden" not in tag) for tag in tags if "data-verdict" in tag]

    with site.check("the page is built: failures first, each test once, no text became markup"):
        measured(site, "all.html", "measured.html")
        dom = look("measured.html", "--dump-dom")
        shown = boxes(dom)
        expect.equal(len(shown), 42)
        expect.equal([verdict for verdict, _ in shown][:3], ["failed", "failed", "passed"])
        expect.equal(shown[-1], ("skipped", True))
        expect.true(all(seen for _, seen in shown), "all are shown")
        expect.true("<title>39 passed" in dom and "onerror=&quot;" not in dom.split('id="data"')[0].split("<title>")[0], "the title is ours")
        expect.true(dom.count("<script") == 3 and "<img" not in dom, "no script but our own and the one that measures, no image")
        expect.true("worker 3" in dom and 'class="fault"' in dom and 'class="call error"' in dom and 'class="again"' in dom, "timeline, faults, calls")
        expect.true("42 of 42 tests" in dom, "the count")
    with site.check("the page is laid out: tests below each other, workers in lanes, bars by their times"):
        check_layout(laid_out(dom), 1280)
    with site.check("it fits a narrow window, and what stands in its drawings and tables can be read"):
        narrow = laid_out(look("measured.html", "--dump-dom", width=500))
        check_layout(narrow, 500)
        # 11 pixels of type are a line of 12 or 13.
        expect.true(narrow["texts"] and min(narrow["texts"]) >= 11, "lines of drawings are so high: %s" % sorted(set(narrow["texts"])))
        expect.true(narrow["words"] and max(narrow["words"]) <= 1, "a word stands in so many lines: %s" % sorted(set(narrow["words"])))
    with site.check("the address filters: by verdict, by words, by both"):
        dom = look("all.html", "--dump-dom", hash_="#v=skipped,failed")
        expect.equal([verdict for verdict, seen in boxes(dom) if seen], ["failed", "failed", "skipped"])
        dom = look("all.html", "--dump-dom", hash_="#q=test_server_basic%20passed")
        expect.equal([verdict for verdict, seen in boxes(dom) if seen], ["passed"])
        expect.true("1 of 42 tests" in dom, "the count")
        dom = look("all.html", "--dump-dom", hash_="#v=passed&q=no-such-test")
        expect.true(not any(seen for _, seen in boxes(dom)), "none is shown")
    with site.check("the harness's own page shows servers and calls"):
        dom = look("one/report.html", "--dump-dom", hash_="#q=basic")
        expect.true("API calls" in dom and "nothing left behind" in dom, dom[-500:])
    for name, options in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])):
        with site.check("the page is to be seen, %s" % name):
            picture = site.path("page-%s.png" % name)
            look("all.html", "--screenshot=" + picture, *options)
            colours = colours_of(picture)
            expect.true(len(colours) > 50, "%d colours" % len(colours))
            back, most = max(colours.items(), key=lambda found: found[1])
            expect.true(most < 0.97 * sum(colours.values()), "the page is nearly blank")
            expect.equal("light" if sum(back) > 3 * 128 else "dark", name, "what lies behind it, %s" % list(back))


# Says where things are, once the page has built itself.
MEASURE = """
const box = (node) => { const at = node.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom].map(Math.round); };
const all = (what) => [...document.querySelectorAll(what)].map((node) => [node.dataset.verdict || "", ...box(node)]);
document.body.dataset.layout = JSON.stringify({ width: innerWidth, wide: document.documentElement.scrollWidth, tests: all("details.test"),
  texts: [...document.querySelectorAll("svg text")].map((node) => Math.round(node.getBoundingClientRect().height)),
  words: [...document.querySelectorAll("td .word")].map((node) => node.getClientRects().length),
  timelines: [...document.querySelectorAll("svg.timeline")].map((svg) => [...svg.querySelectorAll("rect.span")].map(box)), cards: all(".card") });
"""


def measured(site, name, copy):
    """A copy of a page with that script in it, which its policy then allows as well."""
    page = site.read(name).decode()
    allowed = base64.b64encode(hashlib.sha256(MEASURE.encode()).digest()).decode()
    page = page.replace("script-src ", "script-src 'sha256-%s' " % allowed, 1).replace("</body>", "<script>%s</script>\n</body>" % MEASURE)
    with open(site.path(copy), "w", encoding="utf-8") as file:
        file.write(page)


def laid_out(dom):
    """What that script said."""
    expect.true("data-layout=" in dom, "the page was measured")
    return json.loads(html.unescape(dom.split('data-layout="')[1].split('"')[0]))


def check_layout(layout, width):
    """Boxes are left, top, right, bottom in pixels."""
    expect.true(layout["wide"] <= layout["width"] <= width, "nothing sticks out: %d of %d" % (layout["wide"], layout["width"]))
    tests = layout["tests"]
    expect.true(all(above[4] <= below[2] for above, below in zip(tests, tests[1:])), "tests lie below each other: %s" % tests[:4])
    expect.true(all(left >= 0 and right <= layout["width"] and bottom - top >= 30 for _, left, top, right, bottom in tests), "all of each is to be seen")
    expect.true(max(bottom for verdict, _, _, _, bottom in tests if verdict == "failed") <= min(top for verdict, _, top, _, _ in tests if verdict == "passed"),
                "failures come first")
    own, other = layout["timelines"]
    expect.equal(len({top for _, top, _, _ in own}), 1, "the harness's lanes")
    expect.equal(len({top for _, top, _, _ in other}), 4, "lanes of workers")
    for lane in {top for _, top, _, _ in other}:
        bars = sorted(bar for bar in other if bar[1] == lane)
        expect.true(len(bars) >= 9 and all(one[2] <= next_[0] for one, next_ in zip(bars, bars[1:])), "bars of a worker do not overlap: %s" % bars)
    # Each test took 39 s; a pixel more or less by rounding.
    expect.true(max(right - left for left, _, right, _ in other) - min(right - left for left, _, right, _ in other) <= 2, "equal times, equal bars")


def colours_of(path):
    """How many pixels of a PNG (8 bits, RGB or RGBA, not interlaced) have each colour; each fourth line is counted."""
    with open(path, "rb") as file:
        content = file.read()
    expect.equal(content[:8], b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    width = height = channels = 0
    while at < len(content):
        length = int.from_bytes(content[at:at + 4], "big")
        kind, body = content[at + 4:at + 8], content[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            expect.true(body[8] == 8 and body[12] == 0, "8 bits, not interlaced")
            channels = {2: 3, 6: 4}[body[9]]
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * channels
    above, colours = bytearray(stride), {}
    for row in range(height):
        start = row * (stride + 1)
        filtered, line = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        if filtered:
            for i in range(stride):
                left = line[i - channels] if i >= channels else 0
                up, corner = above[i], above[i - channels] if i >= channels else 0
                if filtered == 1:
                    guess = left
                elif filtered == 2:
                    guess = up
                elif filtered == 3:
                    guess = (left + up) // 2
                else:
                    first = left + up - corner
                    guess = min((abs(first - left), 0, left), (abs(first - up), 1, up), (abs(first - corner), 2, corner))[2]
                line[i] = (line[i] + guess) & 0xFF
        if row % 4 == 0:
            for i in range(0, stride, channels):
                colour = bytes(line[i:i + 3])
                colours[colour] = colours.get(colour, 0) + 1
        above = line
    return colours


def trees(site):
    """The log tree."""
    service, big, conf, secrets = (site.path(name) for name in ("nova-compute.log", "big.log", "nova.conf", "secrets"))
    with open(service, "w", encoding="utf-8") as file:
        file.write(SERVICE_LOG)
    with open(conf, "w", encoding="utf-8") as file:
        file.write("[powervm]\ndisk_driver = ssp\n[placement]\npassword = s3cr3t-value\nauth_url = http://10.77.1.2/identity\n")
    with open(secrets, "w", encoding="utf-8") as file:
        file.write("opensesame\n")
    with open(big, "wb") as file:
        for _ in range(64 << 20 >> 16):
            file.write((SERVICE_LOG.encode() * 90)[:1 << 16])
    tree = site.path("tree")
    with site.check("a log tree is made, a service's log of 64 MiB streamed into it"):
        site.run(site.harness, "report", "--from", site.path("one", "events.jsonl"), "--from", site.path("one", "machine.jsonl"), "--from", site.path("api.jsonl"),
                 "--logs", tree, "--title", "change 1 on hmc7.lab.example", "--service", "nova-compute=" + service, "--service", "big=" + big,
                 "--conf", "nova.conf=" + conf, "--console", service, "--hide-host", "hmc7.lab.example", "--secrets-file", secrets, "--quiet", code=1)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print("# the largest child had %d MiB" % (peak >> 10))
    everything = [os.path.relpath(os.path.join(folder, name), site.folder) for folder, _, names in os.walk(tree) for name in names]
    with site.check("everything that reviewers expect is there"):
        wanted = ["index.html", "job-output.txt", "report.html", "testr_results.html.gz", "testrepository.subunit.gz", "tempest.txt.gz", "junit.xml", "skipped.txt",
                  "environment.txt", "configuration.txt", "events.jsonl.gz", "etc/nova.conf.txt.gz", "logs/index.html", "logs/nova-compute.txt.gz", "logs/big.txt.gz"]
        expect.equal([name for name in wanted if os.path.join("tree", name) not in everything], [])
        links = re.findall('href="([^"]*)"', site.read("tree", "index.html").decode())
        expect.equal(links[0], "report.html", "what is listed first")
        expect.true("no second host" in site.read("tree", "skipped.txt").decode(), "reasons")
        environment = site.read("tree", "environment.txt").decode()
        expect.true("seed: 7" in environment and "kernel: " in environment and re.search("began: 20[0-9][0-9]-", environment), environment)
    with site.check("nothing secret is in any of its files"):
        found = [(secret, name) for name in everything for secret in SECRETS if secret.encode() in site.read(*name.split(os.sep))]
        expect.equal(found, [])
        log = site.read("tree", "logs", "nova-compute.txt.gz").decode()
        expect.true("password=***" in log and "192.0.2." in log and "host-1:9696" in log and "*** private key ***" in log, log)
        expect.true(len(site.read("tree", "logs", "big.txt.gz")) > 32 << 20, "the big log is whole")
    with site.check("the stream of the tree is read as well"):
        counted = Counted()
        path = site.path("tree.subunit")
        with open(path, "wb") as file:
            file.write(site.read("tree", "testrepository.subunit.gz"))
        with open(path, "rb") as file:
            subunit.ByteStreamToStreamResult(file, non_subunit_name="garbage").run(counted)
        expect.equal(len(counted.ended), 42)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", required=True, help="the powervm-sim beside which the powervm-harness lies")
    parser.add_argument("--work", required=True, help="a folder for what is made")
    parser.add_argument("--keep", action="store_true", help="keep what was made after a success")
    arguments = parser.parse_args()
    folder = os.path.abspath(os.path.join(arguments.work, "reports"))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "details"), "w", encoding="utf-8") as details:
        report = reports.Report(details)
        site = Site(folder, arguments.simulator, report)
        try:
            log_of_another_producer(site.path("api.jsonl"))
            for subject in (runs, endings, streams, browser, trees):
                report.subject(subject, site)
        except Exception:
            traceback.print_exc()
            raise
        code = report.close()
    if code == 0 and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
