"""An issuer of signed tokens, with keys that openssl makes and signs by."""

import base64
import json
import os
import re
import subprocess
import time

ISSUER = "https://issuer.example.org"
AUDIENCE = "https://scout.example.org/mcp"


def encode(data):
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True,
                          capture_output=True).stdout


class Key:
    def __init__(self, folder, kid, algorithm="RS256", bits=2048):
        self.kid, self.algorithm = kid, algorithm
        self.path = os.path.join(folder, kid + ".pem")
        kind = (("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")
                if algorithm == "RS256" else
                ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
        openssl("genpkey", *kind, "-out", self.path)

    def jwk(self):
        """The public half."""
        if self.algorithm == "RS256":
            text = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode()
            return {"kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig", "e": "AQAB",
                    "n": encode(bytes.fromhex(text.strip().split("=")[1]))}
        point = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-64:]
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "x": encode(point[:32]),
                "y": encode(point[32:])}

    def sign(self, text):
        signature = openssl("dgst", "-sha256", "-sign", self.path, data=text.encode())
        if self.algorithm == "RS256":
            return signature
        listing = openssl("asn1parse", "-inform", "DER", data=signature).decode()
        r, s = re.findall(r"INTEGER +:([0-9A-F]+)", listing)
        return bytes.fromhex(r.zfill(64)) + bytes.fromhex(s.zfill(64))

    def token(self, header=None, **claims):
        """One that counts for an hour; None takes a claim away."""
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": int(time.time()) + 3600,
                  **claims}
        claims = {key: value for key, value in claims.items() if value is not None}
        text = encode({"alg": self.algorithm, "kid": self.kid, **(header or {})}) + "." + encode(
            claims)
        return text + "." + encode(self.sign(text))


def write_set(path, *keys):
    """Puts the file in the place of the old one."""
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump({"keys": [key.jwk() for key in keys]}, out)
    os.replace(path + ".new", path)
