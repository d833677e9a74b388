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
    "/etc/sasldb2", "/etc/rsyncd.secrets", "/etc/ldap.secret", "/etc/pam_ldap.secret",
    "/etc/libnss-ldap.secret", "/etc/sssd/sssd.conf", "/var/lib/sss/secrets", "/etc/samba/private",
    "/var/lib/samba/private", "/var/lib/systemd/credential.secret", "/etc/wpa_supplicant/*.conf",
    "/var/lib/iwd", "/etc/swanctl/private", "/etc/ipsec.d/private", "/etc/openvpn/**/*.secret",
    "/var/lib/zerotier-one/*.secret", "/var/lib/tailscale/tailscaled.state",
    "/etc/corosync/authkey", "/etc/pacemaker/authkey", "/etc/pve/priv", "/etc/letsencrypt/accounts",
    "/etc/mysql/debian.cnf", "**/sasl_passwd", "**/sasl_passwd.db", "/etc/exim4/passwd.client",
    "/etc/kubernetes/controller-manager.conf", "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/kubelet.conf", "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/k3s/server/node-token", "/var/lib/rancher/k3s/server/cred",
    "/var/lib/docker/swarm", "/var/lib/docker/containers/*/config.v2.json",
    "/etc/gitlab/gitlab-secrets.json", "/etc/gitlab-runner/config.toml",
    "/var/lib/jenkins/credentials.xml", "/var/lib/jenkins/secrets",
    "/var/lib/cloud/instance/user-data.txt*", "/var/lib/cloud/instances/*/user-data.txt*",
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
    "**/.password-store", "**/*.keyring", "**/*.ovpn", "**/*_key.priv", "**/krb5cc_*",
    "**/.local/share/keyrings", "**/sops/age/keys.txt",
    /* what programs log in with */
    "**/.aws", "**/.azure", "**/.kube", "**/.docker/config.json", "**/access_tokens.db",
    "**/legacy_credentials", "**/application_default_credentials.json", "**/credentials.tfrc.json",
    "**/.netrc", "**/.pgpass", "**/.my.cnf", "**/.mylogin.cnf", "**/.git-credentials", "**/.npmrc",
    "**/.pypirc", "**/.htpasswd", "**/.vault-token", "**/gcloud/credentials.db",
    "**/.config/gh/hosts.yml", "**/.config/glab-cli/config.yml", "**/.config/hub",
    "**/containers/auth.json", "**/.dockercfg", "**/.s3cfg", "**/.boto", "**/rclone.conf",
    "**/.passwd-s3fs", "/etc/passwd-s3fs", "**/.config/doctl/config.yaml",
    "**/.config/hcloud/cli.toml", "**/.cargo/credentials", "**/.cargo/credentials.toml",
    "**/.gem/credentials", "**/.composer/auth.json", "**/.config/composer/auth.json",
    "**/.m2/settings.xml", "**/.m2/settings-security.xml", "**/.authinfo", "**/.authinfo.gpg",
    "**/.msmtprc", "/etc/msmtprc", "**/.fetchmailrc", "/etc/fetchmailrc", "**/.smbcredentials",
    "**/.huggingface/token", "**/.cache/huggingface/token", "**/.kaggle/kaggle.json",
    "**/.databrickscfg", "**/.claude/.credentials.json", "**/.codex/auth.json",
    "**/.mozilla/**/logins.json", "**/.mozilla/**/key?.db", "**/.mozilla/**/cookies.sqlite",
    "**/google-chrome/**/Login Data", "**/chromium/**/Login Data",
    /* what applications are given, and what people typed */
    "**/.env", "**/.env.*", "**/.env~", "**/.envrc", "**/*.env", "!**/.env.example",
    "!**/.env.sample", "!**/.env.template", "!**/.env.dist", "**/.*_history", "**/*.tfstate",
    "**/*.tfstate.backup", "**/.vault_pass*", "**/.vault-pass*", "**/fish/fish_history"};

const size_t policy_secret_count = sizeof policy_secrets / sizeof policy_secrets[0];
