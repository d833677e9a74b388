/* One list in the order of age: the oldest go first, whether for their age or for want of room. The
 * bounds are small enough that looking through the list is cheap. A handle of another owner is not
 * told from one that never was. */
#include "scout/tools/output_store.h"

#include "scout/base/container.h"
#include "scout/base/list.h"
#include "scout/base/time.h"
#include <assert.h>
#include <stdlib.h>

struct kept {
    struct list node;
    uint64_t until_ns;
    char owner[IDENTITY_NAME_MAX + 1];
    char handle[OUTPUT_HANDLE_SIZE];
    struct buf text;
};

struct output_store {
    struct io *io;
    struct io_timer timer; /* at the end of the oldest */
    struct list kept;      /* the oldest first */
    size_t count, bytes;
};

static struct kept *oldest(const struct output_store *s)
{
    return list_empty(&s->kept) ? NULL : CONTAINER_OF(s->kept.next, struct kept, node);
}

static void drop(struct output_store *s, struct kept *k)
{
    list_remove(&k->node);
    s->count--;
    s->bytes -= buf_len(&k->text);
    buf_fini(&k->text);
    free(k);
}

static void on_timer(struct io_timer *timer);

static void set_timer(struct output_store *s)
{
    const struct kept *k = oldest(s);
    if (k)
        io_timer_start(s->io, &s->timer, k->until_ns, on_timer);
    else
        io_timer_stop(s->io, &s->timer);
}

static void on_timer(struct io_timer *timer)
{
    struct output_store *s = CONTAINER_OF(timer, struct output_store, timer);
    for (struct kept *k; (k = oldest(s)) && k->until_ns <= io_now(s->io);)
        drop(s, k);
    set_timer(s);
}

struct output_store *output_store_new(struct io *io)
{
    struct output_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->io = io;
    list_init(&s->kept);
    io_timer_init(&s->timer);
    return s;
}

void output_store_free(struct output_store *s)
{
    if (!s)
        return;
    while (oldest(s))
        drop(s, oldest(s));
    io_timer_stop(s->io, &s->timer);
    free(s);
}

void output_store_handle(struct output_store *s, char handle[OUTPUT_HANDLE_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[17] = {0}; /* 128 bits, and what the last digit lacks */
    char *at = handle + strlen(strcpy(handle, "out_"));
    io_random(s->io, random, 16);
    for (size_t bit = 0; bit < 128; bit += 6) {
        unsigned pair = (unsigned)random[bit / 8] << 8 | random[bit / 8 + 1];
        *at++ = digits[pair >> (10 - bit % 8) & 63];
    }
    *at = '\0';
}

/* Makes room for `size` bytes more of that owner. */
static void make_room(struct output_store *s, const char *owner, size_t size)
{
    size_t count = 0, bytes = 0;
    for (struct list *at = s->kept.next; at != &s->kept; at = at->next) {
        const struct kept *k = CONTAINER_OF(at, struct kept, node);
        bool is_own = strcmp(k->owner, owner) == 0;
        count += is_own;
        bytes += is_own ? buf_len(&k->text) : 0;
    }
    for (struct list *at = s->kept.next, *next; at != &s->kept; at = next) {
        struct kept *k = CONTAINER_OF(at, struct kept, node);
        next = at->next;
        if (count < OUTPUT_OWNER_COUNT_MAX && bytes + size <= OUTPUT_OWNER_BYTES_MAX)
            break;
        if (strcmp(k->owner, owner) != 0)
            continue;
        count--;
        bytes -= buf_len(&k->text);
        drop(s, k);
    }
    while (oldest(s) && (s->count >= OUTPUT_COUNT_MAX || s->bytes + size > OUTPUT_BYTES_MAX))
        drop(s, oldest(s));
}

void output_store_put(struct output_store *s, const struct identity *owner, const char *handle,
                      struct buf *text)
{
    struct kept *k = malloc(sizeof *k);
    if (!k)
        return;
    assert(buf_len(text) <= OUTPUT_OWNER_BYTES_MAX);
    make_room(s, owner->name, buf_len(text));
    *k = (struct kept){.until_ns = io_now(s->io) + OUTPUT_KEEP_S * (uint64_t)NS_PER_S};
    strcpy(k->owner, owner->name);
    strcpy(k->handle, handle);
    buf_init(&k->text, text->max);
    buf_swap(&k->text, text);
    list_append(&s->kept, &k->node);
    s->count++;
    s->bytes += buf_len(&k->text);
    set_timer(s);
}

bool output_store_get(const struct output_store *s, const struct identity *owner,
                      const char *handle, struct slice *text)
{
    for (struct list *at = s->kept.next; at != &s->kept; at = at->next) {
        const struct kept *k = CONTAINER_OF(at, struct kept, node);
        if (strcmp(k->owner, owner->name) != 0 || strcmp(k->handle, handle) != 0 ||
            k->until_ns <= io_now(s->io))
            continue;
        *text = buf_peek(&k->text);
        return true;
    }
    return false;
}
