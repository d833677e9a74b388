/* Every failure of the product, once: its number, the stable code that clients see, the JSON-RPC
 * code where it ends a request as a protocol error, and a short text.
 *
 * Functions return 0 or a positive number for success and one of these negative numbers for
 * failure. The codes are a contract with clients (docs/wire.md): never rename or reuse one. */
#ifndef SCOUT_BASE_ERROR_H
#define SCOUT_BASE_ERROR_H

/* X(name, number, code, JSON-RPC code, text) */
#define SCOUT_ERRORS(X)                                                                            \
    X(NOMEM, -1, "out-of-memory", -32603, "out of memory")                                         \
    X(LIMIT, -2, "limit-exceeded", -32603, "a limit was reached")                                  \
    X(INTERNAL, -3, "internal", -32603, "internal error")                                          \
    X(INVALID_ARGUMENT, -4, "invalid-argument", -32602, "invalid argument")                        \
    X(PARSE, -5, "parse-error", -32700, "the input could not be parsed")                           \
    X(UNSUPPORTED, -6, "unsupported", -32603, "not supported")                                     \
    X(CANCELLED, -7, "cancelled", -32603, "cancelled")                                             \
    X(SHUTTING_DOWN, -8, "shutting-down", -32603, "the daemon is shutting down")                   \
    X(DEADLINE, -9, "deadline-exceeded", -32603, "the deadline passed")                            \
    X(UNKNOWN_HOST, -20, "unknown-host", -32602, "unknown host")                                   \
    X(HOST_REFUSED, -21, "host-refused", -32603, "the host's configuration is not supported")      \
    X(RESOLVE, -22, "resolve-failed", -32603, "the host name could not be resolved")               \
    X(CONNECT, -23, "connect-failed", -32603, "the connection could not be made")                  \
    X(CONNECTION_LOST, -24, "connection-lost", -32603, "the connection was lost")                  \
    X(SSH_PROTOCOL, -25, "ssh-protocol", -32603, "the SSH peer broke the protocol")                \
    X(NO_COMMON_ALGORITHM, -26, "no-common-algorithm", -32603, "no algorithm in common")           \
    X(HOST_KEY_UNKNOWN, -27, "host-key-unknown", -32603, "the host key is not known")              \
    X(HOST_KEY_CHANGED, -28, "host-key-changed", -32603, "the host key has changed")               \
    X(HOST_KEY_REVOKED, -29, "host-key-revoked", -32603, "the host key is revoked")                \
    X(KNOWN_HOSTS_MISSING, -30, "known-hosts-missing", -32603, "there is no known_hosts file")     \
    X(AUTH, -31, "auth-failed", -32603, "authentication failed")                                   \
    X(KEY, -32, "key-unusable", -32603, "the key file cannot be used")                             \
    X(SFTP_UNAVAILABLE, -33, "sftp-unavailable", -32603, "the host offers no SFTP")                \
    X(SFTP_PROTOCOL, -34, "sftp-protocol", -32603, "the SFTP server broke the protocol")           \
    X(NOT_FOUND, -40, "path-not-found", -32602, "path not found")                                  \
    X(PERMISSION, -41, "permission-denied", -32603, "permission denied")                           \
    X(NOT_A_FILE, -42, "not-a-regular-file", -32603, "not a regular file or directory")            \
    X(REMOTE, -43, "remote-failure", -32603, "the host reported a failure")                        \
    X(POOL_FULL, -44, "pool-full", -32603, "too many requests wait for a connection")              \
    X(NO_CHANNEL, -45, "no-channel", -32603, "the host opens no further channel")                  \
    X(EXEC_REFUSED, -46, "exec-refused", -32603, "the host refuses to run commands")               \
    X(AGENT, -47, "agent-failed", -32603, "the ssh agent could not be used")                       \
    X(KEY_LOCKED, -48, "key-locked", -32603, "the key file is encrypted and not unlocked")         \
    X(POLICY, -49, "policy-denied", -32603, "policy does not allow it")                            \
    X(CONFIRMATION, -50, "confirmation-required", -32603, "a person has to allow it first")        \
    X(AUDIT, -51, "audit-unavailable", -32603, "the audit log cannot be written")                  \
    X(NO_HANDLE, -60, "no-such-handle", -32602, "there is no such handle")                         \
    X(NOT_ADMITTED, -55, "not-admitted", -32603, "this client is not admitted")                    \
    X(EXISTS, -56, "already-exists", -32603, "there is a file already")                            \
    X(CHANGED, -57, "file-changed", -32603, "the file is not as it was")                           \
    X(NO_SPACE, -58, "no-space", -32603, "no space is left")                                       \
    X(NO_MATCH, -70, "no-unique-match", -32603, "the text to replace is not there exactly once")   \
    X(NOT_TEXT, -71, "not-text", -32603, "not a text file")                                        \
    X(NO_UNDO, -72, "no-undo", -32603, "nothing to undo")                                          \
    X(UNDO_UNAVAILABLE, -73, "undo-unavailable", -32603, "the state before cannot be kept")

enum scout_error {
    SCOUT_OK = 0,
#define X(name, number, code, rpc, text) SCOUT_E_##name = number,
    SCOUT_ERRORS(X)
#undef X
};

/* Static strings; an unknown number reads as SCOUT_E_INTERNAL. */
const char *error_code(int error);
const char *error_text(int error);
int error_rpc_code(int error);

/* A failure with its story: what failed, where, why, and what the user can do about it. */
struct failure {
    int error;         /* one of enum scout_error */
    const char *stage; /* static; where the deadline ended or the failure arose; NULL if nowhere */
    char text[512];    /* a full sentence without the trailing stop, NUL-terminated, UTF-8 */
};

/* Fills *f; text is cut at a character's end when too long. Returns `error`. */
__attribute__((format(printf, 3, 4))) int failure_set(struct failure *f, int error, const char *fmt,
                                                      ...);

#endif
