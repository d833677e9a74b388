/* Queries: words, messages, limits, paths, exclusions. What passes and what does not is the corpus
 * of test_query_corpus.c. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

static struct query q;

static void parse(const char *text)
{
    struct failure why = {0};
    if (query_parse(slice_str(text), &q, &why) != 0)
        fail_msg("%s: %s", text, why.text);
}

/* That `text` becomes `argv`, shown as in query_lines.h. */
static void expect(const char *text, const char *argv)
{
    char shown[QUERY_LINE_MAX];
    parse(text);
    query_lines_show(&q, shown);
    assert_string_equal(shown, argv);
}

static void expect_failure(struct slice text, int error, const char *message)
{
    struct failure why = {0};
    assert_int_equal(query_parse(text, &q, &why), error);
    assert_int_equal(why.error, error);
    assert_string_equal(why.text, message);
}

static void expect_refused(const char *text, const char *message)
{
    expect_failure(slice_str(text), SCOUT_E_INVALID_ARGUMENT, message);
}

/* That the message begins with `begin` and has `part` in it. */
static void expect_told(const char *text, const char *begin, const char *part)
{
    struct failure why = {0};
    assert_int_equal(query_parse(slice_str(text), &q, &why), SCOUT_E_INVALID_ARGUMENT);
    if (strncmp(why.text, begin, strlen(begin)) != 0 || !strstr(why.text, part))
        fail_msg("%s: %s", text, why.text);
}

static void words_are_split_as_by_a_shell(void **state)
{
    (void)state;
    expect("  cat \t a\r\nb\v\f", "[cat] [--] [a]R [b]R");
    expect("cat 'a b'\"c d\"\\ e", "[cat] [--] [a bc d e]R");
    expect("c'a't a''b", "[cat] [--] [ab]R");
    expect("grep '' f", "[grep] [--] [] [f]R");
    expect("grep \"\" f", "[grep] [--] [] [f]R");
    expect("grep '\\n\"' f", "[grep] [--] [\\n\"] [f]R");
    expect("grep \"\\n\\\\\\$\\`\\\"'\" f", "[grep] [--] [\\n\\$`\"'] [f]R");
    expect("grep a\\\nb f", "[grep] [--] [ab] [f]R");
    expect("grep \"a\\\nb\" f", "[grep] [--] [ab] [f]R");
    expect("grep 'a\nb' f", "[grep] [--] [a\nb] [f]R");
    expect("grep \\' \\\\", "[grep] [--] ['] [\\]R");
    expect("cat f # no comment", "[cat] [--] [f]R [#]R [no]R [comment]R");
    expect("cat caf\xc3\xa9 \xff", "[cat] [--] [caf\xc3\xa9]R [\xff]R");
}

static void the_shell_is_not_there(void **state)
{
    (void)state;
    expect("ls | wc", "[ls] [--] [|]L [wc]L");
    expect("cat $(id) `id` ${HOME} * ;id >f",
           "[cat] [--] [$(id)]R [`id`]R [${HOME}]R [*]R [;id]R [>f]R");
}

#define ALLOWED                                                                                    \
    "cat, df, diff, du, file, find, grep, head, ls, rg, sort, stat, tail, tree, uniq, wc"

static void messages_are_those_of_the_reference(void **state)
{
    (void)state;
    expect_refused("", "Command failed: Empty command");
    expect_refused(" \t\r\n  ", "Command failed: Empty command");
    expect_refused("''", "Command failed: Empty command after parsing");
    expect_refused("\"\" ls", "Command failed: Empty command after parsing");
    expect_refused("\\\n", "Command failed: Empty command after parsing");
    expect_refused("grep 'a", "Command failed: Invalid command syntax: No closing quotation");
    expect_refused("grep \"a", "Command failed: Invalid command syntax: No closing quotation");
    expect_refused("grep \"a\\", "Command failed: Invalid command syntax: No closing quotation");
    expect_refused("rm 'a", "Command failed: Invalid command syntax: No closing quotation");
    expect_refused("ls \\", "Command failed: Invalid command syntax: No escaped character");
    expect_refused("rm -rf /",
                   "Command failed: Command 'rm' not allowed. Allowed commands: " ALLOWED);
    expect_refused("ls; whoami",
                   "Command failed: Command 'ls;' not allowed. Allowed commands: " ALLOWED);
    expect_refused("echo $(whoami)",
                   "Command failed: Command 'echo' not allowed. Allowed commands: " ALLOWED);
    expect_refused("/bin/ls",
                   "Command failed: Command '/bin/ls' not allowed. Allowed commands: " ALLOWED);
    expect_refused("'l\x1b[1ms\x7f\xff\xc2\x85'",
                   "Command failed: Command 'l?[1ms?\?\?' not allowed. Allowed commands: " ALLOWED);
}

