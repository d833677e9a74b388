/* The end of an audit log that is there already: where its chain goes on.
 *
 * Only the last bytes are read. What is left of a line whose beginning was not read says nothing;
 * the records behind it have to be a chain among themselves, but for what was torn. */
#include "audit_tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int audit_tail_pread(int fd, uint8_t *data, size_t len, off_t offset)
{
    while (len > 0) {
        ssize_t got = pread(fd, data, len, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        data += got;
        len -= (size_t)got;
        offset += got;
    }
    return 0;
}

/* Whether a record that stands behind `f` in the file goes on with the chain. */
static bool follows(const struct audit_file *f, const struct chain_head *head, struct slice line,
                    bool torn_before)
{
    static const char torn[] = "\"event\":\"torn\"";
    bool tells = memmem(line.data, line.len, torn, sizeof torn - 1) != NULL;
    return head->seq == f->seq + 1 && slice_is(head->prev, f->last) && torn_before == tells;
}

/* Takes the lines of the tail in order; the last record of all is where the chain goes on. `known`
 * says that f knows the record before the first one. */
static int take_lines(struct audit_file *f, struct slice tail, uint64_t offset, bool known)
{
    bool torn = false;
    for (const uint8_t *end; (end = tail.len ? memchr(tail.data, '\n', tail.len) : NULL);) {
        struct slice line = slice_of(tail.data, (size_t)(end - tail.data));
        struct chain_head head;
        tail = slice_skip(tail, line.len + 1);
        offset += line.len + 1;
        if (!chain_head_read(line, &head)) {
            torn = true;
            continue;
        }
        f->tail_broken = f->tail_broken || (known && !follows(f, &head, line, torn));
        f->seq = head.seq;
        f->whole = offset;
        known = true;
        torn = false;
        int error = audit_file_hash(f, line, f->last);
        if (error)
            return error;
    }
    return 0;
}

static int take_tail(struct audit_file *f, struct slice tail)
{
    if (tail.len == f->size) {
        int error = take_lines(f, tail, 0, false);
        return error ? error : f->whole == 0 && f->size > CHAIN_LINE_MAX ? -EBADMSG : 0;
    }
    /* What is left of a line whose beginning was not read says nothing. */
    const uint8_t *end = memchr(tail.data, '\n', tail.len);
    size_t skip = end ? (size_t)(end - tail.data) + 1 : tail.len;
    int error = take_lines(f, slice_skip(tail, skip), f->size - tail.len + skip, false);
    return error ? error : f->whole == 0 ? -EBADMSG : 0;
}

int audit_tail_read(struct audit_file *f)
{
    size_t len = f->size < AUDIT_TAIL_MAX ? (size_t)f->size : AUDIT_TAIL_MAX;
    uint8_t *data = malloc(len ? len : 1);
    if (!data)
        return -ENOMEM;
    int error = audit_tail_pread(f->fd, data, len, (off_t)(f->size - len));
    if (!error)
        error = take_tail(f, slice_of(data, len));
    free(data);
    return error;
}
