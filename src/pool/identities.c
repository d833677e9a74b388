/* The order of keys: a merge of the files' list and the agent's.
 *
 * A public key blob is the identity of a key, wherever it lies; what has been taken is recognised
 * by it. Keys of the agent whose type nobody here can offer (certificates, security keys) are
 * passed over, so that they do not use up tries. */
#include "identities.h"

#include "scout/ssh/agent.h"
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

/* Such keys are signed with on a helper thread: see signing.c. */
static bool is_slow(struct slice blob)
{
    return slice_is(ssh_key_type(blob), "ssh-rsa");
}

static void add(struct identities *i, struct slice blob, struct ssh_key *key, struct slice label)
{
    if (has_blob(i, blob))
        return;
    if (i->count == SSH_TRIES_MAX) {
        i->passed_over++;
        return;
    }
    copy_label(i->labels[i->count], label);
    i->keys[i->count] = key ? ssh_key_ref(key) : NULL;
    i->list[i->count] = (struct ssh_identity){
        .blob = blob, .key = is_slow(blob) ? NULL : key, .label = i->labels[i->count]};
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

static void add_file(struct identities *i, const struct key_file *f, struct slice agent)
{
    struct ssh_key *key = f->state == KEY_FILE_USABLE   ? f->key
                          : f->state == KEY_FILE_LOCKED ? f->unlocked
                                                        : NULL;
    struct slice blob = key ? ssh_key_public(key) : buf_peek(&f->blob);
    struct slice held = find_in_agent(agent, blob);
    if (held.len > 0)
        add(i, held, NULL, slice_str(f->path));
    else if (key)
        add(i, blob, key, slice_str(f->path));
}

static bool is_offered_type(struct slice blob)
{
    static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521", "ssh-rsa"};
    if (blob.len < 4 || blob.data[0] || blob.data[1] || blob.data[2] || blob.data[3] > blob.len - 4)
        return false;
    struct slice type = slice_of(blob.data + 4, blob.data[3]);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_is(type, types[i]))
            return true;
    return false;
}

void identities_merge(struct identities *out, const struct key_file *files, size_t count,
                      struct slice agent, bool only_files)
{
    struct slice rest = agent, blob, comment;
    *out = (struct identities){0};
    for (size_t n = 0; n < count; n++)
        add_file(out, &files[n], agent);
    while (!only_files && agent_next_identity(&rest, &blob, &comment))
        if (is_offered_type(blob))
            add(out, blob, NULL, comment);
}

void identities_free(struct identities *i)
{
    for (size_t n = 0; n < i->count; n++)
        if (i->keys[n])
            ssh_key_free(i->keys[n]);
    *i = (struct identities){0};
}

/* ---- what to say ---- */

static const struct key_file *first_of(const struct key_file *files, size_t count,
                                       enum key_file_state state)
{
    for (size_t n = 0; n < count; n++)
        if (files[n].state == state && !files[n].unlocked)
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

static void append_agent(struct failure *f, const char *agent_note)
{
    if (agent_note[0])
        append(f, "; %s", agent_note);
}

int identities_none(const struct key_file *files, size_t count, const char *name,
                    const char *agent_note, struct failure *why)
{
    const struct key_file *locked = first_of(files, count, KEY_FILE_LOCKED);
    const struct key_file *broken = first_of(files, count, KEY_FILE_BROKEN);
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
    append_agent(why, agent_note);
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
        if (files[n].state == KEY_FILE_LOCKED && !files[n].unlocked && !was_tried(i, &files[n]))
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
    append_agent(f, agent_note);
}
