/* The ring at the machine's limits: no descriptor left, a filter that forbids io_uring, and memory
 * that is the kernel's. The simulated driver has none of these, so they are no contract tests. */
#include "contract.h"

#include "scout/base/error.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

static struct io *open_ring(void)
{
    struct io *io = NULL;
    char why[256] = "";
    if (io_ring_open(&io, NULL, why, sizeof why) != 0)
        fail_msg("%s", why);
    return io;
}

/* ---- descriptors ---- */

#define FILES_MAX 64

static void accepting_without_a_descriptor_ends_and_can_go_on(void **state)
{
    (void)state;
    struct io *io = open_ring();
    struct listening l;
    struct end client;
    struct rlimit before;
    int spare[FILES_MAX];
    int count = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {.rlim_cur = FILES_MAX, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0); /* the kernel notes it when arming */
    listening_open(io, &l);
    settle(io);
    end_connect(io, &client, &l); /* has its own descriptor already */
    while ((spare[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;

    UNTIL(io, client.others.events == 1 && l.accepted.last_events == 1);
    assert_int_equal(client.others.res, 0); /* the backlog has it */
    assert_int_equal(l.accepted.res, -EMFILE);
    assert_false(l.accept.armed);
    assert_int_equal(l.fd_count, 0);

    while (count > 0)
        close(spare[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    l.accepted = (struct record){0};
    io_accept(&l.file, &l.accept, l.accept.fn);
    UNTIL(io, l.fd_count == 1); /* the same connection: it was not lost */
    io_discard(io, l.fds[0]);
    end_fini(&client);
    listening_close(&l);
    io_free(io);
}

/* ---- a filter ---- */

static int forbid(long call, unsigned error)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

struct verdict {
    int error;
    bool opened;
    char why[256];
};

/* What io_ring_open says in a process whose filter answers `call` with `error`. */
static struct verdict open_under_filter(long call, unsigned error)
{
    struct verdict v = {0};
    int fds[2], status;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct io *io;
        if (forbid(call, error) < 0)
            _exit(2);
        v.error = io_ring_open(&io, NULL, v.why, sizeof v.why);
        v.opened = v.error == 0;
        _exit(write(fds[1], &v, sizeof v) == sizeof v ? 0 : 3);
    }
    close(fds[1]);
    ssize_t got = read(fds[0], &v, sizeof v);
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(got, sizeof v);
    return v;
}

static void a_filter_that_forbids_io_uring_is_named(void **state)
{
    (void)state;
    static const struct {
        long call;
        unsigned errno_value;
        int error;
        const char *name;
    } cases[] = {
        {SYS_io_uring_setup, EPERM, SCOUT_E_PERMISSION, "EPERM"},
        {SYS_io_uring_setup, ENOSYS, SCOUT_E_UNSUPPORTED, "ENOSYS"},
        {SYS_io_uring_setup, ENOMEM, SCOUT_E_NOMEM, "RLIMIT_MEMLOCK"},
        {SYS_io_uring_setup, EMFILE, SCOUT_E_LIMIT, "RLIMIT_NOFILE"},
        {SYS_io_uring_enter, EPERM, SCOUT_E_PERMISSION, "seccomp"},
        {SYS_io_uring_register, EPERM, SCOUT_E_PERMISSION, "seccomp"},
        {SYS_io_uring_register, EINVAL, SCOUT_E_UNSUPPORTED, "Linux 6.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict v = open_under_filter(cases[i].call, cases[i].errno_value);
        if (v.error != cases[i].error || !strstr(v.why, cases[i].name) || strchr(v.why, '\n'))
            fail_msg("case %zu: error %d, \"%s\"", i, v.error, v.why);
        assert_false(v.opened);
    }
}

/* ---- memory ---- */

static void the_memory_of_a_read_is_the_kernels_until_it_ends(void **state)
{
    (void)state;
    struct io *io = open_ring();
    struct end e;
    int fds[2];
    char *data = calloc(1, 32);
    assert_non_null(data);
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    end_init(&e);
    io_file_adopt(io, &e.file, fds[0]);
    io_read(&e.file, &e.other, data, 32, -1, on_other);
    settle(io);
#ifdef WITH_ASAN
    assert_true(__asan_address_is_poisoned(data));
    assert_true(__asan_address_is_poisoned(data + 31));
#endif
    io_cancel(&e.other);
    UNTIL(io, e.others.events == 1);
    assert_int_equal(e.others.res, -ECANCELED);
    assert_int_equal(data[0], 0); /* and it can be read again */
    assert_int_equal(data[31], 0);

    e.others = (struct record){0};
    io_read(&e.file, &e.other, data, 32, -1, on_other);
    assert_int_equal(write(fds[1], "bytes", 5), 5);
    UNTIL(io, e.others.events == 1);
    assert_int_equal(e.others.res, 5);
    assert_memory_equal(data, "bytes", 6);
    free(data);
    close(fds[1]);
    end_fini(&e);
    io_free(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_without_a_descriptor_ends_and_can_go_on),
        cmocka_unit_test(a_filter_that_forbids_io_uring_is_named),
        cmocka_unit_test(the_memory_of_a_read_is_the_kernels_until_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
