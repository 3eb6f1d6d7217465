"""Our driver called as nova-compute calls it, without nova-compute.

Runs on Python 3.11 with Nova and our own package.
"""
