/* Two walks over the content: one that gathers how long its texts and arrays are, from which
 * follows what each may have; one that writes it. What may be cut ("an item") is a text or an array
 * of some length; the results of a broadcast are no item, but what is in each of them is. */
#include "result_trim.h"

#include "scout/base/error.h"
#include "text_cut.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- the plan ---- */

struct sizes {
    size_t *items;
    size_t count, room;
    int error;
};

static bool is_item(struct slice value)
{
    enum json_type type = json_type(value);
    return (type == JSON_STRING || type == JSON_ARRAY) && value.len > TRIM_ITEM_MIN;
}

static bool is_broadcast(struct slice key, struct slice value)
{
    return json_type(value) == JSON_ARRAY && slice_is(key, "\"" TRIM_BROADCAST "\"");
}

static void add_size(struct sizes *s, size_t size)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        size_t *items = realloc(s->items, room * sizeof *items);
        if (!items) {
            s->error = SCOUT_E_NOMEM;
            return;
        }
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] = size;
}

/* Recursion ends: the depth of what a json_writer makes is limited. */
static void gather(struct sizes *s, struct slice container)
{
    struct json_walk walk;
    struct slice key, value;
    json_walk_begin(&walk, container);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_type(value) == JSON_OBJECT || is_broadcast(key, value))
            gather(s, value);
        else if (is_item(value))
            add_size(s, text_characters(value));
    }
}

/* How many of the elements fit into the budget when their items have got their shares. */
static size_t elements_that_fit(const struct trim *t, struct slice elements, size_t budget)
{
    struct json_walk walk;
    struct slice key, value;
    size_t count = 0, used = 0;
    json_walk_begin(&walk, elements);
    while (json_walk_next(&walk, &key, &value)) {
        struct sizes own = {0};
        size_t size = text_characters(value);
        gather(&own, value);
        for (size_t i = 0; i < own.count; i++)
            if (own.items[i] > t->share)
                size -= own.items[i] - t->share;
        free(own.items);
        used += size;
        if (used > budget && count > 0)
            break;
        count++;
    }
    return count;
}

int trim_plan(struct trim *t, struct slice content)
{
    struct sizes s = {0};
    size_t all = text_characters(content), items = 0;
    t->share = t->elements = SIZE_MAX;
    if (all <= t->budget + TRIM_FRAME)
        return 0;
    gather(&s, content);
    for (size_t i = 0; i < s.count; i++)
        items += s.items[i];
    size_t frame = all - items > TRIM_FRAME ? all - items - TRIM_FRAME : 0;
    if (!s.error)
        t->share = text_fair_share(s.items, s.count, t->budget > frame ? t->budget - frame : 0);
    if (t->share < TRIM_ITEM_MIN)
        t->share = TRIM_ITEM_MIN;
    free(s.items);
    struct slice elements = json_member(content, TRIM_BROADCAST);
    if (json_type(elements) == JSON_ARRAY)
        t->elements = elements_that_fit(t, elements, t->budget + TRIM_FRAME);
    return s.error;
}

/* ---- writing ---- */

static bool is_cut(const struct trim *t, struct slice value)
{
    return is_item(value) && text_characters(value) > t->share;
}

static void note_left_out(struct trim *t, struct slice key, size_t count)
{
    size_t i = 0;
    while (i < t->name_count && !slice_equal(t->left_out[i].name, key))
        i++;
    if (i == TRIM_NAMES_MAX)
        return;
    if (i == t->name_count)
        t->left_out[t->name_count++].name = key;
    t->left_out[i].count += count;
}

/* Where the text stands in the whole one; false: not as it is. It is looked for behind the last. */
static bool find_text(struct trim *t, struct slice text, size_t *at)
{
    struct slice rest = slice_skip(t->whole, t->found);
    const uint8_t *found = text.len <= rest.len && text.len > 0
                               ? memmem(rest.data, rest.len, text.data, text.len)
                               : NULL;
    if (!found)
        return false;
    *at = (size_t)(found - t->whole.data);
    t->found = *at;
    return true;
}

