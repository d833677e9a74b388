/* All is written: the file gets its mode, goes to the disk, is checked, and takes its place.
 *
 * The mode, fsync, fstat, the close and a look at what is there now go out together; their answers
 * have to be right before the rename goes out. Where somebody wants to look at what was written
 * before it is seen, the look at what is there comes behind that. Where something is there, it is
 * replaced by posix-rename@openssh.com; where nothing may be there, the draft's rename is used,
 * which refuses to replace: with OpenSSH without a moment in between (link and unlink). The stat
 * behind the rename brings what the file is now. */
#include "file_put.h"

#include "scout/base/time.h"
#include <stdio.h>
#include <sys/stat.h>

#define AHEAD_MAX_S                                                                                \
    3600 /* how far a file's time may be before the host's clock to be gone on from */

enum { MODE, SYNC, SIZE, CLOSE, THERE };
enum { RENAME, AFTER, TIME = CLOSE };

/* ---- the rename ---- */

static void on_placed(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    const struct sftp_reply *failed = reply->error && side == &p->side[RENAME] ? reply : NULL;
    bool last = put_side_take(side, reply);
    if (p->visit.finished)
        return;
    if (failed) {
        p->stage = PUT_FINISHING; /* nothing took its place */
        if (p->condition == FILE_PUT_ABSENT && reply->error == SCOUT_E_REMOTE)
            visit_fail(&p->visit, SCOUT_E_EXISTS,
                       "Another file appeared at the same path meanwhile, or the host cannot "
                       "rename there: nothing was overwritten");
        else
            put_fail_reply(p, "put in place", reply);
        return;
    }
    if (!last)
        return;
    p->stage = PUT_PLACED;
    if (!p->side[AFTER].error)
        p->result.attrs = p->side[AFTER].attrs;
    etag_format(&p->result.attrs, p->result.etag);
    p->result.owner_kept = p->owner_kept;
    visit_finish(&p->visit);
}

/* The time is told in seconds: a file that replaces another one within the same second gets the one
 * behind it, so that no etag comes twice. A time that is far ahead is of another clock. */
static void advance_time(struct file_put *p, struct sftp *s)
{
    const struct sftp_attrs *old = &p->side[THERE].attrs, *own = &p->side[SIZE].attrs;
    if (p->result.created || !(old->flags & own->flags & SFTP_ATTR_ACMODTIME) ||
        own->mtime > old->mtime || old->mtime - own->mtime > AHEAD_MAX_S)
        return;
    const struct sftp_attrs later = {
        .flags = SFTP_ATTR_ACMODTIME, .atime = own->atime, .mtime = old->mtime + 1};
    if (sftp_setstat(s, &p->side[TIME].request, p->temp, &later, on_placed) == 0)
        put_side_started(p, TIME, 0); /* it goes without, where the host refuses it */
}

static void place(struct file_put *p, bool replace)
{
    struct sftp *s = visit_sftp(&p->visit);
    if (s)
        advance_time(p, s); /* in the same round trip: a server goes by the order */
    int error =
        s ? sftp_rename(s, &p->side[RENAME].request, p->temp, p->real_path, replace, on_placed)
          : SCOUT_E_CONNECTION_LOST;
    if (!put_side_started(p, RENAME, error))
        return;
    p->stage = PUT_PLACING;
    error = sftp_stat(s, &p->side[AFTER].request, p->real_path, on_placed);
    if (!error)
        put_side_started(p, AFTER, 0);
    else
        p->side[AFTER].error = error; /* then what fstat said has to do */
    pool_flush(&p->visit.use);
}

/* ---- the checks ---- */

static bool side_failed(struct file_put *p, unsigned i, const char *what)
{
    const struct sftp_reply reply = {.error = p->side[i].error, .status = SFTP_FX_FAILURE};
    if (!reply.error)
        return false;
    put_fail_reply(p, what, &reply);
    return true;
}

static bool size_is_right(struct file_put *p)
{
    const struct sftp_attrs *a = &p->side[SIZE].attrs;
    char text[640];
    if (a->flags & SFTP_ATTR_SIZE && a->size == p->offset)
        return true;
    snprintf(text, sizeof text, "%.400s would have %llu bytes at the host instead of %llu",
             p->shown, (unsigned long long)a->size, (unsigned long long)p->offset);
    visit_fail(&p->visit, SCOUT_E_REMOTE, text);
    return false;
}

