/* `scout auth`: what a host asks goes to a terminal, and the answers come from it. All in memory,
 * at once; the login itself is an ordinary call of the person's, which finds the answers here. */
#include "control_state.h"
#include "scout/base/json.h"
#include <openssl/crypto.h>

#define WHOLE_ANSWER (AUTH_ANSWER_MAX + 1)

static void answer(struct control_client *k, const char *host)
{
    const struct secret_prompt *prompts;
    size_t count = secrets_waiting(k->control->config.secrets, host, &prompts);
    struct json_writer w;
    json_writer_init(&w, &k->out);
    json_object_begin(&w);
    json_key(&w, "ok");
    json_bool(&w, true);
    json_key(&w, "prompts");
    json_array_begin(&w);
    for (size_t i = 0; i < count; i++) {
        json_object_begin(&w);
        json_key(&w, "text");
        json_text(&w, slice_str(prompts[i].text)); /* a host's bytes */
        json_key(&w, "echo");
        json_bool(&w, prompts[i].echo);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_key(&w, "count");
    json_uint(&w, count);
    json_object_end(&w);
    control_request_answer(k, &w);
}

/* As many as there are questions. */
static int take_answers(struct secrets *secrets, const char *host, struct slice list)
{
    struct json_walk walk;
    struct slice name, raw;
    const struct secret_prompt *prompts;
    size_t index = 0, count = secrets_waiting(secrets, host, &prompts);
    char *text = OPENSSL_secure_malloc(WHOLE_ANSWER);
    int error = !text ? SCOUT_E_NOMEM : json_type(list) != JSON_ARRAY ? SCOUT_E_NOT_FOUND : 0;
    if (!error)
        json_walk_begin(&walk, list);
    while (!error && json_walk_next(&walk, &name, &raw)) {
        int64_t len = json_string(raw, text, WHOLE_ANSWER);
        error = len < 0 ? SCOUT_E_LIMIT
                        : secrets_put(secrets, host, index++, slice_of(text, (size_t)len));
    }
    if (text)
        OPENSSL_secure_clear_free(text, WHOLE_ANSWER);
    if (!error && index != count)
        error = SCOUT_E_NOT_FOUND;
    secrets_answered(secrets, host);
    return error;
}

static int carry_out(struct control_client *k, struct slice request, const char *host,
                     struct failure *why)
{
    struct secrets *secrets = k->control->config.secrets;
    struct slice answers = json_member(request, "answers");
    if (!ssh_config_has_host(k->control->config.ssh_config, host))
        return failure_set(why, SCOUT_E_UNKNOWN_HOST,
                           "Unknown host '%s': scout auth takes a host of the ssh configuration",
                           host);
    if (json_type(json_member(request, "end")) == JSON_TRUE) {
        secrets_end(secrets, host);
        return 0;
    }
    int error = secrets_begin(secrets, host);
    if (!error && answers.len > 0) {
        error = take_answers(secrets, host, answers);
        log_event(k->control->config.log, LOG_INFO, "auth_answered", "host", host, NULL);
        audit_person(k->control->config.audit, "auth_answered", "host", host, NULL);
    }
    if (error == SCOUT_E_NOT_FOUND)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "`answers` must hold one string for each question of %s", host);
    return error ? failure_set(why, error, "The answers for %s cannot be kept: %s", host,
                               error_text(error))
                 : 0;
}

bool control_auth_take(struct control_client *k, struct slice request)
{
    char host[SSH_CONFIG_NAME_MAX + 1];
    struct failure why;
    if (!json_string_is(json_member(request, "op"), "auth"))
        return false;
    bool named = json_string(json_member(request, "host"), host, sizeof host) > 0;
    int error = named ? carry_out(k, request, host, &why) : 0;
    explicit_bzero(k->in, sizeof k->in);
    if (!named)
        control_request_refuse(k, "`host` is needed, of at most 253 bytes");
    else if (error)
        control_request_fail(k, &why);
    else
        answer(k, host);
    return true;
}
