/* Landlock by raw system calls: the C library has no wrappers, and the kernel's header of the build
 * machine may be older than the kernel. What the running kernel does not know of is not asked for:
 * an older one shuts in less, none at all not.
 *
 * Connecting is free (hosts listen on any port), and so are Unix sockets by path, which Landlock
 * does not see: agents are reached by them. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_CHAR = 1 << 6,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_MAKE_FIFO = 1 << 10,
    FS_MAKE_BLOCK = 1 << 11,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,     /* from interface 2 on */
    FS_TRUNCATE = 1 << 14,  /* 3 */
    FS_IOCTL_DEV = 1 << 15, /* 5 */

    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    FS_READ = FS_READ_FILE | FS_READ_DIR,
    FS_CREATE = FS_READ | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG,

    NET_BIND_TCP = 1 << 0, /* 4 */
    SCOPE_SIGNAL = 1 << 1, /* 6 */

    CREATE_RULESET_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,
    RULE_NET_PORT = 2,
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_beneath {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

struct net_port {
    uint64_t access, port;
};

static const uint64_t rights[] = {
    [SANDBOX_READ] = FS_READ,
    [SANDBOX_RUN] = FS_READ | FS_EXECUTE,
    [SANDBOX_CREATE] = FS_CREATE,
    [SANDBOX_OWN] =
        FS_CREATE | FS_MAKE_DIR | FS_MAKE_SOCK | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER,
};

static uint64_t handled_fs(int version)
{
    uint64_t all = FS_REFER - 1;
    all |= version >= 2 ? FS_REFER : 0;
    all |= version >= 3 ? FS_TRUNCATE : 0;
    all |= version >= 5 ? FS_IOCTL_DEV : 0;
    return all;
}

static int make_ruleset(int version)
{
    const struct ruleset r = {.fs = handled_fs(version),
                              .net = version >= 4 ? NET_BIND_TCP : 0,
                              .scoped = version >= 6 ? SCOPE_SIGNAL : 0};
    size_t size = version >= 6 ? sizeof r : version >= 4 ? 2 * sizeof r.fs : sizeof r.fs;
    return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0u);
}

static int add_place(int ruleset, const struct sandbox_place *place, int version)
{
    struct stat st;
    int fd = open(place->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0;
    uint64_t access = rights[place->access] & handled_fs(version);
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= FS_OF_FILES;
    const struct path_beneath rule = {.access = access, .parent = fd};
    int rc = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0u);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

/* Port 0 may be bound: BindAddress has a connection come from an address, with whatever port. One
 * that a client would look for a service at may not. */
static int add_any_port(int ruleset)
{
    const struct net_port rule = {.access = NET_BIND_TCP, .port = 0};
    return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0u);
}

static int fail(const char *what, struct failure *why)
{
    return failure_set(why, SCOUT_E_UNSUPPORTED, "%s: %s", what, strerror(errno));
}

int sandbox_enter(const struct sandbox *s, struct failure *why)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail("no_new_privs", why);
    int version =
        (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
    if (version < 1)
        return fail("The kernel has no Landlock", why);
    int ruleset = make_ruleset(version), rc = 0;
    if (ruleset < 0)
        return fail("Landlock's ruleset cannot be made", why);
    for (size_t i = 0; i < s->count && rc == 0; i++)
        rc = add_place(ruleset, &s->places[i], version);
    if (rc == 0 && version >= 4)
        rc = add_any_port(ruleset);
    if (rc == 0)
        rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0u);
    int error = errno;
    close(ruleset);
    errno = error;
    return rc == 0 ? version : fail("Landlock cannot be entered", why);
}
