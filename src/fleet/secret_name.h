/* Private to fleet: by what names secrets go. Pure. */
#ifndef SCOUT_FLEET_SECRET_NAME_H
#define SCOUT_FLEET_SECRET_NAME_H

#include "scout/base/slice.h"

/* Whether `name` holds one of the words, in any case: password, token, api-key, ... */
bool secret_name_in(struct slice name);

/* The password of scheme://user:password@host, the first in `text`: its place. `scheme` is where
 * "://" stands in it. False where there is none. */
bool secret_in_url(struct slice text, size_t scheme, size_t *from, size_t *to);

#endif
