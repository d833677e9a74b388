#include "redact_rig.h"

#include <stdlib.h>

struct redactor *make(bool defaults, const char *const *patterns, size_t count)
{
    struct redactor_config config = {.defaults = defaults,
                                     .patterns = patterns,
                                     .pattern_count = count,
                                     .key = HEX16 /* without its NUL */};
    struct redactor *r;
    struct failure why;
    assert_int_equal(redactor_new(&r, &config, &why), 0);
    return r;
}

char *redacted(const struct redactor *r, const char *text, uint64_t *count)
{
    struct buf out;
    buf_init(&out, 1u << 24);
    struct redact_counts counts = {0};
    struct redact_budget budget = redact_budget_of(r, strlen(text));
    assert_int_equal(redact(r, slice_str(text), &out, &counts, &budget), 0);
    *count = counts.secrets + counts.unchecked;
    char *copy =
        buf_len(&out) ? strndup((const char *)buf_peek(&out).data, buf_len(&out)) : strdup("");
    assert_non_null(copy);
    buf_fini(&out);
    return copy;
}

char *shorten(char *text)
{
    struct slice marker;
    while (redact_find_marker(slice_str(text), &marker)) {
        char *at = text + (marker.data - (const uint8_t *)text);
        size_t kind = marker.len - strlen("[redacted::01234567]");
        at[0] = '<';
        memmove(at + 1, at + strlen("[redacted:"), kind);
        at[kind + 1] = '>';
        memmove(at + kind + 2, at + marker.len, strlen(at + marker.len) + 1);
    }
    return text;
}

void assert_redacted(const struct redactor *r, const char *text, const char *expected)
{
    uint64_t count;
    char *out = shorten(redacted(r, text, &count));
    if (strcmp(out, expected) != 0)
        fail_msg("%s\nbecame\n%s\nnot\n%s", text, out, expected);
    assert_int_equal(count > 0, strcmp(text, expected) != 0);
    if (count > 0)
        assert_true(redact_suspects(r, slice_str(text)));
    free(out);
}
