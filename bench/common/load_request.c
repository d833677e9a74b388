/* Requests are put together from three ready pieces around the id and the file's name, so that one
 * costs a few copies and no formatting of JSON. Expected contents are made once, plain and escaped:
 * judging an answer then is one search and one comparison (load_answer.c). */
#include "load_request.h"

#include "content.h"
#include "load_answer.h"
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what)
{
    fprintf(stderr, "bench_load: %s\n", what);
    return -1;
}

static int make_pieces(struct load_requests *r, const char *host, const char *dir)
{
    int head = snprintf(r->head, sizeof r->head, "{\"jsonrpc\":\"2.0\",\"id\":");
    int middle = snprintf(r->middle, sizeof r->middle,
                          ",\"method\":\"tools/call\",\"params\":{\"name\":\"scout\","
                          "\"arguments\":{\"target\":\"%s:%s/",
                          host, dir);
    int tail = snprintf(r->tail, sizeof r->tail,
                        "\"},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}\n");
    if (strpbrk(dir, "\"\\") || strpbrk(host, "\"\\"))
        return fail("--dir and --host may have no quote or backslash");
    if (middle + head + tail + 2 * CONTENT_NAME_SIZE >= LOAD_REQUEST_MAX)
        return fail("--dir is too long");
    r->head_len = (size_t)head;
    r->middle_len = (size_t)middle;
    r->tail_len = (size_t)tail;
    return 0;
}

static int make_expected(struct load_requests *r, size_t bytes)
{
    r->plain = calloc(2 * r->files, sizeof *r->plain);
    r->memory = malloc(r->files * bytes * 7 + 1); /* plain, and six times that at most escaped */
    if (!r->plain || !r->memory)
        return fail("out of memory");
    r->escaped = r->plain + r->files;
    uint8_t *at = r->memory;
    for (size_t i = 0; i < r->files; i++) {
        content_fill((uint32_t)i, at, bytes);
        r->plain[i] = slice_of(at, bytes);
        at += bytes;
        r->escaped[i] = slice_of(at, load_escape(r->plain[i], at));
        at += r->escaped[i].len;
    }
    return 0;
}

int load_requests_init(struct load_requests *r, const char *host, const char *dir, size_t files,
                       size_t bytes)
{
    *r = (struct load_requests){.files = files};
    return make_pieces(r, host, dir) ? -1 : make_expected(r, bytes);
}

void load_requests_fini(struct load_requests *r)
{
    free(r->plain);
    free(r->memory);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

size_t load_request_put(const struct load_requests *r, unsigned long number, uint8_t *out)
{
    char digits[24], name[CONTENT_NAME_SIZE];
    int digits_len = snprintf(digits, sizeof digits, "%lu", number);
    content_name((uint32_t)(number % r->files), name);
    uint8_t *at = put(out, r->head, r->head_len);
    at = put(at, digits, (size_t)digits_len);
    at = put(at, r->middle, r->middle_len);
    at = put(at, name, strlen(name));
    at = put(at, r->tail, r->tail_len);
    return (size_t)(at - out);
}

bool load_request_is_answered(const struct load_requests *r, unsigned long number,
                              struct slice line)
{
    size_t file = number % r->files;
    return load_answer_is(line, r->plain[file], r->escaped[file]);
}
