/* Bytes as a base64 text (RFC 4648, section 4), straight into the buffer: a file of megabytes is
 * held once. */
#include "scout/base/json_write.h"

#define PIECE_BYTES 3072 /* encoded at a time; a multiple of 3 */

static size_t encode(struct slice data, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out;
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        uint32_t bits = (uint32_t)data.data[i] << 16;
        bits |= left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0;
        bits |= left > 2 ? data.data[i + 2] : 0;
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[bits & 63] : '=';
    }
    return (size_t)(at - out);
}

void json_base64(struct json_writer *w, struct slice data)
{
    struct json_text_parts parts;
    char piece[PIECE_BYTES / 3 * 4];
    json_text_begin(w, &parts);
    while (data.len > 0 && !w->error) {
        size_t len = data.len < PIECE_BYTES ? data.len : PIECE_BYTES;
        json_text_part(w, &parts, slice_of(piece, encode(slice_of(data.data, len), piece)));
        data = slice_skip(data, len);
    }
    json_text_end(w, &parts);
}
