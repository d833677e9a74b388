/* Finding markers: `[redacted:KIND:XXXXXXXX]` any that has the form counts, whoever made it.
 * The daemon may have been started again since, and then makes others for the same secrets. */
#include "scout/fleet/redact_marker.h"

#define OPENING    "[redacted:"
#define DIGITS_LEN 8

static bool is_kind(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || c == '-';
}

static bool is_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The length of the marker that `text` begins with, or 0. */
static size_t marker_len(struct slice text)
{
    size_t opening = strlen(OPENING), at = opening, digits;
    if (text.len < opening || memcmp(text.data, OPENING, opening) != 0)
        return 0;
    while (at < text.len && at - opening < REDACT_KIND_MAX && is_kind(text.data[at]))
        at++;
    if (at == opening || at == text.len || text.data[at++] != ':')
        return 0;
    for (digits = 0; digits < DIGITS_LEN && at < text.len && is_digit(text.data[at]); digits++)
        at++;
    return digits == DIGITS_LEN && at < text.len && text.data[at] == ']' ? at + 1 : 0;
}

bool redact_find_marker(struct slice text, struct slice *marker)
{
    while (text.len > 0) {
        const uint8_t *at = memmem(text.data, text.len, OPENING, strlen(OPENING));
        if (!at)
            return false;
        text = slice_skip(text, (size_t)(at - text.data));
        size_t len = marker_len(text);
        if (len > 0) {
            if (marker)
                *marker = slice_of(text.data, len);
            return true;
        }
        text = slice_skip(text, 1);
    }
    return false;
}
