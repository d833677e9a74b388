/* ITEM HOST SUM, in hexadecimal. */
#include "resource_cursor.h"

#define SUM_LEN 4

/* FNV-1a over the list's letter and the place. */
static void put_sum(char list, const uint8_t *bytes, size_t len, uint8_t sum[SUM_LEN])
{
    uint32_t hash = (2166136261u ^ (uint8_t)list) * 16777619u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    for (int i = 0; i < SUM_LEN; i++)
        sum[i] = (uint8_t)(hash >> 8 * i);
}

static size_t put_bytes(char list, const struct resource_place *place, uint8_t *bytes)
{
    size_t len = strlen(place->host);
    bytes[0] = place->item;
    memcpy(bytes + 1, place->host, len);
    put_sum(list, bytes, 1 + len, bytes + 1 + len);
    return 1 + len + SUM_LEN;
}

void resource_cursor_write(char list, const struct resource_place *place, char *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[1 + TARGET_HOST_MAX + SUM_LEN];
    size_t len = put_bytes(list, place, bytes);
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool resource_cursor_read(char list, const char *text, struct resource_place *place)
{
    uint8_t bytes[1 + TARGET_HOST_MAX + SUM_LEN], sum[SUM_LEN];
    size_t len = strlen(text);
    if (len % 2 || len / 2 < 1 + SUM_LEN || len / 2 > sizeof bytes)
        return false;
    len /= 2;
    for (size_t i = 0; i < len; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    len -= SUM_LEN;
    put_sum(list, bytes, len, sum);
    if (memcmp(sum, bytes + len, SUM_LEN) != 0 || memchr(bytes + 1, '\0', len - 1))
        return false;
    place->item = bytes[0];
    memcpy(place->host, bytes + 1, len - 1);
    place->host[len - 1] = '\0';
    return true;
}
