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
#include "scout/base/time.h"
#include <stdlib.h>
#include <string.h>

#define SAID_MAX    1024u                  /* bytes of what the host complains of */
#define DEADLINE_NS (24 * 3600 * NS_PER_S) /* of the content, which has an idle limit */

void pull_shell_run(struct file_pull *p, struct buf *line, int error,
                    void (*run)(struct file_pull *p, const char *line))
{
    if (!error)
        error = buf_append(line, slice_of("", 1));
    if (error)
        visit_fail(&p->visit, error, "The command that reads the file could not be made");
    else
        run(p, (const char *)buf_peek(line).data);
    buf_fini(line);
}

/* ---- the first look ---- */

static void run_look(struct file_pull *p, const char *line)
{
    visit_run(&p->visit, line);
}

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
    buf_init(&p->shell->said, SAID_MAX);
    pull_shell_run(p, &line, exec_script_write_source(&line, p->visit.path), run_look);
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
        pull_fail(p, SCOUT_E_NOT_A_FILE, PULL_DIRECTORY);
    else if (r->kind == EXEC_REPLY_OTHER)
        pull_fail(p, SCOUT_E_NOT_A_FILE, PULL_NO_FILE);
    else if (error || r->kind != EXEC_REPLY_FILE)
        visit_fail_output(&p->visit, error ? error : SCOUT_E_PARSE);
    else if (!(r->attrs.flags & SFTP_ATTR_SIZE))
        pull_fail(p, SCOUT_E_REMOTE, "cannot be copied: the host does not tell its size");
    else if (real.len == 0 || real.len > SFTP_PATH_MAX || real.data[0] != '/' ||
             memchr(real.data, '\0', real.len))
        pull_fail(p, SCOUT_E_REMOTE, PULL_NO_REAL_PATH);
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

/* Why a command failed, in the host's words. */
static void fail_command(struct file_pull *p, const struct command_result *result)
{
    struct slice said = buf_peek(&p->shell->said);
    struct failure why;
    if (result->end != COMMAND_EXITED) {
        visit_fail_as(&p->visit, &result->failure);
        return;
    }
    while (said.len > 0 && said.data[said.len - 1] == '\n')
        said.len--;
    failure_set(&why, SCOUT_E_REMOTE, "Failed to read %.200s: the shell of %s ended with %d%s%.*s",
                p->shown, p->visit.host->name, result->has_status ? result->status : -1,
                said.len ? ": " : "", (int)(said.len > 160 ? 160 : said.len),
                said.len ? (const char *)said.data : "");
    why.stage = NULL;
    visit_fail_as(&p->visit, &why);
}

/* Whether it came to its end well; otherwise it has failed. */
bool pull_shell_ended(struct file_pull *p, const struct command_result *result)
{
    p->shell->command = NULL;
    if (p->visit.finished)
        return false;
    if (result->end == COMMAND_EXITED && result->has_status && result->status == 0)
        return true;
    if (result->end == COMMAND_EXITED && result->status == EXEC_CONTENT_NO_FILE)
        pull_fail_changed(p);
    else
        fail_command(p, result);
    return false;
}

void pull_shell_say(struct file_pull *p, struct slice data)
{
    struct buf *said = &p->shell->said;
    size_t len = data.len < buf_room(said) ? data.len : buf_room(said);
    if (buf_append(said, slice_of(data.data, len)) != 0)
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for what the host says");
}

void pull_shell_command(struct file_pull *p, const char *line, const struct command_events *events)
{
    const struct visit *v = &p->visit;
    struct failure why;
    const struct command_request request = {
        .host = v->host,
        .principal = v->principal,
        .client = v->client,
        .command = line,
        .deadline_ns = io_now(fleet_io(v->fleet)) + DEADLINE_NS,
    };
    buf_clear(&p->shell->said);
    if (command_start(fleet_pool(v->fleet), &request, events, p, &p->shell->command, &why) != 0)
        visit_fail_as(&p->visit, &why);
    else
        visit_moved(&p->visit, true);
}

/* ---- the second look ---- */

static void on_look_output(void *context, bool is_stderr, struct slice data)
{
    struct file_pull *p = context;
    struct exec_reply *r = &p->shell->reply;
    if (p->visit.finished)
        return;
    visit_moved(&p->visit, true);
    if (is_stderr) {
        pull_shell_say(p, data);
        return;
    }
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

static void run_second_look(struct file_pull *p, const char *line)
{
    pull_shell_command(p, line, &look_events);
}

void pull_shell_look_again(struct file_pull *p)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    p->ending = true;
    reply_begin(&p->shell->reply);
    pull_shell_run(p, &line, exec_script_write_source(&line, p->real_path), run_second_look);
}

/* ---- the end ---- */

void pull_shell_abandon(struct file_pull *p)
{
    if (p->shell && p->shell->command)
        command_abandon(p->shell->command);
    if (p->shell)
        p->shell->command = NULL;
}

void pull_shell_free(struct file_pull *p)
{
    struct pull_shell *s = p->shell;
    if (!s)
        return;
    exec_reply_fini(&s->reply);
    buf_fini(&s->noise);
    buf_fini(&s->kept);
    buf_fini(&s->said);
    free(s);
    p->shell = NULL;
}
