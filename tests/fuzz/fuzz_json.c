/* Whatever json_check accepts, cJSON reads the same out of it, and what the writer makes of any
 * bytes passes json_check. */
#include "scout/base/json_write.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PAIRS_MAX 64 /* members of one object that are compared with each other */

static char *decode(struct slice raw)
{
    char *text = malloc(raw.len + 1);
    assert(text);
    int len = json_string(raw, text, raw.len + 1);
    assert(len >= 0 && (size_t)len == strlen(text)); /* no U+0000 inside */
    assert(json_string_is(raw, text));
    return text;
}

static void compare(struct slice raw, const cJSON *node);

static void compare_members(struct slice raw, const cJSON *node)
{
    struct json_walk walk;
    struct slice key, value;
    char *names[PAIRS_MAX];
    size_t count = 0;
    const cJSON *child = node->child;
    json_walk_begin(&walk, raw);
    while (json_walk_next(&walk, &key, &value)) {
        assert(child);
        if (cJSON_IsObject(node)) {
            char *name = decode(key);
            assert(strcmp(child->string, name) == 0);
            for (size_t i = 0; i < count; i++)
                assert(strcmp(names[i], name) != 0);
            assert(slice_equal(json_member(raw, name), value));
            if (count < PAIRS_MAX)
                names[count++] = name;
            else
                free(name);
        }
        compare(value, child);
        child = child->next;
    }
    assert(!child);
    while (count > 0)
        free(names[--count]);
}

static void compare(struct slice raw, const cJSON *node)
{
    switch (json_type(raw)) {
    case JSON_NONE:
        abort();
    case JSON_NULL:
        assert(cJSON_IsNull(node));
        break;
    case JSON_FALSE:
        assert(cJSON_IsFalse(node));
        break;
    case JSON_TRUE:
        assert(cJSON_IsTrue(node));
        break;
    case JSON_NUMBER:
        assert(cJSON_IsNumber(node));
        break;
    case JSON_STRING: {
        char *text = decode(raw);
        assert(cJSON_IsString(node) && strcmp(node->valuestring, text) == 0);
        free(text);
        break;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        assert(json_type(raw) == JSON_ARRAY ? cJSON_IsArray(node) : cJSON_IsObject(node));
        compare_members(raw, node);
        break;
    }
}

static struct slice trim(struct slice text)
{
    while (text.len && strchr(" \t\r\n", text.data[0]))
        text = slice_skip(text, 1);
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
        text.len--;
    return text;
}

static void rewrite(struct json_writer *w, const cJSON *node)
{
    if (cJSON_IsObject(node) || cJSON_IsArray(node)) {
        cJSON_IsObject(node) ? json_object_begin(w) : json_array_begin(w);
        for (const cJSON *child = node->child; child; child = child->next) {
            if (child->string)
                json_key(w, child->string);
            rewrite(w, child);
        }
        cJSON_IsObject(node) ? json_object_end(w) : json_array_end(w);
    } else if (cJSON_IsString(node)) {
        json_str(w, node->valuestring);
    } else if (cJSON_IsNumber(node)) {
        json_double(w, node->valuedouble);
    } else if (cJSON_IsNull(node)) {
        json_null(w);
    } else {
        json_bool(w, cJSON_IsTrue(node));
    }
}

static void assert_good(struct buf *out, struct json_writer *w)
{
    struct json_error error;
    assert(json_writer_end(w) == 0);
    assert(json_check(buf_peek(out), &error) == 0);
    assert(!memchr(buf_peek(out).data, '\n', buf_len(out)));
    buf_clear(out);
}

static void check_text(struct slice text, struct buf *out)
{
    struct json_error error = {JSON_OK, 0};
    struct json_writer w;
    struct arena arena;
    if (json_check(text, &error) != 0) {
        assert(error.fault != JSON_OK && error.offset <= text.len);
        return;
    }
    arena_init(&arena, 256u << 20);
    cJSON *tree = json_parse(text, &arena);
    assert(tree);
    compare(trim(text), tree);
    json_writer_init(&w, out);
    rewrite(&w, tree);
    assert_good(out, &w);
    json_writer_init(&w, out);
    json_raw(&w, text);
    assert_good(out, &w);
    arena_fini(&arena);
}

static void write_text(struct slice text, struct buf *out)
{
    struct json_writer w;
    struct json_text_parts parts;
    struct buf whole;
    buf_init(&whole, 64u << 20);
    json_writer_init(&w, &whole);
    json_text(&w, text);
    assert(json_writer_end(&w) == 0);
    json_writer_init(&w, out);
    json_text_begin(&w, &parts);
    size_t step = text.len ? text.data[0] % 5 + 1u : 1;
    for (size_t at = 0; at < text.len; at += step)
        json_text_part(&w, &parts,
                       slice_of(text.data + at, text.len - at < step ? text.len - at : step));
    json_text_end(&w, &parts);
    assert(slice_equal(buf_peek(out), buf_peek(&whole)));
    assert_good(out, &w);
    buf_fini(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf out;
    buf_init(&out, 64u << 20);
    check_text(slice_of(data, len), &out);
    write_text(slice_of(data, len), &out);
    buf_fini(&out);
    return 0;
}
