/* A record is right when it is one JSON object with a head, its number follows the last one's, and
 * its `prev` is the last one's hash. Lines that are no record are let pass only when the next
 * record is one of `torn` that tells their length and hash: that is how a write which was cut short
 * looks. */
#include "audit_check.h"

#include "scout/base/json.h"
#include <stdio.h>
#include <stdlib.h>

void audit_check_init(struct audit_check *c)
{
    *c = (struct audit_check){.records = 0};
    memcpy(c->last, CHAIN_NO_LINE, sizeof c->last);
}

void audit_check_fini(struct audit_check *c)
{
    free(c->open);
    c->open = NULL;
}

static void hash_line(struct slice line, char *out)
{
    struct sha256 s;
    uint8_t hash[SHA256_LEN];
    sha256_init(&s);
    sha256_add(&s, line);
    sha256_end(&s, hash);
    chain_hex(hash, out);
}

/* ---- what is no record ---- */

static void add_region(struct audit_check *c, struct slice line)
{
    if (!c->in_region)
        sha256_init(&c->region);
    else
        sha256_add(&c->region, slice_str("\n"));
    c->region_len += line.len + (c->in_region ? 1 : 0);
    c->in_region = true;
    sha256_add(&c->region, line);
}

static uint64_t number(struct slice line, const char *name)
{
    struct slice raw = json_member(line, name);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.len && raw.data[i] >= '0' && raw.data[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(raw.data[i] - '0');
    return value;
}

static bool is_event(struct slice line, const char *event)
{
    return json_string_is(json_member(line, "event"), event);
}

static bool region_is_told(struct audit_check *c, struct slice line)
{
    char hash[CHAIN_HEX_LEN + 1];
    uint8_t bytes[SHA256_LEN];
    if (!c->in_region)
        return !is_event(line, "torn");
    sha256_end(&c->region, bytes);
    chain_hex(bytes, hash);
    bool told = is_event(line, "torn") && number(line, "bytes") == c->region_len &&
                json_string_is(json_member(line, "sha256"), hash);
    c->in_region = false;
    c->region_len = 0;
    c->torn++;
    return told;
}

/* ---- effects ---- */

static bool effect_begins(struct audit_check *c, uint64_t call)
{
    if (c->open_count == c->open_size) {
        size_t size = c->open_size ? c->open_size * 2 : 64;
        uint64_t *open =
            size <= AUDIT_CHECK_OPEN_MAX ? realloc(c->open, size * sizeof *open) : NULL;
        if (!open)
            return false;
        c->open = open;
        c->open_size = size;
    }
    c->open[c->open_count++] = call;
    return true;
}

static bool effect_ends(struct audit_check *c, uint64_t call)
{
    for (size_t i = c->open_count; i-- > 0;)
        if (c->open[i] == call) {
            c->open[i] = c->open[--c->open_count];
            return true;
        }
    return false;
}

void audit_check_end(struct audit_check *c)
{
    c->unfinished += c->open_count;
    c->open_count = 0;
}

/* ---- records ---- */

static bool refuse(struct audit_check *c, const char *why)
{
    snprintf(c->why, sizeof c->why, "%s", why);
    return false;
}

static bool take_event(struct audit_check *c, struct slice line)
{
    uint64_t call = number(line, "call");
    if (is_event(line, "begin") && !effect_begins(c, call))
        return refuse(c, "too many effects are under way at one time");
    /* The record of the begin may be in a file before this one, or among the lost ones. */
    if (is_event(line, "end") && !effect_ends(c, call) && c->first_seq == 1 && c->lost == 0)
        return refuse(c, "it ends an effect that has not begun");
    if (is_event(line, "start"))
        audit_check_end(c);
    if (is_event(line, "gap"))
        c->lost += number(line, "lost");
    return true;
}

static bool follows(struct audit_check *c, const struct chain_head *head)
{
    if (c->records == 0 && head->seq > 1)
        return true; /* a file that goes on from one that is not here */
    if (head->seq != c->last_seq + 1) {
        snprintf(c->why, sizeof c->why, "record %llu follows record %llu: %s",
                 (unsigned long long)head->seq, (unsigned long long)c->last_seq,
                 head->seq > c->last_seq ? "records are missing between them"
                                         : "records were inserted or moved");
        return false;
    }
    if (!slice_is(head->prev, c->last))
        return refuse(c, c->records ? "the record before it was changed, or this one was"
                                    : "the first record names a record before it");
    return true;
}

static bool take_record(struct audit_check *c, struct slice line, const struct chain_head *head)
{
    if (!follows(c, head))
        return false;
    if (!region_is_told(c, line))
        return refuse(c, "what stands before it is no record, and no record tells of it");
    if (c->records++ == 0)
        c->first_seq = head->seq;
    c->last_seq = head->seq;
    if (json_string(json_member(line, "time"), c->last_time, sizeof c->last_time) < 0)
        return refuse(c, "it has no time");
    if (!c->first_time[0])
        snprintf(c->first_time, sizeof c->first_time, "%s", c->last_time);
    hash_line(line, c->last);
    return take_event(c, line);
}

bool audit_check_line(struct audit_check *c, struct slice line)
{
    struct chain_head head;
    struct json_error fault;
    if (line.len <= CHAIN_LINE_MAX && chain_head_read(line, &head) && json_check(line, &fault) == 0)
        return take_record(c, line, &head);
    add_region(c, line);
    return true;
}
