"""nova_functional.toml: which of Nova's tests pass, and which cannot."""

import os
import tomllib

FILE = os.path.join(os.path.dirname(__file__), "..", "nova_functional.toml")


class Verdicts:
    """classes: what is looked at; passing: names; cannot: the reason of each name; quick: what is always run."""

    def __init__(self, text):
        told = tomllib.loads(text)
        self.classes = told["classes"]
        self.quick = set(told["quick"])
        self.passing = {"%s.%s" % (name, test) for name, tests in told["passing"].items() for test in tests}
        self.cannot = {}
        for group in told["cannot"]:
            for test in group["tests"]:
                self.cannot[test] = group["why"]

    @classmethod
    def read(cls):
        """As the repository has them."""
        with open(FILE, encoding="utf-8") as file:
            return cls(file.read())

    def modules(self):
        """The modules of the classes."""
        return sorted({name.rsplit(".", 1)[0] for name in self.classes})

    def wanted(self, tests):
        """Those of the classes."""
        return [test for test in tests if test.rsplit(".", 1)[0] in self.classes]

    def faults(self, tests):
        """What is wrong with the lists, given the tests that there are."""
        known = self.passing | set(self.cannot)
        found = ["%s is in neither list" % test for test in sorted(set(tests) - known)]
        found += ["%s is listed, and Nova has no such test" % test for test in sorted(known - set(tests))]
        found += ["%s is in both lists" % test for test in sorted(self.passing & set(self.cannot))]
        return found + ["%s is to be run always, and does not pass" % test
                        for test in sorted(self.quick - self.passing)]
