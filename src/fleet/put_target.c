/* What a path to be written leads to: one round trip.
 *
 * stat says what is there, lstat whether the path itself is a link, realpath where all of it is.
 * The real path of a file that is not there yet is told by OpenSSH as well; with a server that
 * refuses that, it is the real folder (which has to be there: OpenSSH tells the path of a folder
 * that is not, too) and the last component. A link that leads to nothing is only followed where the
 * server tells its end; otherwise a file beside the link's target would be made. */
#include "file_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STAT, LSTAT, REAL, PARENT, FOLDER };

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *type_name(uint32_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISLNK(mode)  ? "a symbolic link"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISCHR(mode)  ? "a character device"
           : S_ISBLK(mode)  ? "a block device"
                            : "of an unknown type";
}

/* ---- the condition ---- */

static bool is_file(struct file_put *p, const struct sftp_attrs *attrs)
{
    char text[96];
    uint32_t mode = attrs->flags & SFTP_ATTR_PERMISSIONS ? attrs->permissions : 0;
    if (S_ISREG(mode))
        return true;
    snprintf(text, sizeof text, "is %s: only a regular file can be written", type_name(mode));
    visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE, text);
    return false;
}

bool put_condition_holds(struct file_put *p, const struct sftp_attrs *attrs)
{
    char etag[ETAG_SIZE] = "";
    if (attrs && !is_file(p, attrs))
        return false;
    if (attrs)
        etag_format(attrs, etag);
    if (p->condition == FILE_PUT_ABSENT && attrs) {
        visit_fail_shown(&p->visit, SCOUT_E_EXISTS, "is there already: nothing was overwritten");
        return false;
    }
    if (p->condition == FILE_PUT_ETAG && !attrs) {
        visit_fail_shown(&p->visit, SCOUT_E_CHANGED,
                         "is not there any more, and an etag was given");
        return false;
    }
    if (p->condition == FILE_PUT_ETAG && strcmp(etag, p->etag) != 0) {
        char text[128];
        snprintf(text, sizeof text, "has changed: its etag is %s, not %s; read it again", etag,
                 p->etag);
        visit_fail_shown(&p->visit, SCOUT_E_CHANGED, text);
        return false;
    }
    return true;
}

/* ---- where it is ---- */

static bool is_link(const struct file_put *p)
{
    const struct put_side *l = &p->side[LSTAT];
    return !l->error && l->attrs.flags & SFTP_ATTR_PERMISSIONS && S_ISLNK(l->attrs.permissions);
}

/* The folder's real path and `name`; NULL without memory, or when there is none. */
static char *below(const char *folder, const char *name)
{
    if (!folder)
        return NULL;
    size_t len = strlen(folder), size = len + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s", folder, folder[len - 1] == '/' ? "" : "/", name);
    return path;
}

