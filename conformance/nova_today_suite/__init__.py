"""What the conformance programs that run our driver under today's Nova are made of.

Nothing of Nova is changed: its own fixtures stand in for the message queue, the databases, keystone, Neutron, Glance
and Cinder. Modules that import Nova are imported only after begin.py.
"""
