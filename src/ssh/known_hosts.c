/* The known host keys, and the verdict over one.
 *
 * What it is not: it reads no file and adds nothing to one; a key that is not known is refused, not
 * learnt. Lines and name matching are in known_hosts_line.c.
 *
 * The verdict is found key first: a hashed name costs an HMAC for each entry that it is compared
 * with, so only entries with the very key are compared at first. That settles a revoked key
 * (it beats everything, under the name with or without the port) and a known one, which is nearly
 * always. Only for a key that is neither are all entries gone through, to tell changed from
 * unknown. As in OpenSSH, a host on another port than 22 may also be known by its name alone. */
#include "scout/ssh/known_hosts.h"

#include "known_hosts_line.h"
#include "scout/base/error.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPES_MAX    16 /* key types known for one host */
#define ENTRIES_GROW 64

struct known_hosts {
    EVP_MAC *hmac;
    struct known_entry **entries;
    size_t count, size;
    char *names[KNOWN_HOSTS_FILES_MAX];
    uint32_t name_count;
};

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
        bool covers = known_entry_covers(e, n, n->with_port);
        bool covers_bare = !covers && known_entry_covers(e, n, n->bare);
        if (e->marker == KNOWN_REVOKED && (covers || covers_bare))
            f->revoked = e;
        else if (e->marker == KNOWN_PLAIN && covers && !f->match)
            f->match = e;
        else if (e->marker == KNOWN_PLAIN && covers_bare && !bare)
            bare = e;
    }
    if (f->match || f->revoked || !bare)
        return;
    /* Known by name alone: good, unless another key of the type is known for this very port. */
    struct slice type = known_key_type(key);
    for (size_t i = 0; i < k->count; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_PLAIN && slice_equal(e->type, type) &&
            known_entry_covers(e, n, n->with_port))
            return;
    }
    f->match = bare;
}

/* Entries of the host with other keys. */
static void find_other_keys(const struct known_hosts *k, struct known_names *n, struct slice key,
                            struct findings *f)
{
    struct slice type = known_key_type(key);
    for (size_t i = 0; i < k->count && !f->changed; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_REVOKED || !known_entry_covers(e, n, n->with_port))
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
    if (known_key_type(key).len > 0 && known_names_init(&n, k->hmac, host, port)) {
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

struct types {
    struct slice known[TYPES_MAX];
    size_t count;
};

static bool types_have(const struct types *t, struct slice type)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_equal(t->known[i], type))
            return true;
    return false;
}

static void collect_types(const struct known_hosts *k, struct known_names *n, const char *name,
                          struct types *t)
{
    for (size_t i = 0; i < k->count && t->count < TYPES_MAX; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_PLAIN && !types_have(t, e->type) && known_entry_covers(e, n, name))
            t->known[t->count++] = e->type;
    }
}

/* Appends the algorithms of `offered` whose key type is known (or those whose is not). */
static int append_algorithms(const struct types *t, bool known, struct slice offered, char *out,
                             size_t out_size, size_t *len)
{
    while (offered.len > 0) {
        const uint8_t *comma = memchr(offered.data, ',', offered.len);
        size_t one_len = comma ? (size_t)(comma - offered.data) : offered.len;
        struct slice one = slice_of(offered.data, one_len);
        offered = slice_skip(offered, one_len + (comma ? 1 : 0));
        bool rsa = slice_is(one, "rsa-sha2-256") || slice_is(one, "rsa-sha2-512");
        if (types_have(t, rsa ? slice_str("ssh-rsa") : one) != known || one.len == 0)
            continue;
        if (*len + (*len > 0) + one.len >= out_size)
            return SCOUT_E_LIMIT;
        if (*len > 0)
            out[(*len)++] = ',';
        memcpy(out + *len, one.data, one.len);
        *len += one.len;
    }
    return 0;
}

int known_hosts_order(const struct known_hosts *k, const char *host, uint16_t port,
                      const char *offered, char *out, size_t out_size)
{
    struct types t = {0};
    struct known_names n;
    if (known_names_init(&n, k->hmac, host, port)) {
        collect_types(k, &n, n.with_port, &t);
        if (t.count == 0 && strcmp(n.with_port, n.bare) != 0)
            collect_types(k, &n, n.bare, &t);
        known_names_fini(&n);
    }
    size_t len = 0;
    int error = append_algorithms(&t, true, slice_str(offered), out, out_size, &len);
    if (!error)
        error = append_algorithms(&t, false, slice_str(offered), out, out_size, &len);
    if (!error && out_size == 0)
        error = SCOUT_E_LIMIT;
    if (!error)
        out[len] = '\0';
    return error;
}
