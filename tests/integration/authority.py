"""An authority that signs certificates of clients and says which are revoked, by openssl."""

import datetime
import os
import subprocess

CONFIG = """[ca]
default_ca = own
[own]
database = index
serial = serial
crlnumber = crlnumber
new_certs_dir = .
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
unique_subject = no
certificate = ca.crt
private_key = ca.key
[any]
commonName = supplied
organizationName = optional
[req]
distinguished_name = names
[names]
[client]
basicConstraints = critical, CA:false
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
[server]
basicConstraints = critical, CA:false
extendedKeyUsage = serverAuth
[encipher]
basicConstraints = critical, CA:false
keyUsage = keyEncipherment
[authority]
basicConstraints = critical, CA:true
keyUsage = keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


def stamp(days):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return then.strftime("%y%m%d%H%M%SZ")


class Authority:
    """`parent`: another one, which signs this one's certificate."""

    def __init__(self, folder, name, parent=None):
        self.folder = os.path.join(folder, name)
        self.parent = parent
        self.count = 0
        os.mkdir(self.folder)
        for file, text in (("openssl.cnf", CONFIG), ("index", ""), ("serial", "01\n"),
                           ("crlnumber", "01\n")):
            self.write(file, text)
        self.certificate = os.path.join(self.folder, "ca.crt")
        if parent:
            self.openssl("req", "-new", *self.new_key("ca.key"), "-subj", f"/CN={name}", "-out",
                         "ca.csr")
            parent.sign(os.path.join(self.folder, "ca.csr"), self.certificate, "authority")
        else:
            self.openssl("req", "-x509", *self.new_key("ca.key"), "-subj", f"/CN={name}", "-days",
                         "2", "-extensions", "authority", "-out", "ca.crt")

    def write(self, file, text):
        with open(os.path.join(self.folder, file), "w", encoding="ascii") as out:
            out.write(text)

    def openssl(self, *words):
        command = [words[0], *(() if words[0] == "x509" else ("-config", "openssl.cnf")),
                   *words[1:]]
        return subprocess.run(["openssl", *command], check=True, capture_output=True,
                              stdin=subprocess.DEVNULL, cwd=self.folder).stdout

    @staticmethod
    def new_key(file):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file)

    def sign(self, request, out, use="client", names=(), days=(-1, 1)):
        extension = f"[{use}_with]\n" + CONFIG.split(f"[{use}]\n")[1].split("[")[0]
        if names:
            extension += "subjectAltName = " + ", ".join(names) + "\n"
        self.write("extension.cnf", extension)
        self.openssl("ca", "-batch", "-in", request, "-out", out, "-notext", "-startdate",
                     stamp(days[0]), "-enddate", stamp(days[1]), "-extfile", "extension.cnf",
                     "-extensions", f"{use}_with")

    def client(self, name, *names, use="client", days=(-1, 1), chain=()):
        """Paths of a certificate, with the certificates of `chain` behind it, and of its key."""
        self.count += 1
        stem = f"client{self.count}"
        self.openssl("req", "-new", *self.new_key(stem + ".key"), "-subj", f"/CN={name}", "-out",
                     stem + ".csr")
        self.sign(stem + ".csr", stem + ".crt", use, names, days)
        path = os.path.join(self.folder, stem)
        with open(path + ".crt", "a", encoding="ascii") as out:
            for other in chain:
                with open(other.certificate, encoding="ascii") as text:
                    out.write(text.read())
        return path + ".crt", path + ".key"

    def fingerprint(self, pair):
        text = self.openssl("x509", "-in", pair[0], "-noout", "-fingerprint", "-sha256")
        return text.decode().strip().split("=")[1]

    def revoke(self, pair):
        self.openssl("ca", "-revoke", pair if isinstance(pair, str) else pair[0])

    def crl(self, *options):
        self.openssl("ca", "-gencrl", *options, "-out", "list.crl")
        with open(os.path.join(self.folder, "list.crl"), encoding="ascii") as text:
            return text.read()
