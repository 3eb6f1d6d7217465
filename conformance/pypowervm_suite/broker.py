"""The file broker's list."""

from pypowervm.wrappers import vios_file as pvm_vf


def files(site):
    """The names of the files that the server still knows."""
    response = site.adapter.read(pvm_vf.File.schema_type, service="web")
    return [file.file_name for file in pvm_vf.File.wrap(response)]
