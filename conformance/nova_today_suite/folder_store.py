"""Where slots and NVRAM of servers are kept in files of a folder that all hosts reach."""

import os


class FolderStore:
    """A folder that is not there before something is kept."""

    kind = "files"

    def __init__(self, folder):
        self._folder = folder

    @property
    def objects(self):
        """What is kept, by name."""
        found = {}
        for name in os.listdir(self._folder):
            with open(os.path.join(self._folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def modes(self):
        """Who may use the folder, and what is in it."""
        paths = [self._folder] + [os.path.join(self._folder, name) for name in os.listdir(self._folder)]
        return sorted({oct(os.stat(path).st_mode & 0o777) for path in paths})

    def options(self):
        """What an operator writes into nova.conf."""
        return {"nvram_store": "file", "nvram_store_folder": self._folder}
