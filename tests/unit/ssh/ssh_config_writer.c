/* Blocks, settings and includes, picked from lists whose entries interact. */
#include "ssh_config_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const writer_hosts[5] = {"a", "b", "a.example", "c.org", "10.0.0.1"};

static const char *const patterns[] = {"a",         "b",   "*",      "a*",    "?",
                                       "*.example", "!b",  "!*.org", "c.org", "a.example",
                                       "*.org",     "??*", "!a",     "10.*",  "\"x\""};
static const char *const match_patterns[] = {
    "a",        "b,a*", "*.example,!db.example", "!b", "*,!a", "A", "10.0.0.1", "c.org", "!x,b,*",
    "real.org", "*"};
static const char *const criteria[] = {"host", "originalhost", "user", "localuser", "Host"};
static const char *const users[] = {"root", "u,v", "u", "*", "!u,*", "nobody"};
static const char *const commands[] = {"true", "\"false\"", "\"test %h = real.org\"",
                                       "\"test '%n-%r' = b-u\"", "\"test %p -gt 23\""};
static const char *const settings[] = {
    "HostName real.org",
    "HostName %h.example",
    "HostName 10.0.0.1",
    "HostName b",
    "User u",
    "User v",
    "User \"w w\"",
    "User a\\ b",
    "Port 2200",
    "port=23",
    "Port \"24\"",
    "IdentityFile /k/1",
    "IdentityFile ~/k/%h",
    "IdentityFile %d/%r-%p",
    "IdentityFile /k/%n%%-%L-%l-%i-%k",
    "IdentityFile none",
    "UserKnownHostsFile /h/1 /h/2",
    "UserKnownHostsFile ~/h/%h-%k ${HOME}/%C",
    "UserKnownHostsFile none",
    "GlobalKnownHostsFile /g/1 \"/g/2 x\"",
    "GlobalKnownHostsFile none",
    "ConnectTimeout 5",
    "ConnectTimeout 1m",
    "ConnectTimeout none",
    "ConnectionAttempts 3",
    "ServerAliveInterval 30",
    "ServerAliveInterval 1m30s",
    "ServerAliveCountMax 5",
    "IdentitiesOnly yes",
    "IdentitiesOnly = no",
    "IdentityAgent none",
    "IdentityAgent ~/agent-%h",
    "IdentityAgent SSH_AUTH_SOCK",
    "IdentityAgent ${HOME}/%r",
    "HostKeyAlias Alias",
    "HostKeyAlias other",
    "StrictHostKeyChecking accept-new",
    "StrictHostKeyChecking true",
    "StrictHostKeyChecking off",
    "AddressFamily inet",
    "AddressFamily any",
    "KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256",
    "Ciphers aes128-ctr",
    "Ciphers aes256-ctr,aes128-gcm@openssh.com",
    "MACs hmac-sha2-512,hmac-sha2-256",
    "HostKeyAlgorithms ssh-ed25519,rsa-sha2-256",
    "PubkeyAcceptedAlgorithms ssh-ed25519",
    "CheckHostIP no",
    "CheckHostIP yes",
    "HashKnownHosts yes",
    "LogLevel debug",
    "ForwardAgent no",
    "Compression yes",
    "SendEnv LANG LC_*",
    "SendEnv TERM",
    "SendEnv -LC_* XMODIFIERS",
    "SendEnv -T* TERM TZ -TZ",
    "ProxyJump none",
    "ProxyCommand none",
    "ProxyJump u@j:2222",
    "ProxyJump j,k",
    "ProxyCommand nc \"%h\" %p # x",
    "BindAddress ::1",
    "BindInterface lo",
    "CertificateFile ~/c/%h-cert.pub",
    "CanonicalizeHostname no",
    "RevokedHostKeys none",
    "RequiredRSASize 1024",
    "PubkeyAuthentication unbound",
};

static unsigned pick(struct ssh_config_writer *w, unsigned count)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (unsigned)(w->random >> 33) % count;
}

static void say(struct ssh_config_writer *w, const char *text)
{
    w->len += (size_t)snprintf(w->text + w->len, sizeof w->text - w->len, "%s", text);
    assert(w->len < sizeof w->text);
}

#define ONE_OF(w, list) ((list)[pick((w), sizeof(list) / sizeof(list)[0])])

static void write_match(struct ssh_config_writer *w)
{
    say(w, pick(w, 3) ? "Match" : "  match");
    unsigned count = 1 + pick(w, 2);
    if (pick(w, 12) == 0) {
        say(w, pick(w, 2) ? " all\n" : " canonical\n");
        return;
    }
    if (pick(w, 10) == 0)
        say(w, pick(w, 2) ? " final" : " !final");
    if (pick(w, 6) == 0) {
        say(w, pick(w, 3) ? " exec " : " !exec ");
        say(w, ONE_OF(w, commands));
    }
    for (unsigned i = 0; i < count; i++) {
        const char *criterion = ONE_OF(w, criteria);
        say(w, pick(w, 5) ? " " : " !");
        say(w, criterion);
        say(w, pick(w, 6) ? " " : "=");
        say(w, strstr(criterion, "user") ? ONE_OF(w, users) : ONE_OF(w, match_patterns));
    }
    say(w, "\n");
}

static void write_block(struct ssh_config_writer *w, const char *dir, unsigned depth)
{
    if (pick(w, 3) == 0) {
        write_match(w);
    } else {
        say(w, pick(w, 4) ? "Host" : "HOST =");
        for (unsigned i = 1 + pick(w, 3); i > 0; i--) {
            say(w, " ");
            say(w, ONE_OF(w, patterns));
        }
        say(w, pick(w, 6) ? "\n" : " # comment\n");
    }
    for (unsigned i = pick(w, 6); i > 0; i--) {
        say(w, pick(w, 2) ? "  " : "\t");
        say(w, ONE_OF(w, settings));
        say(w, pick(w, 8) ? "\n" : "   \r\n");
        if (depth < 2 && pick(w, 8) == 0) {
            char line[128];
            snprintf(line, sizeof line, "Include %s/%s\n", dir,
                     depth == 0 ? (pick(w, 3) ? "one" : "o*") : "two");
            say(w, line);
        }
    }
}

void writer_file(struct ssh_config_writer *w, uint64_t seed, unsigned depth, const char *dir)
{
    w->len = 0;
    w->text[0] = '\0';
    w->random = seed * 0x9E3779B97F4A7C15ULL + depth + 1;
    for (unsigned i = pick(w, 3); i > 0; i--) {
        say(w, ONE_OF(w, settings));
        say(w, "\n");
    }
    for (unsigned i = 1 + pick(w, 6); i > 0; i--)
        write_block(w, dir, depth);
    if (depth > 0)
        return;
    say(w, "Host"); /* so that they are known, for which commands are run */
    for (unsigned i = 0; i < 5; i++) {
        say(w, " ");
        say(w, writer_hosts[i]);
    }
    say(w, "\n");
}
