"""Signed tokens at the HTTP endpoint, from an issuer whose keys are in a file."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time

import harness
from http_client import HttpDaemon
from jwt_issuer import AUDIENCE, ISSUER, Key, encode, write_set
from test_metrics import HttpSource

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}


class JwtTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = cls.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n")
        cls.rsa = Key(cls.folder, "one")
        cls.ec = Key(cls.folder, "two", "ES256")
        cls.stranger = Key(cls.folder, "three")
        cls.count = 0

    def start(self, config="", **variables):
        type(self).count += 1
        name = f"d{self.count}"
        self.set = os.path.join(self.folder, name + ".jwks")
        write_set(self.set, self.rsa, self.ec)
        self.keys = (f'jwks = "{self.set}"\njwt_issuer = "{ISSUER}"\n'
                     f'jwt_audience = "{AUDIENCE}"\n')
        daemon = HttpDaemon(self.folder, self.ssh_config, self.keys + config, name,
                            variables=variables)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def answer(self, daemon, token, source="127.0.0.1"):
        with daemon.http(token=token, source=source) as client:
            message = client.message("server/discover")
            return client.request(body=message, headers=client.modern_headers(message))

    def status(self, *arguments, **options):
        return self.answer(*arguments, **options).status

    def tools(self, daemon, token):
        with daemon.http(token=token) as client:
            status, message = client.modern("tools/list")
            self.assertEqual(status, 200)
            return {tool["name"] for tool in message["result"]["tools"]}

    def refused(self, daemon, token, *words):
        answer = self.answer(daemon, token)
        self.assertEqual(answer.status, 401)
        for word in words:
            self.assertIn(word, answer.json()["error"])
        self.assertIn('error="invalid_token"', answer.headers["www-authenticate"])

    def reload(self, daemon, config=None, word=" reloaded "):
        if config is not None:
            with open(daemon.config, "w", encoding="utf-8") as out:
                out.write("transport = http\nhttp_port = 0\nhttp_rate_per_minute = 0\n" + config)
        before = daemon.log().count(word)
        os.kill(daemon.process.pid, signal.SIGHUP)
        harness.wait_until(lambda: daemon.log().count(word) > before, "it is reloaded")

    def test_who_is_admitted(self):
        daemon = self.start()
        for key in (self.rsa, self.ec):
            self.assertNotIn("run", self.tools(daemon, key.token()))
            self.assertIn("run", self.tools(daemon, key.token(scope="openid scoutd:operator")))
            self.assertIn("run", self.tools(daemon, key.token(roles=["scoutd:operator"])))
        with daemon.http(token=self.ec.token(sub="ann@example.org")) as client:
            client.modern("tools/call", CALL)
        harness.wait_until(lambda: " who=jwt:ann@example.org " in daemon.log(), "the log")
        # Other tokens count beside them.
        self.assertEqual(self.status(daemon, daemon.token()), 200)

    def test_who_is_not(self):
        daemon = self.start()
        now = int(time.time())
        head, claims, signature = self.rsa.token().split(".")
        forged = encode({"alg": "HS256", "kid": "one"}) + "." + claims
        with open(self.set, "rb") as public:
            mac = hmac.new(public.read(), forged.encode(), hashlib.sha256).digest()
        other_claims = encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "exp": now + 60})
        for token, words in (
                (forged + "." + encode(mac), "neither RS256 nor ES256"),
                (encode({"alg": "none"}) + "." + claims + ".", "neither RS256 nor ES256"),
                (f"{head}.{other_claims}.{signature}", "signature is wrong"),
                (f"{head}.{claims}.{signature[:-4]}", "signature is wrong"),
                (self.stranger.token(), "key is not known"),
                (self.stranger.token({"kid": "one"}), "signature is wrong"),
                (self.rsa.token({"kid": "two", "alg": "ES256"}), "signature is wrong"),
                (self.rsa.token({"alg": "ES256"}), "not that of its key"),
                (self.rsa.token({"kid": None}), "key is not known"),
                (self.rsa.token(exp=now - 1), "expired"),
                (self.rsa.token(exp=None), "when it expires"),
                (self.rsa.token(nbf=now + 600), "not count yet"),
                (self.rsa.token(iat=now + 600), "not count yet"),
                (self.rsa.token(iss=ISSUER + "/"), "another issuer"),
                (self.rsa.token(aud="https://other.example.org"), "another audience"),
                (self.rsa.token(sub="a b"), "subject")):
            with self.subTest(words=words):
                self.refused(daemon, token, "Invalid token: ", words)
        self.assertEqual(self.answer(daemon, "a.b.c").json(), {"error": "Invalid API key"})
        with daemon.http(token=self.rsa.token(long="x" * 9000)) as client:
            self.assertEqual(client.request(body={}).status, 401)
        # None of them is in the log, nor a part of one.
        self.assertEqual(self.status(daemon, self.rsa.token(nbf=now + 30, iat=now + 30)), 200)
        self.assertNotIn(signature[:20], daemon.log())

    def test_nothing_counts_without_keys(self):
        self.start()
        daemon = HttpDaemon(self.folder, self.ssh_config, "", "without")
        self.addCleanup(daemon.stop)
        daemon.start()
        answer = self.answer(daemon, self.rsa.token())
        self.assertEqual((answer.status, answer.json()), (401, {"error": "Invalid API key"}))

    def test_a_signature_is_checked_once(self):
        daemon = self.start()
        other = HttpSource("127.0.0.2", daemon)
        token = self.rsa.token()
        for _ in range(5):
            self.assertEqual(self.status(daemon, token), 200)
        self.assertEqual(other.value("jwt_signatures_total"), 1)
        self.assertEqual(self.status(daemon, self.rsa.token(sub="bob")), 200)
        self.assertEqual(other.value("jwt_signatures_total"), 2)

    def test_an_admitted_token_expires(self):
        daemon = self.start()
        token = self.ec.token(exp=int(time.time()) + 2)
        self.assertEqual(self.status(daemon, token), 200)
        harness.wait_until(lambda: self.status(daemon, token) == 401, "it expires")
        self.refused(daemon, token, "expired")

    def test_streams_end_when_their_token_expires(self):
        daemon = self.start()
        expires = int(time.time()) + 3
        token, longer = self.rsa.token(exp=expires), self.rsa.token(exp=expires + 600)
        listener, watcher, stays = (daemon.http(token=t) for t in (token, token, longer))
        for client in (listener, watcher, stays):
            self.addCleanup(client.close)
        listener.initialize()
        self.assertEqual(listener.request("GET", headers=listener.session_headers(
            {"Accept": "text/event-stream"})).status, 200)
        for client in (watcher, stays):
            client.send_modern("subscriptions/listen",
                               {"notifications": {"resourcesListChanged": True}})
            self.assertEqual(client.response().status, 200)
            self.assertIn("acknowledged", client.event()[1]["method"])
        for client in (listener, watcher):
            client.events()
            self.assertGreaterEqual(time.time(), expires)
            self.assertTrue(client.ended())
        self.refused(daemon, token, "expired")
        stays.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            stays.event()
        # The session goes on with another token for the same name, and so do its streams.
        with daemon.http(token=longer) as again:
            again.session, again.version = listener.session, listener.version
            self.assertEqual(again.request(body=again.message("tools/list", modern=False),
                                           headers=again.session_headers()).status, 200)

    def test_the_file_is_read_again_when_it_is_another(self):
        daemon = self.start()
        old, new = self.rsa.token(), self.stranger.token()
        self.assertEqual((self.status(daemon, old), self.status(daemon, new)), (200, 401))
        write_set(self.set, self.stranger)
        harness.wait_until(lambda: self.status(daemon, new) == 200, "the new key counts")
        self.assertEqual(self.status(daemon, old), 401)
        harness.wait_until(lambda: " jwks_read keys=1\n" in daemon.log(), "it is told")
        # One that cannot be used changes nothing, and is told of once.
        with open(self.set + ".new", "w", encoding="utf-8") as out:
            out.write('{"keys":[')
        os.replace(self.set + ".new", self.set)
        harness.wait_until(lambda: " jwks_refused " in daemon.log(), "it is told")
        self.assertEqual(self.status(daemon, new), 200)
        write_set(self.set, self.rsa)
        harness.wait_until(lambda: self.status(daemon, old) == 200, "the old key counts again")
        self.assertEqual(daemon.log().count("jwks_refused"), 1)
        os.remove(self.set)
        harness.wait_until(lambda: daemon.log().count("jwks_refused") == 2, "it is told")
        self.assertEqual(self.status(daemon, old), 200)

    def test_streams_end_with_the_keys_that_they_began_by(self):
        daemon = self.start()
        clients = [daemon.http(token=token) for token in (self.rsa.token(), daemon.token())]
        for client in clients:
            self.addCleanup(client.close)
            client.send_modern("subscriptions/listen",
                               {"notifications": {"resourcesListChanged": True}})
            self.assertEqual(client.response().status, 200)
            self.assertIn("acknowledged", client.event()[1]["method"])
        self.reload(daemon)  # the same keys: nothing ends
        self.assertEqual(self.status(daemon, self.rsa.token()), 200)
        write_set(self.set, self.stranger)
        for _, message in clients[0].events():
            self.assertIn("result", message)  # its end: nothing else is told
        self.assertTrue(clients[0].ended())
        clients[1].socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            clients[1].event()

    def test_a_reload(self):
        daemon = self.start()
        token, other = self.rsa.token(), self.rsa.token(iss="https://b", aud="b")
        self.assertEqual((self.status(daemon, token), self.status(daemon, other)), (200, 401))
        self.reload(daemon, f'jwks = "{self.set}"\njwt_issuer = "https://b"\njwt_audience = b\n')
        self.assertEqual((self.status(daemon, token), self.status(daemon, other)), (401, 200))
        write_set(self.set, self.stranger)
        self.reload(daemon)
        self.assertEqual(self.status(daemon, other), 401)
        self.assertEqual(self.status(daemon, self.stranger.token(iss="https://b", aud="b")), 200)
        os.chmod(self.set, 0o666)
        self.reload(daemon, word=" unchanged ")
        self.assertIn("others may write to it", daemon.log())
        self.reload(daemon, "")
        self.assertEqual(self.status(daemon, self.stranger.token(iss="https://b", aud="b")), 401)

    def test_what_a_start_refuses(self):
        path = os.path.join(self.folder, "refused.jwks")
        write_set(path, self.rsa)
        private = self.write("private.jwks", json.dumps(
            {"keys": [{**self.rsa.jwk(), "d": encode(b"x")}]}))
        for config, words in (
                (f'jwks = "{path}"\n', "jwt_issuer is not set"),
                (f'jwks = "{path}"\njwt_issuer = i\n', "jwt_audience is not set"),
                ("jwt_issuer = i\njwt_audience = a\n", "jwks is not set"),
                (f'jwks = "{path}x"\njwt_issuer = i\njwt_audience = a\n', "No such file"),
                ('oauth_authorization_servers = "https://a.example.org"\n', "jwks is not set"),
                (f'jwks = "{path}"\njwt_issuer = i\njwt_audience = a\n'
                 'oauth_authorization_servers = "https://a.example.org"\n', "must be the URL"),
                (f'jwks = "{path}"\njwt_issuer = i\njwt_audience = "https://s/mcp"\n'
                 'oauth_authorization_servers = "https://a,http://b.example.org"\n',
                 "not 'http://b.example.org'"),
                (f'jwks = "{private}"\njwt_issuer = i\njwt_audience = a\n', "private key")):
            file = self.write("refused.conf", config)
            told = subprocess.run([harness.SCOUTD, "--check-config", "--config", file],
                                  check=False, capture_output=True, text=True,
                                  env=harness.clean_environment(self.folder))
            self.assertEqual(told.returncode, 1)
            self.assertIn(words, told.stderr)

    def test_clients_are_told_who_gives_tokens(self):
        """RFC 9728: the challenge leads to a document, which names the servers."""
        daemon = self.start('oauth_authorization_servers = "https://a.example.org, '
                            'https://b.example.org/tenant"\n')
        url = "https://scout.example.org/.well-known/oauth-protected-resource/mcp"
        for token in (None, "wrong"):
            challenge = self.answer(daemon, token).headers["www-authenticate"]
            self.assertTrue(challenge.startswith("Bearer "))
            self.assertIn(f'resource_metadata="{url}"', challenge)
        for path in (url.split(".org", 1)[1], "/.well-known/oauth-protected-resource"):
            with daemon.http(token=None) as client:
                answer = client.request("GET", path)
            self.assertEqual((answer.status, answer.headers["content-type"]),
                             (200, "application/json"))
            self.assertEqual(answer.json(), {
                "resource": AUDIENCE, "scopes_supported": ["scoutd:operator"],
                "authorization_servers": ["https://a.example.org", "https://b.example.org/tenant"],
                "bearer_methods_supported": ["header"], "resource_name": "scoutd"})
        self.reload(daemon, self.keys)
        self.assertNotIn("resource_metadata", self.answer(daemon, None).headers["www-authenticate"])
        with daemon.http(token=None) as client:
            self.assertEqual(client.request("GET", path).status, 404)

    def test_forged_tokens_are_limited_by_address(self):
        daemon = self.start("http_rate_per_minute = 6\nhttp_rate_burst = 3\n")
        good = self.rsa.token()
        self.assertEqual(self.status(daemon, good), 200)
        head, claims, signature = good.split(".")
        raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
        statuses = []
        for i in range(6):
            raw[i] ^= 1
            statuses.append(self.status(daemon, f"{head}.{claims}.{encode(bytes(raw))}"))
        self.assertEqual(statuses, [401, 401, 401, 429, 429, 429])
        # A token that has been checked is still let in; another one waits its turn.
        self.assertEqual(self.status(daemon, good), 200)
        self.assertEqual(self.status(daemon, self.rsa.token(sub="bob")), 429)
        self.assertEqual(self.status(daemon, self.rsa.token(sub="bob"), source="127.0.0.3"), 200)


if __name__ == "__main__":
    harness.main()
