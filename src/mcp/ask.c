/* Requests of the server to a client of the older revisions (elicitation, sampling, roots), and the
 * calls that wait for their answers.
 *
 * Their ids are `scout-N`, counted by the session, so that a response finds its question whatever
 * way it comes: over HTTP it is a message of its own. Each question goes out by the way that the
 * call will be answered by. When the last answer has come the call begins anew; an answer that is
 * an error, or none within ASK_TIME_MS, ends it. */
#include "ask.h"

#include "dispatch.h"
#include "session_state.h"
#include "tasks.h"
#include <stdio.h>
#include <stdlib.h>

#define ID_PREFIX    "scout-"
#define ANSWERS_MAX  (4u * 1024u * 1024u)
#define STATE_MAX    (64u * 1024u)
#define QUESTION_MAX 16

static const struct {
    const char *method, *capability;
    uint32_t bit;
} kinds[] = {
    {"elicitation/create", "elicitation", TOOL_CAN_ELICIT},
    {"sampling/createMessage", "sampling", TOOL_CAN_SAMPLE},
    {"roots/list", "roots", TOOL_CAN_ROOTS},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* An elicitation without modes is one of forms. */
uint32_t ask_capabilities(struct slice capabilities)
{
    uint32_t can = 0;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (json_type(json_member(capabilities, kinds[i].capability)) == JSON_OBJECT)
            can |= kinds[i].bit;
    struct slice elicitation = json_member(capabilities, "elicitation");
    if (json_type(json_member(elicitation, "url")) == JSON_OBJECT) {
        can |= TOOL_CAN_ELICIT_URL;
        if (json_type(json_member(elicitation, "form")) != JSON_OBJECT)
            can &= ~TOOL_CAN_ELICIT;
    }
    return can;
}

uint32_t ask_needs(const char *method)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(method, kinds[i].method) == 0)
            return kinds[i].bit;
    return 0;
}

void ask_write_capabilities(struct json_writer *w, uint32_t needs)
{
    json_object_begin(w);
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (needs & kinds[i].bit) {
            json_key(w, kinds[i].capability);
            json_object_begin(w);
            json_object_end(w);
        }
    if (needs & TOOL_CAN_TASKS) {
        json_key(w, "extensions");
        json_object_begin(w);
        tasks_write_extension(w);
        json_object_end(w);
    }
    json_object_end(w);
}

/* ---- what is kept ---- */

struct asking *asking_new(struct request *r, const struct tool *tool, struct slice arguments,
                          uint32_t can)
{
    struct asking *a = arguments.len <= ASK_KEPT_MAX ? calloc(1, sizeof *a + arguments.len) : NULL;
    if (!a)
        return NULL;
    a->request = r;
    a->tool = tool;
    a->can = can;
    if (arguments.len)
        memcpy(a + 1, arguments.data, arguments.len);
    a->arguments = slice_of(a + 1, arguments.len);
    list_init(&a->node);
    buf_init(&a->answers, ANSWERS_MAX);
    buf_init(&a->state, STATE_MAX);
    io_timer_init(&a->timer);
    return a;
}

static void forget_keys(struct asking *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->keys[i]);
    free(a->keys);
    a->keys = NULL;
    a->count = a->missing = 0;
}

void asking_free(struct asking *a)
{
    if (io_timer_armed(&a->timer))
        io_timer_stop(a->request->session->config.registry->io, &a->timer);
    list_remove(&a->node);
    forget_keys(a);
    buf_fini(&a->answers);
    buf_fini(&a->state);
    free(a);
}

/* ---- asking ---- */

static int write_question(struct buf *out, uint64_t number, const struct tool_question *q)
{
    char id[40];
    struct json_writer w;
    snprintf(id, sizeof id, ID_PREFIX "%llu", (unsigned long long)number);
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    json_key(&w, "id");
    json_str(&w, id);
    json_key(&w, "method");
    json_str(&w, q->method);
    if (q->params) {
        json_key(&w, "params");
        json_raw(&w, slice_str(q->params));
    }
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(out, "\n");
}

static bool keep_keys(struct asking *a, const struct tool_questions *questions)
{
    a->keys = calloc(questions->count ? questions->count : 1, sizeof *a->keys);
    for (; a->keys && a->count < questions->count; a->count++)
        if (!(a->keys[a->count] = strdup(questions->list[a->count].key)))
            return false;
    return a->keys;
}

