"""Nova's compute driver for PowerVM: ``compute_driver = powervm.PowerVMDriver``."""

from nova.virt.powervm import beside  # noqa: F401  (first: it refuses a Nova with a driver of its own)
from nova.virt.powervm import driver

PowerVMDriver = driver.PowerVMDriver
