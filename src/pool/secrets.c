/* Answers by host and question.
 *
 * A login that needs answers is begun twice or more: a session that meets a question without an
 * answer ends, and the person is asked (see session_prompts.c). So answers are known by the text of
 * their question, and stay for the sessions that follow. They lie in libcrypto's locked heap, are
 * wiped when the login is over, and in any case when nobody has said a word for a while. */
#include "scout/pool/secrets.h"

#include "scout/base/time.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct known {
    char question[SECRETS_PROMPT_MAX + 1];
    char *answer; /* in the secure heap */
    size_t len;
};

struct login {
    char *host;
    uint64_t until_ns;
    struct known known[SECRETS_ANSWERS_MAX];
    size_t known_count;
    struct secret_prompt waiting[AUTH_PROMPTS_MAX];
    size_t waiting_count;
};

struct secrets {
    struct io *io;
    struct io_timer timer;
    struct login *logins[SECRETS_HOSTS_MAX];
    size_t count;
};

static void login_free(struct login *l)
{
    for (size_t i = 0; i < l->known_count; i++)
        OPENSSL_secure_clear_free(l->known[i].answer, l->known[i].len + 1);
    free(l->host);
    free(l);
}

static void drop(struct secrets *s, size_t index)
{
    login_free(s->logins[index]);
    s->logins[index] = s->logins[--s->count];
}

static void on_timer(struct io_timer *timer);

/* Runs for the one that ends first. */
static void set_timer(struct secrets *s)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < s->count; i++)
        if (s->logins[i]->until_ns < first)
            first = s->logins[i]->until_ns;
    io_timer_stop(s->io, &s->timer);
    if (s->count > 0)
        io_timer_start(s->io, &s->timer, first, on_timer);
}

static void on_timer(struct io_timer *timer)
{
    struct secrets *s = CONTAINER_OF(timer, struct secrets, timer);
    uint64_t now_ns = io_now(s->io);
    for (size_t i = s->count; i-- > 0;)
        if (s->logins[i]->until_ns <= now_ns)
            drop(s, i);
    set_timer(s);
}

int secrets_new(struct secrets **out, struct io *io)
{
    struct secrets *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    s->io = io;
    io_timer_init(&s->timer);
    *out = s;
    return 0;
}

void secrets_free(struct secrets *s)
{
    if (!s)
        return;
    while (s->count > 0)
        drop(s, 0);
    io_timer_stop(s->io, &s->timer);
    free(s);
}

static struct login *find(const struct secrets *s, const char *host)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->logins[i]->host, host) == 0)
            return s->logins[i];
    return NULL;
}

static void extend(struct secrets *s, struct login *l)
{
    l->until_ns = io_now(s->io) + SECRETS_TIME_MS * (uint64_t)NS_PER_MS;
    set_timer(s);
}

int secrets_begin(struct secrets *s, const char *host)
{
    struct login *l = find(s, host);
    if (!l && s->count == SECRETS_HOSTS_MAX)
        return SCOUT_E_LIMIT;
    if (!l) {
        l = calloc(1, sizeof *l);
        if (l)
            l->host = strdup(host);
        if (!l || !l->host) {
            free(l);
            return SCOUT_E_NOMEM;
        }
        s->logins[s->count++] = l;
    }
    extend(s, l);
    return 0;
}

bool secrets_has(const struct secrets *s, const char *host)
{
    return find(s, host) != NULL;
}

void secrets_end(struct secrets *s, const char *host)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->logins[i]->host, host) == 0) {
            drop(s, i);
            break;
        }
    set_timer(s);
}

static void cut(char out[SECRETS_PROMPT_MAX + 1], struct slice text)
{
    size_t len = text.len < SECRETS_PROMPT_MAX ? text.len : SECRETS_PROMPT_MAX;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (out[i] == '\0')
            out[i] = '?';
}

static const struct known *find_known(const struct login *l, const char *question)
{
    for (size_t i = 0; i < l->known_count; i++)
        if (strcmp(l->known[i].question, question) == 0)
            return &l->known[i];
    return NULL;
}

bool secrets_answer(struct secrets *s, const char *host, const struct auth_prompt *prompts,
                    size_t count, struct slice *answers)
{
    struct login *l = find(s, host);
    bool all = l != NULL;
    if (!l || count > AUTH_PROMPTS_MAX)
        return false;
    l->waiting_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct secret_prompt *w = &l->waiting[l->waiting_count];
        cut(w->text, prompts[i].text);
        w->echo = prompts[i].echo;
        const struct known *k = find_known(l, w->text);
        if (k)
            answers[i] = slice_of(k->answer, k->len);
        else
            l->waiting_count++;
        all = all && k;
    }
    return all;
}

size_t secrets_waiting(const struct secrets *s, const char *host, const struct secret_prompt **out)
{
    const struct login *l = find(s, host);
    *out = l ? l->waiting : NULL;
    return l ? l->waiting_count : 0;
}

int secrets_put(struct secrets *s, const char *host, size_t index, struct slice answer)
{
    struct login *l = find(s, host);
    if (!l || index >= l->waiting_count)
        return SCOUT_E_NOT_FOUND;
    if (l->known_count == SECRETS_ANSWERS_MAX || answer.len > AUTH_ANSWER_MAX)
        return SCOUT_E_LIMIT;
    struct known *k = &l->known[l->known_count];
    k->answer = OPENSSL_secure_zalloc(answer.len + 1);
    if (!k->answer)
        return SCOUT_E_NOMEM;
    if (answer.len > 0)
        memcpy(k->answer, answer.data, answer.len);
    k->len = answer.len;
    memcpy(k->question, l->waiting[index].text, sizeof k->question);
    l->known_count++;
    extend(s, l);
    return 0;
}

void secrets_answered(struct secrets *s, const char *host)
{
    struct login *l = find(s, host);
    if (l)
        l->waiting_count = 0;
}
