/* Signing off the loop.
 *
 * An RSA key of 3,072 bits takes 2 ms to sign, one of 4,096 bits 5 ms: a hundred logins at once
 * would stop the loop for half a second. Ed25519 and ECDSA take some 50 us and are signed where
 * they are needed, by the engine.
 *
 * The job owns all that it touches: a copy of the data, and the key's numbers, which do not change
 * (libcrypto allows signing with one key on several threads). The key's reference is taken and
 * given back on the loop. */
#include "signing.h"

#include "scout/ssh/session.h"
#include <stdlib.h>

struct signing {
    struct io_job job;
    struct ssh_key *key;
    struct buf data, signature;
    void (*on_signed)(void *context, struct slice signature); /* NULL: nobody waits any more */
    void *context;
};

static void signing_free(struct signing *s)
{
    ssh_key_free(s->key);
    buf_fini(&s->data);
    buf_fini(&s->signature);
    free(s);
}

static void on_run(struct io_job *job)
{
    struct signing *s = CONTAINER_OF(job, struct signing, job);
    struct slice data = buf_peek(&s->data);
    if (ssh_key_sign(s->key, session_sign_algorithm(data), data, &s->signature) != 0)
        buf_clear(&s->signature);
}

static void on_done(struct io_job *job)
{
    struct signing *s = CONTAINER_OF(job, struct signing, job);
    if (s->on_signed)
        s->on_signed(s->context, buf_peek(&s->signature));
    signing_free(s);
}

struct signing *signing_start(struct io *io, struct ssh_key *key, struct slice data,
                              void (*on_signed)(void *context, struct slice signature),
                              void *context)
{
    struct signing *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->key = ssh_key_ref(key);
    s->on_signed = on_signed;
    s->context = context;
    buf_init(&s->data, data.len);
    buf_init(&s->signature, KEY_SIGNATURE_MAX);
    if (buf_append(&s->data, data) != 0) {
        signing_free(s);
        return NULL;
    }
    io_job_start(io, &s->job, on_run, on_done);
    return s;
}

void signing_leave(struct signing *s)
{
    s->on_signed = NULL;
}
