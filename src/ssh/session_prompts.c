/* Login by what a person knows: keyboard-interactive (RFC 4256) and a password (RFC 4252, 8).
 *
 * libssh2 wants the answers within the call that brought the questions, and no person is that
 * quick. So only what the owner knows already is answered. Else the session ends before a byte of
 * an answer was sent, which the host does not count as a wrong one; the owner has been told the
 * questions, and the next session answers them at once. A host that sends a code anew for each
 * session cannot be logged in to in this way; one whose codes come from a clock can.
 *
 * libssh2 1.10 gives up on questions that come with a name (RFC 4256, 3.2); OpenSSH's sshd sends
 * none.
 *
 * libssh2's copies of answers are wiped with its memory (session_memory.c). */
#include "session_state.h"

#include <stdio.h>
#include <stdlib.h>

#define SHOWN_MAX 80 /* bytes of a question in a message */

void session_password_wipe(struct session_auth *a)
{
    if (a->password)
        explicit_bzero(a->password, strlen(a->password));
    free(a->password);
    a->password = NULL;
}

static void end_unanswered(struct session *s, struct slice text)
{
    char shown[SHOWN_MAX + 1];
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    for (size_t i = 0; i < len; i++)
        shown[i] = (char)(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
    shown[len] = '\0';
    s->auth.unanswered = true;
    failure_set(&s->engine.failure, SCOUT_E_AUTH,
                "%s asks user %s \"%s\", and the answer is not known: run scout auth %s",
                s->config.name, s->config.user, shown, s->config.name);
}

static bool take_answers(struct session *s, const struct auth_prompt *prompts, size_t count,
                         struct slice answers[AUTH_PROMPTS_MAX])
{
    bool known = s->config.events->on_prompts(s->config.context, prompts, count, answers);
    for (size_t i = 0; known && i < count; i++)
        known = answers[i].len <= AUTH_ANSWER_MAX;
    if (!known)
        end_unanswered(s, prompts[0].text);
    return known;
}

/* ---- questions ---- */

static bool give(struct session *s, LIBSSH2_USERAUTH_KBDINT_RESPONSE *out, struct slice answer)
{
    void *allocator = s;
    out->text = session_alloc(answer.len + 1, &allocator);
    if (!out->text)
        return false;
    memcpy(out->text, answer.data, answer.len);
    out->length = (unsigned)answer.len;
    return true;
}

static void on_questions(const char *name, int name_len, const char *instruction,
                         int instruction_len, int count,
                         const LIBSSH2_USERAUTH_KBDINT_PROMPT *asked,
                         LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
    struct session *s = *abstract;
    struct auth_prompt prompts[AUTH_PROMPTS_MAX];
    struct slice answers[AUTH_PROMPTS_MAX] = {{0}};
    (void)name, (void)name_len, (void)instruction, (void)instruction_len;
    if (count > AUTH_PROMPTS_MAX)
        end_unanswered(s, slice_str("too many questions"));
    if (count <= 0 || count > AUTH_PROMPTS_MAX)
        return;
    for (int i = 0; i < count; i++)
        prompts[i] = (struct auth_prompt){slice_of(asked[i].text, asked[i].length), asked[i].echo};
    if (!take_answers(s, prompts, (size_t)count, answers))
        return;
    for (int i = 0; i < count; i++)
        if (!give(s, &responses[i], answers[i]))
            end_unanswered(s, prompts[i].text);
}

/* What came of a method, when it is over. True when it got further. */
static bool conclude(struct session *s, int rc, const char *refusal)
{
    struct session_auth *a = &s->auth;
    a->method = AUTH_BY_KEY;
    session_password_wipe(a);
    if (a->unanswered) {
        session_end(s, s->engine.failure.error);
        return false;
    }
    if (rc == 0) {
        s->engine.stage = ENGINE_CHANNEL;
        return true;
    }
    if (rc != LIBSSH2_ERROR_AUTHENTICATION_FAILED && rc != LIBSSH2_ERROR_PASSWORD_EXPIRED) {
        session_auth_end_by_peer(s, rc);
        return false;
    }
    a->keys_over = true;
    session_auth_note(s, "%s", refusal);
    return true;
}

bool session_questions(struct session *s)
{
    const char *user = s->config.user;
    int rc = libssh2_userauth_keyboard_interactive_ex(s->ssh, user, (unsigned)strlen(user),
                                                      on_questions);
    if (rc == LIBSSH2_ERROR_EAGAIN && !s->auth.unanswered)
        return false;
    s->auth.questions_tried = true;
    return conclude(s, rc, "the answers to its questions did not suffice");
}

/* ---- a password ---- */

static bool take_password(struct session *s)
{
    struct slice answer[AUTH_PROMPTS_MAX] = {{0}};
    char text[SHOWN_MAX];
    snprintf(text, sizeof text, "Password of %.30s at %.30s:", s->config.user, s->config.name);
    const struct auth_prompt prompt = {slice_str(text), false};
    if (!take_answers(s, &prompt, 1, answer))
        return false;
    s->auth.password = malloc(answer[0].len + 1);
    if (!s->auth.password) {
        end_unanswered(s, prompt.text);
        return false;
    }
    memcpy(s->auth.password, answer[0].data, answer[0].len);
    s->auth.password[answer[0].len] = '\0';
    return true;
}

bool session_password(struct session *s)
{
    struct session_auth *a = &s->auth;
    const char *user = s->config.user;
    if (!a->password && !take_password(s))
        return conclude(s, 0, "");
    int rc = libssh2_userauth_password_ex(s->ssh, user, (unsigned)strlen(user), a->password,
                                          (unsigned)strlen(a->password), NULL);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    a->password_tried = true;
    return conclude(s, rc,
                    rc == LIBSSH2_ERROR_PASSWORD_EXPIRED ? "the password has expired"
                                                         : "the password did not suffice");
}
