/* A result as a model gets it: clean, within its budget, and saying what was done. */
#include "model_result.h"

#include "scout/base/json_write.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define HANDLE "out_AAAAAAAAAAAAAAAAAAAAAA"

struct rig {
    struct redactor *redactor;
    struct model_request request;
    struct buf written;
    struct model_result made;
};

static void open_rig_with(struct rig *r, size_t budget, const char *pattern)
{
    struct redactor_config config = {
        .defaults = true, .patterns = &pattern, .pattern_count = pattern != NULL};
    struct failure why;
    *r = (struct rig){0};
    assert_int_equal(redactor_new(&r->redactor, &config, &why), 0);
    r->request = (struct model_request){
        .redactor = r->redactor, .budget = budget, .handle = HANDLE, .keep_max = 1u << 20};
    buf_init(&r->written, 1u << 24);
}

static void open_rig(struct rig *r, size_t budget)
{
    open_rig_with(r, budget, NULL);
}

static void close_rig(struct rig *r)
{
    model_result_fini(&r->made);
    buf_fini(&r->written);
    redactor_free(r->redactor);
}

static void text_content(struct json_writer *w, struct slice text)
{
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_text(w, text);
    json_object_end(w);
    json_array_end(w);
}

/* A result as that of a file, whose name is `name`. */
static void write_file(struct rig *r, struct slice text, const char *name)
{
    struct json_writer w;
    json_writer_init(&w, &r->written);
    json_object_begin(&w);
    text_content(&w, text);
    json_key(&w, "structuredContent");
    json_object_begin(&w);
    json_key(&w, "path");
    json_str(&w, name);
    json_key(&w, "truncated");
    json_bool(&w, false);
    json_key(&w, "text");
    json_text(&w, text);
    json_object_end(&w);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    r->request.json = buf_peek(&r->written);
}

static cJSON *make(struct rig *r)
{
    assert_false(model_result_is_made(&r->request));
    assert_int_equal(model_result_make(&r->made, &r->request), 0);
    cJSON *json =
        cJSON_ParseWithLength((const char *)buf_peek(&r->made.json).data, buf_len(&r->made.json));
    assert_non_null(json);
    return json;
}

static cJSON *member(const cJSON *object, const char *name)
{
    cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!value)
        fail_msg("no member %s", name);
    return value;
}

static const char *shown(const cJSON *json)
{
    return member(cJSON_GetArrayItem(member(json, "content"), 0), "text")->valuestring;
}

static void plain_results_pass(void **state)
{
    struct rig r;
    (void)state;
    open_rig(&r, 1000);
    write_file(&r, slice_str("plain\n\t\"quoted\"\\ text\r\n"), "/etc/x");
    assert_true(model_result_is_made(&r.request));
    close_rig(&r);
}

/* Neither words that may begin a secret nor characters beyond ASCII are a reason to write it anew.
 */
static void what_needs_nothing_goes_byte_by_byte(void **state)
{
    struct rig r;
    (void)state;
    open_rig(&r, 1000);
    write_file(&r, slice_str("key=\"0a1b2c3d\" caf\xC3\xA9 \xE2\x82\xAC\n"), "/etc/caf\xC3\xA9");
    cJSON_Delete(make(&r));
    assert_true(slice_equal(buf_peek(&r.made.json), r.request.json));
    assert_false(r.made.keep);
    close_rig(&r);
}

