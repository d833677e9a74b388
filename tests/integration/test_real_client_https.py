"""Real MCP clients drive the daemon over HTTPS."""

import os
import subprocess

import harness
import test_real_client_http


class HttpsTest(test_real_client_http.OverHttp, harness.ScoutTest):
    scheme = "https"

    @classmethod
    def more_config(cls):
        key, certificate = (os.path.join(cls.folder, f"tls.{end}") for end in ("key", "crt"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=scout",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True)
        cls.environment["NODE_EXTRA_CA_CERTS"] = certificate
        return f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'


if __name__ == "__main__":
    harness.main()
