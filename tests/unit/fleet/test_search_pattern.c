/* The dialect of searches: what it takes and refuses, and that grep(1), rg(1) and regcomp(3) find
 * the same lines. */
#include "scout/fleet/search_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 64

static const char *const lines[] = {"",
                                    "a",
                                    "A",
                                    "ab",
                                    "abc",
                                    "aab",
                                    "b",
                                    "\xC3\xA4",
                                    "\xC3\x84",
                                    "x\xC3\xA4y",
                                    "x\xE2\x82\xACy",
                                    "x\xF0\x9F\x98\x80y",
                                    "caf\xE9",
                                    "x\xE9y",
                                    "a b",
                                    "a\tb",
                                    "foo_bar",
                                    "foo-bar",
                                    "foo.bar",
                                    "foobar",
                                    "error: 12",
                                    "ERROR: 7",
                                    "Error 404 (x)",
                                    "[x]",
                                    "{x}",
                                    "a{2}",
                                    "^a$",
                                    "a\\b",
                                    "$1",
                                    "192.168.0.1",
                                    "2026-11-28T14:40:29Z",
                                    "if (x) { y(); }",
                                    "a|b",
                                    "-",
                                    "]",
                                    "^",
                                    "a^b",
                                    "x-y]z",
                                    "#include <stdio.h>",
                                    "\"quoted\"",
                                    "it's",
                                    "100%",
                                    "a,b;c",
                                    "__init__",
                                    "tab\tend ",
                                    "aaaa",
                                    "abababab",
                                    "ends with dot.",
                                    "\x01",
                                    "~!@#",
                                    "K",
                                    "k",
                                    "\xE2\x84\xAA",
                                    "\xC5\xBF",
                                    "s",
                                    "word",
                                    "\xC3\xA4word",
                                    "_word",
                                    "123abc"};

#define LINE_COUNT (sizeof lines / sizeof lines[0])

static const char *const patterns[] = {"a",
                                       "^a$",
                                       "a*b",
                                       "a+b",
                                       "aa?b",
                                       ".",
                                       "^.$",
                                       "^..$",
                                       "x.y",
                                       "x.*y",
                                       "x.+y",
                                       "^.{3}$",
                                       "x.?y",
                                       "[ab]",
                                       "[^ab]",
                                       "^[^a]*$",
                                       "x[^a]y",
                                       "[a-c]+",
                                       "[[:digit:]]+",
                                       "[[:alpha:]_]+$",
                                       "\\d+",
                                       "\\d{3}",
                                       "^\\d+$",
                                       "\\w+",
                                       "^\\w+$",
                                       "\\W",
                                       "^\\W$",
                                       "\\s",
                                       "\\S+\\s\\S+",
                                       "\\D",
                                       "[\\d.]+",
                                       "[\\w-]+",
                                       "[]x]",
                                       "[^]x]",
                                       "[-x]",
                                       "[x^]",
                                       "[\\]\\-]",
                                       "\\[x\\]",
                                       "\\{x\\}",
                                       "{x}",
                                       "a{2}",
                                       "a\\{2\\}",
                                       "a{2,}",
                                       "a{1,2}b",
                                       "^(ab)+$",
                                       "^(ab){2,4}$",
                                       "(?:ab)+",
                                       "ab|foo",
                                       "^(a|b)$",
                                       "foo(_|-)bar",
                                       "foo.bar",
                                       "foo\\.bar",
                                       "\\bfoo\\b",
                                       "\\bbar",
                                       "\\Bbar",
                                       "\\bword\\b",
                                       "\\$1",
                                       "\\^a\\$",
                                       "a\\\\b",
                                       "a\\|b",
                                       "\\|",
                                       "a.*?b",
                                       "a+?b",
                                       "a??b",
                                       "(?i)error",
                                       "(?i)[e]rr",
                                       "\xC3\xA4",
                                       "\xC3\xA4+",
                                       "[\xC3\xA4\xC3\x84]",
                                       "x[\xC3\xA4z]y",
                                       "\xC3\xA4?y",
                                       "\\x41",
                                       "\\t",
                                       "a\\tb",
                                       "#include <\\w+\\.h>",
                                       "\"[^\"]*\"",
                                       "it's",
                                       "%$",
                                       "\\d+\\.\\d+\\.\\d+\\.\\d+",
                                       "\\d{4}-\\d{2}-\\d{2}T",
                                       "[[:space:]]$",
                                       "[[:punct:]]{2}",
                                       "^[[:upper:]]",
                                       "^$",
                                       "a b",
                                       "-",
                                       "^-",
                                       "]",
                                       "^]$",
                                       "}",
                                       "\\.$",
                                       "(a|ab)(c|bcd)?",
                                       "__init__",
                                       "[!@#]",
                                       "[~]",
                                       "k",
                                       "(?i)k",
                                       "s",
                                       "(?i)S",
                                       "[^\\w\\s]",
                                       "^[\\x01-\\x1f]",
                                       "a$",
                                       "(^a|b$)",
                                       "[a-z_][a-z0-9_]*"};

