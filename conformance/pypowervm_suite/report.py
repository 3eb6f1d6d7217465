"""Named checks: one line each, and a tally at the end."""

import contextlib
import sys
import traceback

from pypowervm_suite import event_log


class Unmet(Exception):
    """An expectation that does not hold; its text says found and wanted."""


class Skip(Exception):
    """Raised inside a check that does not apply; its text says why."""


class Report:
    """Prints ``ok - NAME``, ``not ok - NAME: WHY`` and ``skipped - NAME: WHY``."""

    def __init__(self, details):
        """details: an open text file that takes the tracebacks of failed checks, or None."""
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.prefix = ""
        self._details = details
        self._log = event_log.begin()

    @contextlib.contextmanager
    def check(self, name):
        """Runs its body as one check; no exception leaves it."""
        name = self.prefix + name
        if self._log:
            self._log.test_begins(name)
        try:
            yield
        except Skip as why:
            self.skipped += 1
            self._say("skipped", name, str(why))
            self._tell(name, "skipped", str(why))
        except Exception as error:  # a check may fail in any way; the next one still runs
            self.failed += 1
            self._say("not ok", name, _why(error))
            if self._details is not None:
                self._details.write("not ok - %s\n%s\n" % (name, traceback.format_exc()))
                self._details.flush()
            self._tell(name, "failed", _why(error), traceback.format_exc())
        else:
            self.passed += 1
            self._say("ok", name, None)
            self._tell(name, "passed")

    def subject(self, checks, *arguments):
        """Runs a function full of checks; what goes wrong between them is a failed check."""
        try:
            checks(*arguments)
        except Exception:
            module = checks.__module__.rsplit(".", 1)[-1]
            with self.check("all checks of %s.%s run" % (module, checks.__name__)):
                raise

    def _tell(self, *ended):
        if self._log:
            self._log.test_ends(*ended)

    @staticmethod
    def _say(result, name, why):
        line = "%s - %s" % (result, name)
        if why:
            line += ": " + why
        print(line)
        sys.stdout.flush()

    def add(self, passed, failed, skipped):
        """Counts the checks of another report."""
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def close(self):
        """Prints the tally and gives the exit code."""
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        code = 1 if self.failed or not self.passed else 0
        if self._log:
            self._log.ends("failed" if code else "passed")
        return code


def _why(error):
    """One line of reasonable length: what was raised, and where in our own code."""
    text = " ".join(str(error).split())
    if len(text) > 600:
        text = text[:600] + " ..."
    if isinstance(error, Unmet):
        return text
    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if "pypowervm_suite" in frame.filename:
            where = " (%s:%d)" % (frame.filename.rsplit("/", 1)[-1], frame.lineno)
    return "%s: %s%s" % (type(error).__name__, text, where)
