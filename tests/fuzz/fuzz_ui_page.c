/* A page with data of any bytes: the element of the data ends where the page ends it, nothing that
 * is in it opens another, and a reader of JSON gets the same bytes back. */
#include "scout/ui/page.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char begin[] = "<script type=\"application/json\" id=\"data\">";

/* Undoes the escapes that a page may have put there; there is no other backslash in the input. */
static size_t undo(const uint8_t *from, size_t len, uint8_t *out)
{
    size_t size = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned int code;
        if (from[i] != '\\') {
            out[size++] = from[i];
            continue;
        }
        assert(len - i >= 6 && sscanf((const char *)from + i, "\\u%4x", &code) == 1);
        if (code < 0x80)
            out[size++] = (uint8_t)code;
        else
            size += (size_t)sprintf((char *)out + size, "\xE2\x80%c", (int)(code - 0x2028 + 0xA8));
        i += 5;
    }
    return size;
}

static void check_page(const struct ui_pages *pages, enum ui_viewer viewer, struct slice data)
{
    struct buf out;
    buf_init(&out, ui_page_size_max(data.len));
    assert(ui_page_write(pages, viewer, data, &out) == 0);
    struct slice page = buf_peek(&out);
    const uint8_t *from = memmem(page.data, page.len, begin, strlen(begin));
    assert(from);
    from += strlen(begin);
    const uint8_t *to = memmem(from, page.len - (size_t)(from - page.data), "<", 1);
    assert(to && memcmp(to, "</script>\n<script>", 18) == 0);
    for (const uint8_t *at = from; at < to; at++)
        assert(*at != '>' && *at != '&');
    uint8_t *undone = malloc((size_t)(to - from) + 1);
    assert(undone);
    size_t len = undo(from, (size_t)(to - from), undone);
    assert(len == data.len && (len == 0 || memcmp(undone, data.data, len) == 0));
    free(undone);
    buf_fini(&out);
}

static void check_uri(struct slice text)
{
    struct buf out;
    char *path = malloc(text.len + 1);
    assert(path);
    if (text.len)
        memcpy(path, text.data, text.len);
    path[text.len] = '\0';
    buf_init(&out, 64 + 6 * text.len);
    assert(ui_uri_write(&out, path, path) == 0);
    struct slice uri = buf_peek(&out);
    for (size_t i = 0; i < uri.len; i++)
        assert(uri.data[i] > ' ' && uri.data[i] < 0x7F && !strchr("\"<>?#\\", uri.data[i]));
    buf_fini(&out);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct ui_pages pages;
    if (!pages.policy[0][0])
        assert(ui_pages_init(&pages) == 0);
    struct slice text = slice_of(data, len);
    check_uri(text);
    if (memchr(data, '\\', len) == NULL)
        check_page(&pages, ui_viewer_of(text), text);
    return 0;
}
