/* The report of the process group: found at any split, cut out exactly, and without any effect on
 * the command in every shell that is installed. */
#include "process_group.h"

#include "scout/base/error.h"
#include "shells.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define NONCE 0x0123456789abcdefULL
#define MARK  "scout-group-0123456789abcdef:"

static const struct shell unknown = {0};
static const struct shell posix = {true, true, SHELL_GROUPS_OWN};

static void collect(void *context, struct slice data)
{
    assert_int_equal(buf_append(context, data), 0);
}

/* Filters `text` in pieces of `size` bytes and compares what is passed on. */
static void filter(struct process_group *g, const char *text, size_t size, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t at = 0, len = strlen(text); at < len; at += size)
        process_group_filter(g, slice_of(text + at, len - at < size ? len - at : size), collect,
                             &out);
    process_group_end(g, collect, &out);
    assert_int_equal(buf_len(&out), strlen(expected));
    assert_memory_equal(buf_peek(&out).data, expected, strlen(expected));
    buf_fini(&out);
}

static void the_report_is_cut_out_at_any_split(void **state)
{
    (void)state;
    static const char text[] =
        "from .bashrc, scout-group-, secho MARK" MARK "4711 4711 (bash)\nerror one\n" MARK "12\n";
    static const char rest[] = "from .bashrc, scout-group-, secho MARKerror one\n" MARK
                               "12\n"; /* only the first is ours */
    for (size_t size = 1; size <= sizeof text; size++) {
        struct process_group g;
        process_group_init(&g, NONCE, &unknown);
        filter(&g, text, size, rest);
        assert_int_equal(g.id, 4711);
        assert_true(g.shell.known && g.shell.posix);
        assert_int_equal(g.shell.groups, SHELL_GROUPS_OWN);
    }
}

static void two_pieces_of_every_length_give_the_same(void **state)
{
    (void)state;
    static const char text[] = "es" MARK "99\nx";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct process_group g;
        struct buf out;
        buf_init(&out, 4096);
        process_group_init(&g, NONCE, &posix);
        process_group_filter(&g, slice_of(text, cut), collect, &out);
        process_group_filter(&g, slice_of(text + cut, sizeof text - 1 - cut), collect, &out);
        assert_true(slice_is(buf_peek(&out), "esx"));
        assert_int_equal(g.id, 99);
        assert_false(g.looking);
        buf_fini(&out);
    }
}

/* bash shows the line of a syntax error, and the prefix was never run. */
static void the_prefix_in_a_message_is_cut_out(void **state)
{
    (void)state;
    for (size_t size = 1; size < 60; size++) {
        struct process_group g;
        process_group_init(&g, NONCE, &posix);
        filter(&g, "bash: line 1: `echo " MARK "$$ >&2; )'\n", size, "bash: line 1: `)'\n");
        assert_int_equal(g.id, 0);
    }
}

static void what_only_looks_like_a_report_is_passed_on(void **state)
{
    (void)state;
    static const char *const texts[] = {
        MARK,
        MARK "x1\n",
        MARK "12",
        "scout-group-0123456789abcdee:12\n",
        MARK "12 345678901234567890123456789012345678901234567890123456789012345678901\n",
        "echo " MARK "$$ >&2;",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct process_group g;
        process_group_init(&g, NONCE, &posix);
        filter(&g, texts[i], 1000, texts[i]);
        assert_int_equal(g.id, 0);
    }
}

/* kill -1 would end everything that the user has. */
static void groups_that_mean_everybody_are_not_accepted(void **state)
{
    (void)state;
    static const char *const reports[] = {"0\n",          "1\n",           "01\n",
                                          "4294967297\n", "99999999999\n", "1 1 (bash)\n",
                                          "12 (bash)\n",  "12x\n"};
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        struct process_group g;
        char text[128];
        snprintf(text, sizeof text, MARK "%s", reports[i]);
        process_group_init(&g, NONCE, &unknown);
        filter(&g, text, 1000, "");
        assert_int_equal(g.id, 0);
        assert_false(g.shell.known);
    }
}

