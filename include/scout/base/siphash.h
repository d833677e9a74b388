/* SipHash-2-4: a short keyed hash. Who does not know the key can
 * neither tell a text from its hash nor find texts with equal ones. Pure. */
#ifndef SCOUT_BASE_SIPHASH_H
#define SCOUT_BASE_SIPHASH_H

#include "scout/base/slice.h"

#define SIPHASH_KEY_SIZE 16 /* bytes */

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct slice text);

#endif
