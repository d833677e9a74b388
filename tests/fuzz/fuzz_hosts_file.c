/* hosts(5) with anything in it. Input: a name up to the first line end, then the file. The table
 * must agree with a second, slow way through the text about the name that was asked for and about
 * each word of the file, and must not care about case. */
#include "../../src/net/hosts_file.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool equal(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

static bool blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

/* Line by line, word by word. */
static void slow_find(struct slice text, struct slice name, struct address_list *out)
{
    size_t at = 0;
    while (at < text.len) {
        struct address address;
        bool good = false, first = true, comment = false;
        for (; at < text.len && text.data[at] != '\n';) {
            if (text.data[at] == '#')
                comment = true;
            if (comment || blank(text.data[at])) {
                at++;
                continue;
            }
            size_t start = at;
            while (at < text.len && text.data[at] != '\n' && text.data[at] != '#' &&
                   !blank(text.data[at]))
                at++;
            struct slice word = slice_of(text.data + start, at - start);
            if (first)
                good = address_parse(word, &address);
            else if (good && word.len <= HOSTS_FILE_NAME_MAX && equal(word, name))
                address_list_add(out, &address);
            first = false;
        }
        at++;
    }
}

static void check(const struct hosts_file *h, struct slice text, struct slice name)
{
    struct address_list fast = {.count = 0}, slow = {.count = 0};
    bool found = hosts_file_find(h, name, &fast);
    assert(found == (fast.count > 0));
    slow_find(text, name, &slow);
    assert(fast.count == slow.count);
    for (uint32_t i = 0; i < fast.count; i++) {
        const struct address *a = &fast.list[i], *b = &slow.list[i];
        assert(a->family == b->family && a->scope == b->scope);
        assert(memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct hosts_file *h;
    const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
    if (!end || hosts_file_parse(slice_skip(slice_of(data, len), (size_t)(end - data) + 1), &h))
        return 0;
    struct slice name = slice_of(data, (size_t)(end - data));
    struct slice text = slice_skip(slice_of(data, len), name.len + 1);
    if (name.len > 0)
        check(h, text, name);
    unsigned words = 0;
    for (size_t at = 0; at < text.len && words < 8; words++) {
        size_t start = at;
        while (at < text.len && !blank(text.data[at]) && text.data[at] != '\n')
            at++;
        if (at > start)
            check(h, text, slice_of(text.data + start, at - start));
        at++;
    }
    hosts_file_free(h);
    return 0;
}
