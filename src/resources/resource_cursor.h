/* Where a page of a list ended, as the text that a client hands back for the next one. Private to
 * the layer. Pure.
 *
 * A place is told by the host's name and not by a number, so that a page after a reload goes on
 * where the one before it ended. The text is hexadecimal with a check sum: whatever was not made
 * here is refused. It gives no rights; each page asks policy anew. */
#ifndef SCOUT_RESOURCES_RESOURCE_CURSOR_H
#define SCOUT_RESOURCES_RESOURCE_CURSOR_H

#include "scout/fleet/target.h"

struct resource_place {
    uint8_t item;                   /* of the host's */
    char host[TARGET_HOST_MAX + 1]; /* "": before the first host */
};

#define RESOURCE_CURSOR_SIZE (2 * (1 + TARGET_HOST_MAX + 4) + 1)

/* Writes the place of a list (its letter) into `out` (RESOURCE_CURSOR_SIZE). */
void resource_cursor_write(char list, const struct resource_place *place, char *out);

/* False for what resource_cursor_write did not make for the same list. */
bool resource_cursor_read(char list, const char *text, struct resource_place *place);

#endif
