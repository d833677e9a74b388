/* The scout tool with `targets`: the same look at many places (reference A.2.9).
 *
 *   all targets are parsed --> a call of the tool for each, so many at a time --> one answer
 *
 * Each target is a call of its own, with the same caller and deadline: policy, a person's word, its
 * failure and its record on the audit log (under the number of the whole) are what they would be
 * without the others. They go by a view of their own, in which less may be read, so that the whole
 * is bounded.
 *
 * A target's call is ended before the whole is, which ends in a task: never within one of theirs.
 */
#include "scout_call.h"

#include "broadcast_result.h"
#include "result.h"
#include "scout/base/container.h"
#include "scout/fleet/holdings.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

#define RESULT_MAX (16u * 1024u * 1024u) /* bytes of one target's result, as JSON */

struct broadcast;

struct member {
    struct broadcast *b;
    const char *text;        /* as it was given; in the arguments */
    const char *host, *path; /* as they were understood */
    struct member *first;    /* of those at the same host; counts for all of them */
    unsigned in_flight;      /* at its host; of the first one */
    bool begun, done;
    struct tool_call *call; /* NULL: not under way */
    struct broadcast_part part;
};

struct broadcast {
    struct scout_call *s;
    const char *query; /* NULL: none */
    struct tool_env env;
    struct tool_view view;
    struct tool_registry registry;
    struct member *members;
    size_t count, next, done, succeeded; /* all before `next` have begun */
    unsigned in_flight;
    bool starting, cancelled;
    struct io_task task; /* ends the call */
    struct holding holding;
};

static void broadcast_free(struct broadcast *b)
{
    holding_end(&b->holding);
    for (size_t i = 0; b->members && i < b->count; i++)
        broadcast_part_fini(&b->members[i].part);
    free(b->members);
    free(b);
}

/* ---- the end ---- */

static void on_task(struct io_task *task)
{
    struct broadcast *b = CONTAINER_OF(task, struct broadcast, task);
    struct scout_call *s = b->s;
    const struct broadcast_part **parts = malloc(b->count * sizeof *parts);
    size_t *blocks = malloc(b->count * sizeof *blocks);
    struct broadcast_answer answer = {.parts = parts, .count = b->count, .succeeded = b->succeeded};
    const struct tool_result result = {
        .write = broadcast_answer_write,
        .context = &answer,
        .is_clean = true, /* each part was, by its own call */
        .blocks = blocks,
        .block_count = b->count,
    };
    s->operation = NULL;
    for (size_t i = 0; parts && blocks && i < b->count; i++) {
        parts[i] = &b->members[i].part;
        blocks[i] = broadcast_part_text_len(parts[i]);
    }
    if (parts && blocks)
        scout_call_end(s, &result);
    else
        scout_call_fail_memory(s);
    free(parts);
    free(blocks);
    broadcast_free(b);
}

/* ---- one target ---- */

static void set_failed(struct member *m, int error, const char *text)
{
    struct failure why;
    failure_set(&why, error, "%s", text);
    /* Without memory even for that, it has an empty block; the answer as a whole will fail. */
    if (broadcast_part_fail(&m->part, m->host, m->path, &why) != 0)
        m->part.ok = false;
}

static void start_more(struct broadcast *b);

static void end_member(struct member *m)
{
    struct broadcast *b = m->b;
    m->call = NULL;
    m->done = true;
    m->first->in_flight--;
    b->in_flight--;
    b->done++;
    b->succeeded += m->part.ok;
    if (b->cancelled)
        return;
    tool_call_progress(b->s->call, b->done, b->count, "targets answered");
    if (b->done == b->count)
        io_defer(b->s->call->registry->io, &b->task, on_task);
    else
        start_more(b);
}

static void on_done(struct tool_call *call, const struct tool_result *result)
{
    struct member *m = call->owner;
    struct buf out;
    buf_init(&out, RESULT_MAX);
    int error = result_object(&out, result);
    if (!error && !m->b->cancelled)
        error = broadcast_part_set(&m->part, m->host, m->path, buf_peek(&out), result->error);
    if (error)
        set_failed(m, error, "No room for the answer");
    call->answer_bytes = buf_len(&out);
    buf_fini(&out);
    end_member(m);
}

static int write_arguments(const struct member *m, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "target");
    json_str(&w, m->text);
    if (m->b->query) {
        json_key(&w, "query");
        json_str(&w, m->b->query);
    }
    json_object_end(&w);
    return json_writer_end(&w);
}

static void begin_member(struct member *m)
{
    struct broadcast *b = m->b;
    struct tool_call *whole = b->s->call, *call = NULL;
    const struct tool_round round = {.raw = whole->raw};
    struct buf arguments;
    m->begun = true;
    m->first->in_flight++;
    b->in_flight++;
    buf_init(&arguments, RESULT_MAX);
    if (write_arguments(m, &arguments) == 0)
        call = tool_call_start_round(&b->registry, whole->tool, buf_peek(&arguments),
                                     whole->identity, whole->deadline_ns, &round, on_done, m);
    buf_fini(&arguments);
    if (call && !m->done) {
        m->call = call;
    } else if (!call) {
        set_failed(m, SCOUT_E_NOMEM, "No memory for the request");
        end_member(m);
    }
}

/* ---- so many at a time ---- */

