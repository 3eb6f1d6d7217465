"""What the conformance programs that run Nova's PowerVM drivers are made of.

Nothing of Nova, of the drivers or of pypowervm is changed: what a compute node has around it (its
files below /proc, /sys and /dev, its commands, Glance, Neutron, Cinder) is stood in for from outside.
Modules that import Nova are imported only after nova.monkey_patch, see begin.py.
"""
