/* Secrets that tell what they are by how they begin: a prefix, then so many characters of an
 * alphabet; JSON web tokens; hashes of passwords as crypt(3) writes them. */
#include "redact_find.h"

#define JWT_PART_MIN 10 /* characters */
#define HASH_MIN     20 /* of the hash itself, behind its salt */

/* Charsets: 'A' capital letters and digits, 'a' all letters and digits, others themselves. */
static bool is_in(const char *charset, uint8_t c)
{
    if (charset[0] == 'A')
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    return redact_is_alnum(c) || (c && strchr(charset + 1, c));
}

static size_t run_end(const struct redact_scan *s, size_t at, const char *charset)
{
    while (at < s->text.len && is_in(charset, s->text.data[at]))
        at++;
    return at;
}

bool redact_token(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    if (redact_is_alnum(redact_byte_before(s, w->from)))
        return false;
    size_t end = run_end(s, w->to, w->rule->charset);
    if (end - w->to < w->rule->least)
        return false;
    out->from = w->from;
    out->to = end;
    return true;
}

/* header.payload.signature, the first two of which are JSON objects in base64. */
bool redact_jwt(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    if (redact_is_alnum(redact_byte_before(s, w->from)))
        return false;
    size_t header = run_end(s, w->to, "a_-");
    if (header - w->to < JWT_PART_MIN || redact_byte(s, header) != '.')
        return false;
    size_t payload = run_end(s, header + 1, "a_-");
    if (payload - header <= JWT_PART_MIN)
        return false;
    bool is_object = memcmp(s->text.data + header + 1, "ey", 2) == 0;
    bool is_signed = redact_byte(s, payload) == '.';
    if (!is_object && !is_signed)
        return false;
    out->from = w->from;
    out->to = is_signed ? run_end(s, payload + 1, "a_-") : payload;
    return true;
}

/* $id$salt$hash, maybe with parameters before the salt. */
bool redact_hash(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t part = w->to, end = run_end(s, part, "a./=,");
    for (int parts = 0; parts < 3 && redact_byte(s, end) == '$'; parts++) {
        part = end + 1;
        end = run_end(s, part, "a./=,");
    }
    if (redact_is_alnum(redact_byte_before(s, w->from)) || end - part < HASH_MIN)
        return false;
    out->from = w->from;
    out->to = end;
    return true;
}
