/* A pool over getrandom(2), so that an id of a few bytes costs no system call.
 *
 * Bytes are wiped from the pool when they are taken: what was handed out as a secret cannot be read
 * here later. It never blocks: before the kernel's generator is seeded (early boot of a machine
 * without a seed) getrandom refuses under GRND_NONBLOCK, and GRND_INSECURE gives what there is. */
#include "random.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

static void fill(uint8_t *out, size_t len)
{
    unsigned flags = GRND_NONBLOCK;
    while (len > 0) {
        ssize_t got = getrandom(out, len, flags);
        if (got < 0 && errno == EAGAIN) {
            flags = GRND_INSECURE;
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        assert(got > 0); /* the call exists since Linux 3.17 and has no other failure */
        out += got;
        len -= (size_t)got;
    }
}

void random_take(struct random_pool *pool, void *out, size_t len)
{
    uint8_t *to = out;
    while (len > 0) {
        if (pool->left == 0) {
            fill(pool->bytes, sizeof pool->bytes);
            pool->left = sizeof pool->bytes;
        }
        size_t take = len < pool->left ? len : pool->left;
        uint8_t *from = pool->bytes + sizeof pool->bytes - pool->left;
        memcpy(to, from, take);
        explicit_bzero(from, take);
        pool->left -= take;
        to += take;
        len -= take;
    }
}
