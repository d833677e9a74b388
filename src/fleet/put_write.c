/* The temporary file and its contents.
 *
 * Writes go out side by side, FILE_PUT_WINDOW bytes at most, so that a host that is far away is
 * kept busy and memory stays flat: what is not in the SFTP client's output has left the process. A
 * part of that output is left to others. When all of it is taken and no write of ours is on its way
 * that would tell when there is room again, it is looked at once more a moment later.
 *
 * Owner and group of the file before go out with the first contents: a chown clears the mode's
 * highest bits, so it comes before the mode. Where the owner may not be changed, the group alone is
 * tried. */
#include "file_put.h"

#include "scout/ssh/session.h"

/* A connection that ends tells only those of whom something is in flight. */
static void on_again(struct io_timer *timer)
{
    struct file_put *p = CONTAINER_OF(timer, struct file_put, again);
    if (visit_sftp(&p->visit))
        put_pump(p);
    else
        put_fail_lost(p);
}

/* ---- the window ---- */

static size_t output_room(const struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    size_t room = s ? buf_room(sftp_output(s)) : 0;
    return room > PUT_RESERVE ? room - PUT_RESERVE : 0;
}

static size_t chunk_max(const struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    size_t max = s ? sftp_write_max(s) : 0;
    return max < PUT_CHUNK ? max : PUT_CHUNK;
}

/* Without a write in flight only time tells when there is room again; until then it is the host
 * that is waited for. */
static void watch_output(struct file_put *p, bool full)
{
    struct io *io = fleet_io(p->visit.fleet);
    if (p->slots_used > 0)
        return;
    if (full)
        io_timer_start(io, &p->again, io_now(io) + PUT_AGAIN_NS, on_again);
    if (full != (p->visit.asking_ns != 0))
        visit_moved(&p->visit, full);
}

size_t file_put_room(struct file_put *p)
{
    if (p->stage != PUT_WRITING || p->ended || p->visit.finished)
        return 0;
    if (p->shell)
        return put_shell_room(p);
    size_t room = output_room(p), slots = (PUT_SLOTS - p->slots_used) * chunk_max(p);
    size_t window = FILE_PUT_WINDOW - p->in_flight;
    watch_output(p, room == 0);
    room = room < window ? room : window;
    return room < slots ? room : slots;
}

/* ---- writing ---- */

/* All is written: what is done with it need not wait for the answers, but for the owner's. */
static void on_all_sent(struct file_put *p)
{
    if (p->ended && p->stage == PUT_WRITING && !p->owner_asked)
        put_finish(p);
}

static void on_wrote(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_slot *slot = CONTAINER_OF(request, struct put_slot, request);
    struct file_put *p = slot->put;
    p->in_flight -= slot->len;
    p->slots_used--;
    if (reply->error) {
        put_fail_reply(p, "write", reply);
        return;
    }
    p->arrived += slot->len;
    visit_moved(&p->visit, p->slots_used > 0 || p->side_waiting > 0);
    if (p->events->on_progress)
        p->events->on_progress(p->context, p->arrived);
    put_pump(p);
}

static struct put_slot *free_slot(struct file_put *p)
{
    struct put_slot *slot = p->slots;
    while (slot->request.id != 0)
        slot++; /* file_put_room saw to it that there is one */
    return slot;
}

static bool write_chunk(struct file_put *p, struct slice data)
{
    struct sftp *s = visit_sftp(&p->visit);
    struct put_slot *slot = free_slot(p);
    int error = s ? sftp_write(s, &slot->request, &p->handle, p->offset, data, on_wrote)
                  : SCOUT_E_CONNECTION_LOST;
    if (error) {
        visit_fail_start(&p->visit, error);
        return false;
    }
    slot->put = p;
    slot->len = (uint32_t)data.len;
    if (p->slots_used++ == 0)
        visit_moved(&p->visit, true);
    p->in_flight += slot->len;
    p->offset += data.len;
    return true;
}

static void on_synced(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_put *p = CONTAINER_OF(request, struct file_put, sync_request);
    if (reply->error == SCOUT_E_CONNECTION_LOST || reply->error == SCOUT_E_REMOTE)
        put_fail_reply(p, "bring to its disk", reply);
}

/* So that the last fsync does not take longer than a host may be silent. */
static void sync_sometimes(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    if (!s || p->visit.finished || p->offset - p->synced < PUT_SYNC_EVERY ||
        p->sync_request.id != 0 || !sftp_offers(s, SFTP_EXT_FSYNC))
        return;
    p->synced = p->offset;
    if (sftp_fsync(s, &p->sync_request, &p->handle, on_synced) == 0)
        pool_flush(&p->visit.use);
}