/* Sets the real path, or has failed. */
static bool find_real(struct file_put *p)
{
    const char *name = last_component(p->visit.path);
    char *beside = below(p->real_of[1], name), *told = p->real_of[0];
    bool leads_on = told && (!beside || strcmp(told, beside) != 0);
    if (!p->target.exists && (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        visit_fail_shown(&p->visit, SCOUT_E_INVALID_ARGUMENT, "does not end in the name of a file");
    else if (!p->target.exists && is_link(p) && !leads_on)
        visit_fail_shown(&p->visit, SCOUT_E_NOT_FOUND, "is a link that leads to nothing");
    else if (is_link(p) && !leads_on)
        visit_fail_shown(&p->visit, SCOUT_E_REMOTE,
                         "is a link, and the host does not tell where it leads");
    else if (told)
        p->real_path = strdup(told);
    else if (p->side[REAL].error == SCOUT_E_PERMISSION || p->side[FOLDER].error)
        visit_fail_path(&p->visit, p->side[REAL].error == SCOUT_E_PERMISSION ? SCOUT_E_PERMISSION
                                                                             : SCOUT_E_NOT_FOUND);
    else if (beside && !is_link(p))
        p->real_path = strdup(beside);
    else
        visit_fail_path(&p->visit, SCOUT_E_NOT_FOUND); /* its folder, then */
    free(beside);
    return p->real_path != NULL;
}

/* A hidden name beside the real path. */
bool put_name_temp(struct file_put *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[PUT_NAME_CHARS];
    char name[PUT_NAME_CHARS + 1] = "";
    size_t folder = (size_t)(last_component(p->real_path) - p->real_path);
    size_t size = folder + sizeof ".scout-.tmp" + PUT_NAME_CHARS;
    io_random(fleet_io(p->visit.fleet), random, sizeof random);
    for (size_t i = 0; i < PUT_NAME_CHARS; i++)
        name[i] = letters[random[i] & 31];
    p->temp = malloc(size);
    if (p->temp)
        snprintf(p->temp, size, "%.*s.scout-%s.tmp", (int)folder, p->real_path, name);
    if (p->keep_as) {
        size = folder + strlen(p->keep_as) + 1;
        p->partial = malloc(size);
        if (p->partial)
            snprintf(p->partial, size, "%.*s%s", (int)folder, p->real_path, p->keep_as);
    }
    return p->temp != NULL && (!p->keep_as || p->partial);
}

static void decide(struct file_put *p)
{
    const struct put_side *st = &p->side[STAT];
    if (st->error && st->error != SCOUT_E_NOT_FOUND) {
        const struct sftp_reply reply = {.error = st->error};
        visit_fail_reply(&p->visit, "stat", &reply);
        return;
    }
    p->target.exists = !st->error;
    if (p->target.exists) {
        p->target.attrs = st->attrs;
        etag_format(&st->attrs, p->target.etag);
    }
    if (!put_condition_holds(p, p->target.exists ? &p->target.attrs : NULL) || !find_real(p))
        return;
    if (!put_name_temp(p)) {
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the temporary file's name");
        return;
    }
    if (p->target.exists && !sftp_offers(visit_sftp(&p->visit), SFTP_EXT_POSIX_RENAME)) {
        visit_fail_shown(&p->visit, SCOUT_E_UNSUPPORTED,
                         "is there, and the host's SFTP server cannot replace a file in one step "
                         "(posix-rename@openssh.com): remove the old one first");
        return;
    }
    put_settle(p);
}

/* ---- the answers ---- */

static void on_look(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    if (put_side_take(side, reply))
        decide(side->put);
}

/* A path that is not absolute, or has a NUL, counts as not told. */
static char *take_path(const struct sftp_reply *reply)
{
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error || !sftp_next_name(&names, &name))
        return NULL;
    struct slice path = name.filename;
    if (path.len == 0 || path.len > SFTP_PATH_MAX || path.data[0] != '/' ||
        memchr(path.data, '\0', path.len))
        return NULL;
    return strndup((const char *)path.data, path.len);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct put_side *side = CONTAINER_OF(request, struct put_side, request);
    side->put->real_of[side - side->put->side - REAL] = take_path(reply);
    on_look(request, reply);
}

void put_target_start(struct file_put *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    const char *path = p->visit.path;
    free(p->parent);
    p->parent = NULL;
    const char *slash = strrchr(path, '/');
    p->parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!s || !p->parent) {
        visit_fail_start(&p->visit, s ? SCOUT_E_NOMEM : SCOUT_E_CONNECTION_LOST);
        return;
    }
    if (put_side_started(p, STAT, sftp_stat(s, &p->side[STAT].request, path, on_look)) &&
        put_side_started(p, LSTAT, sftp_lstat(s, &p->side[LSTAT].request, path, on_look)) &&
        put_side_started(p, REAL, sftp_realpath(s, &p->side[REAL].request, path, on_real)) &&
        put_side_started(p, PARENT,
                         sftp_realpath(s, &p->side[PARENT].request, p->parent, on_real)) &&
        put_side_started(p, FOLDER, sftp_stat(s, &p->side[FOLDER].request, p->parent, on_look)))
        pool_flush(&p->visit.use);
}
