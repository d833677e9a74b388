/* What is asked on the control socket, and the answers.
 *
 * Requests about files become a job (control_job.c) on a helper thread; the store of keys is
 * touched on the loop only, when the job is done. The passphrase goes from the line straight into
 * the secure heap and is wiped with the job. */
#include "control_state.h"

#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define WIPED_STACK 16384u /* bytes: deeper than the parser's calls go */

/* ---- answering ---- */

void control_request_answer(struct control_client *k, struct json_writer *w)
{
    if (json_writer_end(w) != 0 || buf_append_str(&k->out, "\n") != 0) {
        control_client_close(k);
        return;
    }
    control_client_send(k);
}

void control_request_fail(struct control_client *k, const struct failure *why)
{
    struct json_writer w;
    json_writer_init(&w, &k->out);
    json_object_begin(&w);
    json_key(&w, "ok");
    json_bool(&w, false);
    json_key(&w, "code");
    json_str(&w, error_code(why->error));
    json_key(&w, "message");
    json_str(&w, why->text);
    json_object_end(&w);
    control_request_answer(k, &w);
}

void control_request_refuse(struct control_client *k, const char *what)
{
    struct failure why;
    failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "A control request is wrong: %s", what);
    control_request_fail(k, &why);
}

static void write_key(struct json_writer *w, const char *path, const struct ssh_key *key)
{
    char fingerprint[KEY_FINGERPRINT_SIZE];
    json_object_begin(w);
    json_key(w, "path");
    json_str(w, path);
    if (key) {
        ssh_key_fingerprint(ssh_key_public(key), fingerprint);
        json_key(w, "type");
        json_text(w, ssh_key_type(ssh_key_public(key)));
        json_key(w, "fingerprint");
        json_str(w, fingerprint);
    }
    json_object_end(w);
}

static void begin_answer(struct control_client *k, struct json_writer *w)
{
    json_writer_init(w, &k->out);
    json_object_begin(w);
    json_key(w, "ok");
    json_bool(w, true);
    json_key(w, "keys");
    json_array_begin(w);
}

static void end_answer(struct control_client *k, struct json_writer *w, uint32_t count)
{
    json_array_end(w);
    json_key(w, "count");
    json_uint(w, count);
    json_object_end(w);
    control_request_answer(k, w);
}

static void list_keys(struct control_client *k)
{
    const struct key_store *keys = k->control->config.keys;
    struct json_writer w;
    const char *path;
    begin_answer(k, &w);
    for (uint32_t i = 0; i < key_store_count(keys); i++) {
        const struct ssh_key *key = key_store_at(keys, i, &path);
        write_key(&w, path, key);
    }
    end_answer(k, &w, key_store_count(keys));
}

/* ---- what a job brought ---- */

static void log_key(struct control *c, const char *path, const struct ssh_key *key)
{
    char fingerprint[KEY_FINGERPRINT_SIZE], type[32];
    struct slice name = ssh_key_type(ssh_key_public(key));
    ssh_key_fingerprint(ssh_key_public(key), fingerprint);
    snprintf(type, sizeof type, "%.*s", (int)name.len, (const char *)name.data);
    log_event(c->config.log, LOG_INFO, "key_unlocked", "path", path, "type", type, "fingerprint",
              fingerprint, NULL);
    audit_person(c->config.audit, "key_unlocked", "path", path, "type", type, "fingerprint",
                 fingerprint, NULL);
}

/* Stores the key under all its names, or under none with *why. */
static void store(struct control *c, const struct control_job *j, struct failure *why)
{
    int error =
        key_store_put(c->config.keys, (const char *const *)j->names.list, j->names.count, j->key);
    if (!error)
        log_key(c, j->path, j->key);
    else
        failure_set(why, error, "No more than %d keys are kept unlocked: lock some first",
                    KEY_STORE_MAX);
}

static uint32_t forget(struct control *c, const struct control_names *names)
{
    char text[16];
    uint32_t count = names ? 0 : key_store_forget(c->config.keys, NULL);
    for (uint32_t i = 0; names && i < names->count; i++)
        count += key_store_forget(c->config.keys, names->list[i]);
    snprintf(text, sizeof text, "%u", count);
    log_event(c->config.log, LOG_INFO, "keys_locked", "count", text, NULL);
    audit_person(c->config.audit, "keys_locked", "count", text, NULL);
    return count;
}

