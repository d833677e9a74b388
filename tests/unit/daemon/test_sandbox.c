/* The sandbox from inside: each check runs in a child that shuts itself in. Skipped where the
 * kernel has no Landlock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../src/daemon/sandbox.h"

static char root[] = "/tmp/scoutd-sandbox-XXXXXX";

static const char *at(const char *name)
{
    static _Thread_local char path[4][256];
    static _Thread_local int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", root, name);
    return path[next];
}

static void write_file(const char *name)
{
    FILE *file = fopen(at(name), "we");
    assert_non_null(file);
    fputs("text\n", file);
    fclose(file);
}

static void place(struct sandbox *s, const char *name, enum sandbox_access access)
{
    snprintf(s->places[s->count].path, sizeof s->places[0].path, "%s", at(name));
    s->places[s->count++].access = access;
}

static bool opens(const char *name, int flags)
{
    int fd = open(at(name), flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Runs `check` shut in; it returns the number of the line that failed, or 0. */
static void run_in(const struct sandbox *s, int (*check)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct failure why;
        int version = sandbox_enter(s, &why);
        _exit(version < 1 ? 255 : check());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 255)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__ % 250 + 1;                                                             \
    } while (0)

static int check_files(void)
{
    MUST(opens("read/file", O_RDONLY));
    MUST(!opens("read/file", O_WRONLY));
    MUST(!opens("read/new", O_WRONLY | O_CREAT));
    MUST(opens("create/file", O_RDWR | O_APPEND));
    MUST(opens("create/new", O_WRONLY | O_CREAT));
    MUST(unlink(at("create/new")) != 0);
    MUST(opens("own/new", O_WRONLY | O_CREAT));
    MUST(unlink(at("own/new")) == 0);
    MUST(mkdir(at("own/folder"), 0700) == 0);
    MUST(rmdir(at("own/folder")) == 0);
    MUST(symlink("file", at("own/link")) != 0);
    MUST(!opens("else/file", O_RDONLY));
    MUST(!opens("read/../else/file", O_RDONLY));
    MUST(!opens("read/link", O_RDONLY)); /* it leads outside */
    return 0;
}

static int check_programs(void)
{
    char *const arguments[] = {"true", NULL};
    execv("/bin/true", arguments);
    MUST(errno == EACCES);
    return 0;
}

static int check_sockets(void)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path.sun_path, sizeof path.sun_path, "%s", at("own/socket"));
    MUST(bind(fd, (struct sockaddr *)&path, sizeof path) == 0);
    MUST(unlink(path.sun_path) == 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path.sun_path, sizeof path.sun_path, "%s", at("else/socket"));
    MUST(bind(fd, (struct sockaddr *)&path, sizeof path) != 0);
    return 0;
}

static bool binds(int family, uint16_t port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    six.sin6_addr = in6addr_loopback;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bool bound = family == AF_INET6 ? bind(fd, (struct sockaddr *)&six, sizeof six) == 0
                                    : bind(fd, (struct sockaddr *)&four, sizeof four) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return bound;
}

/* An address may be chosen, a port not. */
static int check_ports(void)
{
    MUST(binds(AF_INET, 0));
    MUST(binds(AF_INET6, 0) || errno == EADDRNOTAVAIL || errno == EBADF);
    MUST(!binds(AF_INET, 2222) && errno == EACCES);
    MUST(!binds(AF_INET, 50022) && errno == EACCES);
    return 0;
}

static struct sandbox *make(void)
{
    struct sandbox *s = calloc(1, sizeof *s);
    assert_non_null(s);
    place(s, "read", SANDBOX_READ);
    place(s, "create", SANDBOX_CREATE);
    place(s, "own", SANDBOX_OWN);
    place(s, "not/there", SANDBOX_OWN);
    return s;
}

static void run_all(int (*check)(void))
{
    struct sandbox *s = make();
    run_in(s, check);
    free(s);
}

static void test_files(void **state)
{
    (void)state;
    run_all(check_files);
}

static void test_programs(void **state)
{
    (void)state;
    run_all(check_programs);
}

static void test_sockets(void **state)
{
    (void)state;
    run_all(check_sockets);
}