void file_put_write(struct file_put *p, struct slice data)
{
    if (p->stage != PUT_WRITING || p->visit.finished)
        return;
    if (p->shell) {
        put_shell_write(p, data);
        return;
    }
    if (p->tail_left > 0)
        data = put_resume_compare(p, data);
    while (data.len > 0 && !p->visit.finished) {
        size_t len = chunk_max(p);
        if (len > data.len)
            len = data.len;
        if (len == 0 || !write_chunk(p, slice_of(data.data, len)))
            return;
        data = slice_skip(data, len);
    }
    if (!p->visit.finished)
        pool_flush(&p->visit.use);
    sync_sometimes(p);
}

void file_put_end(struct file_put *p)
{
    if (p->stage != PUT_WRITING || p->visit.finished || p->ended)
        return;
    p->ended = true;
    if (p->shell)
        put_shell_end(p);
    else
        on_all_sent(p);
}

static void push_contents(struct file_put *p)
{
    size_t room;
    while (p->contents.len > 0 && (room = file_put_room(p)) > 0) {
        size_t len = room < p->contents.len ? room : p->contents.len;
        struct slice piece = slice_of(p->contents.data, len);
        p->contents = slice_skip(p->contents, len);
        file_put_write(p, piece);
    }
    if (p->contents.len == 0)
        file_put_end(p);
}

/* Not from within itself: who gives contents may do so from on_room. */
void put_pump(struct file_put *p)
{
    if (p->stage != PUT_WRITING || p->visit.finished || p->ended || p->pumping)
        return;
    p->pumping = true;
    if (p->has_contents)
        push_contents(p);
    else if (file_put_room(p) > 0)
        p->events->on_room(p->context);
    p->pumping = false;
}

/* ---- the owner ---- */

static bool ask_owner(struct file_put *p, uint32_t uid);

static void on_owner(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_put *p = CONTAINER_OF(request, struct file_put, owner_request);
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        put_fail_reply(p, "write", reply);
        return;
    }
    if (!p->owner_known && reply->error) {
        p->owner_known = true; /* so that the next answer is the group's */
        p->group_kept = ask_owner(p, PUT_UNCHANGED);
        if (p->group_kept)
            return;
    } else if (!p->owner_known) {
        p->owner_known = p->owner_kept = p->group_kept = true;
    } else {
        p->group_kept = !reply->error;
    }
    p->owner_asked = false;
    on_all_sent(p);
}

/* The group alone with PUT_UNCHANGED. */
static bool ask_owner(struct file_put *p, uint32_t uid)
{
    struct sftp *s = visit_sftp(&p->visit);
    const struct sftp_attrs owner = {
        .flags = SFTP_ATTR_UIDGID, .uid = uid, .gid = p->target.attrs.gid};
    p->owner_asked = s && sftp_fsetstat(s, &p->owner_request, &p->handle, &owner, on_owner) == 0;
    if (p->owner_asked)
        pool_flush(&p->visit.use);
    return p->owner_asked;
}

/* ---- the open ---- */

static void on_opened(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    bool is_open = side == &p->side[0], last = put_side_take(side, reply);
    if (p->visit.finished)
        return;
    if (is_open && reply->error) {
        p->stage = PUT_SETTLED; /* nothing was made */
        put_fail_reply(p, "write", reply);
        return;
    }
    if (is_open) {
        p->handle = reply->handle;
        p->handle_open = true;
    }
    if (last && p->partial)
        put_resume_decide(p);
    else if (last)
        put_writing(p);
}

void put_writing(struct file_put *p)
{
    p->stage = PUT_WRITING;
    p->owner_kept = p->group_kept = !p->target.exists;
    if (p->target.exists && p->target.attrs.flags & SFTP_ATTR_UIDGID)
        ask_owner(p, p->target.attrs.uid);
    put_pump(p);
}

void put_open(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    const struct sftp_attrs hidden = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0600};
    const uint32_t flags = SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_EXCLUSIVE;
    p->stage = PUT_OPENING;
    if (!put_side_started(p, 0,
                          s ? sftp_open(s, &p->side[0].request, p->temp, flags, &hidden, on_opened)
                            : SCOUT_E_CONNECTION_LOST))
        return;
    if (p->partial && !put_resume_look(p, on_opened))
        return;
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}
