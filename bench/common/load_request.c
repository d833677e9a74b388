/* Requests are put together from three ready pieces around the id and the file's name, so that one
 * costs a few copies and no formatting of JSON. Expected contents are made once, plain and escaped:
 * judging an answer then is one search and one comparison (load_answer.c). */
#include "load_request.h"

#include "content.h"
#include "lightsshd/vfs.h"
#include "load_answer.h"
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what)
{
    fprintf(stderr, "bench_load: %s\n", what);
    return -1;
}

static int make_pieces(struct load_requests *r)
{
    const char *host = r->what.host, *dir = r->what.dir;
    int head = snprintf(r->head, sizeof r->head, "{\"jsonrpc\":\"2.0\",\"id\":");
    int middle = snprintf(r->middle, sizeof r->middle,
                          ",\"method\":\"tools/call\",\"params\":{\"name\":\"scout\","
                          "\"arguments\":{\"target\":\"%s",
                          host);
    int folder = snprintf(r->folder, sizeof r->folder, ":%s/", dir);
    int tail = snprintf(r->tail, sizeof r->tail,
                        "\"},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}\n");
    if (strpbrk(dir, "\"\\") || strpbrk(host, "\"\\"))
        return fail("--dir and --host may have no quote or backslash");
    if (middle + folder + head + tail + 3 * CONTENT_NAME_SIZE >= LOAD_REQUEST_MAX)
        return fail("--dir is too long");
    r->head_len = (size_t)head;
    r->middle_len = (size_t)middle;
    r->folder_len = (size_t)folder;
    r->tail_len = (size_t)tail;
    return 0;
}

static int make_expected(struct load_requests *r)
{
    size_t files = r->what.files, bytes = r->what.bytes;
    r->plain = calloc(2 * files, sizeof *r->plain);
    r->memory = malloc(files * bytes * 7 + 1); /* plain, and six times that at most escaped */
    if (!r->plain || !r->memory)
        return fail("out of memory");
    r->escaped = r->plain + files;
    uint8_t *at = r->memory;
    for (size_t i = 0; i < files; i++) {
        if (r->what.light)
            vfs_fill(0, at, bytes);
        else
            content_fill((uint32_t)i, at, bytes);
        r->plain[i] = slice_of(at, bytes);
        at += bytes;
        r->escaped[i] = slice_of(at, load_escape(r->plain[i], at));
        at += r->escaped[i].len;
    }
    return 0;
}

int load_requests_init(struct load_requests *r, const struct load_what *what)
{
    *r = (struct load_requests){.what = *what};
    if (what->light)
        r->what.files = 1;
    return make_pieces(r) ? -1 : make_expected(r);
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

static uint8_t *put_number(uint8_t *at, unsigned long number)
{
    char digits[24];
    return put(at, digits, (size_t)snprintf(digits, sizeof digits, "%lu", number));
}

size_t load_request_put(const struct load_requests *r, unsigned long number, uint8_t *out)
{
    char name[CONTENT_NAME_SIZE + 16];
    if (r->what.light)
        snprintf(name, sizeof name, "file-%zu", r->what.bytes);
    else
        content_name((uint32_t)(number % r->what.files), name);
    uint8_t *at = put(out, r->head, r->head_len);
    at = put_number(at, number);
    at = put(at, r->middle, r->middle_len);
    if (r->what.hosts)
        at = put_number(at, number % r->what.hosts + 1);
    at = put(at, r->folder, r->folder_len);
    at = put(at, name, strlen(name));
    at = put(at, r->tail, r->tail_len);
    return (size_t)(at - out);
}

bool load_request_is_answered(const struct load_requests *r, unsigned long number,
                              struct slice line)
{
    size_t file = number % r->what.files;
    return load_answer_is(line, r->plain[file], r->escaped[file]);
}
