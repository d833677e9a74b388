/* The table of acts and words. An id is made from a counter and
 * the seed; it is looked up in the table alone and gives no right. Nothing is pushed out to make
 * room: a caller must not be able to take away what a person is looking at. */
#include "confirmation_act.h"

#include <stdio.h>
#include <stdlib.h>

enum state { FREE, WAITING, APPROVED, USED };

struct entry {
    enum state state;
    char id[CONFIRMATION_ID_MAX + 1];
    uint64_t number, asked_ns, until_ns;
    uint64_t call; /* that used it */
    struct buf act;
    char identity[IDENTITY_NAME_MAX + 1];
    enum policy_verb verb;
    char *rule, *host, *path, *command, *directory; /* for showing */
    char *input;
    size_t input_len;
};

struct confirmations {
    uint64_t seed, asked, calls;
    struct entry entries[CONFIRMATIONS_MAX];
};

struct confirmations *confirmations_new(uint64_t seed)
{
    struct confirmations *c = calloc(1, sizeof *c);
    if (c)
        c->seed = seed;
    return c;
}

static void clear(struct entry *e)
{
    if (e->state == FREE)
        return;
    buf_fini(&e->act);
    free(e->rule);
    free(e->host);
    free(e->path);
    free(e->command);
    free(e->directory);
    free(e->input);
    *e = (struct entry){.state = FREE};
}

void confirmations_free(struct confirmations *c)
{
    for (size_t i = 0; c && i < CONFIRMATIONS_MAX; i++)
        clear(&c->entries[i]);
    free(c);
}

uint64_t confirmations_call(struct confirmations *c)
{
    return ++c->calls;
}

/* ---- the table ---- */

static char *copy(struct slice text)
{
    char *out = malloc(text.len + 1);
    if (!out)
        return NULL;
    if (text.len)
        memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return out;
}

static void drop_late(struct confirmations *c, uint64_t now_ns)
{
    for (size_t i = 0; i < CONFIRMATIONS_MAX; i++)
        if (c->entries[i].state != FREE && now_ns >= c->entries[i].until_ns)
            clear(&c->entries[i]);
}

static struct entry *find_act(struct confirmations *c, struct slice act, uint64_t call)
{
    struct entry *found = NULL;
    for (size_t i = 0; i < CONFIRMATIONS_MAX; i++) {
        struct entry *e = &c->entries[i];
        if (e->state == FREE || !slice_equal(buf_peek(&e->act), act))
            continue;
        if (e->state == USED && e->call == call)
            return e;
        if (e->state != USED)
            found = e;
    }
    return found;
}

/* Room for one more of the identity: a free entry, or a used one. NULL with *why. */
static struct entry *find_room(struct confirmations *c, const char *identity, struct failure *why)
{
    struct entry *room = NULL;
    unsigned each = 0;
    for (size_t i = 0; i < CONFIRMATIONS_MAX; i++) {
        struct entry *e = &c->entries[i];
        bool live = e->state == WAITING || e->state == APPROVED;
        each += live && strcmp(e->identity, identity) == 0;
        if (e->state == FREE || (e->state == USED && !room))
            room = e;
    }
    if (room && each < CONFIRMATIONS_EACH_MAX)
        return room;
    failure_set(why, SCOUT_E_POLICY,
                "Policy: %s acts wait for a person's word already, so this one cannot. A person "
                "decides with scout approve",
                room ? "too many of this caller's" : "too many");
    return NULL;
}

static void make_id(struct confirmations *c, char id[CONFIRMATION_ID_MAX + 1])
{
    static const char letters[] = "23456789abcdefghjkmnpqrstuvwxyz"; /* 31 that read apart */
    uint64_t x = c->seed + ++c->asked * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    for (size_t i = 0; i < 8; i++, x /= 31)
        id[i] = letters[x % 31];
    id[8] = '\0';
}

static int keep(struct confirmations *c, struct entry *e, const struct confirmation_act *act,
                struct buf *bytes, uint64_t now_ns)
{
    clear(e);
    *e = (struct entry){.state = WAITING,
                        .number = c->asked,
                        .asked_ns = now_ns,
                        .until_ns = now_ns + CONFIRMATION_TIME_NS,
                        .act = *bytes,
                        .verb = act->verb,
                        .rule = copy(slice_str(act->rule)),
                        .host = copy(slice_str(act->host ? act->host : "")),
                        .path = copy(act->path),
                        .command = confirmation_act_command(act),
                        .directory = copy(act->directory),
                        .input = copy(act->input),
                        .input_len = act->input.len};
    snprintf(e->identity, sizeof e->identity, "%s", act->identity->name);
    make_id(c, e->id);
    if (e->rule && e->host && e->path && e->command && e->directory && e->input)
        return 0;
    clear(e);
    return SCOUT_E_NOMEM;
}

