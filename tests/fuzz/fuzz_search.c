/* Searches: a pattern (to the first newline) that is written out, and must then be taken by regcomp
 * and find as it does; and the rest as what a program printed, in each mode. */
#include "scout/fleet/search.h"
#include "scout/fleet/search_pattern.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_pattern(const char *pattern, struct slice text)
{
    struct buf posix, rust, out;
    struct failure why;
    struct search_regex *regex = NULL;
    if (search_pattern_write(pattern, text.len & 1, &posix, &rust, &why) == 0) {
        const char *form = (const char *)buf_peek(&posix).data;
        const struct search_request r = {.before = 1, .after = 1, .per_file = 3};
        assert(search_regex_new(&regex, form) == 0);
        uint8_t *copy = calloc(1, 513);
        assert(copy);
        text.len = text.len < 512 ? text.len : 512;
        if (text.len)
            memcpy(copy, text.data, text.len);
        buf_init(&out, 4096);
        int error = search_text(regex, &r, "x", slice_of(copy, text.len), &out);
        assert(error == 0 || error == SCOUT_E_LIMIT);
        buf_fini(&out);
        search_regex_free(regex);
        free(copy);
    }
    buf_fini(&posix);
    buf_fini(&rust);
}

static void check_output(struct slice text)
{
    for (int mode = SEARCH_CONTENT; mode <= SEARCH_COUNT; mode++) {
        struct search_found found;
        if (search_output_parse(text, text, (enum search_mode)mode, &found) != 0)
            continue;
        for (size_t i = 0; i < found.count; i++) {
            struct slice part = found.lines[i].path, shown = found.lines[i].text;
            assert(part.len == 0 ||
                   (part.data >= text.data && part.data + part.len <= text.data + text.len));
            assert(shown.len <= SEARCH_SHOWN_MAX);
            assert(shown.len == 0 ||
                   (shown.data >= text.data && shown.data + shown.len <= text.data + text.len));
        }
        free(found.lines);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *lf = len ? memchr(data, '\n', len) : NULL;
    size_t pattern_len = lf ? (size_t)(lf - data) : len;
    char *pattern = calloc(1, pattern_len + 1);
    uint8_t *text = malloc(len - pattern_len + 1);
    assert(pattern && text);
    if (pattern_len)
        memcpy(pattern, data, pattern_len);
    struct slice rest = lf ? slice_of(lf + 1, len - pattern_len - 1) : slice_of("", 0);
    if (rest.len)
        memcpy(text, rest.data, rest.len);
    check_pattern(pattern, slice_of(text, rest.len));
    check_output(slice_of(text, rest.len));
    free(pattern);
    free(text);
    return 0;
}
