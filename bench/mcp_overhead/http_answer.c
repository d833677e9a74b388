/* Answers of known length or in chunks, with JSON or events as their body; nothing else comes from
 * the servers that are measured here. */
#include "http_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header in the head, which ends with an empty line; NULL: there is none. */
static const char *header(const uint8_t *head, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    const char *at = (const char *)head, *end = at + len;
    while ((at = memmem(at, (size_t)(end - at), "\r\n", 2)) != NULL) {
        at += 2;
        if ((size_t)(end - at) > name_len + 1 && strncasecmp(at, name, name_len) == 0 &&
            at[name_len] == ':')
            return at + name_len + 1 + strspn(at + name_len + 1, " ");
    }
    return NULL;
}

/* Puts the chunks at `body` together; *whole is how much they took up. As http_answer_take. */
static long join_chunks(uint8_t *body, size_t len, size_t *whole)
{
    size_t at = 0, joined = 0;
    for (;;) {
        const uint8_t *line = memmem(body + at, len - at, "\r\n", 2);
        if (!line)
            return 0;
        char *end;
        unsigned long size = strtoul((const char *)body + at, &end, 16);
        if (end == (char *)body + at)
            return -1;
        at = (size_t)(line - body) + 2;
        if (size > len || at + size + 2 > len)
            return 0;
        memmove(body + joined, body + at, size);
        joined += size;
        at += size + 2;
        if (size == 0) {
            *whole = at;
            return (long)joined;
        }
    }
}

/* Whether all chunks have come, so that they may be put together. */
static bool has_all_chunks(const uint8_t *body, size_t len)
{
    size_t at = 0;
    for (;;) {
        const uint8_t *line = memmem(body + at, len - at, "\r\n", 2);
        if (!line)
            return false;
        unsigned long size = strtoul((const char *)body + at, NULL, 16);
        at = (size_t)(line - body) + 2 + size + 2;
        if (size > len || at > len)
            return false;
        if (size == 0)
            return true;
    }
}

/* Of events, the data of the last one. */
static struct slice message_of(struct slice body)
{
    static const char mark[] = "data: ";
    struct slice found = body;
    if (body.len > 0 && body.data[0] == '{')
        return body;
    for (const uint8_t *at; (at = memmem(body.data, body.len, mark, sizeof mark - 1)) != NULL;) {
        body = slice_skip(body, (size_t)(at - body.data) + sizeof mark - 1);
        const uint8_t *end = memchr(body.data, '\n', body.len);
        found = slice_of(body.data, end ? (size_t)(end - body.data) : body.len);
    }
    return found;
}

long http_answer_take(uint8_t *in, size_t len, struct http_answer *out)
{
    const uint8_t *end = memmem(in, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - in) + 4, body_len = 0, whole = 0;
    if (head < 17 || memcmp(in, "HTTP/1.1 ", 9) != 0)
        return -1;
    const char *length = header(in, head, "content-length"), *chunked = NULL;
    const char *session = header(in, head, "mcp-session-id");
    if (length)
        body_len = whole = strtoul(length, NULL, 10);
    else
        chunked = header(in, head, "transfer-encoding");
    if (whole > len - head || (chunked && !has_all_chunks(in + head, len - head)))
        return 0;
    out->status = atoi((const char *)in + 9);
    out->session[0] = '\0';
    if (session && strcspn(session, "\r") < sizeof out->session) {
        size_t session_len = strcspn(session, "\r");
        memcpy(out->session, session, session_len);
        out->session[session_len] = '\0';
    }
    if (chunked) {
        long joined = join_chunks(in + head, len - head, &whole);
        if (joined < 0)
            return -1;
        body_len = (size_t)joined;
    }
    out->message = message_of(slice_of(in + head, body_len));
    return (long)(head + whole);
}