struct forms {
    struct buf posix, rust;
};

static void make(struct forms *f, const char *pattern)
{
    struct failure why = {0};
    if (search_pattern_write(pattern, false, &f->posix, &f->rust, &why) != 0)
        fail_msg("'%s': %s", pattern, why.text);
}

static void drop(struct forms *f)
{
    buf_fini(&f->posix);
    buf_fini(&f->rust);
}

static const char *text_of(const struct buf *b)
{
    return (const char *)buf_peek(b).data;
}

static void by_regcomp(const char *pattern, bool found[LINE_COUNT])
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        fail_msg("regcomp refuses '%s'", pattern);
    for (size_t i = 0; i < LINE_COUNT; i++)
        found[i] = regexec(&regex, lines[i], 0, NULL, 0) == 0;
    regfree(&regex);
}

/* The numbers of the lines that a program prints. */
static void by_program(char *const argv[], bool found[LINE_COUNT])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("LC_ALL", "C", 1);
        dup2(ends[1], 1);
        close(ends[0]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    char line[512];
    memset(found, 0, LINE_COUNT);
    while (fgets(line, sizeof line, out)) {
        int number = atoi(line);
        assert_true(number >= 1 && (size_t)number <= LINE_COUNT);
        found[number - 1] = true;
    }
    fclose(out);
}

static bool is_there(const char *program)
{
    char path[64];
    snprintf(path, sizeof path, "/usr/bin/%s", program);
    if (access(path, X_OK) == 0)
        return true;
    snprintf(path, sizeof path, "/bin/%s", program);
    return access(path, X_OK) == 0;
}

static void expect_same(const char *pattern, const char *who, const bool got[], const bool wanted[])
{
    for (size_t i = 0; i < LINE_COUNT; i++)
        if (got[i] != wanted[i])
            fail_msg("'%s' on '%s': %s says %d", pattern, lines[i], who, got[i]);
}

static void all_programs_find_the_same_lines(void **state)
{
    char path[] = "/tmp/test_search_XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (size_t i = 0; i < LINE_COUNT; i++)
        fprintf(file, "%s\n", lines[i]);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct forms f;
        bool own[LINE_COUNT], other[LINE_COUNT];
        make(&f, patterns[i]);
        char *posix = (char *)(uintptr_t)text_of(&f.posix),
             *rust = (char *)(uintptr_t)text_of(&f.rust);
        by_regcomp(posix, own);
        by_program((char *[]){"grep", "-naE", "-e", posix, path, NULL}, other);
        expect_same(patterns[i], "grep", other, own);
        if (is_there("busybox")) {
            by_program((char *[]){"busybox", "grep", "-nE", "-e", posix, path, NULL}, other);
            expect_same(patterns[i], "busybox", other, own);
        }
        if (is_there("rg")) {
            by_program((char *[]){"rg", "-na", "--encoding=none", "-e", rust, path, NULL}, other);
            expect_same(patterns[i], "rg", other, own);
        }
        drop(&f);
    }
    unlink(path);
}

