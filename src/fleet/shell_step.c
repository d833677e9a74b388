/* A command behind the visit's own: its time, what it complains of, and why it failed. */
#include "shell_step.h"

#include "scout/base/time.h"

#define SAID_MAX    1024u                  /* bytes of what the host complains of */
#define TOLD_MAX    160                    /* of these in a failure */
#define DEADLINE_NS (24 * 3600 * NS_PER_S) /* of one that has an idle limit */

void shell_step_init(struct shell_step *s, struct visit *v)
{
    s->visit = v;
    s->command = NULL;
    buf_init(&s->said, SAID_MAX);
}

void shell_step_fini(struct shell_step *s)
{
    buf_fini(&s->said);
}

bool shell_step_start(struct shell_step *s, const char *line, bool has_input,
                      const struct command_events *events, void *context)
{
    struct visit *v = s->visit;
    struct failure why;
    const uint64_t now = io_now(fleet_io(v->fleet));
    const struct command_request request = {
        .host = v->host,
        .principal = v->principal,
        .client = v->client,
        .command = line,
        .deadline_ns = v->idle_ns ? now + DEADLINE_NS : v->deadline_ns,
        .has_input = has_input,
    };
    buf_clear(&s->said);
    if (command_start(fleet_pool(v->fleet), &request, events, context, &s->command, &why) != 0) {
        visit_fail_as(v, &why);
        return false;
    }
    visit_moved(v, true);
    return true;
}

bool shell_step_heard(struct shell_step *s, bool is_stderr, struct slice data)
{
    if (s->visit->finished)
        return false;
    visit_moved(s->visit, true);
    if (!is_stderr)
        return true;
    size_t len = data.len < buf_room(&s->said) ? data.len : buf_room(&s->said);
    if (buf_append(&s->said, slice_of(data.data, len)) != 0)
        visit_fail(s->visit, SCOUT_E_NOMEM, "No memory for what the host says");
    return false;
}

bool shell_step_ended(struct shell_step *s)
{
    s->command = NULL;
    return !s->visit->finished;
}

void shell_step_fail(struct shell_step *s, const char *what, const struct command_result *result)
{
    const struct visit *v = s->visit;
    struct slice said = buf_peek(&s->said);
    struct failure why;
    if (result->end != COMMAND_EXITED) {
        visit_fail_as(s->visit, &result->failure);
        return;
    }
    while (said.len > 0 && said.data[said.len - 1] == '\n')
        said.len--;
    failure_set(&why, SCOUT_E_REMOTE, "Failed to %s %.200s: the shell of %s ended with %d%s%.*s",
                what, v->shown, v->host->name, result->has_status ? result->status : -1,
                said.len ? ": " : "", (int)(said.len > TOLD_MAX ? TOLD_MAX : said.len),
                said.len ? (const char *)said.data : "");
    visit_fail_as(s->visit, &why);
}

void shell_step_abandon(struct shell_step *s)
{
    if (s->command)
        command_abandon(s->command);
    s->command = NULL;
}
