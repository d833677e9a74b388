/* Queries that must be refused, and innocent ones with the argv that comes of them. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define CASES_MIN 150

static void no_bypass_passes(void **state)
{
    (void)state;
    static struct query q;
    char line[QUERY_LINE_MAX], argv[QUERY_LINE_MAX];
    FILE *f = query_lines_open("bypass.txt");
    size_t count = 0, passed = 0;
    while (query_lines_next(f, line)) {
        struct failure why = {0};
        count++;
        if (query_parse(slice_str(line), &q, &why) == 0) {
            query_lines_show(&q, argv);
            print_error("passed: %s\n  as: %s\n", line, argv);
            passed++;
            continue;
        }
        if (why.error != SCOUT_E_INVALID_ARGUMENT ||
            strncmp(why.text, "Command failed: ", strlen("Command failed: ")) != 0)
            fail_msg("%s: refused as \"%s\"", line, why.text);
    }
    fclose(f);
    assert_int_equal(passed, 0);
    assert_true(count >= CASES_MIN);
}

static void the_innocent_pass_as_expected(void **state)
{
    (void)state;
    static struct query q;
    char line[QUERY_LINE_MAX], wanted[QUERY_LINE_MAX], argv[QUERY_LINE_MAX];
    FILE *f = query_lines_open("innocent.txt");
    size_t count = 0, wrong = 0;
    while (query_lines_next(f, line) && query_lines_next(f, wanted)) {
        struct failure why = {0};
        count++;
        if (query_parse(slice_str(line), &q, &why) != 0) {
            print_error("refused: %s\n  since: %s\n", line, why.text);
            wrong++;
            continue;
        }
        query_lines_show(&q, argv);
        if (strcmp(wanted, argv) != 0) {
            print_error("query:  %s\n  wanted: %s\n  argv:   %s\n", line, wanted, argv);
            wrong++;
        }
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(count >= CASES_MIN);
}

/* What was understood is understood in the same way again. */
static void the_argv_of_the_innocent_parses_to_itself(void **state)
{
    (void)state;
    static struct query q, again;
    char line[QUERY_LINE_MAX], argv[QUERY_LINE_MAX], second[QUERY_LINE_MAX];
    FILE *f = query_lines_open("innocent.txt");
    while (query_lines_next(f, line) && query_lines_next(f, argv)) {
        struct failure why = {0};
        char text[2 * QUERY_LINE_MAX] = "";
        assert_int_equal(query_parse(slice_str(line), &q, &why), 0);
        query_lines_show(&q, argv);
        for (size_t i = 0; i < q.word_count; i++) {
            strcat(text, " '");
            for (const char *c = query_word(&q, i); *c; c++)
                strcat(text, *c == '\'' ? "'\\''" : (char[]){*c, '\0'});
            strcat(text, "'");
        }
        if (query_parse(slice_str(text), &again, &why) != 0)
            fail_msg("%s, again: %s", argv, why.text);
        query_lines_show(&again, second);
        assert_string_equal(argv, second);
    }
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bypass_passes),
        cmocka_unit_test(the_innocent_pass_as_expected),
        cmocka_unit_test(the_argv_of_the_innocent_parses_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
