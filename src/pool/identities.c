/* The order of keys: a merge of the files' list and the agent's.
 *
 * A public key blob is the identity of a key, wherever it lies; what has been taken is recognised
 * by it. Keys of the agent whose type nobody here can offer (security keys) are passed over, so
 * that they do not use up tries; likewise certificates that are not valid now, or that the linked
 * libssh2 cannot offer, with a note. */
#include "identities.h"

#include "accepted.h"

#include "scout/ssh/agent.h"
#include "scout/ssh/session.h"
#include <stdio.h>
#include <string.h>

/* ---- the merge ---- */

/* Text of the agent's, for messages: what is not printable shows as '?'. */
static void copy_label(char *out, struct slice text)
{
    size_t len = text.len < IDENTITIES_LABEL_SIZE ? text.len : IDENTITIES_LABEL_SIZE - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(text.data[i] >= 0x20 && text.data[i] < 0x7f ? text.data[i] : '?');
    out[len] = '\0';
}

static bool has_blob(const struct identities *i, struct slice blob)
{
    for (size_t n = 0; n < i->count; n++)
        if (slice_equal(i->list[n].blob, blob))
            return true;
    return false;
}

/* The text that a blob begins with; empty: it is malformed. */
static struct slice type_of(struct slice blob)
{
    if (blob.len < 4 || blob.data[0] || blob.data[1] || blob.data[2] || blob.data[3] > blob.len - 4)
        return slice_of(NULL, 0);
    return slice_of(blob.data + 4, blob.data[3]);
}

/* A file that does not give its type away may be of any. */
static bool is_accepted(const struct identities *i, struct slice blob)
{
    return blob.len == 0 || accepted_has(i->accepted, type_of(blob));
}

/* Such keys are signed with on a helper thread: see signing.c. */
static bool is_slow(const struct ssh_key *key)
{
    return key && slice_is(ssh_key_type(ssh_key_public(key)), "ssh-rsa");
}

/* `held`: by what the agent knows it, where the agent signs. */
static void add(struct identities *i, struct slice blob, struct ssh_key *key, struct slice held,
                struct slice label)
{
    if (has_blob(i, blob))
        return;
    if (!is_accepted(i, blob)) {
        i->not_accepted++;
        return;
    }
    if (i->count == SSH_TRIES_MAX) {
        i->passed_over++;
        return;
    }
    copy_label(i->labels[i->count], label);
    i->keys[i->count] = key ? ssh_key_ref(key) : NULL;
    i->agent_blobs[i->count] = held;
    i->list[i->count] = (struct ssh_identity){
        .blob = blob, .key = is_slow(key) ? NULL : key, .label = i->labels[i->count]};
    i->count++;
}

/* The blob as the agent's memory has it; empty: the agent has not got it. */
static struct slice find_in_agent(struct slice agent, struct slice wanted)
{
    struct slice blob, comment;
    while (wanted.len > 0 && agent_next_identity(&agent, &blob, &comment))
        if (slice_equal(blob, wanted))
            return blob;
    return slice_of(NULL, 0);
}

/* The file's key where it can sign; NULL: it cannot. */
static struct ssh_key *key_of(const struct key_file *f)
{
    return f->state == KEY_FILE_USABLE ? f->key : f->state == KEY_FILE_LOCKED ? f->unlocked : NULL;
}

static struct slice public_of(const struct key_file *f)
{
    struct ssh_key *key = key_of(f);
    return key ? ssh_key_public(key) : buf_peek(&f->blob);
}

static void add_file(struct identities *i, const struct key_file *f, struct slice agent)
{
    struct ssh_key *key = key_of(f);
    struct slice blob = public_of(f), held = find_in_agent(agent, blob);
    if (held.len > 0)
        add(i, held, NULL, held, slice_str(f->path));
    else if (key)
        add(i, blob, key, held, slice_str(f->path));
}

/* ---- certificates ---- */

/* Those that find no room are not told. */
static void note(struct identities *i, const char *text)
{
    size_t len = strlen(i->notes);
    if (len + strlen(text) + 3 <= sizeof i->notes)
        snprintf(i->notes + len, sizeof i->notes - len, "%s%s", len ? "; " : "", text);
}

/* False, with a note: it cannot be shown now. */
static bool may_show(struct identities *i, const struct ssh_certificate *c, const char *name,
                     uint64_t now_s)
{
    struct failure why = {0};
    const char *unable = ssh_session_no_certificate(c->type);
    if (unable)
        failure_set(&why, SCOUT_E_KEY, "the certificate %s was not used: %s", name, unable);
    else
        (void)!ssh_certificate_check(c, now_s, name, &why);
    if (why.error)
        note(i, why.text);
    return !why.error;
}

/* The certified key as the agent has it: with the certificate, or plain. */
static struct slice find_certified(struct slice agent, const struct ssh_certificate *c, bool plain)
{
    struct slice blob, comment;
    while (agent_next_identity(&agent, &blob, &comment))
        if (plain ? ssh_certificate_is_of(c, blob) : slice_equal(blob, c->blob))
            return blob;
    return slice_of(NULL, 0);
}