static int say_waiting(const struct entry *e, struct failure *why)
{
    return failure_set(
        why, SCOUT_E_CONFIRMATION,
        "Policy: the rule \"%s\" wants a person's word for this. A person gives it on a "
        "terminal with: scout approve %s (within 10 minutes). Then make the same call "
        "again",
        e->rule, e->id);
}

/* With the act's bytes, which stay the caller's unless *kept. */
static int ask(struct confirmations *c, const struct confirmation_act *act, struct buf *bytes,
               uint64_t call, uint64_t now_ns, bool *kept, struct failure *why)
{
    struct entry *e = find_act(c, buf_peek(bytes), call);
    if (e && e->state == APPROVED) {
        e->state = USED;
        e->call = call;
    }
    if (e)
        return e->state == USED ? 0 : say_waiting(e, why);
    e = find_room(c, act->identity->name, why);
    if (!e)
        return SCOUT_E_POLICY;
    *kept = true;
    if (keep(c, e, act, bytes, now_ns) != 0)
        return failure_set(why, SCOUT_E_NOMEM, "No memory to ask for a person's word");
    return say_waiting(e, why);
}

int confirmations_ask(struct confirmations *c, const struct confirmation_act *act, uint64_t call,
                      uint64_t now_ns, struct failure *why)
{
    struct buf bytes;
    bool kept = false;
    drop_late(c, now_ns);
    buf_init(&bytes, CONFIRMATION_ACT_MAX);
    int error = confirmation_act_write(act, &bytes);
    if (error)
        failure_set(
            why, SCOUT_E_POLICY,
            "Policy: the rule \"%s\" wants a person's word, and what is asked for is too long "
            "to be judged (%d bytes at most)",
            act->rule, CONFIRMATION_ACT_MAX);
    else
        error = ask(c, act, &bytes, call, now_ns, &kept, why);
    if (!kept)
        buf_fini(&bytes);
    return error ? why->error : 0;
}

void confirmations_give_back(struct confirmations *c, uint64_t call)
{
    for (size_t i = 0; i < CONFIRMATIONS_MAX; i++)
        if (c->entries[i].state == USED && c->entries[i].call == call)
            c->entries[i].state = APPROVED;
}

/* ---- a person ---- */

bool confirmations_at(struct confirmations *c, uint32_t index, uint64_t now_ns,
                      struct confirmation *out)
{
    uint64_t after = 0;
    struct entry *found = NULL;
    drop_late(c, now_ns);
    for (uint32_t n = 0; n <= index; n++, after = found->number + 1) {
        found = NULL;
        for (size_t i = 0; i < CONFIRMATIONS_MAX; i++) {
            struct entry *e = &c->entries[i];
            if ((e->state == WAITING || e->state == APPROVED) && e->number >= after &&
                (!found || e->number < found->number))
                found = e;
        }
        if (!found)
            return false;
    }
    *out = (struct confirmation){.id = found->id,
                                 .identity = found->identity,
                                 .rule = found->rule,
                                 .host = found->host,
                                 .verb = found->verb,
                                 .path = slice_str(found->path),
                                 .command = slice_str(found->command),
                                 .directory = slice_str(found->directory),
                                 .input = slice_of(found->input, found->input_len),
                                 .asked_ns = found->asked_ns,
                                 .approved = found->state == APPROVED};
    return true;
}

static struct entry *find_id(struct confirmations *c, const char *id, uint64_t now_ns,
                             struct failure *why)
{
    drop_late(c, now_ns);
    for (size_t i = 0; i < CONFIRMATIONS_MAX; i++) {
        struct entry *e = &c->entries[i];
        if ((e->state == WAITING || e->state == APPROVED) && strcmp(e->id, id) == 0)
            return e;
    }
    failure_set(why, SCOUT_E_NOT_FOUND, "Nothing waits for a person's word as %.32s (any more)",
                id);
    return NULL;
}

int confirmations_approve(struct confirmations *c, const char *id, uint64_t now_ns,
                          struct failure *why)
{
    struct entry *e = find_id(c, id, now_ns, why);
    if (!e)
        return SCOUT_E_NOT_FOUND;
    e->state = APPROVED;
    e->until_ns = now_ns + CONFIRMATION_TIME_NS;
    return 0;
}

int confirmations_refuse(struct confirmations *c, const char *id, uint64_t now_ns,
                         struct failure *why)
{
    struct entry *e = find_id(c, id, now_ns, why);
    if (!e)
        return SCOUT_E_NOT_FOUND;
    clear(e);
    return 0;
}
