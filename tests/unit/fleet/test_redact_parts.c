/* Parts and lines of a text, redacted with what is around them. */
#include "redact_rig.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- parts and lines ---- */

/* What is told of `text` from `from` to `to`, to be freed. */
static char *range_of(const struct redactor *r, const char *text, size_t from, size_t to)
{
    struct redact_counts counts = {0};
    struct redact_budget budget = redact_budget_of(r, strlen(text));
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(redact_range(r, slice_str(text), from, to, &out, &counts, &budget), 0);
    char *copy = strndup(buf_len(&out) ? (const char *)buf_peek(&out).data : "", buf_len(&out));
    assert_non_null(copy);
    buf_fini(&out);
    return copy;
}

/* Each kind of secret is cut in two at each of its bytes, and nothing of either half is told. */
static void halves_are_redacted_with_what_is_around_them(void **state)
{
    static const char *const patterns[] = {"ACME-[0-9]{12}"};
    static const struct {
        const char *before, *secret, *behind;
    } cases[] = {
        {"x\n", KEY, "\ny"},
        {"x\nDB_PASSWORD=", "hunter2pass", "\ny"},
        {"t: ", "ghp_" A36, " y"},
        {"t: ", "AKIAABCDEFGHIJKLMNOP", "\n"},
        {"t: ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop", "\n"},
        {"postgres://app:", "s3cr3tword", "@db/x"},
        {"Authorization: Basic ", "dXNlcjpwYXNzd29yZA==", "\n"},
        {"root:", "$6$abcdefgh$" A36 A36, ":1"},
        {"", "ACME-123456789012", "\n"},
        {"{\"apiKey\": \"", "0a1b2c3d4e5f", "\"}"},
    };
    struct redactor *r = make(true, patterns, 1);
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t from = strlen(cases[i].before), len = strlen(cases[i].secret);
        snprintf(text, sizeof text, "%s%s%s", cases[i].before, cases[i].secret, cases[i].behind);
        for (size_t cut = 0; cut <= len; cut++) {
            char *first = range_of(r, text, 0, from + cut);
            char *last = range_of(r, text, from + cut, strlen(text));
            assert_memory_equal(first, cases[i].before, from);
            assert_true(cut == 0 || strncmp(first + from, "[redacted:", 10) == 0);
            assert_true(cut == len || strncmp(last, "[redacted:", 10) == 0 || last[0] == '\n');
            assert_null(cut >= 3 ? strstr(first + from, "ABCD") : NULL);
            size_t tail = strlen(cases[i].behind);
            assert_string_equal(last + strlen(last) - tail, cases[i].behind);
            /* Nothing but markers and line breaks stands between. */
            shorten(first);
            shorten(last);
            for (char *at = first + from; *at; at++)
                assert_true(*at == '\n' || *at == '<' || strchr(at, '>'));
            free(first);
            free(last);
        }
    }
    redactor_free(r);
}

/* A part keeps its lines, whatever is taken out of it. */
static void parts_keep_their_lines(void **state)
{
    struct redactor *r = make(true, NULL, 0);
    const char *text = "a\n" KEY "\nz\n";
    (void)state;
    for (size_t from = 0; from < strlen(text); from++) {
        char *part = range_of(r, text, from, strlen(text));
        size_t lines = 0, expected = 0;
        for (const char *at = part; *at; at++)
            lines += *at == '\n';
        for (const char *at = text + from; *at; at++)
            expected += *at == '\n';
        assert_int_equal(lines, expected);
        free(part);
    }
    redactor_free(r);
}

#define CERT_LINE "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ"
#define KEY_LINE  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDYa3mQb7wqO9vZ"

static void lines_of_a_key_are_told_by_what_is_around_them(void **state)
{
    /* `lines` with their numbers; what is hidden: p private-key, b base64, . nothing. */
    static const struct {
        struct {
            uint64_t number;
            const char *text;
        } lines[8];
        const char *hidden;
    } cases[] = {
        {{{1, "-----BEGIN PRIVATE KEY-----"}, {2, KEY_LINE}, {3, "QUJD"}, {4, "plain text"}},
         ".pp."},
        {{{1, "-----BEGIN RSA PRIVATE KEY-----"},
          {2, "Proc-Type: 4,ENCRYPTED"},
          {3, ""},
          {4, KEY_LINE},
          {9, KEY_LINE},
          {12, "abc"}},
         "...pp."},
        {{{7, KEY_LINE}, {8, "QUJDRA=="}, {9, "-----END PRIVATE KEY-----"}, {10, "x = 1"}}, "pp.."},
        {{{3, KEY_LINE}, {9, "-----END PRIVATE KEY-----"}}, "p."},
        {{{5, KEY_LINE}}, "b"},
        {{{5, "  " KEY_LINE}, {9, "\tx = 1"}}, "b."},
        {{{1, "-----BEGIN CERTIFICATE-----"}, {2, CERT_LINE}, {3, CERT_LINE}}, "..."},
        {{{1, "-----BEGIN CERTIFICATE-----"}, {2, CERT_LINE}, {40, KEY_LINE}}, "..b"},
        {{{1, "-----BEGIN PUBLIC KEY-----"},
          {2, CERT_LINE},
          {3, "-----END PUBLIC KEY-----"},
          {4, KEY_LINE}},
         "...b"},
        /* Innocent: hashes, code, prose, a key in one line of JSON. */
        {{{1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}, "."},
        {{{1, "if (strstr(text, \"-----BEGIN PRIVATE KEY-----\"))"},
          {2, "    return pem_decode(text, &key);"},
          {3, "return somethingThatIsAVeryLongIdentifierInAProgramOfSomebody0;"}},
         "..."},
        {{{1, "{\"k\": \"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\"}"},
          {2, "\"clientAuthenticationMethods\": []"}},
         ".."},
        {{{1, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3 me"}}, "."},
    };
    struct redactor *r = make(true, NULL, 0), *without = make(false, NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct redact_line lines[8];
        size_t count = strlen(cases[i].hidden);
        for (size_t k = 0; k < count; k++)
            lines[k] = (struct redact_line){slice_str(cases[i].lines[k].text),
                                            cases[i].lines[k].number, "x"};
        redact_lines(r, lines, count);
        for (size_t k = 0; k < count; k++) {
            char kind = lines[k].kind ? lines[k].kind[0] : '.';
            if (kind != cases[i].hidden[k])
                fail_msg("case %zu line %zu: %c", i, k, kind);
        }
        redact_lines(without, lines, count);
        for (size_t k = 0; k < count; k++)
            assert_null(lines[k].kind);
    }
    redactor_free(r);
    redactor_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_are_redacted_with_what_is_around_them),
        cmocka_unit_test(parts_keep_their_lines),
        cmocka_unit_test(lines_of_a_key_are_told_by_what_is_around_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