static void decide(struct file_put *p)
{
    const struct put_side *there = &p->side[THERE];
    bool exists = !there->error;
    if (there->error && there->error != SCOUT_E_NOT_FOUND && side_failed(p, THERE, "look at"))
        return;
    if (!put_condition_holds(p, exists ? &there->attrs : NULL))
        return;
    bool posix = sftp_offers(visit_sftp(&p->visit), SFTP_EXT_POSIX_RENAME);
    p->result.created = !exists;
    place(p, posix && p->condition != FILE_PUT_ABSENT);
}

static void on_there(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    if (put_side_take(side, reply))
        decide(side->put);
}

void file_put_place(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    if (p->stage != PUT_WRITTEN || p->visit.finished)
        return;
    if (p->shell) {
        put_shell_place(p);
        return;
    }
    p->stage = PUT_FINISHING;
    if (!put_side_started(p, THERE,
                          s ? sftp_lstat(s, &p->side[THERE].request, p->real_path, on_there)
                            : SCOUT_E_CONNECTION_LOST))
        return;
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}

/* Everything about the temporary file is answered. */
static void on_written(struct file_put *p)
{
    if (side_failed(p, SIZE, "look at") || side_failed(p, MODE, "set the mode of") ||
        side_failed(p, CLOSE, "close") || !size_is_right(p))
        return;
    p->result.attrs = p->side[SIZE].attrs;
    if (!p->events->on_written) {
        decide(p);
        return;
    }
    p->stage = PUT_WRITTEN;
    p->events->on_written(p->context, p->temp);
}

static void on_finished(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    bool last = put_side_take(side, reply);
    if (side == &p->side[SYNC] && !p->visit.finished) {
        /* Servers refuse it on file systems that cannot; a disk that fails is no such thing. */
        p->result.synced = !reply->error;
        if (reply->error == SCOUT_E_REMOTE) {
            put_fail_reply(p, "bring to its disk", reply);
            return;
        }
    }
    if (last)
        on_written(p);
}

/* ---- the begin ---- */

/* Who is in a group that the file before was not in must not get its rights. */
uint32_t put_mode(const struct file_put *p)
{
    uint32_t mode = FILE_PUT_MODE;
    if (p->has_mode)
        return p->mode;
    if (p->target.exists)
        mode = p->target.attrs.permissions & 0777u;
    if (p->target.exists && !p->group_kept)
        mode = (mode & ~070u) | (mode & 7u) << 3;
    return mode;
}

static int start(struct file_put *p, unsigned i)
{
    struct sftp *s = visit_sftp(&p->visit);
    struct sftp_request *r = &p->side[i].request;
    const struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = put_mode(p)};
    if (!s)
        return SCOUT_E_CONNECTION_LOST;
    switch (i) {
    case MODE:
        return sftp_fsetstat(s, r, &p->handle, &mode, on_finished);
    case SYNC:
        return sftp_fsync(s, r, &p->handle, on_finished);
    case SIZE:
        return sftp_fstat(s, r, &p->handle, on_finished);
    case CLOSE:
        return sftp_close_wait(s, r, &p->handle, on_finished);
    default:
        return sftp_lstat(s, r, p->real_path, on_finished);
    }
}

void put_finish(struct file_put *p)
{
    const struct sftp *s = visit_sftp(&p->visit);
    if (!s) { /* nothing was in flight that would have told of it */
        put_fail_lost(p);
        return;
    }
    bool can_sync = sftp_offers(s, SFTP_EXT_FSYNC);
    p->stage = PUT_FINISHING;
    if (p->idle_ns) /* the disk may take its time */
        visit_idle(&p->visit, p->idle_ns + (p->offset - p->synced) / PUT_SYNC_SPEED * NS_PER_S);
    for (unsigned i = MODE; i <= THERE; i++) {
        if (i == THERE && p->events->on_written)
            break; /* that is for later */
        if (i == SYNC && !can_sync) {
            p->side[i].error = 0;
            continue;
        }
        if (!put_side_started(p, i, start(p, i)))
            return;
        if (i == CLOSE)
            p->handle_open = false;
    }
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}