static void both_contents_are_clean_and_say_so(void **state)
{
    struct rig r;
    (void)state;
    open_rig(&r, 1000);
    write_file(&r, slice_str("PASSWORD=hunter2\n\x1b[31mx\xE2\x80\xAE\n"), "/etc/x\x07");
    cJSON *json = make(&r), *structured = member(json, "structuredContent");
    cJSON *output = member(structured, "output"), *neutral = member(output, "neutralised");
    const char *text = shown(json), *other = member(structured, "text")->valuestring;
    assert_null(memmem(buf_peek(&r.made.json).data, buf_len(&r.made.json), "hunter2", 7));
    assert_memory_equal(text, "PASSWORD=[redacted:password:", 28);
    assert_non_null(strstr(text, "]\nx<U+202E>\n[not as on the host: 1 secret redacted, 2 terminal "
                                 "controls neutralised, 1 bidi control shown]"));
    assert_memory_equal(other, text, strlen(other));
    assert_string_equal(member(structured, "path")->valuestring, "/etc/x\xE2\x90\x87");
    assert_int_equal(member(output, "redacted")->valueint, 1);
    assert_int_equal(member(neutral, "escapes")->valueint, 2); /* one more in the path */
    assert_int_equal(member(neutral, "bidi")->valueint, 1);
    assert_false(r.made.keep);
    assert_true(cJSON_IsFalse(member(structured, "truncated")));
    cJSON_Delete(json);
    close_rig(&r);
}

static void long_texts_are_cut_alike_and_kept(void **state)
{
    struct rig r;
    char *text = malloc(100001);
    (void)state;
    for (size_t i = 0; i < 100000; i++)
        text[i] = i % 50 == 49 ? '\n' : 'x';
    text[100000] = '\0';
    memcpy(text + 50000, "PASSWORD=hunter2\n", 17);
    open_rig(&r, 5000);
    write_file(&r, slice_of(text, 100000), "/x");
    cJSON *json = make(&r), *structured = member(json, "structuredContent");
    cJSON *output = member(structured, "output");
    const char *cut = member(structured, "text")->valuestring;
    assert_memory_equal(shown(json), cut, strlen(cut)); /* then the note of the secret */
    assert_true(strlen(cut) < 5200 && strlen(cut) > 4500);
    assert_non_null(strstr(cut, "{\"handle\":\"" HANDLE "\",\"offset\":3000}"));
    assert_true(cJSON_IsTrue(member(structured, "truncated")));
    assert_string_equal(member(output, "handle")->valuestring, HANDLE);
    assert_int_equal(member(output, "omitted_from")->valueint, 3000);
    assert_true(r.made.keep);
    struct slice whole = buf_peek(&r.made.whole);
    assert_int_equal(member(output, "total")->valueint, whole.len);
    assert_null(memmem(whole.data, whole.len, "hunter2", 7));
    assert_memory_equal(whole.data, text, 50000);
    cJSON_Delete(json);
    free(text);
    close_rig(&r);
}

/* On the loop patterns get few steps; that they did not suffice is told, so that it is done again
 * elsewhere. What is withheld in the end says so. */
static void patterns_that_take_long_are_told(void **state)
{
    struct rig r;
    char text[16385] = "";
    (void)state;
    memset(text, 'z', sizeof text - 1);
    memset(text, 'a', 600);
    for (size_t i = 100; i < 700; i += 100)
        text[i] = '-';
    open_rig_with(&r, 0, "(a|b)+cc|a+!");
    write_file(&r, slice_str(text), "/x");
    r.request.soon = true;
    cJSON *json = make(&r);
    assert_true(r.made.is_short);
    assert_non_null(strstr(shown(json), "[redacted:unchecked:"));
    assert_non_null(strstr(shown(json), "[not as on the host: 1 text withheld (the patterns"));
    const cJSON *output = member(member(json, "structuredContent"), "output");
    assert_int_equal(member(output, "unchecked")->valueint, 1);
    cJSON_Delete(json);
    model_result_fini(&r.made);
    r.request.soon = false;
    assert_int_equal(model_result_make(&r.made, &r.request), 0);
    assert_false(r.made.is_short);
    assert_null(memmem(buf_peek(&r.made.json).data, buf_len(&r.made.json), "unchecked", 9));
    close_rig(&r);
}