static void test_ports(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u) < 4)
        skip(); /* it knows nothing of ports */
    run_all(check_ports);
}

/* ---- what a configuration needs ---- */

static const char *config_text;

static int read_text(void *context, const char *pattern,
                     int (*take)(void *, const char *path, struct slice text), void *take_context)
{
    (void)context;
    return take(take_context, pattern, slice_str(config_text));
}

static void collect(struct sandbox *s, const char *text)
{
    const struct ssh_config_env env = {.home = root, .user = "u", .dir = root, .read = read_text};
    static char lock[PATHS_SIZE], ssh_config[PATHS_SIZE];
    struct configuration_source source = {
        .user = "u", .paths = {.config = "", .state_lock = lock, .ssh_config = ssh_config}};
    struct configuration c = {.tls = NULL};
    struct failure why;
    config_text = text;
    snprintf(source.home, sizeof source.home, "%s", root);
    snprintf(source.paths.socket, sizeof source.paths.socket, "%s", at("own/s.sock"));
    snprintf(lock, sizeof lock, "%s", at("own/lock"));
    snprintf(ssh_config, sizeof ssh_config, "%s", at("read/config"));
    assert_int_equal(settings_load(&c.settings, "", false, root, &why), 0);
    assert_int_equal(ssh_config_load(&c.ssh_config, at("read/config"), NULL, &env, &why), 0);
    sandbox_collect(s, &source, &c);
    configuration_free(&c);
}

static bool has(const struct sandbox *s, const char *path, enum sandbox_access access)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->places[i].path, path) == 0 && s->places[i].access == access)
            return true;
    return false;
}

static void test_what_is_needed(void **state)
{
    struct sandbox *s = calloc(1, sizeof *s), *next = calloc(1, sizeof *next);
    (void)state;
    collect(s, "Host a\n IdentityFile ~/keys/a\n UserKnownHostsFile /k/%h/known /else/x /etc/y "
               "~/create/known_hosts\n"
               "Match host b\n IdentityFile /m/%p/key\n IdentityFile none\n");
    assert_true(has(s, at("own"), SANDBOX_OWN));
    assert_true(has(s, at("read"), SANDBOX_READ));
    assert_true(has(s, at(".ssh"), SANDBOX_READ));
    assert_true(has(s, at("keys"), SANDBOX_READ));
    assert_true(has(s, "/k", SANDBOX_CREATE)); /* a file for each host, which trust may make */
    assert_true(has(s, "/m", SANDBOX_READ));
    assert_true(has(s, "/else", SANDBOX_CREATE));
    assert_true(has(s, "/etc", SANDBOX_READ) && has(s, "/etc", SANDBOX_CREATE));
    assert_true(has(s, at("create"), SANDBOX_CREATE));
    assert_false(has(s, "/", SANDBOX_READ));
    collect(next, "Host a\n IdentityFile ~/keys/b\n");
    assert_null(sandbox_lacks(s, next));
    collect(next, "Host a\n IdentityFile /other/b\n");
    assert_string_equal(sandbox_lacks(s, next), "/other");
    free(s);
    free(next);
}

/* With more places than fit, all may be read: no host is lost over the sandbox. */
static void test_too_many(void **state)
{
    struct sandbox *s = calloc(1, sizeof *s);
    char text[SANDBOX_PLACES_MAX * 40] = "";
    (void)state;
    for (int i = 0; i < SANDBOX_PLACES_MAX; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "Host h%d\n IdentityFile /k%d/key\n", i, i);
    }
    collect(s, text);
    assert_true(s->full);
    assert_true(has(s, "/", SANDBOX_READ));
    assert_true(has(s, at("own"), SANDBOX_OWN));
    free(s);
}

int main(void)
{
    static const char *const folders[] = {"read", "create", "own", "else"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),          cmocka_unit_test(test_programs),
        cmocka_unit_test(test_sockets),        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_what_is_needed), cmocka_unit_test(test_too_many),
    };
    char command[64];
    if (!mkdtemp(root))
        return 1;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        mkdir(at(folders[i]), 0700);
    write_file("read/file");
    write_file("create/file");
    write_file("else/file");
    if (symlink("../else/file", at("read/link")) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? failed : 1;
}
