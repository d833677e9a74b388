/* Every keyword of ssh_config(5), once: how its value is read, which one counts, whether it is
 * honoured, what may be expanded in it. In alphabetical order, in which `scout explain` tells them
 * and by which a keyword is found.
 *
 * X(slot, name, kind, take, care, value, tokens, preset)
 *
 *   kind    how the value is read and checked (enum config_kind)
 *   take    FIRST value wins; LINE: each line adds one value; WORDS: each word of each line does
 *   care    HONOURED; IGNORED: known, and without it nothing is less safe or elsewhere; GUARDED:
 *           not honoured, and it would lead elsewhere or weaken what is checked, so it refuses
 *           the host
 *   value   CHOICE: the choices; GUARDED besides: only what does not begin with `!` refuses, and
 *           with another kind it is the one value that asks for nothing
 *   tokens  the letters that % may have behind it, NULL: % is an ordinary character
 *   preset  what holds where nothing is set, for explain; NULL: nothing to say */
#ifndef SCOUT_SSH_SSH_CONFIG_TABLE_H
#define SCOUT_SSH_SSH_CONFIG_TABLE_H

#define CONFIG_TOKENS       "%CLdhijklnpru"
#define CONFIG_TOKENS_NAME  "%h"
#define CONFIG_TOKENS_PROXY "%hnpr"

