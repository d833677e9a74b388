"""Certificates that no tool would make, in DER."""

import base64
import os


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else b""
    if not length:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + body


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def name(text):
    return der(0x30, der(0x31, der(0x30, der(0x06, b"\x55\x04\x03"), der(0x0c, text.encode()))))


SHA256_RSA = der(0x30, der(0x06, bytes.fromhex("2a864886f70d01010b")), der(0x05))
RSA = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010101")), der(0x05))
TIMES = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"490101000000Z"))
AUTHORITY = der(0xa3, der(0x30, der(0x30, der(0x06, b"\x55\x1d\x13"), der(0x01, b"\xff"),
                                    der(0x04, der(0x30, der(0x01, b"\xff"))))))


def certificate(key, issuer="x", subject="x", signature=None, authority=True):
    """`key`: a SubjectPublicKeyInfo. The signature is nobody's."""
    body = der(0x30, der(0xa0, integer(2)), integer(int.from_bytes(os.urandom(8), "big") >> 1),
               SHA256_RSA, name(issuer), TIMES, name(subject), key,
               AUTHORITY if authority else b"")
    return der(0x30, body, SHA256_RSA, der(0x03, b"\0", signature or b"\1"))


def slow_key(bits):
    """RSA with an exponent as long as its modulus: to check one signature takes seconds."""
    modulus = int.from_bytes(os.urandom(bits // 8), "big") | 1 | 1 << bits - 1
    exponent = (1 << bits - 1) - 1
    return der(0x30, RSA, der(0x03, b"\0", der(0x30, integer(modulus), integer(exponent))))


def pem(data):
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
