"""Checks that drive the unmodified pypowervm library against a simulator.

One module a subject; each offers functions that take a Site (clients.py) and report their
checks through its Report (report.py).
"""