static bool may_begin(const struct member *m)
{
    return !m->begun && m->first->in_flight < BROADCAST_PER_HOST_MAX;
}

/* One round over those that have not begun; false when none could. */
static bool start_round(struct broadcast *b)
{
    bool any = false;
    for (size_t i = b->next; i < b->count && b->in_flight < BROADCAST_IN_FLIGHT_MAX; i++) {
        if (may_begin(&b->members[i])) {
            begin_member(&b->members[i]);
            any = true;
        }
        if (i == b->next && b->members[i].begun)
            b->next++;
    }
    return any;
}

/* A target may end as soon as it begins, and so make room. */
static void start_more(struct broadcast *b)
{
    if (b->starting)
        return;
    b->starting = true;
    while (start_round(b))
        continue;
    b->starting = false;
}

static int compare_hosts(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return strcmp((*x)->host, (*y)->host);
}

/* Finds for each the first one at its host. */
static bool find_firsts(struct broadcast *b)
{
    struct member **sorted = malloc(b->count * sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < b->count; i++)
        sorted[i] = &b->members[i];
    qsort(sorted, b->count, sizeof *sorted, compare_hosts);
    for (size_t i = 0; i < b->count; i++) {
        bool same = i > 0 && strcmp(sorted[i]->host, sorted[i - 1]->host) == 0;
        sorted[i]->first = same ? sorted[i - 1]->first : sorted[i];
    }
    free(sorted);
    return true;
}

/* ---- the begin ---- */

static const char *keep(struct tool_call *call, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(&call->arena, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static int parse_member(struct member *m, struct target *t, struct failure *why)
{
    struct failure own;
    if (target_parse(slice_str(m->text), t, &own) != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Error parsing target '%.200s': %s",
                           m->text, own.text);
    if (t->kind == TARGET_HOSTS)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "broadcast targets must be 'host:/path', not 'hosts'");
    m->host = keep(m->b->s->call, t->host);
    m->path = keep(m->b->s->call, t->path);
    return m->host && m->path ? 0 : failure_set(why, SCOUT_E_NOMEM, "No memory for the request");
}

static int parse(struct broadcast *b, const struct cJSON *targets, struct failure *why)
{
    const cJSON *item;
    size_t i = 0;
    cJSON_ArrayForEach(item, targets)
    {
        struct member *m = &b->members[i++];
        m->b = b;
        m->text = item->valuestring;
        broadcast_part_init(&m->part);
        int error = parse_member(m, &b->s->target, why);
        if (error) {
            b->count = i;
            return error;
        }
    }
    return 0;
}

static size_t room_of_each(const struct broadcast *b)
{
    size_t room = BROADCAST_BYTES_MAX / b->count;
    return room < BROADCAST_TARGET_BYTES_MIN ? BROADCAST_TARGET_BYTES_MIN : room;
}

/* Asks for what all targets may bring. It cannot wait: nothing of it has a deadline yet. */
static int hold(struct broadcast *b, struct failure *why)
{
    const struct tool_call *call = b->s->call;
    struct holdings *h = call->view->env->holdings;
    if (!h || holding_try(&b->holding, h, call->identity->client, room_of_each(b) * b->count))
        return 0;
    return holdings_refuse(h, why);
}

/* What each target's call goes by. */
static void prepare(struct broadcast *b)
{
    const struct tool_call *call = b->s->call;
    const size_t room = room_of_each(b);
    b->env = *call->view->env;
    b->env.holdings = NULL; /* the whole has asked */
    if (b->env.file_size_max > room)
        b->env.file_size_max = room;
    b->env.entry_max = room / BROADCAST_ENTRY_BYTES;
    b->view = (struct tool_view){.env = &b->env,
                                 .policy = call->view->policy,
                                 .redactor = call->view->redactor,
                                 .raw_output = call->view->raw_output};
    b->registry = *call->registry;
    b->registry.view = &b->view;
    b->registry.part_of = call->number;
}

static struct broadcast *broadcast_new(struct scout_call *s, size_t count)
{
    struct broadcast *b = calloc(1, sizeof *b);
    struct member *members = calloc(count, sizeof *members);
    if (!b || !members) {
        free(b);
        free(members);
        return NULL;
    }
    b->s = s;
    b->members = members;
    b->count = count;
    io_task_init(&b->task);
    return b;
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(args, "targets");
    const char *query = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "query"));
    struct broadcast *b = broadcast_new(s, (size_t)cJSON_GetArraySize(targets));
    struct failure why;
    if (!b) {
        scout_call_fail_memory(s);
        return;
    }
    int error = parse(b, targets, &why);
    if (!error && !find_firsts(b))
        error = failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
    if (!error)
        error = hold(b, &why);
    if (error) {
        broadcast_free(b);
        scout_call_fail(s, &why);
        return;
    }
    b->query = query && query[0] ? query : NULL;
    s->operation = b;
    prepare(b);
    start_more(b);
}

static void cancel(struct scout_call *s)
{
    struct broadcast *b = s->operation;
    if (!b)
        return;
    b->cancelled = true;
    io_task_cancel(&b->task);
    for (size_t i = 0; i < b->count; i++)
        if (b->members[i].call)
            tool_call_cancel(b->members[i].call);
    broadcast_free(b);
}

const struct scout_mode scout_broadcast = {.start = start, .cancel = cancel};