static void add_certificate(struct identities *i, const struct certificate_file *f,
                            const struct identity_sources *s)
{
    const struct ssh_certificate *c = &f->certificate;
    if (f->why.error)
        note(i, f->why.text);
    if (f->why.error || !may_show(i, c, f->path, s->now_s))
        return;
    struct slice held = find_certified(s->agent, c, false);
    struct slice plain = find_certified(s->agent, c, true);
    struct ssh_key *key = NULL;
    bool has_file = false;
    for (size_t n = 0; n < s->file_count && !key; n++)
        if (ssh_certificate_is_of(c, public_of(&s->files[n]))) {
            has_file = true;
            key = key_of(&s->files[n]);
        }
    if (held.len == 0 && plain.len > 0 && (has_file || !s->only_files))
        held = plain;
    if (held.len > 0 || key) {
        add(i, c->blob, held.len > 0 ? NULL : key, held, slice_str(f->path));
    } else if (!has_file && f->named) {
        struct failure why;
        failure_set(&why, SCOUT_E_KEY,
                    "the certificate %s was not used: its private key is neither an IdentityFile "
                    "nor in the ssh agent",
                    f->path);
        note(i, why.text);
    }
}

static void add_certificates(struct identities *i, const struct identity_sources *s, bool named)
{
    for (size_t n = 0; n < s->certificate_count; n++)
        if (s->certificates[n].named == named)
            add_certificate(i, &s->certificates[n], s);
}

/* ---- the agent's others ---- */

static bool is_offered_type(struct slice blob)
{
    static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521", "ssh-rsa"};
    struct slice type = type_of(blob);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_is(type, types[i]))
            return true;
    return false;
}

static void add_held(struct identities *i, struct slice blob, struct slice comment, uint64_t now_s)
{
    struct ssh_certificate c;
    char label[IDENTITIES_LABEL_SIZE], name[IDENTITIES_LABEL_SIZE + 32];
    copy_label(label, comment);
    snprintf(name, sizeof name, "\"%s\" of the ssh agent", label);
    if (is_offered_type(blob) || (!has_blob(i, blob) && ssh_certificate_parse(blob, &c) == 0 &&
                                  may_show(i, &c, name, now_s)))
        add(i, blob, NULL, blob, comment);
}

void identities_merge(struct identities *out, const struct identity_sources *s)
{
    struct slice rest = s->agent, blob, comment;
    *out = (struct identities){.accepted = s->accepted};
    add_certificates(out, s, true);
    add_certificates(out, s, false);
    for (size_t n = 0; n < s->file_count; n++)
        add_file(out, &s->files[n], s->agent);
    while (!s->only_files && agent_next_identity(&rest, &blob, &comment))
        add_held(out, blob, comment, s->now_s);
    if (out->not_accepted > 0)
        note(out, "keys that PubkeyAcceptedAlgorithms leaves out were not offered");
}

void identities_free(struct identities *i)
{
    for (size_t n = 0; n < i->count; n++)
        if (i->keys[n])
            ssh_key_free(i->keys[n]);
    *i = (struct identities){0};
}

/* ---- what to say ---- */

static const struct key_file *first_of(const struct identities *i, const struct key_file *files,
                                       size_t count, enum key_file_state state)
{
    for (size_t n = 0; n < count; n++)
        if (files[n].state == state && !files[n].unlocked &&
            is_accepted(i, buf_peek(&files[n].blob)))
            return &files[n];
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void append(struct failure *f, const char *fmt, ...)
{
    va_list args;
    struct failure longer;
    char more[sizeof f->text];
    va_start(args, fmt);
    vsnprintf(more, sizeof more, fmt, args);
    va_end(args);
    failure_set(&longer, f->error, "%s%s", f->text, more); /* cuts at a character's end */
    memcpy(f->text, longer.text, sizeof f->text);
}

static void append_note(struct failure *f, const char *text)
{
    if (text[0])
        append(f, "; %s", text);
}

int identities_none(const struct identities *i, const struct key_file *files, size_t count,
                    const char *name, const char *agent_note, struct failure *why)
{
    const struct key_file *locked = first_of(i, files, count, KEY_FILE_LOCKED);
    const struct key_file *broken = first_of(i, files, count, KEY_FILE_BROKEN);
    if (locked)
        failure_set(why, SCOUT_E_KEY_LOCKED,
                    "The key file %s for %s is encrypted and not unlocked, run: scout unlock %s",
                    locked->path, name, locked->path);
    else if (broken)
        *why = broken->why;
    else
        failure_set(why, SCOUT_E_KEY,
                    "There is no key for %s: set IdentityFile in the ssh configuration, or use an "
                    "ssh agent",
                    name);
    append_note(why, i->notes);
    append_note(why, agent_note);
    return why->error;
}

static bool was_tried(const struct identities *i, const struct key_file *f)
{
    return has_blob(i, buf_peek(&f->blob)); /* by the agent, whatever the file is */
}

void identities_explain(const struct identities *i, const struct key_file *files, size_t count,
                        const char *agent_note, struct failure *f)
{
    for (size_t n = 0; n < count; n++) {
        if (files[n].state == KEY_FILE_LOCKED && !files[n].unlocked && !was_tried(i, &files[n]) &&
            is_accepted(i, buf_peek(&files[n].blob)))
            append(f, "; the key file %s is encrypted and was not tried, run: scout unlock %s",
                   files[n].path, files[n].path);
        else if (files[n].state == KEY_FILE_BROKEN && !was_tried(i, &files[n]))
            append(f, "; %s", files[n].why.text);
    }
    if (i->passed_over > 0)
        append(f,
               "; %u more keys were not tried, because servers disconnect after %d: name the "
               "right one with IdentityFile",
               i->passed_over, SSH_TRIES_MAX);
    append_note(f, i->notes);
    append_note(f, agent_note);
}