static void shells_and_groups_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *report;
        bool posix;
        enum shell_groups groups;
    } cases[] = {
        {"40 40 (zsh)", true, SHELL_GROUPS_OWN},
        {"40 40 (fish)", false, SHELL_GROUPS_OWN},
        {"40 40 (tcsh)", false, SHELL_GROUPS_OWN},
        {"40 40 (rbash)", false, SHELL_GROUPS_OWN},
        {"40 39 (sh)", true, SHELL_GROUPS_SHARED},
        {"40 0 /usr/local/bin/bash", true, SHELL_GROUPS_UNKNOWN},
        {"40 0 /bin/csh", false, SHELL_GROUPS_UNKNOWN},
        {"40 0 ", false, SHELL_GROUPS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process_group g;
        char text[128];
        snprintf(text, sizeof text, MARK "%s\n", cases[i].report);
        process_group_init(&g, NONCE, &unknown);
        filter(&g, text, 1000, "");
        assert_int_equal(g.id, 40);
        assert_true(g.shell.known);
        assert_int_equal(g.shell.posix, cases[i].posix);
        assert_int_equal(g.shell.groups, cases[i].groups);
    }
}

static void the_search_ends_after_its_bound(void **state)
{
    (void)state;
    struct process_group g;
    char *text = malloc(PROCESS_GROUP_LOOK_MAX + 100);
    assert_non_null(text);
    memset(text, 's', PROCESS_GROUP_LOOK_MAX);
    strcpy(text + PROCESS_GROUP_LOOK_MAX, MARK "12\n");
    process_group_init(&g, NONCE, &posix);
    filter(&g, text, 4096, text);
    assert_int_equal(g.id, 0);
    char *rest = strdup(text + 100);
    assert_non_null(rest);
    rest[PROCESS_GROUP_LOOK_MAX - 100] = '\0';
    process_group_init(&g, NONCE, &posix);
    filter(&g, text + 100, 4096, rest);
    assert_int_equal(g.id, 12);
    free(rest);
    free(text);
}

static void a_line_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct process_group g;
    struct buf out;
    process_group_init(&g, NONCE, &posix);
    buf_init(&out, g.prefix_len + 3);
    assert_int_equal(process_group_wrap(&g, "true", &out), SCOUT_E_LIMIT);
    assert_int_equal(process_group_wrap(&g, "tru", &out), 0);
    buf_fini(&out);
}

/* ---- real shells ---- */

static const char *const any_commands[] = {
    "true",
    "false",
    "echo out",
    "exit 7",
    "cat",
    "echo \"it's\"; exit 3",
    "pwd # a comment",
    "ls # x",
    "echo 'a\\b' \"c d\"",
    "sh -c 'echo err >&2; exit 9'",
    "",
    " ",

    "/usr/bin/env sh -c 'kill -KILL $$'",
    "no-such-command-here",
    "echo a;",
    "echo last\\",
    "echo \"unbalanced",
    "echo 'unbalanced",
    ")",
    "&& x",
    "| x",
    "# only a comment",
};

static const char *const posix_commands[] = {
    "cat <<EOF\nhere $((1+2))\nEOF",
    "cat <<'EOF'\n$HOME `x` \\ ! 'quoted'\nEOF\necho after",
    "echo one\necho two\nfalse",
    "echo '!' \"!\" !x ! y; echo $?",
    "echo $0 $# \"$@\"",
    "x=1; y=$x; echo \"$y\" '$y' \\$y",
    "if true; then echo yes; fi",
    "if true; then echo yes",
    "for i in 1 2 3; do echo $i; done | cat",
    "echo \"a\nb",
    "echo one\n)\necho two",
    "read a b; echo \"[$a][$b]\"; cat",
    "trap 'echo bye' EXIT; exit 4",
    "exec cat",
    "set -e; false; echo not here",
    "nope-nope\nnope-nope-2",
    "echo \\",
    "(exit 5)",
    "kill -TERM $$",
    "echo $?",
    "{ echo group; } >&2",
    "case a in a) echo A;; esac",
    "umask; cd /; pwd",
    "echo err >&2; echo more >&2",
    "wait; jobs; echo $!",
    "env | grep -c ^PATH=",
    "echo caf\xc3\xa9 \xff | cat",
    "printf 'no newline' >&2",
};

