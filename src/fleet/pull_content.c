/* The content of a file of a host without SFTP: whatever its command prints behind a line of its
 * own; what the login shell says comes before that. It is handed on from where it lies in the
 * packet; what is not wanted yet is kept, and the command is paused, so that its channel's window
 * holds the host back. */
#include "pull_shell.h"

#include "exec_script.h"
#include <string.h>

static const char mark[] = "\n" EXEC_CONTENT_MARK "\n";

/* Hands on as much as is wanted; returns how much that was. */
static size_t hand_on(struct file_pull *p, struct slice data)
{
    size_t done = 0;
    while (!p->visit.finished && done < data.len) {
        size_t room = p->events->room(p->context), left = data.len - done;
        if (room == 0)
            break;
        size_t len = left < room ? left : room;
        p->events->on_data(p->context, slice_of(data.data + done, len));
        done += len;
    }
    return done;
}

/* What follows from what is kept now. */
static void settle(struct file_pull *p)
{
    struct pull_shell *s = p->shell;
    bool full = buf_len(&s->kept) > 0;
    if (p->visit.finished)
        return;
    if (s->step.command && full != s->paused) {
        s->paused = full;
        visit_moved(&p->visit, !full);
        command_pause(s->step.command, full);
    }
    if (s->ended && !full && !p->ending)
        pull_shell_look_again(p);
}

void pull_shell_go_on(struct file_pull *p)
{
    struct pull_shell *s = p->shell;
    if (p->handing)
        return;
    p->handing = true;
    if (buf_len(&s->kept) > 0)
        buf_consume(&s->kept, hand_on(p, buf_peek(&s->kept)));
    p->handing = false;
    settle(p);
}

static void take(struct file_pull *p, struct slice data)
{
    struct pull_shell *s = p->shell;
    if (data.len > s->left) {
        if (p->size == 0)
            visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE, PULL_NO_SIZE);
        else
            pull_fail_changed(p);
        return;
    }
    s->left -= data.len;
    p->handing = true;
    if (buf_len(&s->kept) == 0)
        data = slice_skip(data, hand_on(p, data));
    p->handing = false;
    if (!p->visit.finished && data.len > 0 && buf_append(&s->kept, data) != 0)
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the file's content");
    settle(p);
}

/* What comes before the content; what is behind its mark is left in *data. */
static void pass_noise(struct file_pull *p, struct slice *data)
{
    struct buf *noise = &p->shell->noise;
    const size_t mark_len = strlen(mark), before = buf_len(noise);
    size_t len = data->len < buf_room(noise) ? data->len : buf_room(noise);
    if (len == 0 || buf_append(noise, slice_of(data->data, len)) != 0) {
        visit_fail_output(&p->visit, SCOUT_E_PARSE);
        return;
    }
    struct slice all = buf_peek(noise);
    const uint8_t *at = memmem(all.data, all.len, mark, mark_len);
    if (!at) {
        *data = slice_of("", 0);
        return;
    }
    *data = slice_skip(*data, (size_t)(at - all.data) + mark_len - before);
    p->shell->begun = true;
    buf_clear(noise);
}

static void on_content(void *context, bool is_stderr, struct slice data)
{
    struct file_pull *p = context;
    if (!shell_step_heard(&p->shell->step, is_stderr, data))
        return;
    if (!p->shell->begun)
        pass_noise(p, &data);
    if (!p->visit.finished && data.len > 0)
        take(p, data);
}

static void on_content_end(void *context, const struct command_result *result)
{
    struct file_pull *p = context;
    if (!pull_shell_ended(p, result))
        return;
    if (!p->shell->begun)
        visit_fail_output(&p->visit, SCOUT_E_PARSE);
    else if (p->shell->left > 0)
        pull_fail_changed(p); /* it ends earlier than it did */
    p->shell->ended = true;
    visit_moved(&p->visit, false);
    settle(p);
}

static const struct command_events content_events = {.on_output = on_content,
                                                     .on_end = on_content_end};

void pull_shell_go(struct file_pull *p, uint64_t offset)
{
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    p->shell->left = p->size - offset;
    pull_shell_step(p, &line, exec_script_write_content(&line, p->real_path, offset),
                    &content_events);
}
