/* The memory that libssh2 uses for one session.
 *
 * Every block is in a list of the session's and counted. So there is a limit to what a host can
 * make libssh2 keep: packets that nobody asked for stay in its queue for ever, and a length in a
 * packet can ask for 4 GiB. What libssh2 itself forgets (a connection that ends within a key
 * exchange) goes with the session. Blocks are zeroed, because 1.10 reads an exit signal whose name
 * was cut off from memory that it never wrote. And there is slack behind each: 1.10 takes the 32
 * bytes of an Ed25519 host key without a look at where the host's packet ends. */
#include "session_state.h"

#include <stdlib.h>
#include <string.h>

#define SLACK 64 /* bytes: more than any number of bytes that libssh2 takes for granted */

struct block {
    struct list node;
    size_t len;
    size_t unused; /* so that the bytes behind it are aligned as malloc's are */
};

_Static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0, "the payload must be aligned");

static struct block *block_of(void *bytes)
{
    return (struct block *)bytes - 1;
}

void *session_alloc(size_t len, void **abstract)
{
    struct session *s = *abstract;
    if (len > SSH_MEMORY_MAX - s->memory_len) {
        s->memory_refused = true;
        return NULL;
    }
    struct block *b = calloc(1, sizeof *b + len + SLACK);
    if (!b)
        return NULL;
    b->len = len;
    list_append(&s->memory, &b->node);
    s->memory_len += len;
    return b + 1;
}

void *session_realloc(void *old, size_t len, void **abstract)
{
    void *bytes = session_alloc(len, abstract);
    if (bytes && old) {
        size_t old_len = block_of(old)->len;
        memcpy(bytes, old, old_len < len ? old_len : len);
        session_dealloc(old, abstract);
    }
    return bytes;
}

void session_dealloc(void *bytes, void **abstract)
{
    struct session *s = *abstract;
    if (!bytes)
        return;
    struct block *b = block_of(bytes);
    list_remove(&b->node);
    s->memory_len -= b->len;
    if (s->engine.stage == ENGINE_AUTHENTICATING)
        explicit_bzero(bytes, b->len); /* it may have been a password */
    free(b);
}

void session_memory_free(struct session *s)
{
    struct list *node;
    while ((node = list_shift(&s->memory))) {
        struct block *b = CONTAINER_OF(node, struct block, node);
        explicit_bzero(b + 1, b->len);
        free(b);
    }
    s->memory_len = 0;
}
