/* The default read deny-list: where secrets commonly lie. docs/policy.md has the same list. A name
 * that is also common for harmless files is given with its folder. */
#include "policy_rule.h"

const char *const policy_secrets[] = {
    /* the system's passwords and keys */
    "/etc/shadow*", "/etc/gshadow*", "/etc/master.passwd", "/etc/spwd.db", "/etc/security/opasswd",
    "/var/backups/shadow*", "/var/backups/gshadow*", "/etc/ssh/*_key", "**/ssh_host_*_key",
    "/etc/dropbear/*_key", "/etc/ssl/private", "/etc/wireguard", "/etc/ppp/*-secrets",
    "/etc/ipsec.secrets", "/etc/NetworkManager/system-connections", "/etc/credstore",
    "/etc/credstore.encrypted", "/run/credentials", "/run/secrets", "/var/run/secrets",
    "/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf", "/etc/rancher/k3s/k3s.yaml",
    /* memory, environments, raw devices */
    "/proc/**/environ", "/proc/**/mem", "/proc/kcore", "/proc/kmem", "/proc/vmcore", "/proc/kmsg",
    "/sys/kernel/**/trace_pipe", "/dev/**", "!/dev/null", "!/dev/shm/**",
    /* keys */
    "**/.ssh/**", "!**/.ssh/*.pub", "!**/.ssh/config", "!**/.ssh/known_hosts*",
    "!**/.ssh/authorized_keys*", "**/id_rsa*", "**/id_dsa*", "**/id_ecdsa*", "**/id_ed25519*",
    "!**/id_rsa*.pub", "!**/id_dsa*.pub", "!**/id_ecdsa*.pub", "!**/id_ed25519*.pub", "**/*.key",
    "**/*.pem", "!/etc/ssl/certs/*.pem", "!/etc/pki/ca-trust/**/*.pem", "!/etc/pki/tls/certs/*.pem",
    "!/usr/share/**/*.pem", "!**/cacert.pem", "!**/chain.pem", "!**/fullchain.pem", "**/*.p12",
    "**/*.pfx", "**/*.ppk", "**/*.jks", "**/*.keystore", "**/*.keytab", "**/*.kdbx", "**/.gnupg",
    "**/.password-store",
    /* what programs log in with */
    "**/.aws", "**/.azure", "**/.kube", "**/.docker/config.json", "**/access_tokens.db",
    "**/legacy_credentials", "**/application_default_credentials.json", "**/credentials.tfrc.json",
    "**/.netrc", "**/.pgpass", "**/.my.cnf", "**/.mylogin.cnf", "**/.git-credentials", "**/.npmrc",
    "**/.pypirc", "**/.htpasswd", "**/.vault-token",
    /* what applications are given, and what people typed */
    "**/.env", "**/.env.*", "**/.env~", "**/.envrc", "**/*.env", "!**/.env.example",
    "!**/.env.sample", "!**/.env.template", "!**/.env.dist", "**/.*_history"};

const size_t policy_secret_count = sizeof policy_secrets / sizeof policy_secrets[0];
