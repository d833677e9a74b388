/* Writing a file to a host without SFTP: by three commands of its shell (put_script.c).
 *
 *   look --settled, go--> write: the contents are its standard input --> place --> result
 *
 * The look is the visit's own command and may be repeated; the others have an effect and are never
 * sent twice. Their channel's window is what holds the contents back: more is given when all of the
 * last has gone out. A command is abandoned when the put ends before it, which stops it at the
 * host; then put_clean.c removes what it made. */
#include "file_put.h"

#include "exec_reply.h"
#include "put_script.h"
#include "shell_step.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINTED_MAX   8192u /* of what a command prints */
#define LOOK_TEXT_MAX 8
#define PURPOSE       "writes the file"

struct put_shell {
    struct exec_reply reply; /* of the look */
    struct shell_step step;  /* the others, one after the other */
    struct buf printed;      /* by it */
    bool pending;            /* input that has not gone out */
};

/* ---- the look ---- */

int put_shell_feed(struct file_put *p, struct slice data)
{
    return exec_reply_feed(&p->shell->reply, data);
}

void put_shell_start(struct file_put *p)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    put_shell_free(p);
    p->shell = calloc(1, sizeof *p->shell);
    if (!p->shell) {
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory to write the file");
        return;
    }
    exec_reply_init(&p->shell->reply, LOOK_TEXT_MAX);
    buf_init(&p->shell->printed, PRINTED_MAX);
    shell_step_init(&p->shell->step, &p->visit);
    visit_run_line(&p->visit, &line, put_script_look(&line, p->visit.path), PURPOSE);
}

static void decide(struct file_put *p)
{
    const struct exec_reply *r = &p->shell->reply;
    struct slice real = buf_peek((struct buf *)&r->real_path);
    p->target.exists = !slice_is(buf_peek((struct buf *)&r->text), "new");
    if (p->target.exists)
        p->target.attrs = r->attrs;
    etag_format(&p->target.attrs, p->target.etag);
    if (!put_condition_holds(p, p->target.exists ? &p->target.attrs : NULL))
        return;
    if (real.len == 0 || real.len > SFTP_PATH_MAX || real.data[0] != '/') {
        visit_fail(&p->visit, SCOUT_E_REMOTE, "The host does not tell where the file really is");
        return;
    }
    p->real_path = strndup((const char *)real.data, real.len);
    if (!p->real_path || !put_name_temp(p))
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the temporary file's name");
    else
        put_settle(p);
}

void put_shell_fed(struct file_put *p, int status)
{
    struct exec_reply *r = &p->shell->reply;
    int error = exec_reply_end(r);
    (void)status;
    if (r->kind == EXEC_REPLY_MISSING || r->kind == EXEC_REPLY_DENIED)
        visit_fail_path(&p->visit,
                        r->kind == EXEC_REPLY_DENIED ? SCOUT_E_PERMISSION : SCOUT_E_NOT_FOUND);
    else if (r->kind == EXEC_REPLY_OTHER)
        put_condition_holds(p, &r->attrs); /* says what it is */
    else if (error || r->kind != EXEC_REPLY_FILE)
        visit_fail_output(&p->visit, error ? error : SCOUT_E_PARSE);
    else
        decide(p);
}

/* ---- a command with an effect ---- */

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct file_put *p = context;
    struct buf *b = &p->shell->printed;
    if (!shell_step_heard(&p->shell->step, is_stderr, data))
        return;
    size_t len = data.len < buf_room(b) ? data.len : buf_room(b);
    if (buf_append(b, slice_of(data.data, len)) != 0)
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for what the host says");
}

static bool start_command(struct file_put *p, const char *line, bool has_input,
                          const struct command_events *events)
{
    buf_clear(&p->shell->printed);
    return shell_step_start(&p->shell->step, line, has_input, events, p);
}

/* ---- the contents ---- */

size_t put_shell_room(const struct file_put *p)
{
    return p->shell->pending || !p->shell->step.command ? 0 : EXEC_INPUT_MAX;
}

void put_shell_write(struct file_put *p, struct slice data)
{
    if (data.len == 0)
        return;
    int error = command_write(p->shell->step.command, data);
    if (error) {
        visit_fail_start(&p->visit, error);
        return;
    }
    p->shell->pending = true;
    p->offset += data.len;
    visit_moved(&p->visit, true);
}

void put_shell_end(struct file_put *p)
{
    command_end_input(p->shell->step.command);
    visit_moved(&p->visit, true);
}

static void on_drain(void *context)
{
    struct file_put *p = context;
    if (p->visit.finished)
        return;
    p->shell->pending = false;
    visit_moved(&p->visit, p->ended);
    if (p->offset > p->arrived && p->events->on_progress)
        p->events->on_progress(p->context, p->offset);
    p->arrived = p->offset;
    put_pump(p);
}

