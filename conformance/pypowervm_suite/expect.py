"""Expectations whose failures say what was found and what was wanted."""

import re

from pypowervm_suite.report import Unmet


def true(condition, what):
    """The condition holds."""
    if not condition:
        raise Unmet("not so: " + what)


def equal(found, wanted, what):
    """The value, called WHAT in the failure, is exactly the wanted one."""
    if found != wanted:
        raise Unmet("%s is %r, not %r" % (what, found, wanted))


def kind(found, wanted, what):
    """The value is of the wanted type (bool does not count as int)."""
    if not isinstance(found, wanted) or (wanted is int and isinstance(found, bool)):
        raise Unmet("%s is %r, not %s" % (what, found, wanted))


def matches(text, pattern, what):
    """The whole text matches the regular expression."""
    if text is None or not re.fullmatch(pattern, text):
        raise Unmet("%s is %r, which is not /%s/" % (what, text, pattern))


def within(number, low, high, what):
    """low <= number <= high."""
    if number is None or not low <= number <= high:
        raise Unmet("%s is %r, not between %r and %r" % (what, number, low, high))


def one_of(found, values, what):
    """The value is one of these."""
    if found not in values:
        raise Unmet("%s is %r, not one of %s" % (what, found, ", ".join(map(repr, values))))


def single(things, what):
    """The only member of a list."""
    things = list(things)
    if len(things) != 1:
        raise Unmet("%d of %s, not one" % (len(things), what))
    return things[0]


def some(things, what):
    """A list that has members."""
    things = list(things)
    if not things:
        raise Unmet("there is no " + what)
    return things


def refused(wanted, action, what):
    """The action raises one of the wanted exceptions, which is given back."""
    try:
        action()
    except wanted as error:
        return error
    raise Unmet("not refused: " + what)


def enumeration(names):
    """The values of one of pypowervm's enumeration classes."""
    return sorted(value for name, value in vars(names).items()
                  if name.isupper() and isinstance(value, str))