static void on_time(struct io_timer *timer);

int ask_send(struct mcp_session *s, struct asking *a, const struct tool_questions *questions)
{
    struct io *io = s->config.registry->io;
    struct mcp_way *way = a->request->way;
    struct buf *out = way_out(way);
    size_t before = buf_len(out);
    if (++a->rounds > ASK_ROUNDS_MAX || questions->count > QUESTION_MAX)
        return SCOUT_E_LIMIT;
    buf_clear(&a->answers);
    buf_clear(&a->state);
    if (!keep_keys(a, questions) || buf_append(&a->state, questions->state) != 0)
        return SCOUT_E_NOMEM;
    a->first = s->asked + 1;
    for (size_t i = 0; i < questions->count; i++) {
        int error = write_question(out, ++s->asked, &questions->list[i]);
        if (error) {
            out->end = out->start + before;
            return error;
        }
    }
    a->missing = a->count;
    list_append(&s->asking, &a->node);
    io_timer_start(io, &a->timer, io_now(io) + (a->count ? ASK_TIME_MS * (uint64_t)NS_PER_MS : 0),
                   on_time);
    session_mark(s, way);
    session_flush_later(s, way);
    return 0;
}

/* ---- answers ---- */

static bool parse_id(struct slice id, uint64_t *out)
{
    char text[40], *end;
    if (json_type(id) != JSON_STRING || json_string(id, text, sizeof text) < 0 ||
        strncmp(text, ID_PREFIX, sizeof ID_PREFIX - 1) != 0)
        return false;
    *out = strtoull(text + sizeof ID_PREFIX - 1, &end, 10);
    return *end == '\0';
}

static struct asking *asking_find(const struct mcp_session *s, uint64_t number)
{
    for (struct list *n = s->asking.next; n != &s->asking; n = n->next) {
        struct asking *a = CONTAINER_OF(n, struct asking, node);
        if (number >= a->first && number < a->first + a->count && a->keys[number - a->first])
            return a;
    }
    return NULL;
}

static int keep_answer(struct asking *a, const char *key, struct slice result)
{
    struct json_writer w;
    int error = buf_len(&a->answers) ? buf_append_str(&a->answers, ",") : 0;
    json_writer_init(&w, &a->answers);
    json_str(&w, key);
    if (!error)
        error = json_writer_end(&w);
    if (!error)
        error = buf_append_str(&a->answers, ":");
    return error ? error : buf_append(&a->answers, result);
}

static void go_on(struct mcp_session *s, struct asking *a)
{
    struct buf answers, state;
    buf_init(&answers, ANSWERS_MAX + 2);
    buf_init(&state, STATE_MAX);
    io_timer_stop(s->config.registry->io, &a->timer);
    list_remove(&a->node);
    forget_keys(a);
    if (buf_append_str(&answers, "{") != 0 || buf_append(&answers, buf_peek(&a->answers)) != 0 ||
        buf_append_str(&answers, "}") != 0) {
        call_give_up(s, a->request, "There is no memory for the answers");
    } else {
        buf_swap(&state, &a->state);
        const struct tool_round round = {
            .can = a->can, .answers = buf_peek(&answers), .state = buf_peek(&state)};
        call_go_on(s, a->request, &round);
    }
    buf_fini(&answers);
    buf_fini(&state);
}

/* Without questions the call just begins anew. */
static void on_time(struct io_timer *timer)
{
    struct asking *a = CONTAINER_OF(timer, struct asking, timer);
    struct mcp_session *s = a->request->session;
    if (a->count == 0)
        go_on(s, a);
    else
        call_give_up(s, a->request, "The client did not answer in time");
}

void ask_answered(struct mcp_session *s, struct slice text, struct slice id)
{
    uint64_t number;
    struct asking *a = parse_id(id, &number) ? asking_find(s, number) : NULL;
    struct slice result = json_member(text, "result");
    if (!a)
        return; /* late, or an answer to nothing */
    char **key = &a->keys[number - a->first];
    if (json_type(result) != JSON_OBJECT || keep_answer(a, *key, result) != 0) {
        call_give_up(s, a->request, "The client could not answer what it was asked");
        return;
    }
    free(*key);
    *key = NULL;
    if (--a->missing == 0)
        go_on(s, a);
}
