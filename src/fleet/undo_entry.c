/* The head of a kept state, to bytes and back. What is read back is checked whole: lengths, flags,
 * and strings without a NUL, none of them empty; a file from elsewhere is no state. */
#include "undo_entry.h"

#include <assert.h>

static const char magic[] = "SCUNDO1\n";

enum { OF_UNDO = 1, WAS_THERE = 2, HAS_MODE = 4, IS_THERE = 8, ALL_FLAGS = 15 };

static void put_number(uint8_t *at, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* ---- writing ---- */

static int put_text(struct buf *out, const char *text)
{
    uint8_t len[2];
    put_number(len, strlen(text), sizeof len);
    int error = buf_append(out, slice_of(len, sizeof len));
    return error ? error : buf_append_str(out, text);
}

int undo_entry_write(const struct undo_state *s, struct buf *out)
{
    uint8_t fixed[UNDO_FIXED_LEN];
    uint32_t flags = (s->of_undo ? OF_UNDO : 0u) | (s->was_there ? WAS_THERE : 0u) |
                     (s->has_mode ? HAS_MODE : 0u) | (s->is_there ? IS_THERE : 0u);
    size_t len = UNDO_FIXED_LEN + 3 * 2 + strlen(s->owner) + strlen(s->host) + strlen(s->path);
    memcpy(fixed, magic, 8);
    put_number(fixed + 8, len, 4);
    put_number(fixed + 12, flags, 4);
    put_number(fixed + 16, s->mode, 4);
    put_number(fixed + 20, s->time_ms, 8);
    put_number(fixed + 28, s->content.len, 8);
    memcpy(fixed + 36, s->hash, UNDO_HASH_LEN);
    int error = buf_append(out, slice_of(fixed, sizeof fixed));
    error = error ? error : put_text(out, s->owner);
    error = error ? error : put_text(out, s->host);
    return error ? error : put_text(out, s->path);
}

/* ---- reading ---- */

static bool take_text(struct slice *rest, char *out, size_t max)
{
    size_t len = rest->len >= 2 ? (size_t)get_number(rest->data, 2) : 0;
    if (len == 0 || len > max || len > rest->len - 2 || memchr(rest->data + 2, '\0', len))
        return false;
    memcpy(out, rest->data + 2, len);
    out[len] = '\0';
    *rest = slice_skip(*rest, 2 + len);
    return true;
}

static bool take_fixed(const uint8_t *at, struct undo_state *out)
{
    uint64_t flags = get_number(at + 12, 4), mode = get_number(at + 16, 4);
    uint64_t content_len = get_number(at + 28, 8);
    if (flags & ~(uint64_t)ALL_FLAGS || mode > 07777 || content_len > UNDO_FILE_MAX)
        return false;
    out->of_undo = flags & OF_UNDO;
    out->was_there = flags & WAS_THERE;
    out->has_mode = flags & HAS_MODE;
    out->is_there = flags & IS_THERE;
    out->mode = (uint32_t)mode;
    out->time_ms = get_number(at + 20, 8);
    out->content = slice_of(NULL, (size_t)content_len);
    memcpy(out->hash, at + 36, UNDO_HASH_LEN);
    return out->was_there || content_len == 0;
}

int undo_entry_read(struct slice bytes, struct undo_state *out)
{
    if (bytes.len < UNDO_FIXED_LEN || memcmp(bytes.data, magic, 8) != 0)
        return SCOUT_E_PARSE;
    uint64_t len = get_number(bytes.data + 8, 4);
    if (len < UNDO_FIXED_LEN || len > UNDO_HEAD_MAX || len > bytes.len)
        return SCOUT_E_PARSE;
    struct slice rest = slice_of(bytes.data + UNDO_FIXED_LEN, (size_t)len - UNDO_FIXED_LEN);
    bool whole = take_fixed(bytes.data, out) && take_text(&rest, out->owner, IDENTITY_NAME_MAX) &&
                 take_text(&rest, out->host, UNDO_HOST_MAX) &&
                 take_text(&rest, out->path, UNDO_PATH_MAX) && rest.len == 0;
    return whole ? (int)len : SCOUT_E_PARSE;
}

/* ---- ids ---- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void undo_entry_id(const uint8_t random[16], char id[UNDO_ID_LEN + 1])
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 5;
    memcpy(id, "undo_", 5);
    for (size_t i = 0; i < 16; i++) {
        bits = (bits << 8 | random[i]) & 0xffff;
        for (count += 8; count >= 6; count -= 6)
            id[len++] = letters[bits >> (count - 6) & 63];
    }
    id[len++] = letters[bits << (6 - count) & 63];
    id[len] = '\0';
    assert(len == UNDO_ID_LEN);
}

bool undo_is_id(const char *text)
{
    return strncmp(text, "undo_", 5) == 0 && strspn(text + 5, letters) == UNDO_ID_LEN - 5 &&
           text[UNDO_ID_LEN] == '\0';
}
