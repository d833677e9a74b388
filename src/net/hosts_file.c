/* hosts(5) as a table.
 *
 * What it is not: it reads no file, and it knows no name by itself (localhost is the resolver's).
 *
 * The text is kept once; a name is a place in it, compared without regard to case. Names lie in an
 * array in the order of the file and are chained by hash from buckets; the chains keep that order,
 * because the order of a name's addresses is the order in which they are tried. Files that block
 * advertising have some hundred thousand names, hence no allocation for each. */
#include "hosts_file.h"

#include "scout/base/error.h"
#include <stdlib.h>

#define NONE       UINT32_MAX
#define ARRAY_GROW 64u

struct name {
    uint32_t start, len;    /* in `text` */
    uint32_t address, next; /* index of its address; of the next name in the bucket */
    uint32_t hash;
};

struct hosts_file {
    uint8_t *text;
    struct name *names;
    struct address *addresses;
    uint32_t *buckets;
    uint32_t name_count, name_size, address_count, address_size;
    uint32_t bucket_count; /* a power of two */
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* FNV-1a over lower case. */
static uint32_t hash_of(struct slice name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ lower(name.data[i])) * 16777619u;
    return hash;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next word of *line, empty at its end or at a comment. */
static struct slice next_word(struct slice *line)
{
    size_t start = 0, end;
    while (start < line->len && is_blank(line->data[start]))
        start++;
    for (end = start; end < line->len && !is_blank(line->data[end]); end++) {
        if (line->data[end] == '#') {
            line->len = end;
            break;
        }
    }
    struct slice word = slice_of(line->data + start, end - start);
    *line = slice_skip(*line, end);
    return word;
}

/* ---- building ---- */

/* Makes room for one more of `count` items. */
static bool grow(void **array, uint32_t count, uint32_t *size, size_t item_size)
{
    if (count < *size)
        return true;
    uint32_t larger = *size ? *size * 2 : ARRAY_GROW;
    void *memory = realloc(*array, larger * item_size);
    if (!memory)
        return false;
    *array = memory;
    *size = larger;
    return true;
}

static bool add_name(struct hosts_file *h, struct slice name)
{
    void *names = h->names;
    if (!grow(&names, h->name_count, &h->name_size, sizeof *h->names))
        return false;
    h->names = names;
    h->names[h->name_count++] = (struct name){.start = (uint32_t)(name.data - h->text),
                                              .len = (uint32_t)name.len,
                                              .address = h->address_count - 1,
                                              .next = NONE,
                                              .hash = hash_of(name)};
    return true;
}

static bool add_line(struct hosts_file *h, struct slice line)
{
    struct address address;
    void *addresses = h->addresses;
    if (!address_parse(next_word(&line), &address))
        return true;
    if (!grow(&addresses, h->address_count, &h->address_size, sizeof *h->addresses))
        return false;
    h->addresses = addresses;
    h->addresses[h->address_count++] = address;
    for (struct slice name = next_word(&line); name.len > 0; name = next_word(&line)) {
        if (name.len > HOSTS_FILE_NAME_MAX)
            continue;
        if (h->name_count == HOSTS_FILE_NAMES_MAX)
            break;
        if (!add_name(h, name))
            return false;
    }
    return true;
}

static bool add_text(struct hosts_file *h, struct slice text)
{
    while (text.len > 0 && h->name_count < HOSTS_FILE_NAMES_MAX) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        if (!add_line(h, slice_of(text.data, len)))
            return false;
        text = slice_skip(text, len + (end ? 1 : 0));
    }
    return true;
}

/* From the last to the first, so that each chain is in the file's order. */
static bool chain(struct hosts_file *h)
{
    h->bucket_count = 16;
    while (h->bucket_count < h->name_count)
        h->bucket_count *= 2;
    h->buckets = malloc(h->bucket_count * sizeof *h->buckets);
    if (!h->buckets)
        return false;
    for (uint32_t i = 0; i < h->bucket_count; i++)
        h->buckets[i] = NONE;
    for (uint32_t i = h->name_count; i-- > 0;) {
        uint32_t *bucket = &h->buckets[h->names[i].hash & (h->bucket_count - 1)];
        h->names[i].next = *bucket;
        *bucket = i;
    }
    return true;
}

int hosts_file_parse(struct slice text, struct hosts_file **out)
{
    struct hosts_file *h = calloc(1, sizeof *h);
    if (text.len > HOSTS_FILE_SIZE_MAX) {
        const uint8_t *end = memrchr(text.data, '\n', HOSTS_FILE_SIZE_MAX);
        text.len = end ? (size_t)(end - text.data) : 0; /* half a name is another name */
    }
    if (h)
        h->text = malloc(text.len + 1);
    if (!h || !h->text) {
        hosts_file_free(h);
        return SCOUT_E_NOMEM;
    }
    if (text.len > 0)
        memcpy(h->text, text.data, text.len); /* as it is: an interface's name has its case */
    if (!add_text(h, slice_of(h->text, text.len)) || !chain(h)) {
        hosts_file_free(h);
        return SCOUT_E_NOMEM;
    }
    *out = h;
    return 0;
}

void hosts_file_free(struct hosts_file *h)
{
    if (!h)
        return;
    free(h->text);
    free(h->names);
    free(h->addresses);
    free(h->buckets);
    free(h);
}

/* ---- looking up ---- */

static bool is_name(const struct hosts_file *h, const struct name *n, struct slice name)
{
    if (n->len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (lower(h->text[n->start + i]) != lower(name.data[i]))
            return false;
    return true;
}

bool hosts_file_find(const struct hosts_file *h, struct slice name, struct address_list *out)
{
    bool found = false;
    if (!h)
        return false;
    uint32_t hash = hash_of(name);
    uint32_t i = h->buckets[hash & (h->bucket_count - 1)];
    for (; i != NONE; i = h->names[i].next) {
        const struct name *n = &h->names[i];
        if (n->hash != hash || !is_name(h, n, name))
            continue;
        address_list_add(out, &h->addresses[n->address]);
        found = true;
    }
    return found;
}

uint32_t hosts_file_count(const struct hosts_file *h)
{
    return h ? h->name_count : 0;
}
