"""Images of Nova's Glance fixture for our processors, and with bytes: the fixture keeps metadata only."""

import hashlib

from nova.tests.fixtures import glance

# The fixture's images say that they are as large as real ones.
IMAGE_BYTES = 64 * 1024
CHUNK = 16 * 1024


def install():
    """From here on each Glance fixture gives and keeps bytes."""
    fixture = glance.GlanceFixture
    create, update = fixture.create, fixture.update

    def make(self, context, metadata, data=None):
        image = create(self, context, metadata, data)
        if data is None:
            image.get("properties", {}).pop("architecture", None)
            image["size"] = IMAGE_BYTES
        return image

    def download(self, context, image_id, data=None, dst_path=None, trusted_certs=None):
        self.show(context, image_id)
        content = self._imagedata.get(image_id) or pattern(image_id)
        return (content[start:start + CHUNK] for start in range(0, len(content), CHUNK))

    def keep(self, context, image_id, metadata, data=None, purge_props=False):
        if data is not None:
            content = b"".join(iter(lambda: data.read(CHUNK), b""))
            self._imagedata[image_id] = content
            metadata = dict(metadata, size=len(content))
        return update(self, context, image_id, metadata, None, purge_props)

    fixture.create, fixture.download, fixture.update = make, download, keep


def pattern(seed):
    """The bytes of the image with that UUID."""
    blocks = (hashlib.sha256(b"%s %d" % (seed.encode(), number)).digest() for number in range(IMAGE_BYTES // 32))
    return b"".join(blocks)
