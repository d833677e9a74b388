/* The writer, and the escaper against one that goes byte by byte. */
#include "scout/base/json_write.h"

#include "../../../src/base/json_scan.h"
#include "scout/base/error.h"
#include "scout/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void assert_written(const struct buf *out, const char *expected)
{
    struct slice got = buf_peek(out);
    if (!slice_is(got, expected))
        fail_msg("%.*s\nis not\n%s", (int)got.len, (const char *)got.data, expected);
}

static void commas_and_nesting_are_right(void **state)
{
    struct buf out;
    struct json_writer w;
    (void)state;
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_key(&w, "a");
    json_array_begin(&w);
    json_int(&w, INT64_MIN);
    json_uint(&w, UINT64_MAX);
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_bool(&w, true);
    json_null(&w);
    json_array_end(&w);
    json_key(&w, "b\"");
    json_raw(&w, slice_str("{\"x\":\r\n1}"));
    json_key(&w, "c");
    json_str(&w, "t");
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    assert_written(&out, "{\"a\":[-9223372036854775808,18446744073709551615,[],{},true,null],"
                         "\"b\\\"\":{\"x\":  1},\"c\":\"t\"}");
    buf_fini(&out);
}

static void doubles_are_short_and_exact(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {5, "5"},
        {-2.5, "-2.5"},
        {0.1, "0.1"},
        {1e300, "1e+300"},
        {1.0 / 3, "0.3333333333333333"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
        {1782.5, "1782.5"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        struct json_writer w;
        buf_init(&out, 100);
        json_writer_init(&w, &out);
        json_double(&w, cases[i].number);
        assert_int_equal(json_writer_end(&w), 0);
        assert_written(&out, cases[i].text);
        buf_fini(&out);
    }
}

static void a_text_can_be_written_again(void **state)
{
    (void)state;
    for (size_t cap = 10; cap <= 15; cap++) {
        struct buf out;
        struct json_writer w;
        buf_init(&out, cap);
        assert_int_equal(buf_append_str(&out, "x"), 0);
        buf_consume(&out, 1);
        json_writer_init(&w, &out);
        json_array_begin(&w);
        json_str(&w, "a\nb"); /* its inside is the third byte to the sixth */
        json_text_again(&w, 2, 4);
        json_array_end(&w);
        assert_int_equal(json_writer_end(&w), cap < 15 ? SCOUT_E_LIMIT : 0);
        assert_true(buf_len(&out) <= cap);
        if (cap == 15)
            assert_written(&out, "[\"a\\nb\",\"a\\nb\"]");
        buf_fini(&out);
    }
}

static void the_first_error_sticks(void **state)
{
    struct buf out;
    struct json_writer w;
    (void)state;
    buf_init(&out, 12);
    json_writer_init(&w, &out);
    json_array_begin(&w);
    json_str(&w, "123456789");
    json_str(&w, "1");
    json_array_end(&w);
    json_int(&w, 1);
    assert_int_equal(json_writer_end(&w), SCOUT_E_LIMIT);
    assert_true(buf_len(&out) <= 12);
    buf_fini(&out);
}

static void depth_has_a_limit(void **state)
{
    struct buf out;
    struct json_error error;
    (void)state;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct json_writer w;
        buf_init(&out, 4096);
        json_writer_init(&w, &out);
        for (int i = 0; i < depth; i++)
            json_array_begin(&w);
        for (int i = 0; i < depth; i++)
            json_array_end(&w);
        if (depth > JSON_DEPTH_MAX) {
            assert_int_equal(json_writer_end(&w), SCOUT_E_LIMIT);
        } else {
            assert_int_equal(json_writer_end(&w), 0);
            assert_int_equal(json_check(buf_peek(&out), &error), 0);
        }
        buf_fini(&out);
    }
}

/* What the escaper must write, one character at a time. */
static void escape_slowly(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        uint8_t c = text.data[0];
        size_t len = utf8_char_len(text);
        if (len == 0 || c == 0) {
            assert_int_equal(buf_append_str(out, "\xEF\xBF\xBD"), 0);
            len = c ? utf8_bad_len(text) : 1;
        } else if (c == '"' || c == '\\') {
            assert_int_equal(buf_printf(out, "\\%c", c), 0);
        } else if (c < 0x20 && strchr("\b\t\n\f\r", c)) {
            assert_int_equal(buf_printf(out, "\\%c", "btn?fr"[c - 8]), 0);
        } else if (c < 0x20) {
            assert_int_equal(buf_printf(out, "\\u%04x", c), 0);
        } else {
            assert_int_equal(buf_append(out, slice_of(text.data, len)), 0);
        }
        text = slice_skip(text, len);
    }
}

