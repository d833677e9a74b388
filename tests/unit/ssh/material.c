/* See material.h. What does not fit aborts: a test asked for too much. */
#include "material.h"

#include <stdlib.h>

void material_bytes(struct material *m, const void *bytes, size_t len)
{
    if (len > sizeof m->bytes - m->len)
        abort();
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

void material_u32(struct material *m, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    material_bytes(m, bytes, sizeof bytes);
}

void material_string(struct material *m, const void *bytes, size_t len)
{
    material_u32(m, (uint32_t)len);
    material_bytes(m, bytes, len);
}

void material_text(struct material *m, const char *text)
{
    material_string(m, text, strlen(text));
}

char *material_base64(struct slice bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes.data[i + 2] : 0;
        out[at++] = digits[bits >> 18];
        out[at++] = digits[bits >> 12 & 63];
        out[at++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[at++] = left > 2 ? digits[bits & 63] : '=';
    }
    out[at] = '\0';
    return out;
}

struct material material_blob(const char *type, uint8_t fill)
{
    struct material m = {0};
    uint8_t content[32];
    memset(content, fill, sizeof content);
    material_text(&m, type);
    material_string(&m, content, sizeof content);
    return m;
}