static int write_text(struct trim *t, struct slice raw, struct json_writer *w)
{
    struct text_cut cut;
    struct buf out;
    size_t base = 0;
    char *text = malloc(raw.len);
    int len = text ? json_string(raw, text, raw.len) : SCOUT_E_NOMEM;
    if (len < 0) {
        free(text);
        return len;
    }
    struct slice whole = slice_of(text, (size_t)len);
    if (!t->handle || !find_text(t, whole, &base))
        base = TEXT_ELSEWHERE;
    buf_init(&out, raw.len + 512);
    int error = text_cut_init(&cut, whole, NULL, 0, t->share);
    if (!error)
        error = text_cut_write(&cut, t->handle, base, &out);
    json_text(w, buf_peek(&out));
    text_cut_fini(&cut);
    buf_fini(&out);
    free(text);
    return error;
}

static void write_array(struct trim *t, struct slice key, struct slice raw, struct json_writer *w)
{
    struct json_walk walk;
    struct slice none, value;
    size_t used = 0, left_out = 0;
    json_array_begin(w);
    json_walk_begin(&walk, raw);
    while (json_walk_next(&walk, &none, &value)) {
        used += left_out ? 0 : text_characters(value) + 1;
        if (left_out || used > t->share)
            left_out++;
        else
            json_raw(w, value);
    }
    json_array_end(w);
    if (left_out)
        note_left_out(t, key, left_out);
}

static int write_broadcast(struct trim *t, struct slice key, struct slice raw,
                           struct json_writer *w)
{
    struct json_walk walk;
    struct slice none, value;
    size_t at = 0;
    int error = 0;
    json_array_begin(w);
    json_walk_begin(&walk, raw);
    for (; json_walk_next(&walk, &none, &value) && !error; at++) {
        if (at >= t->elements)
            continue;
        json_object_begin(w);
        error = trim_write(t, value, w);
        json_object_end(w);
    }
    json_array_end(w);
    if (at > t->elements)
        note_left_out(t, key, at - t->elements);
    return error;
}

/* Whether the object has that name, which stands in quotes, with `_truncated` behind it. */
static bool has_flag_of(struct slice object, struct slice key, char flag[64])
{
    int len = snprintf(flag, 64, "%.*s_truncated", (int)key.len - 2, (const char *)key.data + 1);
    return len < 64 && json_type(json_member(object, flag)) != JSON_NONE;
}

/* Whether the flag `key` has to become true: of the member that it is named after, or of all that
 * have no flag of their own. */
static bool is_flag_of_cut(const struct trim *t, struct slice object, struct slice flag)
{
    struct json_walk walk;
    struct slice key, value;
    char own[64];
    bool of_all = slice_is(flag, "\"truncated\"");
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (!is_cut(t, value))
            continue;
        bool has_own = has_flag_of(object, key, own);
        bool is_named =
            has_own && flag.len == strlen(own) + 2 && memcmp(flag.data + 1, own, strlen(own)) == 0;
        if (of_all ? !has_own : is_named)
            return true;
    }
    return false;
}

static int write_value(struct trim *t, struct slice object, struct slice key, struct slice value,
                       struct json_writer *w)
{
    int error = 0;
    if (is_broadcast(key, value)) {
        error = write_broadcast(t, key, value, w);
    } else if (json_type(value) == JSON_OBJECT) {
        json_object_begin(w);
        error = trim_write(t, value, w);
        json_object_end(w);
    } else if (is_cut(t, value) && json_type(value) == JSON_STRING) {
        error = write_text(t, value, w);
    } else if (is_cut(t, value)) {
        write_array(t, key, value, w);
    } else if (json_type(value) == JSON_FALSE && is_flag_of_cut(t, object, key)) {
        json_bool(w, true);
    } else {
        json_raw(w, value);
    }
    return error;
}

int trim_write(struct trim *t, struct slice content, struct json_writer *w)
{
    struct json_walk walk;
    struct slice key, value;
    int error = 0;
    json_walk_begin(&walk, content);
    while (!error && json_walk_next(&walk, &key, &value)) {
        json_raw_key(w, key);
        error = write_value(t, content, key, value, w);
    }
    return error ? error : w->error;
}
