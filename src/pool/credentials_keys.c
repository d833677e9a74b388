/* What credentials has of the user: key files, certificates, a password of the service manager's.
 * On a helper thread. A file that cannot be used only gets a reason, since another one or the agent
 * may do. Texts are wiped as soon as they have been taken apart.
 *
 * Default key files are OpenSSH's, without those on security keys, the cheapest to verify first. */
#include "credentials.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_key(struct key_file *f, struct slice text)
{
    int error = ssh_key_parse(&f->key, text, slice_of(NULL, 0), f->path, &f->why);
    if (error == 0) {
        f->state = KEY_FILE_USABLE;
        return;
    }
    f->state = error == SCOUT_E_KEY_LOCKED ? KEY_FILE_LOCKED : KEY_FILE_BROKEN;
    if (ssh_key_public_of_file(text, &f->blob) != 0)
        buf_clear(&f->blob); /* then the agent's copy is not recognised as this file's */
}

/* What the file itself does not tell of its public half, the .pub beside it may: then the agent's
 * copy is known as this file's. */
static void load_public(struct key_file *f)
{
    char *path, *text;
    size_t len;
    if (f->state == KEY_FILE_USABLE || buf_len(&f->blob) > 0 ||
        asprintf(&path, "%s.pub", f->path) < 0)
        return;
    if (credentials_read_file(path, CREDENTIALS_KEY_MAX, &text, &len) == 0) {
        if (ssh_key_public_of_file(slice_of(text, len), &f->blob) != 0)
            buf_clear(&f->blob);
        free(text);
    }
    free(path);
}

static void load_key(struct key_file *f, bool is_default)
{
    char *text;
    size_t len;
    int error = credentials_read_file(f->path, CREDENTIALS_KEY_MAX, &text, &len);
    if (error == ENOENT && is_default)
        return; /* KEY_FILE_ABSENT */
    if (error) {
        failure_set(&f->why, SCOUT_E_KEY, "Cannot read key file %s: %s", f->path, strerror(error));
        f->state = KEY_FILE_BROKEN;
        return;
    }
    take_key(f, slice_of(text, len));
    explicit_bzero(text, len);
    free(text);
}

static void add_defaults(struct credentials *c)
{
    static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
    for (size_t i = 0; c->home[0] && i < sizeof names / sizeof names[0]; i++)
        if (asprintf(&c->default_paths[i], "%s/.ssh/%s", c->home, names[i]) < 0)
            c->default_paths[i] = NULL;
        else
            c->files[c->file_count++].path = c->default_paths[i];
}

/* ---- certificates ---- */

static void load_certificate(struct credentials *c, const char *path, bool named)
{
    struct certificate_file *f = &c->certificates[c->certificate_count];
    char *text;
    size_t len;
    int error = credentials_read_file(path, CREDENTIALS_KEY_MAX, &text, &len);
    if ((error == ENOENT || error == ENOTDIR) && !named)
        return;
    c->certificate_count++;
    f->path = path;
    f->named = named;
    if (error) {
        failure_set(&f->why, SCOUT_E_KEY, "Cannot read the certificate %s: %s", path,
                    strerror(error));
        return;
    }
    f->bytes = malloc(CERTIFICATE_MAX);
    if (!f->bytes)
        failure_set(&f->why, SCOUT_E_NOMEM, "No memory for the certificate %s", path);
    else if (ssh_certificate_parse_text(slice_of(text, len), f->bytes, &f->certificate) != 0)
        failure_set(&f->why, SCOUT_E_KEY,
                    "The file %s holds no certificate of a kind that can be used here", path);
    free(text);
}

static void load_certificates(struct credentials *c)
{
    const struct ssh_host *host = c->destination->host;
    for (uint32_t i = 0; i < host->certificate_count; i++)
        load_certificate(c, host->certificates[i], true);
    for (size_t i = 0; i < c->file_count; i++)
        if (asprintf(&c->certificate_paths[i], "%s-cert.pub", c->files[i].path) < 0)
            c->certificate_paths[i] = NULL;
        else
            load_certificate(c, c->certificate_paths[i], false);
}

static void load_key_files(struct credentials *c)
{
    const struct ssh_host *host = c->destination->host;
    bool is_default = host->identity_count == 0 && !host->identities_none;
    for (uint32_t i = 0; i < host->identity_count; i++)
        c->files[c->file_count++].path = host->identities[i];
    if (is_default)
        add_defaults(c);
    for (size_t i = 0; i < c->file_count; i++) {
        buf_init(&c->files[i].blob, KEY_BLOB_MAX);
        load_key(&c->files[i], is_default);
        load_public(&c->files[i]);
    }
}

/* ---- a password ---- */

/* The first line of a credential of the service manager, if there is one for this host. */
static void load_password(struct credentials *c)
{
    char *text;
    size_t len;
    if (!c->password_path[0] ||
        credentials_read_file(c->password_path, CREDENTIALS_KEY_MAX, &text, &len) != 0)
        return;
    const char *end = memchr(text, '\n', len);
    size_t line = end ? (size_t)(end - text) : len;
    if (line > 0 && line <= AUTH_ANSWER_MAX)
        c->password = OPENSSL_secure_zalloc(line + 1);
    if (c->password) {
        memcpy(c->password, text, line);
        c->password_len = line;
    }
    explicit_bzero(text, len);
    free(text);
}

void credentials_load_keys(struct credentials *c)
{
    load_key_files(c);
    load_certificates(c);
    load_password(c);
}
