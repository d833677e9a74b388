/* The script that ends process groups, run by the real shells; and the reader of its verdicts. */
#include "kill_script.h"

#include "scout/base/error.h"
#include "shells.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 20

static const struct shell_kind *const sh = &shells[2];

struct verdicts {
    uint32_t groups[KILL_GROUPS_MAX];
    enum kill_verdict verdicts[KILL_GROUPS_MAX];
    size_t count;
};

static void on_verdict(void *context, uint32_t group, enum kill_verdict v)
{
    struct verdicts *all = context;
    assert_true(all->count < KILL_GROUPS_MAX);
    all->groups[all->count] = group;
    all->verdicts[all->count++] = v;
}

static void run_script(const struct shell_kind *k, const uint32_t *groups, size_t count,
                       struct verdicts *out)
{
    static struct shell_run run;
    struct kill_reader r;
    struct buf text;
    *out = (struct verdicts){0};
    kill_reader_init(&r, 42);
    buf_init(&text, 65536);
    assert_int_equal(kill_script(&r, groups, count, &text), 0);
    shell_run(k, (const char *)buf_peek(&text).data, "", &run);
    buf_fini(&text);
    kill_reader_feed(&r, slice_of(run.out, run.out_len), on_verdict, out);
    assert_string_equal(run.err, "");
}

static void wait_for(bool (*happened)(pid_t), pid_t pid)
{
    time_t end = time(NULL) + DEADLINE_S;
    while (!happened(pid)) {
        assert_true(time(NULL) < end);
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
}

/* The signal mask of ignored ones in /proc tells that the trap is in place. */
static bool ignores_term(pid_t pid)
{
    char path[64], line[256];
    unsigned long long ignored = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "SigIgn: %llx", &ignored) == 1)
            break;
    if (f)
        fclose(f);
    return ignored >> (SIGTERM - 1) & 1;
}

static bool is_leader(pid_t pid)
{
    return getpgid(pid) == pid;
}

/* Whether some process of the group is more than a zombie. */
static bool group_lives(pid_t group)
{
    char path[300], state;
    bool lives = false;
    int pgrp;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (f && fscanf(f, "%*d (%*[^)]) %c %*d %d", &state, &pgrp) == 2)
            lives |= pgrp == group && state != 'Z';
        if (f)
            fclose(f);
    }
    closedir(d);
    return lives;
}

static void a_group_is_ended_from_every_shell(void **state)
{
    (void)state;
    for (size_t i = 0; i < shell_count; i++) {
        if (!shell_installed(&shells[i]))
            continue;
        struct verdicts v;
        pid_t pid = shell_start(sh, "sleep 1000 & sleep 1000; :");
        wait_for(is_leader, pid);
        assert_true(group_lives(pid));
        run_script(&shells[i], &(uint32_t){(uint32_t)pid}, 1, &v);
        assert_int_equal(v.count, 1);
        assert_int_equal(v.groups[0], pid);
        /* Nobody has waited for it: a zombie is left, and does not count. */
        assert_int_equal(v.verdicts[0], KILL_GONE);
        int status;
        assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        assert_false(group_lives(pid));
    }
}

static void several_groups_share_one_script(void **state)
{
    (void)state;
    enum { COUNT = 4 };
    struct verdicts v;
    uint32_t groups[COUNT];
    for (size_t i = 0; i + 1 < COUNT; i++)
        groups[i] = (uint32_t)shell_start(sh, i == 1 ? "trap '' TERM; sleep 1000; sleep 1000; :"
                                                     : "sleep 1000; :");
    pid_t gone = shell_start(sh, "exit 0");
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    groups[COUNT - 1] = (uint32_t)gone;
    wait_for(ignores_term, (pid_t)groups[1]);
    wait_for(is_leader, (pid_t)groups[0]);
    wait_for(is_leader, (pid_t)groups[2]);
    run_script(sh, groups, COUNT, &v);
    assert_int_equal(v.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(v.groups[i], groups[i]);
        assert_int_equal(v.verdicts[i], i + 1 < COUNT ? KILL_GONE : KILL_NONE);
    }
    for (size_t i = 0; i + 1 < COUNT; i++) {
        int status;
        assert_int_equal(waitpid((pid_t)groups[i], &status, WNOHANG), groups[i]);
        assert_int_equal(WTERMSIG(status), i == 1 ? SIGKILL : SIGTERM);
    }
}

/* It was stopped (SIGSTOP): SIGTERM alone would stay pending. */
static void a_stopped_process_is_ended_gently(void **state)
{
    (void)state;
    struct verdicts v;
    int status;
    /* One process: a shell that is in vfork while its child is stopped does not stop itself. */
    pid_t pid = shell_start(sh, "exec sleep 1000");
    wait_for(is_leader, pid);
    assert_int_equal(kill(-pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    run_script(sh, &(uint32_t){(uint32_t)pid}, 1, &v);
    assert_int_equal(v.verdicts[0], KILL_GONE);
    assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void only_whole_lines_with_the_mark_are_verdicts(void **state)
{
    (void)state;
    static const char text[] = "hello\nno newline scout-kill-000000000000002a:12 gone\n"
                               "scout-kill-000000000000002b:13 gone\n"
                               "scout-kill-000000000000002a:14 gone now\n"
                               "scout-kill-000000000000002a:1 gone\n"
                               "scout-kill-000000000000002a:15 left\n"
                               "scout-kill-000000000000002a:16 none\n"
                               "scout-kill-000000000000002a:17 gone";
    for (size_t size = 1; size < sizeof text; size++) {
        struct verdicts v = {0};
        struct kill_reader r;
        kill_reader_init(&r, 42);
        for (size_t at = 0; at < sizeof text - 1; at += size) {
            size_t left = sizeof text - 1 - at;
            kill_reader_feed(&r, slice_of(text + at, left < size ? left : size), on_verdict, &v);
        }
        assert_int_equal(v.count, 3);
        assert_int_equal(v.groups[0], 12);
        assert_int_equal(v.verdicts[0], KILL_GONE);
        assert_int_equal(v.groups[1], 15);
        assert_int_equal(v.verdicts[1], KILL_LEFT);
        assert_int_equal(v.groups[2], 16);
        assert_int_equal(v.verdicts[2], KILL_NONE);
    }
}

static void a_line_that_is_too_long_is_no_verdict(void **state)
{
    (void)state;
    struct verdicts v = {0};
    struct kill_reader r;
    kill_reader_init(&r, 42);
    for (int i = 0; i < KILL_LINE_MAX; i++)
        kill_reader_feed(&r, slice_str("x"), on_verdict, &v);
    kill_reader_feed(&r, slice_str("scout-kill-000000000000002a:12 gone\n"), on_verdict, &v);
    assert_int_equal(v.count, 0);
    kill_reader_feed(&r, slice_str("scout-kill-000000000000002a:12 gone\n"), on_verdict, &v);
    assert_int_equal(v.count, 1);
}

int main(void)
{
    setenv("HOME", "/nonexistent", 1); /* no start files, and none made (fish) */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_ended_from_every_shell),
        cmocka_unit_test(several_groups_share_one_script),
        cmocka_unit_test(a_stopped_process_is_ended_gently),
        cmocka_unit_test(only_whole_lines_with_the_mark_are_verdicts),
        cmocka_unit_test(a_line_that_is_too_long_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
