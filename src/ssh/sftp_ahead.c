/* Reading before the handle is there: one round trip less for a small file.
 *
 * A handle is the server's own and must not be made up. But many servers, OpenSSH's first of all,
 * number their open files from the lowest free number on, so that a client that has nothing open
 * gets the same handle each time. Which one is learned: after ALONE_TIMES equal ones in a row, a
 * read can go out behind the open that will bring it.
 *
 * Why this cannot read from another file: the guess is made only while this client has no handle,
 * none to come but that open's, and no close unanswered. So no handle is valid at the server when
 * it takes both requests, in whatever order, but the one that the open brings. The read's answer
 * counts only when the open has brought the guessed handle before it, and no other open has brought
 * it since the guess was made. A wrong guess costs the server one refusal.
 *
 * A close is never sent on a guess: it would have an effect. */
#include "sftp_client.h"

#include "scout/base/error.h"

#define ALONE_TIMES 2

void sftp_ahead_begin(struct sftp *s, const struct sftp_request *open)
{
    sftp_flight_get(s, (uint32_t)open->id)->alone =
        s->opening == 0 && s->handle_count == 0 && s->closes == 0;
}

void sftp_ahead_take_back(struct sftp *s)
{
    struct sftp_ahead *a = &s->ahead;
    const struct sftp_flight *read = sftp_flight_get(s, a->read_id);
    if (read && read->request)
        sftp_forget(s, read->request);
    a->open_id = a->read_id = 0;
}

static bool same(const struct sftp_handle *a, const struct sftp_handle *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void sftp_ahead_opened(struct sftp *s, const struct sftp_flight *open,
                       const struct sftp_reply *reply)
{
    struct sftp_ahead *a = &s->ahead;
    bool opened = !reply->error && !reply->eof;
    bool guessed = opened && same(&reply->handle, &a->handle);
    bool own = open->id == a->open_id;
    if (a->open_id != 0 && own != guessed)
        sftp_ahead_take_back(s);
    if (own)
        a->open_id = a->read_id = 0; /* from here on it is a read like any other */
    if (!opened || !open->alone)
        return;
    a->times = guessed ? a->times + 1 : 1;
    if (!guessed)
        a->handle = reply->handle;
}

int sftp_read_ahead(struct sftp *s, struct sftp_request *r, const struct sftp_request *open,
                    uint64_t offset, uint32_t len, sftp_reply_fn *fn)
{
    struct sftp_ahead *a = &s->ahead;
    const struct sftp_flight *f = sftp_flight_get(s, (uint32_t)open->id);
    bool alone = f && f->alone && s->opening == 1 && s->handle_count == 0 && s->closes == 0;
    if (!alone || a->times < ALONE_TIMES || a->open_id != 0)
        return SCOUT_E_UNSUPPORTED;
    int error = sftp_read(s, r, &a->handle, offset, len, fn);
    if (error)
        return error;
    a->open_id = (uint32_t)open->id;
    a->read_id = (uint32_t)r->id;
    return 0;
}