/* fish shows the whole line with a caret under the place: only its first line is compared. */
static bool same_messages(const struct shell_kind *k, const char *a, const char *b)
{
    if (strcmp(k->argv[0], "fish") != 0)
        return strcmp(a, b) == 0;
    size_t len = strcspn(a, "\n");
    return len == strcspn(b, "\n") && strncmp(a, b, len) == 0;
}

static void run_wrapped(const struct shell_kind *k, const struct shell *known, const char *command,
                        const struct shell_run *plain)
{
    static struct shell_run wrapped;
    struct process_group g;
    struct buf line, err;
    buf_init(&line, 8192);
    buf_init(&err, SHELLS_OUTPUT_MAX);
    process_group_init(&g, NONCE, known);
    assert_int_equal(process_group_wrap(&g, command, &line), 0);
    assert_int_equal(buf_append(&line, slice_of("", 1)), 0);
    shell_run(k, (const char *)buf_peek(&line).data, "input line\nsecond\n", &wrapped);
    process_group_filter(&g, slice_of(wrapped.err, wrapped.err_len), collect, &err);
    process_group_end(&g, collect, &err);
    assert_int_equal(buf_append(&err, slice_of("", 1)), 0);
    const char *filtered = (const char *)buf_peek(&err).data;
    if (wrapped.status != plain->status || strcmp(wrapped.out, plain->out) != 0 ||
        !same_messages(k, filtered, plain->err))
        fail_msg("%s -c '%s': status %x, not %x\nout: %s\nnot: %s\nerr: %s\nnot: %s", k->argv[0],
                 command, (unsigned)wrapped.status, (unsigned)plain->status, wrapped.out,
                 plain->out, filtered, plain->err);
    if (g.id) {
        if (g.id != (uint32_t)wrapped.pid)
            fail_msg("%s -c '%s' reported %u, not %d", k->argv[0], command, g.id, wrapped.pid);
        assert_true(g.shell.known);
        assert_int_equal(g.shell.posix, k->posix);
        assert_int_equal(g.shell.groups, SHELL_GROUPS_OWN);
    } else if (plain->status == 0 && plain->err_len == 0 && strcmp(k->argv[0], "yash") != 0) {
        /* (yash runs nothing at all of a line that has bytes which it takes for malformed.) */
        fail_msg("%s -c '%s' did not report its group", k->argv[0], command);
    }
    buf_fini(&line);
    buf_fini(&err);
}

static void compare(const struct shell_kind *k, const char *const *commands, size_t count)
{
    static struct shell_run plain;
    for (size_t i = 0; i < count; i++) {
        shell_run(k, commands[i], "input line\nsecond\n", &plain);
        run_wrapped(k, &unknown, commands[i], &plain);
        if (k->posix)
            run_wrapped(k, &posix, commands[i], &plain);
    }
}

static void commands_behave_as_without_it_in_every_shell(void **state)
{
    (void)state;
    setenv("HOME", "/nonexistent", 1); /* no start files of the machine's user */
    setenv("LC_ALL", "C", 1);
    for (size_t i = 0; i < shell_count; i++) {
        if (!shell_installed(&shells[i])) {
            print_message("skipped: %s is not installed\n", shells[i].argv[0]);
            continue;
        }
        compare(&shells[i], any_commands, sizeof any_commands / sizeof any_commands[0]);
        if (shells[i].posix)
            compare(&shells[i], posix_commands, sizeof posix_commands / sizeof posix_commands[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_is_cut_out_at_any_split),
        cmocka_unit_test(two_pieces_of_every_length_give_the_same),
        cmocka_unit_test(the_prefix_in_a_message_is_cut_out),
        cmocka_unit_test(what_only_looks_like_a_report_is_passed_on),
        cmocka_unit_test(groups_that_mean_everybody_are_not_accepted),
        cmocka_unit_test(shells_and_groups_are_told_apart),
        cmocka_unit_test(the_search_ends_after_its_bound),
        cmocka_unit_test(a_line_over_the_limit_is_refused),
        cmocka_unit_test(commands_behave_as_without_it_in_every_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
