/* The known host keys, and the verdict over one.
 *
 * What it is not: it reads no file and adds nothing to one; a key that is not known is refused, not
 * learnt. Lines and name matching are in known_hosts_line.c.
 *
 * The verdict is found key first: a hashed name costs an HMAC for each entry that it is compared
 * with, so only entries with the very key are compared at first. That settles a revoked key
 * (it beats everything, under the name with or without the port) and a known one, which is nearly
 * always. Only for a key that is neither are all entries gone through, to tell changed from
 * unknown. As in OpenSSH, a host on another port than 22 may also be known by its name alone.
 *
 * An entry that covers neither of a host's two names has no part in any verdict over that host, nor
 * in a text. Hence known_hosts_narrow may drop it, and keeps of the others what they cover: then no
 * hash is computed any more. */
#include "scout/ssh/known_hosts.h"

#include "known_hosts_private.h"
#include "scout/base/error.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_GROW 64

int known_hosts_new(struct known_hosts **out)
{
    struct known_hosts *k = calloc(1, sizeof *k);
    if (!k)
        return SCOUT_E_NOMEM;
    k->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!k->hmac) {
        free(k);
        return SCOUT_E_NOMEM;
    }
    *out = k;
    return 0;
}

void known_hosts_free(struct known_hosts *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++)
        free(k->entries[i]);
    for (uint32_t i = 0; i < k->name_count; i++)
        free(k->names[i]);
    free(k->entries);
    free(k->only_host);
    EVP_MAC_free(k->hmac);
    free(k);
}

static int add_line(struct known_hosts *k, uint32_t number, struct slice line)
{
    if (line.len > KNOWN_HOSTS_LINE_MAX)
        return line.data[0] == '#' ? 0 : SCOUT_E_LIMIT; /* it might revoke something */
    struct known_entry *e = NULL;
    int found = known_line_parse(line, &e);
    if (found <= 0)
        return found;
    if (k->count == k->size) {
        size_t size = k->size ? k->size * 2 : ENTRIES_GROW;
        struct known_entry **entries = realloc(k->entries, size * sizeof *entries);
        if (!entries) {
            free(e);
            return SCOUT_E_NOMEM;
        }
        k->entries = entries;
        k->size = size;
    }
    if (k->count == KNOWN_HOSTS_ENTRIES_MAX) {
        free(e);
        return SCOUT_E_LIMIT;
    }
    e->file = k->name_count - 1;
    e->line = number;
    k->entries[k->count++] = e;
    return 0;
}

int known_hosts_add_text(struct known_hosts *k, const char *name, struct slice text)
{
    assert(!k->only_host);
    if (k->name_count == KNOWN_HOSTS_FILES_MAX)
        return SCOUT_E_LIMIT;
    k->names[k->name_count] = strdup(name);
    if (!k->names[k->name_count])
        return SCOUT_E_NOMEM;
    k->name_count++;
    int error = 0;
    for (uint32_t number = 1; text.len > 0 && !error; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        struct slice line = slice_of(text.data, len);
        text = slice_skip(text, len + (end ? 1 : 0));
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        error = add_line(k, number, line);
    }
    return error;
}

/* ---- names ---- */

bool known_hosts_names(const struct known_hosts *k, struct known_names *n, const char *host,
                       uint16_t port)
{
    if (!known_names_init(n, k->hmac, host, port))
        return false;
    assert(!k->only_host || (port == k->only_port && strcmp(n->bare, k->only_host) == 0));
    return true;
}

bool known_hosts_covers(const struct known_hosts *k, const struct known_entry *e,
                        struct known_names *n)
{
    return k->only_host ? e->covers_with_port : known_entry_covers(e, n, n->with_port);
}

bool known_hosts_covers_bare(const struct known_hosts *k, const struct known_entry *e,
                             struct known_names *n)
{
    return k->only_host ? e->covers_bare : known_entry_covers(e, n, n->bare);
}

/* Fills in what the entries cover; with it they are narrowed. False when it could not be found out,
 * or not be noted. */
static bool judge_names(struct known_hosts *k, struct known_names *n, uint16_t port)
{
    bool one = strcmp(n->with_port, n->bare) == 0;
    for (size_t i = 0; i < k->count && !n->failed; i++) {
        struct known_entry *e = k->entries[i];
        e->covers_with_port = known_entry_covers(e, n, n->with_port);
        e->covers_bare = one ? e->covers_with_port : known_entry_covers(e, n, n->bare);
    }
    if (!n->failed)
        k->only_host = strdup(n->bare);
    k->only_port = port;
    return k->only_host != NULL;
}

