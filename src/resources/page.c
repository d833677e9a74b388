/* Text in a buffer. */
#include "page.h"

#include "scout/base/error.h"
#include <stdarg.h>
#include <stdio.h>

void page_init(struct page *p, size_t max)
{
    buf_init(&p->text, max);
    p->error = 0;
}

void page_fini(struct page *p)
{
    buf_fini(&p->text);
}

void page_put(struct page *p, struct slice text)
{
    if (!p->error)
        p->error = buf_append(&p->text, text);
}

void page_printf(struct page *p, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        p->error = p->error ? p->error : SCOUT_E_LIMIT;
    else
        page_put(p, slice_of(text, (size_t)len));
}

void page_rule(struct page *p, char c, size_t count)
{
    while (count-- > 0)
        page_put(p, slice_of(&c, 1));
    page_put(p, slice_str("\n"));
}

static struct slice take_until(struct slice *rest, char c)
{
    const uint8_t *end = rest->len ? memchr(rest->data, c, rest->len) : NULL;
    struct slice part = slice_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    *rest = slice_skip(*rest, part.len + (end ? 1 : 0));
    return part;
}

bool page_next_line(struct slice *rest, struct slice *line)
{
    if (rest->len == 0)
        return false;
    *line = take_until(rest, '\n');
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    return true;
}

struct slice page_next_field(struct slice *line)
{
    return take_until(line, '\t');
}