static void on_wrote(void *context, const struct command_result *result)
{
    struct file_put *p = context;
    struct slice words = {0};
    char size[32];
    if (!shell_step_ended(&p->shell->step))
        return;
    if (result->end != COMMAND_EXITED || !result->has_status || result->status != 0 ||
        !put_script_reply(buf_peek(&p->shell->printed), &words)) {
        shell_step_fail(&p->shell->step, "write", result);
        return;
    }
    snprintf(size, sizeof size, "%" PRIu64, p->offset);
    while (words.len > 0 && words.data[0] == ' ') /* as some wc have it */
        words = slice_skip(words, 1);
    if (!p->ended || !slice_is(words, size)) {
        visit_fail(&p->visit, SCOUT_E_REMOTE, "Not all of the file has arrived at the host");
        return;
    }
    if (p->offset > p->arrived && p->events->on_progress)
        p->events->on_progress(p->context, p->offset);
    p->arrived = p->offset;
    p->stage = PUT_WRITTEN;
    visit_moved(&p->visit, false);
    if (p->events->on_written)
        p->events->on_written(p->context, p->temp);
    else
        put_shell_place(p);
}

static const struct command_events write_events = {
    .on_output = on_output, .on_drain = on_drain, .on_end = on_wrote};

static void run_write(struct file_put *p, const char *line)
{
    p->stage = PUT_WRITING;
    p->owner_kept = p->group_kept = !p->target.exists;
    if (start_command(p, line, true, &write_events))
        put_pump(p);
}

void put_shell_open(struct file_put *p)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    const char *text = visit_line(&p->visit, &line, put_script_write(&line, p->temp), PURPOSE);
    if (text)
        run_write(p, text);
    buf_fini(&line);
}

/* ---- its place ---- */

static void take_reply(struct file_put *p, struct slice words)
{
    bool known = words.len > 4;
    p->result.owner_kept = words.len > 0 && words.data[0] == '1';
    p->result.synced = words.len > 2 && words.data[2] == '1';
    if (known)
        exec_reply_attrs(slice_skip(words, 4), &p->result.attrs);
    if (!(p->result.attrs.flags & SFTP_ATTR_SIZE)) {
        p->result.attrs.flags |= SFTP_ATTR_SIZE;
        p->result.attrs.size = p->offset;
    }
    etag_format(&p->result.attrs, p->result.etag);
}

static void on_placed(void *context, const struct command_result *result)
{
    struct file_put *p = context;
    struct slice words = {0};
    if (!shell_step_ended(&p->shell->step))
        return;
    bool exited = result->end == COMMAND_EXITED && result->has_status;
    if (exited && result->status == 0 && put_script_reply(buf_peek(&p->shell->printed), &words)) {
        take_reply(p, words);
        p->stage = PUT_PLACED;
        visit_finish(&p->visit);
        return;
    }
    if (exited)
        p->stage = PUT_FINISHING; /* it is not in its place */
    if (exited && result->status == PUT_SCRIPT_EXISTS)
        visit_fail(&p->visit, SCOUT_E_EXISTS,
                   "Another file appeared at the same path meanwhile: nothing was overwritten");
    else if (exited && result->status == PUT_SCRIPT_NOT_A_FILE)
        visit_fail(&p->visit, SCOUT_E_NOT_A_FILE,
                   "Something else than a regular file appeared at the same path meanwhile");
    else if (exited && result->status == PUT_SCRIPT_CHANGED)
        visit_fail(&p->visit, SCOUT_E_CHANGED, "The file has changed meanwhile: read it again");
    else
        shell_step_fail(&p->shell->step, "write", result);
}

static const struct command_events place_events = {.on_output = on_output, .on_end = on_placed};

void put_shell_place(struct file_put *p)
{
    struct buf line;
    const struct sftp_attrs *before = &p->target.attrs;
    struct put_script_place place = {
        .temp = p->temp,
        .path = p->real_path,
        .has_owner = p->target.exists && before->flags & SFTP_ATTR_UIDGID,
        .uid = before->uid,
        .gid = before->gid,
        .condition = p->condition,
        .etag = p->etag,
    };
    p->group_kept = false;
    place.mode_unkept = put_mode(p);
    p->group_kept = true;
    place.mode = put_mode(p);
    buf_init(&line, EXEC_COMMAND_MAX);
    const char *text = visit_line(&p->visit, &line, put_script_place(&line, &place), PURPOSE);
    if (text && start_command(p, text, false, &place_events))
        p->stage = PUT_PLACING;
    buf_fini(&line);
}

/* ---- the end ---- */

void put_shell_abandon(struct file_put *p)
{
    if (p->shell)
        shell_step_abandon(&p->shell->step);
}

void put_shell_free(struct file_put *p)
{
    if (!p->shell)
        return;
    exec_reply_fini(&p->shell->reply);
    buf_fini(&p->shell->printed);
    shell_step_fini(&p->shell->step);
    free(p->shell);
    p->shell = NULL;
}
