/* Patterns of the configuration: what they find, and that they cost no more than their budget. */
#include "redact_rig.h"

#include <stdlib.h>

static void patterns_are_added(void **state)
{
    static const char *const patterns[] = {"ACME-[0-9]{4}", "^pin (\\d+)$", "x*"};
    struct redactor *r = make(false, patterns, 3);
    (void)state;
    assert_redacted(r, "a ACME-1234 b", "a <pattern> b");
    assert_redacted(r, "a\npin 4711\nb", "a\npin <pattern>\nb");
    assert_redacted(r, "PASSWORD=hunter2", "PASSWORD=hunter2"); /* without the defaults */
    assert_redacted(r, "axxb\xC3\xA4", "a<pattern>b\xC3\xA4");
    redactor_free(r);
    r = make(true, patterns, 1);
    assert_redacted(r, "PASSWORD=ACME-1234-5", "PASSWORD=<password>");
    redactor_free(r);
}

static void wrong_patterns_are_refused(void **state)
{
    static const char *const wrong[] = {"(", "[a", "", "\\C", "a{2,1}"};
    struct failure why;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(redactor_check_pattern(wrong[i], &why), SCOUT_E_INVALID_ARGUMENT);
        assert_true(strlen(why.text) > 10);
    }
    assert_int_equal(redactor_check_pattern("a+", &why), 0);
}

/* A text on which a pattern takes forever is withheld, and soon. */
static void what_cannot_be_checked_is_withheld(void **state)
{
    static const char *const patterns[] = {"^(a|aa)+$"};
    struct redactor *r = make(true, patterns, 1);
    char text[4096];
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 2, "!", 2);
    assert_redacted(r, text, "<unchecked>");
    redactor_free(r);
}

/* Each match had steps of its own, so that many of them took minutes. */
static void steps_are_of_the_whole_text(void **state)
{
    static const char *const patterns[] = {"x(a|aa)+$|b"};
    static const char piece[] = "xaaaaaaaaaaaaaaaaaaaaab";
    struct redactor *r = make(false, patterns, 1);
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    (void)state;
    for (size_t at = 0; at < size; at++)
        text[at] = piece[at % strlen(piece)];
    text[size] = '\0';
    assert_redacted(r, text, "<unchecked>");
    free(text);
    redactor_free(r);
}

/* PCRE2's own limit counts for each place anew where a match may begin: of these, each place of the
 * text took few steps, and the whole seconds to hours. */
static void steps_count_over_all_begins_of_a_match(void **state)
{
    static const char *const patterns[] = {"(a|b)+c", "[a-z]+@@", "a++b", "(?>[a-z]*)!!"};
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    (void)state;
    memset(text, 'a', size);
    strcpy(text + size - 16, " c @@ b !! c @");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct redactor *r = make(false, &patterns[i], 1);
        assert_redacted(r, text, "<unchecked>");
        redactor_free(r);
    }
    free(text);
}

/* A result of many texts has one budget; when it is spent, only what is checked soon is told. */
static void texts_share_their_budget(void **state)
{
    static const char *const patterns[] = {"^(a|aa)+$"};
    struct redactor *r = make(true, patterns, 1);
    struct redact_budget budget = redact_budget_of(r, 1000);
    struct redact_counts counts = {0};
    struct buf out;
    (void)state;
    buf_init(&out, 1u << 16);
    assert_int_equal(redact(r, slice_str("aaaaaaaaaaa!"), &out, &counts, &budget), 0);
    assert_int_equal(counts.unchecked, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(
            redact(r, slice_str("aaaaaaaaaaaaaaaaaaaaaaaaaaa!"), &out, &counts, &budget), 0);
    assert_true(budget.is_short);
    assert_in_range(counts.unchecked, 99, 100);
    assert_int_equal(counts.secrets, 0);
    buf_clear(&out);
    assert_int_equal(redact(r, slice_str("directory"), &out, &counts, &budget), 0);
    assert_true(slice_is(buf_peek(&out), "directory"));
    buf_fini(&out);
    redactor_free(r);
}

/* What patterns usually are like takes a small part of the steps that there are. */
static void steps_suffice_for_usual_patterns(void **state)
{
    static const char *const patterns[] = {"corp-[0-9]{6}", "(?i)acme[-_]key=(\\S+)",
                                           "\\b[a-f0-9]{32}\\b", "[A-Za-z0-9+/]{40}",
                                           "^.*internal use.*$"};
    const size_t count = sizeof patterns / sizeof patterns[0];
    static const char line[] = "12:03:44 host-7 daemon[431]: an acme thing at 10.0.0.1 took 5 ms\n";
    struct redactor *r = make(true, patterns, count);
    struct redact_counts counts = {0};
    struct buf text, out;
    (void)state;
    buf_init(&text, 1u << 24);
    buf_init(&out, 1u << 24);
    while (buf_len(&text) < 1000000)
        assert_int_equal(buf_append_str(&text, line), 0);
    struct redact_budget budget = redact_budget_of(r, buf_len(&text)), all = budget;
    assert_int_equal(redact(r, buf_peek(&text), &out, &counts, &budget), 0);
    assert_int_equal(counts.unchecked + counts.secrets, 0);
    assert_true(budget.steps > all.steps / 2);
    buf_fini(&text);
    buf_fini(&out);
    redactor_free(r);
}

/* ---- parts and lines ---- */

/* The words of an error may end within a character, or be a host's own bytes: PCRE2 was told that
 * they were UTF-8. */
static void patterns_bear_text_that_is_no_utf8(void **state)
{
    static const char *const patterns[] = {"ACME-\\w{4}"};
    static const char *const texts[] = {"\xC3 ACME-1234 \xE2\x82", "\xFF", "ACME-12\xF0\x9F\x98"};
    struct redactor *r = make(false, patterns, 1);
    uint64_t count;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *out = redacted(r, texts[i], &count);
        assert_int_equal(count, i == 0);
        assert_null(strstr(out, "1234"));
        free(out);
    }
    redactor_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_added),
        cmocka_unit_test(wrong_patterns_are_refused),
        cmocka_unit_test(what_cannot_be_checked_is_withheld),
        cmocka_unit_test(steps_are_of_the_whole_text),
        cmocka_unit_test(steps_count_over_all_begins_of_a_match),
        cmocka_unit_test(texts_share_their_budget),
        cmocka_unit_test(steps_suffice_for_usual_patterns),
        cmocka_unit_test(patterns_bear_text_that_is_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