static void what_it_means(void **state)
{
    static const struct {
        const char *pattern, *line;
        bool matches;
    } cases[] = {
        {"^.$", "\xC3\xA4", true},
        {"^..$", "\xC3\xA4", false},
        {"^.$", "\xE2\x82\xAC", true},
        {"x[^a]y", "x\xC3\xA4y", true},
        {"x.*y", "x\xE9y", true},
        {"(?i)ERROR", "an Error", true},
        {"\\d+", "a1", true},
        {"a+?b", "b", false},
        {"\\bfoo\\b", "foobar", false},
        {"{x}", "{x}", true},
        {"a{,2}", "a{,2}", true},
        {"[[:digit:]x]", "x", true},
        {"[\xC3\xA4]", "\xC3\xB6", false},
        {"^[^x]+$", "\xC3\xA4", true},
        {"\xC3\xA4{2}", "\xC3\xA4\xC3\xA4", true},
        {"\xC3\xA4{2}", "\xC3\xA4", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forms f;
        regex_t regex;
        make(&f, cases[i].pattern);
        assert_int_equal(regcomp(&regex, text_of(&f.posix), REG_EXTENDED | REG_NOSUB), 0);
        if ((regexec(&regex, cases[i].line, 0, NULL, 0) == 0) != cases[i].matches)
            fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].line);
        regfree(&regex);
        drop(&f);
    }
}

static void refusals(void **state)
{
    static const struct {
        const char *pattern, *fragment;
    } cases[] = {{"", "empty"},
                 {"(?i)", "empty"},
                 {"a||b", "alternative is empty"},
                 {"()", "alternative is empty"},
                 {"(a", "( has no )"},
                 {"a)", ") has no ("},
                 {"[a", "[ has no ]"},
                 {"*a", "nothing that *"},
                 {"a**", "repeated"},
                 {"a{2}{3}", "repeated"},
                 {"^*", "place cannot be repeated"},
                 {"(a)\\1", "back references"},
                 {"(?=a)", "(?: ) alone"},
                 {"(?<n>a)", "(?: ) alone"},
                 {"a(?i)b", "(?: ) alone"},
                 {"\\pL", "Unicode"},
                 {"a\\nb", "one by one"},
                 {"a\nb", "one by one"},
                 {"\\q", "escape is not known"},
                 {"\\", "backslash"},
                 {"\\<a", "\\b"},
                 {"[^\xC3\xA4]", "ASCII alone"},
                 {"[\xC3\xA4-\xC3\xB6]", "list the characters"},
                 {"[a-\xC3\xB6]", "list the characters"},
                 {"[b-a]", "ends before it begins"},
                 {"[[:none:]]", "class of characters"},
                 {"a{300}", "from 0 to 255"},
                 {"a{3,2}", "from 0 to 255"},
                 {"a{0}", "0 times"},
                 {"(a{200}){200}", "too many"},
                 {"\xFF", "UTF-8"},
                 {"\\x00", "01 to 7F"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forms f;
        struct failure why = {0};
        if (search_pattern_write(cases[i].pattern, false, &f.posix, &f.rust, &why) !=
            SCOUT_E_INVALID_ARGUMENT)
            fail_msg("'%s' is not refused", cases[i].pattern);
        if (!strstr(why.text, cases[i].fragment))
            fail_msg("'%s': %s", cases[i].pattern, why.text);
        drop(&f);
    }
}

static void groups_have_a_depth(void **state)
{
    char pattern[SEARCH_PATTERN_MAX + 2];
    struct forms f;
    struct failure why;
    (void)state;
    memset(pattern, '(', SEARCH_PATTERN_MAX + 1);
    pattern[SEARCH_PATTERN_MAX + 1] = '\0';
    assert_int_equal(search_pattern_write(pattern, false, &f.posix, &f.rust, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "longer than"));
    drop(&f);
    pattern[100] = '\0';
    assert_int_equal(search_pattern_write(pattern, false, &f.posix, &f.rust, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "too deep"));
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_programs_find_the_same_lines),
        cmocka_unit_test(what_it_means),
        cmocka_unit_test(refusals),
        cmocka_unit_test(groups_have_a_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
