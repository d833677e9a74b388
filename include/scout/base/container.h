/* From an embedded member back to the struct that holds it. */
#ifndef SCOUT_BASE_CONTAINER_H
#define SCOUT_BASE_CONTAINER_H

#include <stddef.h>

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
