"""Certificates for consoles: an authority, and who it vouches for."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import oid


class Authority:
    """Its certificate is in the file ca.pem of a folder."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("conformance")
        self.file = self._write("ca.pem", self._certificate(self._name, self._key, True))

    def vouch(self, name):
        """Files with a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return (self._write(name + ".pem", self._certificate(_name(name), key, False)),
                self._write(name + ".key", key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())))

    def _certificate(self, name, key, is_authority):
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder(
            self._name, name, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(hours=1),
            now + datetime.timedelta(hours=1))
        made = made.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _write(self, name, content):
        path = os.path.join(self._folder, name)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        return path


def _name(text):
    return x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, text)])