#define CONFIG_KEYWORDS(X)                                                                         \
    X(ADD_KEYS_TO_AGENT, "AddKeysToAgent", ANY, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(ADDRESS_FAMILY, "AddressFamily", CHOICE, FIRST, HONOURED, "any inet inet6", NULL, "any")     \
    X(BATCH_MODE, "BatchMode", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                             \
    X(BIND_ADDRESS, "BindAddress", STRING, FIRST, HONOURED, NULL, NULL, NULL)                      \
    X(BIND_INTERFACE, "BindInterface", STRING, FIRST, GUARDED, NULL, NULL, NULL)                   \
    X(CANONICAL_DOMAINS, "CanonicalDomains", ANY, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(CANONICAL_LOCAL, "CanonicalizeFallbackLocal", FLAG, FIRST, IGNORED, NULL, NULL, NULL)        \
    X(CANONICALIZE, "CanonicalizeHostname", CHOICE, FIRST, GUARDED, "!no yes always", NULL, NULL)  \
    X(CANONICAL_DOTS, "CanonicalizeMaxDots", INT, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(CANONICAL_CNAMES, "CanonicalizePermittedCNAMEs", ANY, FIRST, GUARDED, "none", NULL, NULL)    \
    X(CA_SIGNATURES, "CASignatureAlgorithms", STRING, FIRST, IGNORED, NULL, NULL, NULL)            \
    X(CERTIFICATE, "CertificateFile", STRING, LINE, HONOURED, NULL, CONFIG_TOKENS, NULL)           \
    X(CHANNEL_TIMEOUT, "ChannelTimeout", ANY, FIRST, IGNORED, NULL, NULL, NULL)                    \
    X(CHECK_HOST_IP, "CheckHostIP", CHOICE, FIRST, HONOURED, "no yes", NULL, "no")                 \
    X(CIPHERS, "Ciphers", ALGORITHMS, FIRST, HONOURED, NULL, NULL, "the fastest that are safe")    \
    X(CLEAR_FORWARDINGS, "ClearAllForwardings", FLAG, FIRST, IGNORED, NULL, NULL, NULL)            \
    X(COMPRESSION, "Compression", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                          \
    X(ATTEMPTS, "ConnectionAttempts", COUNT, FIRST, HONOURED, NULL, NULL, "1")                     \
    X(CONNECT_TIMEOUT, "ConnectTimeout", TIME, FIRST, HONOURED, NULL, NULL,                        \
      "as the key connect_timeout")                                                                \
    X(CONTROL_MASTER, "ControlMaster", ANY, FIRST, IGNORED, NULL, NULL, NULL)                      \
    X(CONTROL_PATH, "ControlPath", STRING, FIRST, IGNORED, NULL, NULL, NULL)                       \
    X(CONTROL_PERSIST, "ControlPersist", STRING, FIRST, IGNORED, NULL, NULL, NULL)                 \
    X(DYNAMIC_FORWARD, "DynamicForward", ANY, LINE, IGNORED, NULL, NULL, NULL)                     \
    X(ESCAPE_COMMANDS, "EnableEscapeCommandline", FLAG, FIRST, IGNORED, NULL, NULL, NULL)          \
    X(KEYSIGN, "EnableSSHKeysign", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                         \
    X(ESCAPE_CHAR, "EscapeChar", STRING, FIRST, IGNORED, NULL, NULL, NULL)                         \
    X(EXIT_ON_FAILURE, "ExitOnForwardFailure", FLAG, FIRST, IGNORED, NULL, NULL, NULL)             \
    X(FINGERPRINT_HASH, "FingerprintHash", STRING, FIRST, IGNORED, NULL, NULL, NULL)               \
    X(FORK, "ForkAfterAuthentication", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                     \
    X(FORWARD_AGENT, "ForwardAgent", STRING, FIRST, IGNORED, NULL, NULL, NULL)                     \
    X(FORWARD_X11, "ForwardX11", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                           \
    X(FORWARD_X11_TIMEOUT, "ForwardX11Timeout", TIME, FIRST, IGNORED, NULL, NULL, NULL)            \
    X(FORWARD_X11_TRUSTED, "ForwardX11Trusted", FLAG, FIRST, IGNORED, NULL, NULL, NULL)            \
    X(GATEWAY_PORTS, "GatewayPorts", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                       \
    X(GLOBAL_KNOWN_HOSTS, "GlobalKnownHostsFile", FILES, FIRST, HONOURED, NULL, NULL,              \
      "/etc/ssh/ssh_known_hosts")                                                                  \
    X(GSSAPI, "GSSAPIAuthentication", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                      \
    X(GSSAPI_CLIENT, "GSSAPIClientIdentity", STRING, FIRST, IGNORED, NULL, NULL, NULL)             \
    X(GSSAPI_DELEGATE, "GSSAPIDelegateCredentials", FLAG, FIRST, IGNORED, NULL, NULL, NULL)        \
    X(GSSAPI_KEX_LIST, "GSSAPIKexAlgorithms", STRING, FIRST, IGNORED, NULL, NULL, NULL)            \
    X(GSSAPI_KEX, "GSSAPIKeyExchange", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                     \
    X(GSSAPI_RENEWAL, "GSSAPIRenewalForcesRekey", FLAG, FIRST, IGNORED, NULL, NULL, NULL)          \
    X(GSSAPI_SERVER, "GSSAPIServerIdentity", STRING, FIRST, IGNORED, NULL, NULL, NULL)             \
    X(GSSAPI_DNS, "GSSAPITrustDns", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                        \
    X(HASH_KNOWN_HOSTS, "HashKnownHosts", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(HOST, "Host", BLOCK, LINE, IGNORED, NULL, NULL, NULL)                                        \
    X(HOSTBASED_LIST, "HostbasedAcceptedAlgorithms", STRING, FIRST, IGNORED, NULL, NULL, NULL)     \
    X(HOSTBASED, "HostbasedAuthentication", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(HOST_KEYS, "HostKeyAlgorithms", ALGORITHMS, FIRST, HONOURED, NULL, NULL, "known ones first") \
    X(HOST_KEY_ALIAS, "HostKeyAlias", STRING, FIRST, HONOURED, NULL, NULL, NULL)                   \
    X(HOSTNAME, "HostName", STRING, FIRST, HONOURED, NULL, CONFIG_TOKENS_NAME, NULL)               \
    X(IDENTITIES_ONLY, "IdentitiesOnly", FLAG, FIRST, HONOURED, NULL, NULL, "no")                  \
    X(IDENTITY_AGENT, "IdentityAgent", AGENT, FIRST, HONOURED, NULL, CONFIG_TOKENS,                \
      "as the key agent")                                                                          \
    X(IDENTITY, "IdentityFile", STRING, LINE, HONOURED, NULL, CONFIG_TOKENS,                       \
      "~/.ssh/id_ed25519, id_ecdsa, id_rsa")                                                       \
    X(IGNORE_UNKNOWN, "IgnoreUnknown", STRING, FIRST, HONOURED, NULL, NULL, NULL)                  \
    X(INCLUDE, "Include", BLOCK, LINE, IGNORED, NULL, NULL, NULL)                                  \
    X(IPQOS, "IPQoS", ANY, FIRST, IGNORED, NULL, NULL, NULL)                                       \
    X(KBD_INTERACTIVE, "KbdInteractiveAuthentication", FLAG, FIRST, IGNORED, NULL, NULL, NULL)     \
    X(KBD_DEVICES, "KbdInteractiveDevices", STRING, FIRST, IGNORED, NULL, NULL, NULL)              \
    X(KEX, "KexAlgorithms", ALGORITHMS, FIRST, HONOURED, NULL, NULL, "elliptic curves")            \
    X(KNOWN_HOSTS_COMMAND, "KnownHostsCommand", COMMAND, FIRST, GUARDED, "none", NULL, NULL)       \
    X(LOCAL_COMMAND, "LocalCommand", COMMAND, FIRST, IGNORED, NULL, NULL, NULL)                    \
    X(LOCAL_FORWARD, "LocalForward", ANY, LINE, IGNORED, NULL, NULL, NULL)                         \
    X(LOG_LEVEL, "LogLevel", STRING, FIRST, IGNORED, NULL, NULL, NULL)                             \
    X(LOG_VERBOSE, "LogVerbose", ANY, FIRST, IGNORED, NULL, NULL, NULL)                            \
    X(MACS, "MACs", ALGORITHMS, FIRST, HONOURED, NULL, NULL, "HMAC-SHA2")                          \
    X(MATCH, "Match", BLOCK, LINE, IGNORED, NULL, NULL, NULL)                                      \
    X(NO_AUTH_LOCALHOST, "NoHostAuthenticationForLocalhost", FLAG, FIRST, IGNORED, NULL, NULL,     \
      NULL)                                                                                        \
    X(PASSWORD_PROMPTS, "NumberOfPasswordPrompts", INT, FIRST, IGNORED, NULL, NULL, NULL)          \
    X(KEYSTROKES, "ObscureKeystrokeTiming", ANY, FIRST, IGNORED, NULL, NULL, NULL)                 \
    X(PASSWORD, "PasswordAuthentication", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(PERMIT_LOCAL, "PermitLocalCommand", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(PERMIT_REMOTE_OPEN, "PermitRemoteOpen", ANY, FIRST, IGNORED, NULL, NULL, NULL)               \
    X(PKCS11, "PKCS11Provider", STRING, FIRST, IGNORED, NULL, NULL, NULL)                          \
    X(PORT, "Port", PORT, FIRST, HONOURED, NULL, NULL, "22")                                       \
    X(PREFERRED, "PreferredAuthentications", STRING, FIRST, IGNORED, NULL, NULL, NULL)             \
    X(PROXY_COMMAND, "ProxyCommand", COMMAND, FIRST, HONOURED, "none", NULL, NULL)                 \
    X(PROXY_JUMP, "ProxyJump", JUMP, FIRST, HONOURED, "none", NULL, NULL)                          \
    X(PROXY_FDPASS, "ProxyUseFdpass", CHOICE, FIRST, GUARDED, "!no yes", NULL, NULL)               \
    X(PUBKEY_LIST, "PubkeyAcceptedAlgorithms", ALGORITHMS, FIRST, HONOURED, NULL, NULL, NULL)      \
    X(PUBKEY, "PubkeyAuthentication", CHOICE, FIRST, GUARDED, "!yes no !unbound !host-bound",      \
      NULL, NULL)                                                                                  \
    X(REFUSE, "RefuseConnection", ANY, FIRST, GUARDED, NULL, NULL, NULL)                           \
    X(REKEY_LIMIT, "RekeyLimit", ANY, FIRST, IGNORED, NULL, NULL, NULL)                            \
    X(REMOTE_COMMAND, "RemoteCommand", COMMAND, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(REMOTE_FORWARD, "RemoteForward", ANY, LINE, IGNORED, NULL, NULL, NULL)                       \
    X(REQUEST_TTY, "RequestTTY", STRING, FIRST, IGNORED, NULL, NULL, NULL)                         \
    X(RSA_SIZE, "RequiredRSASize", INT, FIRST, GUARDED, "1024", NULL, NULL)                        \
    X(REVOKED_HOST_KEYS, "RevokedHostKeys", STRING, FIRST, GUARDED, "none", NULL, NULL)            \
    X(SK_PROVIDER, "SecurityKeyProvider", STRING, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(SEND_ENV, "SendEnv", NAMES, WORDS, HONOURED, NULL, NULL, NULL)                               \
    X(ALIVE_COUNT, "ServerAliveCountMax", INT, FIRST, HONOURED, NULL, NULL, "3")                   \
    X(ALIVE_INTERVAL, "ServerAliveInterval", TIME, FIRST, HONOURED, NULL, NULL,                    \
      "as the key ping_interval")                                                                  \
    X(SESSION_TYPE, "SessionType", STRING, FIRST, IGNORED, NULL, NULL, NULL)                       \
    X(SET_ENV, "SetEnv", ANY, FIRST, HONOURED, NULL, NULL, NULL)                                   \
    X(STDIN_NULL, "StdinNull", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                             \
    X(STREAM_MASK, "StreamLocalBindMask", STRING, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(STREAM_UNLINK, "StreamLocalBindUnlink", FLAG, FIRST, IGNORED, NULL, NULL, NULL)              \
    X(STRICT, "StrictHostKeyChecking", CHOICE, FIRST, HONOURED, "ask yes accept-new no off", NULL, \
      "yes")                                                                                       \
    X(SYSLOG, "SyslogFacility", STRING, FIRST, IGNORED, NULL, NULL, NULL)                          \
    X(TAG, "Tag", STRING, FIRST, HONOURED, NULL, NULL, NULL)                                       \
    X(TCP_KEEPALIVE, "TCPKeepAlive", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                       \
    X(TUNNEL, "Tunnel", STRING, FIRST, IGNORED, NULL, NULL, NULL)                                  \
    X(TUNNEL_DEVICE, "TunnelDevice", STRING, FIRST, IGNORED, NULL, NULL, NULL)                     \
    X(UPDATE_HOST_KEYS, "UpdateHostKeys", STRING, FIRST, IGNORED, NULL, NULL, NULL)                \
    X(USER, "User", STRING, FIRST, HONOURED, NULL, NULL, NULL)                                     \
    X(KNOWN_HOSTS, "UserKnownHostsFile", FILES, FIRST, HONOURED, NULL, CONFIG_TOKENS,              \
      "as the key known_hosts")                                                                    \
    X(VERIFY_DNS, "VerifyHostKeyDNS", STRING, FIRST, IGNORED, NULL, NULL, NULL)                    \
    X(VERSION_ADDENDUM, "VersionAddendum", ANY, FIRST, IGNORED, NULL, NULL, NULL)                  \
    X(VISUAL_HOST_KEY, "VisualHostKey", FLAG, FIRST, IGNORED, NULL, NULL, NULL)                    \
    X(WARN_CRYPTO, "WarnWeakCrypto", STRING, FIRST, IGNORED, NULL, NULL, NULL)                     \
    X(XAUTH, "XAuthLocation", STRING, FIRST, IGNORED, NULL, NULL, NULL)

/* Other names of the same, and keywords that mean nothing any more (slot OBSOLETE). */
#define CONFIG_ALIASES(X)                                                                          \
    X("AFSTokenPassing", OBSOLETE)                                                                 \
    X("ChallengeResponseAuthentication", KBD_INTERACTIVE)                                          \
    X("Cipher", OBSOLETE)                                                                          \
    X("CompressionLevel", OBSOLETE)                                                                \
    X("DSAAuthentication", PUBKEY)                                                                 \
    X("FallBackToRsh", OBSOLETE)                                                                   \
    X("GlobalKnownHostsFile2", OBSOLETE)                                                           \
    X("HostbasedKeyTypes", HOSTBASED_LIST)                                                         \
    X("IdentityFile2", IDENTITY)                                                                   \
    X("KeepAlive", TCP_KEEPALIVE)                                                                  \
    X("KerberosAuthentication", OBSOLETE)                                                          \
    X("KerberosTgtPassing", OBSOLETE)                                                              \
    X("Protocol", OBSOLETE)                                                                        \
    X("PubkeyAcceptedKeyTypes", PUBKEY_LIST)                                                       \
    X("RhostsAuthentication", OBSOLETE)                                                            \
    X("RhostsRSAAuthentication", OBSOLETE)                                                         \
    X("RSAAuthentication", OBSOLETE)                                                               \
    X("SkeyAuthentication", KBD_INTERACTIVE)                                                       \
    X("SmartcardDevice", PKCS11)                                                                   \
    X("TISAuthentication", KBD_INTERACTIVE)                                                        \
    X("UsePrivilegedPort", OBSOLETE)                                                               \
    X("UserKnownHostsFile2", OBSOLETE)                                                             \
    X("UseRoaming", OBSOLETE)                                                                      \
    X("UseRsh", OBSOLETE)

#endif
