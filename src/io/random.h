/* Random bytes of the kernel, from a pool that is refilled in one call. */
#ifndef SCOUT_IO_RANDOM_H
#define SCOUT_IO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_POOL_SIZE 512

struct random_pool {
    uint8_t bytes[RANDOM_POOL_SIZE]; /* the last `left` are unused */
    size_t left;
};

void random_take(struct random_pool *pool, void *out, size_t len);

#endif
