/* The text of a resource while it is made. Private to the layer. The first error sticks; page_error
 * tells it. */
#ifndef SCOUT_RESOURCES_PAGE_H
#define SCOUT_RESOURCES_PAGE_H

#include "scout/base/buf.h"

struct page {
    struct buf text;
    int error;
};

/* At most `max` bytes. */
void page_init(struct page *p, size_t max);
void page_fini(struct page *p);

void page_put(struct page *p, struct slice text);
__attribute__((format(printf, 2, 3))) void page_printf(struct page *p, const char *fmt, ...);
/* `count` times the character, and a line break. */
void page_rule(struct page *p, char c, size_t count);

/* The next line of what a command printed, without its end; false at the end. */
bool page_next_line(struct slice *rest, struct slice *line);
/* The next field of a line, up to a tab or the line's end. Empty behind the last. */
struct slice page_next_field(struct slice *line);

#endif