static void assert_escaped_alike(struct slice text)
{
    struct buf fast, slow, parts;
    struct json_error error;
    struct json_writer w;
    struct json_text_parts p;
    buf_init(&fast, 1 << 20);
    buf_init(&slow, 1 << 20);
    assert_int_equal(json_escape(&fast, text), 0);
    escape_slowly(&slow, text);
    assert_true(slice_equal(buf_peek(&fast), buf_peek(&slow)));
    assert_int_equal(json_plain_len(text), json_plain_len_portable(text));
    /* The same in two parts, split at every byte. */
    for (size_t cut = 0; cut <= text.len && text.len <= 40; cut++) {
        buf_init(&parts, 1 << 20);
        json_writer_init(&w, &parts);
        json_text_begin(&w, &p);
        json_text_part(&w, &p, slice_of(text.data, cut));
        json_text_part(&w, &p, slice_skip(text, cut));
        json_text_end(&w, &p);
        assert_int_equal(json_writer_end(&w), 0);
        struct slice whole = buf_peek(&parts);
        assert_int_equal(json_check(whole, &error), 0);
        assert_true(slice_equal(slice_of(whole.data + 1, whole.len - 2), buf_peek(&fast)));
        buf_fini(&parts);
    }
    buf_fini(&fast);
    buf_fini(&slow);
}

static void every_byte_at_every_place_of_a_block(void **state)
{
    uint8_t text[37];
    (void)state;
    for (int byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (uint8_t)byte;
            assert_escaped_alike(slice_of(text, sizeof text));
        }
}

static void random_texts_of_awkward_pieces(void **state)
{
    static const char *const pieces[] = {"a",
                                         "plain text of some length",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\xC3\xA4",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xFF",
                                         "\xC3",
                                         "\xE2\x82",
                                         "\xF0\x9F\x98",
                                         "\xED\xA0",
                                         "\x80",
                                         "\xC0\x80",
                                         "\xE2\x80\xA8",
                                         "\x7F",
                                         "\xF4\x90",
                                         "0123456789abcdef"};
    unsigned seed = 12345;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        char text[600];
        size_t len = 0;
        while (len < 30 || (round % 4 == 0 && len < 500)) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[(seed >> 16) % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        uint8_t *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, text, len);
        assert_escaped_alike(slice_of(exact, len));
        free(exact);
    }
}

static void a_text_in_single_bytes_is_put_together(void **state)
{
    const char *text = "\xF0\x9F\x98\x80 \xE2\x82\xAC \xF0\x9F\x98 x \xE2\xF0\x9F\x98\x80\xC3";
    struct buf out;
    struct json_writer w;
    struct json_text_parts p;
    (void)state;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_text_begin(&w, &p);
    for (const char *at = text; *at; at++)
        json_text_part(&w, &p, slice_of(at, 1));
    json_text_end(&w, &p);
    assert_int_equal(json_writer_end(&w), 0);
    assert_written(&out, "\"\xF0\x9F\x98\x80 \xE2\x82\xAC \xEF\xBF\xBD x \xEF\xBF\xBD"
                         "\xF0\x9F\x98\x80\xEF\xBF\xBD\"");
    buf_fini(&out);
}

static void assert_base64(const void *bytes, size_t len, const char *expected)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 100000);
    json_writer_init(&w, &out);
    json_base64(&w, slice_of(bytes, len));
    assert_int_equal(json_writer_end(&w), 0);
    assert_written(&out, expected);
    buf_fini(&out);
}

static void bytes_are_base64(void **state)
{
    static const uint8_t zeros[9003]; /* two pieces and a part */
    char expected[12004 + 3];
    (void)state;
    assert_base64("", 0, "\"\""); /* RFC 4648, section 10 */
    assert_base64("f", 1, "\"Zg==\"");
    assert_base64("fo", 2, "\"Zm8=\"");
    assert_base64("foo", 3, "\"Zm9v\"");
    assert_base64("foob", 4, "\"Zm9vYg==\"");
    assert_base64("fooba", 5, "\"Zm9vYmE=\"");
    assert_base64("foobar", 6, "\"Zm9vYmFy\"");
    assert_base64("\0\xff\xfb\xf0", 4, "\"AP/78A==\"");
    snprintf(expected, sizeof expected, "\"%.12004s\"", "");
    memset(expected + 1, 'A', 12004);
    memcpy(expected + 1 + 12004, "\"", 2);
    assert_base64(zeros, sizeof zeros, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_nesting_are_right),
        cmocka_unit_test(doubles_are_short_and_exact),
        cmocka_unit_test(a_text_can_be_written_again),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(every_byte_at_every_place_of_a_block),
        cmocka_unit_test(random_texts_of_awkward_pieces),
        cmocka_unit_test(a_text_in_single_bytes_is_put_together),
        cmocka_unit_test(bytes_are_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
