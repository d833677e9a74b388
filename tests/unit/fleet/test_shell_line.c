/* Words and directories for a login shell, in every shell that is installed. */
#include "scout/fleet/shell_line.h"

#include "../pool/shells.h"
#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const words[] = {
    "",
    "plain",
    "two words",
    "*",
    "~",
    "$HOME",
    "`id`",
    "a;b|c&d>e<f",
    "'",
    "''",
    "\\",
    "\\'",
    "a\\",
    "!",
    "!!",
    "a!b'c\\d",
    "\"q\"",
    "#c",
    "{a,b}",
    "[x]?",
    "-n",
    "=ls",
    "%1",
    "\t",
    "\\n",
    "(x)",
    "^a^b",
    "\xC3\xBC",
    "a=b",
    "$(id)",
    "\\\\\\'''",
    "a'; touch x; '",
    "a\necho ran",
    "\n",
    "a\n\n",
    "\\'; y",
    "@{u}",
    "a:b,c+d",
    "%s%d",
    "\x01x",
};
#define WORD_COUNT (sizeof words / sizeof words[0])

static const char *text_of(struct buf *b)
{
    assert_int_equal(buf_append(b, slice_of("", 1)), 0);
    return (const char *)buf_peek(b).data;
}

/* The words in one line; the command prints them. */
static void expect_words(const struct shell_kind *k, const char *const *tested, size_t count)
{
    const char *argv[WORD_COUNT + 2] = {"/usr/bin/printf", "[%s]"};
    struct buf line, expected;
    struct shell_run run;
    buf_init(&line, 65536);
    buf_init(&expected, 65536);
    for (size_t i = 0; i < count; i++) {
        argv[i + 2] = tested[i];
        assert_int_equal(buf_printf(&expected, "[%s]", tested[i]), 0);
    }
    const struct shell_exec e = {.before = "", .words = argv, .count = count + 2, .redirect = ""};
    assert_int_equal(shell_line_exec(&line, &e), 0);
    shell_run(k, text_of(&line), "", &run);
    if (strcmp(run.out, text_of(&expected)) != 0)
        fail_msg("%s: %s\n%s", k->argv[0], run.out, run.err);
    assert_string_equal(run.err, "");
    buf_fini(&line);
    buf_fini(&expected);
}

static void a_word_stays_one_word_in_every_shell(void **state)
{
    const char *simple[WORD_COUNT]; /* which go as they are when they are by themselves */
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (!strpbrk(words[i], "'\\!\n\t\x01\xC3"))
            simple[count++] = words[i];
    assert_in_range(count, 10, WORD_COUNT - 10);
    for (size_t s = 0; s < shell_count; s++) {
        if (!shell_installed(&shells[s]))
            continue;
        expect_words(&shells[s], words, WORD_COUNT);
        expect_words(&shells[s], simple, count);
    }
}

/* Changes to `path` from `base`; the shell tells where it is then. */
static void assert_cd(const struct shell_kind *k, const char *base, const char *path,
                      const char *expected)
{
    struct buf line;
    struct shell_run run;
    buf_init(&line, 4096);
    assert_int_equal(shell_line_cd(&line, path), 0);
    assert_int_equal(buf_append_str(&line, " && /bin/pwd"), 0);
    assert_int_equal(chdir(base), 0);
    shell_run(k, text_of(&line), "", &run);
    assert_int_equal(chdir("/"), 0);
    if (strncmp(run.out, expected, strlen(expected)) != 0)
        fail_msg("%s: cd %s: %s%s", k->argv[0], path, run.out, run.err);
    buf_fini(&line);
}

static void a_directory_is_no_option_and_not_looked_for(void **state)
{
    char base[] = "/tmp/scout-cd-XXXXXX", command[256], expected[128];
    (void)state;
    assert_non_null(mkdtemp(base));
    snprintf(command, sizeof command, "cd %s && mkdir -- -P -L 'a b' '~' sub && mkdir sub/x", base);
    assert_int_equal(system(command), 0);
    assert_int_equal(setenv("CDPATH", "/usr", 1), 0); /* there is /usr/lib */
    snprintf(command, sizeof command, "mkdir %s/lib", base);
    assert_int_equal(system(command), 0);
    static const char *const cases[][2] = {
        {"-P", "/-P"},     {"-L", "/-L"}, {"a b", "/a b"}, {"lib", "/lib"}, {"sub/x", "/sub/x"},
        {"~/sub", "/sub"}, {"~", ""},     {".", ""},       {"./~", "/~"},
    };
    for (size_t s = 0; s < shell_count; s++) {
        if (!shell_installed(&shells[s]))
            continue;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            snprintf(expected, sizeof expected, "%s%s\n", base, cases[i][1]);
            assert_cd(&shells[s], base, cases[i][0], expected);
        }
        assert_cd(&shells[s], base, "/usr", "/usr\n");
    }
    unsetenv("CDPATH");
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

static void a_line_that_is_too_long_is_refused(void **state)
{
    struct buf line;
    (void)state;
    buf_init(&line, 8);
    assert_int_equal(shell_line_cd(&line, "123456789"), SCOUT_E_LIMIT);
    buf_clear(&line);
    assert_int_equal(shell_line_escape(&line, "1  "), SCOUT_E_LIMIT);
    buf_clear(&line);
    const struct shell_exec e = {.before = "", .words = words, .count = 2, .redirect = ""};
    assert_int_equal(shell_line_exec(&line, &e), SCOUT_E_LIMIT);
    buf_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_stays_one_word_in_every_shell),
        cmocka_unit_test(a_directory_is_no_option_and_not_looked_for),
        cmocka_unit_test(a_line_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