/* What cannot be kept is not promised. */
static void too_long_a_text_has_no_handle(void **state)
{
    struct rig r;
    char text[10001];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    open_rig(&r, 2000);
    r.request.keep_max = 5000;
    write_file(&r, slice_str(text), "/x");
    cJSON *json = make(&r);
    assert_false(r.made.keep);
    assert_null(strstr(shown(json), "handle"));
    assert_non_null(strstr(shown(json), "8,000 characters left out, and not kept"));
    assert_null(cJSON_GetObjectItem(member(member(json, "structuredContent"), "output"), "handle"));
    cJSON_Delete(json);
    close_rig(&r);
}

/* A command: stdout is long, stderr is not; then arrays. */
static void each_flag_is_of_what_was_cut(void **state)
{
    struct rig r;
    struct json_writer w;
    char text[10000];
    (void)state;
    memset(text, 'x', sizeof text);
    open_rig(&r, 2000);
    json_writer_init(&w, &r.written);
    json_object_begin(&w);
    text_content(&w, slice_of(text, sizeof text));
    json_key(&w, "structuredContent");
    json_object_begin(&w);
    json_key(&w, "stdout");
    json_text(&w, slice_of(text, sizeof text));
    json_key(&w, "stderr");
    json_text(&w, slice_of(text, 300));
    json_key(&w, "stdout_truncated");
    json_bool(&w, false);
    json_key(&w, "stderr_truncated");
    json_bool(&w, false);
    json_key(&w, "entries");
    json_array_begin(&w);
    for (int i = 0; i < 1000; i++)
        json_str(&w, "an entry");
    json_array_end(&w);
    json_key(&w, "truncated");
    json_bool(&w, false);
    json_object_end(&w);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    r.request.json = buf_peek(&r.written);
    cJSON *json = make(&r), *structured = member(json, "structuredContent");
    int entries = cJSON_GetArraySize(member(structured, "entries"));
    assert_true(cJSON_IsTrue(member(structured, "stdout_truncated")));
    assert_true(cJSON_IsFalse(member(structured, "stderr_truncated")));
    assert_true(cJSON_IsTrue(member(structured, "truncated")));
    assert_true(entries > 10 && entries < 200);
    cJSON *left_out = member(member(structured, "output"), "left_out");
    assert_int_equal(member(left_out, "entries")->valueint, 1000 - entries);
    assert_int_equal(strlen(member(structured, "stderr")->valuestring), 300);
    cJSON_Delete(json);
    close_rig(&r);
}

/* Resources have no place for a note in their text. */
static void a_resource_says_it_beside(void **state)
{
    struct rig r;
    struct json_writer w;
    (void)state;
    open_rig(&r, 0);
    json_writer_init(&w, &r.written);
    json_object_begin(&w);
    json_key(&w, "contents");
    json_array_begin(&w);
    json_object_begin(&w);
    json_key(&w, "text");
    json_str(&w, "TOKEN=0a1b2c3d");
    json_key(&w, "_meta");
    json_raw(&w, slice_str("{\"other\":1}"));
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    r.request.json = buf_peek(&r.written);
    cJSON *json = make(&r), *item = cJSON_GetArrayItem(member(json, "contents"), 0);
    assert_memory_equal(member(item, "text")->valuestring, "TOKEN=[redacted:token:", 22);
    cJSON *said = member(member(item, "_meta"), "scout/output");
    assert_int_equal(member(said, "redacted")->valueint, 1);
    assert_int_equal(member(member(item, "_meta"), "other")->valueint, 1);
    cJSON_Delete(json);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_results_pass),
        cmocka_unit_test(what_needs_nothing_goes_byte_by_byte),
        cmocka_unit_test(both_contents_are_clean_and_say_so),
        cmocka_unit_test(long_texts_are_cut_alike_and_kept),
        cmocka_unit_test(patterns_that_take_long_are_told),
        cmocka_unit_test(too_long_a_text_has_no_handle),
        cmocka_unit_test(each_flag_is_of_what_was_cut),
        cmocka_unit_test(a_resource_says_it_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