static void a_refusal_names_the_option_and_what_passes(void **state)
{
    (void)state;
    expect_told("sort -o out f", "Command failed: sort does not take '-o' here: it writes.",
                "What passes: -bcCdfghikmMnrRsuVzSt --check");
    expect_told("sort --out=x f", "Command failed: sort does not take '--out=x' here: it writes.",
                "--parallel");
    expect_told("find . -exec id ;",
                "Command failed: find does not take '-exec' here: it runs a program.",
                "What passes: --help --version -a -amin -and");
    expect_told("find . -ls | wc", "Command failed: find does not take '|' here", "no shell");
    expect_told("rg --pre id x",
                "Command failed: rg does not take '--pre' here: it runs a program.", "-A");
    expect_told("uniq a b", "Command failed: uniq does not take 'b' here", "more operands");
    expect_told("ls -RL", "Command failed: ls does not take '-RL' here: with recursion", "links");
    expect_told("head -n x f", "Command failed: head does not take 'x' as the value of '-n'",
                "a number");
    expect_told("grep -f -R x", "Command failed: grep does not take '-R' as the value of '-f'",
                "./");
    expect_told("grep --ex x f", "Command failed: grep does not take '--ex' here",
                "several options");
    expect_told("cat --frob f", "Command failed: cat does not take '--frob' here",
                "no such option");
    expect_told("sort -k", "Command failed: sort does not take '-k' here", "value is missing");
    expect_told("wc -\xc3\xa9", "Command failed: wc does not take '-\xc3\xa9' here", "-c");
}

static char *repeat(const char *begin, const char *part, size_t count)
{
    size_t len = strlen(part);
    char *text = malloc(strlen(begin) + len * count + 1), *at = text + strlen(begin);
    assert_non_null(text);
    strcpy(text, begin);
    for (size_t i = 0; i < count; i++, at += len)
        memcpy(at, part, len + 1);
    return text;
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char *text = repeat("cat", " a", QUERY_INPUT_MAX - 1);
    parse(text);
    assert_int_equal(q.word_count, QUERY_INPUT_MAX + 1);
    assert_int_equal(q.path_count, QUERY_INPUT_MAX - 1);
    free(text);
    text = repeat("cat", " a", QUERY_INPUT_MAX);
    expect_failure(slice_str(text), SCOUT_E_LIMIT, "Command failed: More than 256 words");
    free(text);
    text = repeat("cat ", "a", QUERY_TEXT_MAX - 4);
    parse(text);
    assert_int_equal(strlen(query_path_text(&q, 0)), QUERY_TEXT_MAX - 4);
    free(text);
    text = repeat("cat ", "a", QUERY_TEXT_MAX - 3);
    expect_failure(slice_str(text), SCOUT_E_LIMIT, "Command failed: Longer than 8192 bytes");
    free(text);
    text = repeat("ls -", "l", QUERY_TEXT_MAX - 4);
    parse(text);
    free(text);
    text = repeat("rg", " -A1", QUERY_INPUT_MAX - 1); /* grows most */
    parse(text);
    free(text);
    text = repeat("ls --", "x", 3000);
    expect_told(text, "Command failed: ls does not take '--xxx", "...'");
    free(text);
}

static void a_null_byte_is_refused(void **state)
{
    (void)state;
    expect_failure(slice_of("cat a\0b", 7), SCOUT_E_INVALID_ARGUMENT,
                   "Command failed: Invalid command syntax: It contains a null byte");
    expect_failure(slice_of("cat 'a\0'", 8), SCOUT_E_INVALID_ARGUMENT,
                   "Command failed: Invalid command syntax: It contains a null byte");
}

/* ---- paths ---- */

static void paths_can_be_replaced(void **state)
{
    (void)state;
    char shown[QUERY_LINE_MAX];
    static const char *const paths[] = {"p", "e", "q", "d", "-e"};
    static const char *const real[] = {"/r/p", "/r/e", "/r/q", "./d", "/r/-e"};
    parse("grep -r --file=p --exclude-from e -fq d -- -e");
    assert_int_equal(q.path_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(query_path_text(&q, i), paths[i]);
        assert_int_equal(query_set_path(&q, i, real[i]), 0);
    }
    query_lines_show(&q, shown);
    assert_string_equal(shown, "[grep] [-r] [--file=/r/p]R@7 [--exclude-from=/r/e]R@15 [-f/r/q]R@2 "
                               "[--] [./d]R+ [/r/-e]R+");
}

static void a_path_never_becomes_an_option(void **state)
{
    (void)state;
    static const char *const odd[] = {"-o", "", "f", "(", "!", "~"};
    parse("find . -name x");
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(query_set_path(&q, 0, odd[i]), SCOUT_E_INVALID_ARGUMENT);
    assert_string_equal(query_path_text(&q, 0), ".");
}

static void replacing_ends_at_the_limit_and_leaves_the_query_whole(void **state)
{
    (void)state;
    char *path = repeat("/", "a", 4000);
    int error = 0;
    size_t count = 0;
    parse("du --exclude-from=x y");
    while ((error = query_set_path(&q, count % 2, path)) == 0)
        count++;
    assert_int_equal(error, SCOUT_E_LIMIT);
    assert_true(count > 10);
    assert_string_equal(query_path_text(&q, 0), path);
    assert_string_equal(query_path_text(&q, 1), path);
    assert_int_equal(query_set_path(&q, 1, "/b"), 0);
    assert_string_equal(query_path_text(&q, 1), "/b");
    free(path);
}

