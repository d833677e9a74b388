/* Going on with what an earlier, cut off attempt left behind, and leaving it behind.
 *
 * What arrived is kept beside the target under a name that the caller gives (it stands for the
 * source as it was). The next attempt makes its own temporary file first, so it knows who it is at
 * the host: only a regular file of the same owner is taken, by renaming it over the own one. From
 * then on it is nobody else's, and two attempts never write to one file.
 *
 *   open, lstat of the kept one, lstat of the own --> close, rename, open --> fstat, read -->
 * writing
 *
 * The last FILE_PUT_WINDOW bytes are written again, since they may not have arrived in order, and
 * the PUT_TAIL bytes before them have to be those of the source: they are asked for once more and
 * compared. */
#include "file_put.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPEN, KEPT, OWN }; /* put_write.c starts the first one, and these */
enum { RENAME, AGAIN };
enum { SIZE, TAIL };

static bool is_file(const struct put_side *side)
{
    const uint32_t needed = SFTP_ATTR_SIZE | SFTP_ATTR_PERMISSIONS | SFTP_ATTR_UIDGID;
    return !side->error && (side->attrs.flags & needed) == needed &&
           S_ISREG(side->attrs.permissions);
}

static bool fits(const struct file_put *p, uint64_t size)
{
    return size >= FILE_PUT_KEEP_MIN && size <= p->size;
}

bool put_resume_look(struct file_put *p, sftp_reply_fn *fn)
{
    struct sftp *s = visit_sftp(&p->visit);
    return put_side_started(p, KEPT, sftp_lstat(s, &p->side[KEPT].request, p->partial, fn)) &&
           put_side_started(p, OWN, sftp_lstat(s, &p->side[OWN].request, p->temp, fn));
}

/* ---- taking it over ---- */

/* The tail came, or there is none: contents from `begin` on are wanted. */
static void begin_writing(struct file_put *p, uint64_t size)
{
    p->begin = 0;
    if (fits(p, size) && p->tail)
        p->begin = size - FILE_PUT_WINDOW - PUT_TAIL;
    p->tail_left = p->begin ? PUT_TAIL : 0;
    p->offset = p->arrived = p->synced = p->begin + p->tail_left;
    p->result.resumed = p->offset;
    put_writing(p);
}

static void on_tail(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    bool whole = side == &p->side[TAIL] && !reply->error && reply->data.len == PUT_TAIL;
    if (whole)
        p->tail = malloc(PUT_TAIL);
    if (whole && p->tail)
        memcpy(p->tail, reply->data.data, PUT_TAIL);
    if (!put_side_take(side, reply))
        return;
    const struct put_side *now = &p->side[SIZE];
    bool same = is_file(now) && now->attrs.size == p->kept_size;
    begin_writing(p, same ? p->kept_size : 0);
}

static void read_tail(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    uint64_t at = p->kept_size - FILE_PUT_WINDOW - PUT_TAIL;
    int error =
        s ? sftp_fstat(s, &p->side[SIZE].request, &p->handle, on_tail) : SCOUT_E_CONNECTION_LOST;
    if (!put_side_started(p, SIZE, error))
        return;
    error = sftp_read(s, &p->side[TAIL].request, &p->handle, at, PUT_TAIL, on_tail);
    if (!put_side_started(p, TAIL, error))
        return;
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}

static void on_taken(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    if (side == &p->side[AGAIN] && !reply->error) {
        p->handle = reply->handle;
        p->handle_open = true;
    }
    if (!put_side_take(side, reply))
        return;
    if (p->side[AGAIN].error) {
        const struct sftp_reply failed = {.error = p->side[AGAIN].error, .status = SFTP_FX_FAILURE};
        put_fail_reply(p, "write", &failed);
    } else if (p->side[RENAME].error) {
        begin_writing(p, 0); /* it is the own one, which is empty */
    } else {
        read_tail(p);
    }
}

static void take_over(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    sftp_close(s, &p->handle);
    p->handle_open = false;
    if (!put_side_started(
            p, RENAME,
            sftp_rename(s, &p->side[RENAME].request, p->partial, p->temp, true, on_taken)) ||
        !put_side_started(p, AGAIN,
                          sftp_open(s, &p->side[AGAIN].request, p->temp,
                                    SFTP_OPEN_READ | SFTP_OPEN_WRITE, NULL, on_taken)))
        return;
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}

void put_resume_decide(struct file_put *p)
{
    const struct put_side *kept = &p->side[KEPT], *own = &p->side[OWN];
    struct sftp *s = visit_sftp(&p->visit);
    bool ours = is_file(kept) && is_file(own) && kept->attrs.uid == own->attrs.uid;
    if (ours && s && fits(p, kept->attrs.size) && sftp_offers(s, SFTP_EXT_POSIX_RENAME)) {
        p->kept_size = kept->attrs.size;
        take_over(p);
    } else {
        begin_writing(p, 0);
    }
}

/* ---- comparing ---- */

struct slice put_resume_compare(struct file_put *p, struct slice data)
{
    size_t len = data.len < p->tail_left ? data.len : p->tail_left;
    const uint8_t *expected = p->tail + PUT_TAIL - p->tail_left;
    if (len > 0 && memcmp(expected, data.data, len) != 0) {
        struct failure why;
        p->not_kept = true;
        failure_set(&why, SCOUT_E_CHANGED,
                    "What an earlier copy had left at %.300s is not the begin of this file: it was "
                    "removed; try again",
                    p->shown);
        visit_fail_as(&p->visit, &why);
        return slice_of(NULL, 0);
    }
    p->tail_left -= (uint32_t)len;
    return slice_skip(data, len);
}

/* ---- keeping ---- */

bool put_resume_keeps(const struct file_put *p)
{
    int error = p->visit.failure.error;
    bool cut_off = error == SCOUT_E_CONNECTION_LOST || error == SCOUT_E_DEADLINE ||
                   error == SCOUT_E_CONNECT || error == SCOUT_E_SHUTTING_DOWN;
    return p->partial && cut_off && !p->not_kept && p->arrived >= FILE_PUT_KEEP_MIN;
}