void known_hosts_narrow(struct known_hosts *k, const char *host, uint16_t port)
{
    struct known_names n;
    if (!known_hosts_names(k, &n, host, port))
        return;
    if (!k->only_host && judge_names(k, &n, port)) {
        size_t kept = 0;
        for (size_t i = 0; i < k->count; i++) {
            struct known_entry *e = k->entries[i];
            if (e->covers_with_port || e->covers_bare)
                k->entries[kept++] = e;
            else
                free(e);
        }
        k->count = kept;
        struct known_entry **fewer = realloc(k->entries, (kept + 1) * sizeof *fewer);
        if (fewer) {
            k->entries = fewer;
            k->size = kept + 1;
        }
    }
    known_names_fini(&n);
}

/* ---- the verdict ---- */

/* What the entries say about one key of one host. */
struct findings {
    const struct known_entry *match, *revoked, *changed, *other_type, *ca;
};

/* Entries with this very key. */
static void find_same_key(const struct known_hosts *k, struct known_names *n, struct slice key,
                          struct findings *f)
{
    const struct known_entry *bare = NULL;
    for (size_t i = 0; i < k->count && !f->revoked; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_CA || !slice_equal(e->key, key))
            continue;
        bool by_port = known_hosts_covers(k, e, n);
        bool by_name = !by_port && known_hosts_covers_bare(k, e, n);
        if (e->marker == KNOWN_REVOKED && (by_port || by_name))
            f->revoked = e;
        else if (e->marker == KNOWN_PLAIN && by_port && !f->match)
            f->match = e;
        else if (e->marker == KNOWN_PLAIN && by_name && !bare)
            bare = e;
    }
    if (f->match || f->revoked || !bare)
        return;
    /* Known by name alone: good, unless another key is known for this very port. */
    for (size_t i = 0; i < k->count; i++)
        if (k->entries[i]->marker == KNOWN_PLAIN && known_hosts_covers(k, k->entries[i], n))
            return;
    f->match = bare;
}

/* Entries of the host with other keys. */
static void find_other_keys(const struct known_hosts *k, struct known_names *n, struct slice key,
                            struct findings *f)
{
    struct slice type = known_key_type(key);
    for (size_t i = 0; i < k->count && !f->changed; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_REVOKED || !known_hosts_covers(k, e, n))
            continue;
        if (e->marker == KNOWN_CA)
            f->ca = f->ca ? f->ca : e;
        else if (slice_equal(e->type, type))
            f->changed = e;
        else if (!f->other_type)
            f->other_type = e;
    }
}

static enum known_hosts_verdict judge(const struct findings *f, const struct known_entry **decided)
{
    if ((*decided = f->revoked))
        return KNOWN_HOSTS_REVOKED;
    if ((*decided = f->match))
        return KNOWN_HOSTS_MATCH;
    if ((*decided = f->changed))
        return KNOWN_HOSTS_CHANGED;
    if ((*decided = f->other_type))
        return KNOWN_HOSTS_UNKNOWN;
    if ((*decided = f->ca))
        return KNOWN_HOSTS_CA_ONLY;
    return KNOWN_HOSTS_UNKNOWN;
}

enum known_hosts_verdict known_hosts_check(const struct known_hosts *k, const char *host,
                                           uint16_t port, struct slice key, char *line,
                                           size_t line_size)
{
    struct known_names n;
    struct findings f = {0};
    const struct known_entry *decided = NULL;
    enum known_hosts_verdict verdict = KNOWN_HOSTS_UNKNOWN;
    if (known_key_type(key).len > 0 && known_hosts_names(k, &n, host, port)) {
        find_same_key(k, &n, key, &f);
        if (!f.match && !f.revoked)
            find_other_keys(k, &n, key, &f);
        if (!n.failed)
            verdict = judge(&f, &decided);
        known_names_fini(&n);
    }
    if (line && line_size > 0) {
        line[0] = '\0';
        if (decided)
            snprintf(line, line_size, "%s:%u", k->names[decided->file], (unsigned)decided->line);
    }
    return verdict;
}
