/* What a host would take, which of it comes next, and what to say when that is nothing. */
#include "session_state.h"

#include <stdio.h>

static bool has_method(const char *methods, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = methods; at && *at; at += *at == ',') {
        size_t one = strcspn(at, ",");
        if (one == len && memcmp(at, name, len) == 0)
            return true;
        at += one;
    }
    return false;
}

void session_auth_fail(struct session *s, const char *methods)
{
    struct session_auth *a = &s->auth;
    struct slice notes = buf_peek(&a->refusals);
    char offers[300] = "", limit[64] = "";
    bool asks = has_method(methods, "password") || has_method(methods, "keyboard-interactive");
    if (methods && *methods)
        snprintf(offers, sizeof offers, "; it offers: %.120s%s%.120s", methods,
                 asks ? "; what it asks a person is answered by scout auth " : "",
                 asks ? s->config.name : "");
    for (char *c = offers; *c; c++)
        if (*c < ' ' || *c > '~') /* the host's own bytes */
            *c = '?';
    if (a->next < s->config.identity_count)
        snprintf(limit, sizeof limit, " (%zu more were not tried)",
                 s->config.identity_count - a->next);
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_AUTH,
                               "%s does not accept user %s with %u key%s tried%s%s%s%.*s%s: check "
                               "User and IdentityFile of this host in the ssh configuration, and "
                               "its authorized_keys",
                               s->config.name, s->config.user, a->tries, a->tries == 1 ? "" : "s",
                               limit, offers, notes.len ? " (" : "", (int)notes.len,
                               (const char *)notes.data, notes.len ? ")" : ""));
}

bool session_auth_has_identity(const struct session *s)
{
    const struct session_auth *a = &s->auth;
    return !a->keys_over && a->next < s->config.identity_count &&
           a->tries - a->began < SSH_TRIES_MAX;
}

/* What is tried next of what the host would take; false: nothing. */
static bool choose(struct session *s, const char *methods)
{
    struct session_auth *a = &s->auth;
    if (!s->config.events || !s->config.events->on_prompts)
        return false;
    if (a->list_next) {
        a->list_next = false;
        a->keys_over = !has_method(methods, "publickey");
        if (session_auth_has_identity(s))
            return true;
    }
    if (!a->questions_tried && has_method(methods, "keyboard-interactive"))
        a->method = AUTH_BY_QUESTIONS;
    else if (!a->password_tried && has_method(methods, "password"))
        a->method = AUTH_BY_PASSWORD;
    return a->method != AUTH_BY_KEY;
}

/* Asks with the method "none" what the host would take. That is one more failure for the host to
 * count, so it is not asked after SSH_TRIES_MAX. True: there is something to try. */
bool session_auth_list_methods(struct session *s)
{
    const char *user = s->config.user;
    char *methods = libssh2_userauth_list(s->ssh, user, (unsigned)strlen(user));
    if (!methods && libssh2_session_last_errno(s->ssh) == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (libssh2_userauth_authenticated(s->ssh)) {
        session_end(s, failure_set(&s->engine.failure, SCOUT_E_AUTH,
                                   "%s lets user %s in without any proof of who it is, which is "
                                   "not used here: give the account a key",
                                   s->config.name, user));
        return false;
    }
    if (choose(s, methods))
        return true;
    session_auth_fail(s, methods);
    return false;
}
