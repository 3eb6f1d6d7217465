"""Glance in memory: what nova.image.glance.API is to the drivers."""

import hashlib
import uuid

CHUNK = 64 * 1024


class Image(dict):
    """The metadata that Nova sees; data: its bytes."""

    def __init__(self, name, data, **more):
        super().__init__(
            id=str(uuid.uuid4()), name=name, status="active", size=len(data), disk_format="raw",
            container_format="bare", checksum=hashlib.md5(data).hexdigest(), min_disk=0, min_ram=0,
            owner="conformance", properties={}, **more)
        self.data = data


class Glance:
    """The images; downloads: the ids of all that was read to its end; broken: ids that break off."""

    def __init__(self):
        self.images = {}
        self.downloads = []
        self.broken = set()

    def add(self, name, data):
        """A new image."""
        image = Image(name, data)
        self.images[image["id"]] = image
        return image

    # What Nova calls.

    def get(self, context, image_id, include_locations=False, show_deleted=True):
        return self.images[image_id]

    def download(self, context, image_id, data=None, dest_path=None, trusted_certs=None):
        return self._chunks(image_id)

    def _chunks(self, image_id):
        content = self.images[image_id].data
        for start in range(0, len(content), CHUNK):
            if image_id in self.broken and start * 2 >= len(content):
                raise IOError("the image breaks off")
            yield content[start:start + CHUNK]
        self.downloads.append(image_id)

    def update(self, context, image_id, image_info, data=None, purge_props=False):
        image = self.images[image_id]
        if data is not None:
            image.data = data.read()
            image["size"] = len(image.data)
        image.update(image_info)
        return image

    def delete(self, context, image_id):
        del self.images[image_id]


def stand_in(glance):
    """Puts it in the place of nova.image's; before a driver is imported."""
    import nova.image
    import nova.image.glance

    for module in (nova.image, nova.image.glance):
        if hasattr(module, "API"):
            module.API = lambda *arguments, **keywords: glance
