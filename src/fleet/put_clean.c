/* The end of a put that failed after its temporary file was asked for: that file is removed, and
 * the failure is told behind it.
 *
 * This is a visit of its own, bounded by FILE_PUT_CLEAN_MS: on the same connection where that
 * stands (its requests are answered in order, so the remove comes behind an open and writes that
 * are still on their way), else on a new one. A connection on which nothing is answered for half
 * of that time is taken for dead; the other half is for a new one. When the rename had been sent
 * and its answer did not come, the temporary file tells which way it went: if it is gone, it is in
 * its place. */
#include "file_put.h"

#include "kept_files.h"
#include "put_script.h"
#include "scout/base/time.h"
#include <stdio.h>
#include <string.h>

static struct file_put *put_of(struct visit *v)
{
    return CONTAINER_OF(v, struct file_put, cleaning);
}

static void on_removed(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    struct file_put *p = side->put;
    if (reply->error && (p->keeping || reply->error != SCOUT_E_NOT_FOUND)) {
        visit_fail_reply(&p->cleaning, "remove", reply);
        return;
    }
    p->result.kept = p->keeping;
    if (p->keeping)
        kept_files_add(p->visit.fleet, p->visit.host, p->visit.principal, p->partial);
    p->result.may_have_replaced =
        !p->keeping && p->stage == PUT_PLACING && reply->error == SCOUT_E_NOT_FOUND;
    visit_finish(&p->cleaning);
}

static void begin(struct visit *v)
{
    struct file_put *p = put_of(v);
    struct sftp *s = visit_sftp(v);
    p->side[0].put = p;
    p->keeping = put_resume_keeps(p) && p->stage < PUT_PLACING;
    int error = !s ? SCOUT_E_CONNECTION_LOST
                : p->keeping
                    ? sftp_rename(s, &p->side[0].request, p->temp, p->partial, true, on_removed)
                    : sftp_remove(s, &p->side[0].request, p->temp, on_removed);
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

static int feed(struct visit *v, struct slice data)
{
    struct file_put *p = put_of(v);
    const size_t size = sizeof p->removed;
    if (data.len > size) /* the end is what counts */
        data = slice_skip(data, data.len - size);
    size_t over = p->removed_len + data.len > size ? p->removed_len + data.len - size : 0;
    memmove(p->removed, p->removed + over, p->removed_len - over);
    memcpy(p->removed + p->removed_len - over, data.data, data.len);
    p->removed_len += data.len - over;
    return 0;
}

static void fed(struct visit *v, int status)
{
    struct file_put *p = put_of(v);
    struct slice words;
    if (status != 0 || !put_script_reply(slice_of(p->removed, p->removed_len), &words)) {
        visit_fail(v, SCOUT_E_REMOTE, "The temporary file could not be removed");
        return;
    }
    p->result.may_have_replaced = p->stage == PUT_PLACING && slice_is(words, "missing");
    visit_finish(v);
}

static void begin_shell(struct visit *v)
{
    struct file_put *p = put_of(v);
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    int error = put_script_remove(&line, p->temp);
    p->removed_len = 0;
    visit_run_line(v, &line, error, "removes the temporary file");
}

static void take_back(struct visit *v, struct sftp *s)
{
    sftp_forget(s, &put_of(v)->side[0].request);
}

/* What is added to the failure, so that nobody has to guess. */
static void tell_rest(struct file_put *p)
{
    struct failure *f = &p->visit.failure, first = *f;
    if (p->cleaning.failure.error) {
        p->result.left_behind = true;
        if (!p->shell) /* once more when the host has had time: a cancelled call tells nobody */
            kept_files_add(p->visit.fleet, p->visit.host, p->visit.principal, p->temp);
        p->result.may_have_replaced = p->stage == PUT_PLACING;
        failure_set(f, first.error, "%.300s; the temporary file %.160s may be left there",
                    first.text, p->temp);
    } else if (p->result.kept) {
        failure_set(f, first.error,
                    "%.300s; the %llu bytes that had arrived are kept: make the same "
                    "call again to go on from there",
                    first.text, (unsigned long long)p->arrived);
    } else if (p->result.may_have_replaced) {
        failure_set(f, first.error, "%.400s; the new contents are in place nevertheless",
                    first.text);
    }
}

static void deliver(struct visit *v)
{
    struct file_put *p = put_of(v);
    if (v->failure.error == SCOUT_E_DEADLINE && !p->cleaned_once) {
        p->cleaned_once = true;
        visit_fini(v);
        put_clean_start(p);
        return;
    }
    tell_rest(p);
    visit_fini(v);
    put_deliver(p);
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .feed = feed,
    .fed = fed,
    .take_back = take_back,
    .deliver = deliver,
};

void put_clean_start(struct file_put *p)
{
    const struct visit *v = &p->visit;
    struct fleet *f = v->fleet;
    const struct path_request request = {
        .host = v->host,
        .principal = v->principal,
        .client = v->client,
        .deadline_ns = io_now(fleet_io(f)) + FILE_PUT_CLEAN_MS * NS_PER_MS / 2,
    };
    visit_start(&p->cleaning, &parts, f, &request, p->temp);
}