static void diff_tells_what_it_joins(void **state)
{
    (void)state;
    char path[32];
    parse("diff -X list /etc dir/shadow//");
    assert_false(q.paths[0].joins);
    assert_true(q.paths[1].joins && q.paths[2].joins);
    assert_int_equal(query_joined(&q, 1, path, sizeof path), 0);
    assert_string_equal(path, "/etc/shadow");
    assert_int_equal(query_joined(&q, 2, path, sizeof path), 0);
    assert_string_equal(path, "dir/shadow///etc");
    assert_int_equal(query_set_path(&q, 2, "/x/passwd"), 0);
    assert_int_equal(query_joined(&q, 1, path, sizeof path), 0);
    assert_string_equal(path, "/etc/passwd");
    assert_int_equal(query_joined(&q, 1, path, 11), SCOUT_E_LIMIT);
    parse("diff a -");
    assert_false(q.paths[0].joins);
    parse("cat a b");
    assert_false(q.paths[0].joins);
}

/* ---- exclusions ---- */

static void expect_excluded(const char *text, const char *argv)
{
    static const char *const globs[] = {".env", "*.key"};
    char shown[QUERY_LINE_MAX];
    parse(text);
    assert_int_equal(query_exclude(&q, globs, 2), 0);
    query_lines_show(&q, shown);
    assert_string_equal(shown, argv);
}

static void recursive_readers_exclude(void **state)
{
    (void)state;
    expect_excluded(
        "grep -r x . --include=.env",
        "[grep] [-r] [--include=.env] [--devices=skip] [--exclude=.env] [--exclude-dir=.env] "
        "[--exclude=*.key] [--exclude-dir=*.key] [--] [x] [.]R+");
    expect_excluded("rg x -f p d", "[rg] [--no-config] [--file=p]R@7 [--iglob=!.env] "
                                   "[--iglob=!*.key] [--] [x]R+ [d]R+");
    expect_excluded("diff a b", "[diff] [--no-dereference] [--exclude=.env] [--exclude=*.key] [--] "
                                "[a]R+ [b]R+");
    expect_excluded("diff -r a b", "[diff] [-r] [--no-dereference] [--exclude=.env] "
                                   "[--exclude=*.key] [--] [a]R+ [b]R+");
    parse("diff a b");
    assert_int_equal(query_exclude(&q, NULL, 0), 0);
    assert_string_equal(query_word(&q, 1), "--no-dereference");
    parse("grep -r x .");
    assert_int_equal(query_exclude(&q, NULL, 0), 0);
    assert_string_equal(query_word(&q, 2), "--devices=skip");
}

static void what_is_opened_is_told(void **state)
{
    (void)state;
    parse("cat a");
    assert_true(q.paths[0].opens);
    parse("df a"); /* to have it mounted */
    assert_true(q.paths[0].opens);
    parse("stat a");
    assert_false(q.paths[0].opens);
}

static void what_reads_nothing_below_is_left_alone(void **state)
{
    (void)state;
    expect_excluded("grep x f", "[grep] [--] [x] [f]R");
    expect_excluded("find . -name x", "[find] [.]L+ [-name] [x]");
    expect_excluded("ls -R", "[ls] [-R] [--] [.]L+");
    expect_excluded("cat f", "[cat] [--] [f]R");
    expect_excluded("grep -r x -", "[grep] [-r] [--] [x] [-]");
    parse("tree");
    assert_false(q.recursive_content);
    parse("rg --files");
    assert_true(q.recursive_content);
}

static void odd_globs_are_refused(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "a/b", "!x", "{a,b}", "a b", "a\\b", "a\nb", "/"};
    parse("rg x");
    size_t before = q.word_count;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(query_exclude(&q, &odd[i], 1), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(q.word_count, before);
}

static void exclusions_end_at_the_limit(void **state)
{
    (void)state;
    static const char *const glob[] = {".env"};
    int error = 0;
    parse("grep -r x");
    for (size_t i = 0; i < QUERY_WORDS_MAX && error == 0; i++)
        error = query_exclude(&q, glob, 1);
    assert_int_equal(error, SCOUT_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_by_a_shell),
        cmocka_unit_test(the_shell_is_not_there),
        cmocka_unit_test(messages_are_those_of_the_reference),
        cmocka_unit_test(a_refusal_names_the_option_and_what_passes),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_null_byte_is_refused),
        cmocka_unit_test(paths_can_be_replaced),
        cmocka_unit_test(a_path_never_becomes_an_option),
        cmocka_unit_test(replacing_ends_at_the_limit_and_leaves_the_query_whole),
        cmocka_unit_test(diff_tells_what_it_joins),
        cmocka_unit_test(recursive_readers_exclude),
        cmocka_unit_test(what_is_opened_is_told),
        cmocka_unit_test(what_reads_nothing_below_is_left_alone),
        cmocka_unit_test(odd_globs_are_refused),
        cmocka_unit_test(exclusions_end_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
