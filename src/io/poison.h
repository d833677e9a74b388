/* AddressSanitizer does not see what the kernel writes. Memory is therefore poisoned while the
 * kernel owns it: a read before the completion, or of more than was received, is then reported. */
#ifndef SCOUT_IO_POISON_H
#define SCOUT_IO_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISON_ACTIVE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_ACTIVE 1
#endif
#endif

#ifdef POISON_ACTIVE
#include <sanitizer/asan_interface.h>
#endif

static inline void poison(const void *data, size_t len)
{
#ifdef POISON_ACTIVE
    ASAN_POISON_MEMORY_REGION(data, len);
#else
    (void)data;
    (void)len;
#endif
}

static inline void unpoison(const void *data, size_t len)
{
#ifdef POISON_ACTIVE
    ASAN_UNPOISON_MEMORY_REGION(data, len);
#else
    (void)data;
    (void)len;
#endif
}

#endif
