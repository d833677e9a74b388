/* What of a command stands in a record. */
#include "audit_mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

#define WORDS_MAX 8

/* argc 0: argv[0] is a line. */
static void assert_masked(const char *const *argv, size_t argc, const char *expected)
{
    struct buf out;
    buf_init(&out, 65536);
    assert_int_equal(
        argc ? audit_mask_argv(&out, argv, argc) : audit_mask_line(&out, slice_str(argv[0])), 0);
    assert_int_equal(buf_append(&out, slice_of("", 1)), 0);
    assert_string_equal((const char *)buf_peek(&out).data, expected);
    buf_fini(&out);
}

static void secrets_in_words_are_masked(void **state)
{
    static const struct {
        const char *argv[WORDS_MAX];
        const char *expected;
    } cases[] = {
        {{"ls", "-l", "/tmp"}, "[\"ls\",\"-l\",\"/tmp\"]"},
        {{"tool", "--password=hunter2"}, "[\"tool\",\"--password=***\"]"},
        {{"tool", "--db-PassWord=hunter2"}, "[\"tool\",\"--db-PassWord=***\"]"},
        {{"tool", "--token", "hunter2", "x"}, "[\"tool\",\"--token\",\"***\",\"x\"]"},
        {{"tool", "--token", "--verbose"}, "[\"tool\",\"--token\",\"--verbose\"]"},
        {{"env", "PGPASSWORD=hunter2", "psql"}, "[\"env\",\"PGPASSWORD=***\",\"psql\"]"},
        {{"env", "AWS_SECRET_ACCESS_KEY=hunter2"}, "[\"env\",\"AWS_SECRET_ACCESS_KEY=***\"]"},
        {{"curl", "-H", "Authorization: Bearer hunter2"},
         "[\"curl\",\"-H\",\"Authorization:***\"]"},
        {{"curl", "-HX-Api-Key: hunter2"}, "[\"curl\",\"-HX-Api-Key:***\"]"},
        {{"curl", "-u", "me:hunter2"}, "[\"curl\",\"-u\",\"me:***\"]"},
        {{"curl", "-ume:hunter2"}, "[\"curl\",\"-ume:***\"]"},
        {{"/usr/bin/curl", "--user", "me:hunter2"}, "[\"/usr/bin/curl\",\"--user\",\"me:***\"]"},
        {{"git", "clone", "https://me:hunter2@h/x?token=hunter2"},
         "[\"git\",\"clone\",\"https://me:***@h/x?token=***\"]"},
        {{"git", "clone", "https://h:22/x@y"}, "[\"git\",\"clone\",\"https://h:22/x@y\"]"},
        {{"mysql", "-phunter2", "-u", "root"}, "[\"mysql\",\"-p***\",\"-u\",\"root\"]"},
        {{"mysqldump", "-p", "db"}, "[\"mysqldump\",\"-p\",\"db\"]"},
        {{"sshpass", "-p", "hunter2", "ssh"}, "[\"sshpass\",\"-p\",\"***\",\"ssh\"]"},
        {{"sshpass", "-phunter2"}, "[\"sshpass\",\"-p***\"]"},
        {{"mkdir", "-p", "/a"}, "[\"mkdir\",\"-p\",\"/a\"]"},
        {{"ps", "-p1"}, "[\"ps\",\"-p1\"]"},
        {{"echo", "a\"b\n\xFF"}, "[\"echo\",\"a\\\"b\\n\xEF\xBF\xBD\"]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        size_t argc = 0;
        while (cases[i].argv[argc])
            argc++;
        snprintf(expected, sizeof expected, "\"argv\":%s", cases[i].expected);
        assert_masked(cases[i].argv, argc, expected);
    }
}

static void secrets_in_a_shells_line_are_masked(void **state)
{
    static const char *const cases[][2] = {
        {"ls -l | wc", "ls -l | wc"},
        {"PGPASSWORD=hunter2 psql -c 'select 1'", "PGPASSWORD=*** psql -c 'select 1'"},
        {"x --password='a b' y", "x --password=*** y"},
        {"x --password=a\\ b y", "x --password=*** y"},
        {"cd / && mysql -phunter2 db | cat", "cd / && mysql -p*** db | cat"},
        {"curl -H \\\"Authorization: Bearer hunter2\\\" h", "curl -H \\\\\\\"Authorization:***"},
        {"curl -H 'Authorization: Bearer hunter2' h", "curl -H 'Authorization:*** h"},
        {"curl -H Authorization: Bearer hunter2", "curl -H Authorization:***"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "\"argv\":[\"%s\"]", cases[i][1]);
        assert_masked(&cases[i][0], 0, expected);
    }
}

static void a_long_command_is_cut_and_says_so(void **state)
{
    char word[AUDIT_COMMAND_MAX + 10], expected[AUDIT_COMMAND_MAX + 64];
    (void)state;
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *argv[] = {"e", word, "y"};
    snprintf(expected, sizeof expected, "\"argv\":[\"e\",\"%.*s\"],\"cut\":true",
             AUDIT_COMMAND_MAX - 1, word);
    assert_masked(argv, 3, expected);
    word[AUDIT_COMMAND_MAX - 1] = '\0';
    assert_masked(argv, 3, expected); /* full to the last byte: the third word is missing */
    snprintf(expected, sizeof expected, "\"argv\":[\"e\",\"%s\"]", word);
    assert_masked(argv, 2, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_in_words_are_masked),
        cmocka_unit_test(secrets_in_a_shells_line_are_masked),
        cmocka_unit_test(a_long_command_is_cut_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
