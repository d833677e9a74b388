/* Reading a file of a host without SFTP in order, by three commands of its shell (exec_script.c).
 *
 *   look --permit--> on_opened, go --> content --> look once more --> end
 *
 * The first look is the visit's own command and may be repeated; the others are sent once, since by
 * then something was told. The content is whatever its command prints behind a line of its own:
 * what the login shell says comes before that. It is handed on from where it lies in the packet;
 * what is not wanted yet is kept, and the command is paused, so that its channel's window holds the
 * host back. The second look has to find the same file: the size and, where the host tells it, the
 * time of the change. */
#include "pull_shell.h"

#include "exec_script.h"
#include <stdlib.h>
#include <string.h>

/* ---- the first look ---- */

static void reply_begin(struct exec_reply *r)
{
    exec_reply_fini(r);
    exec_reply_init(r, 1);
    r->is_walk = true; /* of a directory nothing follows */
}

void pull_shell_start(struct file_pull *p)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    pull_shell_free(p);
    p->shell = calloc(1, sizeof *p->shell);
    if (!p->shell) {
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory to read the file");
        return;
    }
    reply_begin(&p->shell->reply);
    buf_init(&p->shell->noise, PULL_SHELL_NOISE_MAX);
    buf_init(&p->shell->kept, FILE_PULL_WINDOW);
    shell_step_init(&p->shell->step, &p->visit);
    visit_run_line(&p->visit, &line, exec_script_write_source(&line, p->visit.path),
                   PULL_SHELL_PURPOSE);
}

int pull_shell_feed(struct file_pull *p, struct slice data)
{
    return exec_reply_feed(&p->shell->reply, data);
}

/* Whether the reply is of a regular file that may be read; otherwise it has failed. */
static bool is_file(struct file_pull *p)
{
    struct exec_reply *r = &p->shell->reply;
    int error = exec_reply_end(r);
    struct slice real = buf_peek(&r->real_path);
    if (r->kind == EXEC_REPLY_MISSING || r->kind == EXEC_REPLY_DENIED)
        visit_fail_path(&p->visit,
                        r->kind == EXEC_REPLY_DENIED ? SCOUT_E_PERMISSION : SCOUT_E_NOT_FOUND);
    else if (r->kind == EXEC_REPLY_DIRECTORY)
        visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE, PULL_DIRECTORY);
    else if (r->kind == EXEC_REPLY_OTHER)
        visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE, PULL_NO_FILE);
    else if (error || r->kind != EXEC_REPLY_FILE)
        visit_fail_output(&p->visit, error ? error : SCOUT_E_PARSE);
    else if (!(r->attrs.flags & SFTP_ATTR_SIZE))
        visit_fail_shown(&p->visit, SCOUT_E_REMOTE,
                         "cannot be copied: the host does not tell its size");
    else if (real.len == 0 || real.len > SFTP_PATH_MAX || real.data[0] != '/' ||
             memchr(real.data, '\0', real.len))
        visit_fail_shown(&p->visit, SCOUT_E_REMOTE, PULL_NO_REAL_PATH);
    else
        return true;
    return false;
}

void pull_shell_fed(struct file_pull *p, int status)
{
    struct failure why = {0};
    (void)status;
    if (!is_file(p))
        return;
    struct slice real = buf_peek(&p->shell->reply.real_path);
    p->real_path = strndup((const char *)real.data, real.len);
    if (!p->real_path)
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the real path");
    else if (p->events->permit && p->events->permit(p->context, slice_str(p->real_path), &why) != 0)
        visit_fail_as(&p->visit, &why);
    else
        pull_opened(p, &p->shell->reply.attrs);
}

/* ---- commands behind it ---- */

void pull_shell_step(struct file_pull *p, struct buf *line, int error,
                     const struct command_events *events)
{
    const char *text = visit_line(&p->visit, line, error, PULL_SHELL_PURPOSE);
    if (text)
        shell_step_start(&p->shell->step, text, false, events, p);
    buf_fini(line);
}

/* Whether it came to its end well; otherwise it has failed. */
bool pull_shell_ended(struct file_pull *p, const struct command_result *result)
{
    if (!shell_step_ended(&p->shell->step))
        return false;
    if (result->end == COMMAND_EXITED && result->has_status && result->status == 0)
        return true;
    if (result->end == COMMAND_EXITED && result->status == EXEC_CONTENT_NO_FILE)
        pull_fail_changed(p);
    else
        shell_step_fail(&p->shell->step, "read", result);
    return false;
}

/* ---- the second look ---- */

static void on_look_output(void *context, bool is_stderr, struct slice data)
{
    struct file_pull *p = context;
    struct exec_reply *r = &p->shell->reply;
    if (!shell_step_heard(&p->shell->step, is_stderr, data))
        return;
    int error = r->state == EXEC_REPLY_ENOUGH ? 0 : exec_reply_feed(r, data);
    if (error < 0)
        visit_fail_output(&p->visit, error);
}

static void on_looked(void *context, const struct command_result *result)
{
    struct file_pull *p = context;
    const struct sftp_attrs *now = &p->shell->reply.attrs, *before = &p->attrs;
    if (!pull_shell_ended(p, result) || !is_file(p))
        return;
    bool is_same = slice_equal(buf_peek(&p->shell->reply.real_path), slice_str(p->real_path)) &&
                   now->size == before->size && now->flags == before->flags &&
                   (!(now->flags & SFTP_ATTR_ACMODTIME) || now->mtime == before->mtime);
    if (is_same)
        visit_finish(&p->visit);
    else
        pull_fail_changed(p);
}

static const struct command_events look_events = {.on_output = on_look_output, .on_end = on_looked};

void pull_shell_look_again(struct file_pull *p)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    p->ending = true;
    reply_begin(&p->shell->reply);
    pull_shell_step(p, &line, exec_script_write_source(&line, p->real_path), &look_events);
}

/* ---- the end ---- */

void pull_shell_abandon(struct file_pull *p)
{
    if (p->shell)
        shell_step_abandon(&p->shell->step);
}

void pull_shell_free(struct file_pull *p)
{
    struct pull_shell *s = p->shell;
    if (!s)
        return;
    exec_reply_fini(&s->reply);
    buf_fini(&s->noise);
    buf_fini(&s->kept);
    shell_step_fini(&s->step);
    free(s);
    p->shell = NULL;
}