static void finish(struct control_client *k)
{
    struct control_job *j = &k->job;
    struct json_writer w;
    uint32_t count = j->names.count;
    if (!j->failure.error && j->op == CONTROL_UNLOCK)
        store(k->control, j, &j->failure);
    if (j->failure.error && j->op == CONTROL_UNLOCK)
        log_event(k->control->config.log, LOG_WARN, "unlock_failed", "path", j->path, "code",
                  error_code(j->failure.error), NULL);
    if (!j->failure.error && j->op == CONTROL_LOCK)
        count = forget(k->control, &j->names);
    if (k->closing)
        return; /* nobody is there to tell */
    if (j->failure.error) {
        control_request_fail(k, &j->failure);
        return;
    }
    begin_answer(k, &w);
    for (uint32_t i = 0; i < (j->op == CONTROL_UNLOCK ? 1 : j->names.count); i++)
        write_key(&w, j->names.list[i], j->key);
    end_answer(k, &w, count);
}

static void on_done(struct io_job *job)
{
    struct control_job *j = CONTAINER_OF(job, struct control_job, job);
    struct control_client *k = CONTAINER_OF(j, struct control_client, job);
    finish(k);
    control_client_done(k);
}

/* ---- requests ---- */

static bool take_op(struct control_job *j, struct slice raw)
{
    static const char *const names[] = {[CONTROL_LIST] = "list",
                                        [CONTROL_LOCKED] = "locked",
                                        [CONTROL_UNLOCK] = "unlock",
                                        [CONTROL_LOCK] = "lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        j->op = (enum control_op)i;
        if (json_string_is(raw, names[i]))
            return true;
    }
    return false;
}

/* NULL, or what is wrong with the request. */
static const char *take_request(struct control_job *j, struct slice line)
{
    struct json_error error;
    if (json_check(line, &error) != 0 || json_type(line) != JSON_OBJECT)
        return "the line is no JSON object";
    struct slice path = json_member(line, "path");
    struct slice passphrase = json_member(line, "passphrase");
    if (!take_op(j, json_member(line, "op")))
        return "`op` must be list, locked, unlock, lock, confirmations, approve, refuse, explain, "
               "hostkeys "
               "trust or auth";
    if (path.len > 0 && (json_string(path, j->path, sizeof j->path) <= 0 || j->path[0] != '/'))
        return "`path` must be an absolute path";
    if (j->op != CONTROL_UNLOCK)
        return NULL;
    j->passphrase = OPENSSL_secure_malloc(CONTROL_PASSPHRASE_MAX + 1);
    if (!j->passphrase)
        return "there is no memory for a passphrase";
    if (path.len == 0 || json_string(passphrase, j->passphrase, CONTROL_PASSPHRASE_MAX + 1) < 0)
        return "`path` and `passphrase` (1024 bytes at most) are needed";
    return NULL;
}

static void start_job(struct control_client *k)
{
    struct control *c = k->control;
    const char *path;
    k->job.ssh_config = ssh_config_share(c->config.ssh_config);
    k->job.home = c->config.home;
    for (uint32_t i = 0; key_store_at(c->config.keys, i, &path); i++)
        control_names_add(&k->job.stored, path);
    k->working = true;
    io_timer_stop(c->io, &k->timer); /* the job takes the time it takes */
    io_job_start(c->io, &k->job.job, control_job_run, on_done);
}

/* The parser looks at sixteen bytes at a time, and a compiler may keep them on the stack: what the
 * calls before this one left there goes, too. */
static __attribute__((noinline)) void wipe_stack(void)
{
    uint8_t below[WIPED_STACK];
    explicit_bzero(below, sizeof below);
}

void control_request_take(struct control_client *k, size_t len)
{
    struct json_writer w;
    struct json_error error;
    struct slice line = slice_of(k->in, len);
    if (json_check(line, &error) == 0 && json_type(line) == JSON_OBJECT &&
        (control_approve_take(k, line) || control_trust_take(k, line) ||
         control_explain_take(k, line) || control_auth_take(k, line)))
        return;
    const char *wrong = take_request(&k->job, line);
    explicit_bzero(k->in, sizeof k->in);
    wipe_stack();
    if (wrong) {
        control_request_refuse(k, wrong);
    } else if (k->job.op == CONTROL_LIST) {
        list_keys(k);
    } else if (k->job.op == CONTROL_LOCK && !k->job.path[0]) {
        uint32_t count = forget(k->control, NULL);
        begin_answer(k, &w);
        end_answer(k, &w, count);
    } else {
        start_job(k);
    }
}
