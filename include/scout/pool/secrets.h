/* What a person says at a terminal for one login (`scout auth`): by host, in memory only, for as
 * long as the person is there, SECRETS_TIME_MS at most after the last word. On the loop's thread
 * only. */
#ifndef SCOUT_POOL_SECRETS_H
#define SCOUT_POOL_SECRETS_H

#include "scout/io/io.h"
#include "scout/ssh/engine.h"

#define SECRETS_HOSTS_MAX   16 /* logins at one time */
#define SECRETS_ANSWERS_MAX 16 /* of one login */
#define SECRETS_PROMPT_MAX  256
#define SECRETS_TIME_MS     120000

struct secrets;

/* A question that was asked and is not answered. */
struct secret_prompt {
    char text[SECRETS_PROMPT_MAX + 1]; /* the host's own bytes, cut; NUL-terminated */
    bool echo;
};

__attribute__((warn_unused_result)) int secrets_new(struct secrets **out, struct io *io);
/* Wipes everything. NULL is allowed. */
void secrets_free(struct secrets *s);

/* Somebody is there to be asked about this host, from now on or still. 0, SCOUT_E_LIMIT, NOMEM. */
__attribute__((warn_unused_result)) int secrets_begin(struct secrets *s, const char *host);
bool secrets_has(const struct secrets *s, const char *host);
/* Wipes what is known of it. */
void secrets_end(struct secrets *s, const char *host);

/* The answers, borrowed until the next call of any function here, and true when all are known. Else
 * the questions wait, in the place of those that did before, and false. */
bool secrets_answer(struct secrets *s, const char *host, const struct auth_prompt *prompts,
                    size_t count, struct slice *answers);
/* How many questions wait, and which; borrowed likewise. */
size_t secrets_waiting(const struct secrets *s, const char *host, const struct secret_prompt **out);
/* Keeps the answer to a question that waits. 0, SCOUT_E_NOT_FOUND, SCOUT_E_LIMIT (too many, or
 * longer than AUTH_ANSWER_MAX) or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int secrets_put(struct secrets *s, const char *host,
                                                    size_t index, struct slice answer);
/* All that waited have been answered. */
void secrets_answered(struct secrets *s, const char *host);

#endif
