/* One timer for all: it looks for what is due, and removes that by a visit each. */
#include "kept_files.h"

#include "fleet_private.h"
#include "scout/base/time.h"
#include "visit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOVE_TIME_S 30 /* for one removal, with its connection */

struct kept_file {
    struct visit visit; /* while it is removed */
    struct sftp_request request;
    struct kept_files *owner;
    struct list node;
    const struct ssh_host *host;
    char principal[POOL_PRINCIPAL_MAX + 1];
    uint64_t due_ns;
    bool removing;
    char path[];
};

struct kept_files {
    struct fleet *fleet;
    struct io_timer timer;
    struct list files;
    size_t count;
};

static void forget(struct kept_file *file)
{
    list_remove(&file->node);
    file->owner->count--;
    free(file);
}

/* ---- removing ---- */

static struct kept_file *file_of(struct visit *v)
{
    return CONTAINER_OF(v, struct kept_file, visit);
}

static void on_removed(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct kept_file *file = CONTAINER_OF(request, struct kept_file, request);
    if (reply->error)
        visit_fail_reply(&file->visit, "remove", reply); /* gone on with, most likely */
    else
        visit_finish(&file->visit);
}

static void begin(struct visit *v)
{
    struct kept_file *file = file_of(v);
    struct sftp *s = visit_sftp(v);
    int error =
        s ? sftp_remove(s, &file->request, file->path, on_removed) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

static void begin_shell(struct visit *v)
{
    visit_fail(v, SCOUT_E_SFTP_UNAVAILABLE, "The host offers no SFTP any more");
}

static void take_back(struct visit *v, struct sftp *s)
{
    sftp_forget(s, &file_of(v)->request);
}

static void deliver(struct visit *v)
{
    visit_fini(v);
    forget(file_of(v));
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .take_back = take_back,
    .deliver = deliver,
};

static void start_removal(struct kept_file *file)
{
    struct fleet *f = file->owner->fleet;
    const struct path_request request = {
        .host = file->host,
        .principal = file->principal,
        .deadline_ns = io_now(fleet_io(f)) + REMOVE_TIME_S * NS_PER_S,
    };
    file->removing = true;
    visit_start(&file->visit, &parts, f, &request, file->path);
}

/* ---- the list ---- */

static void on_time(struct io_timer *timer);

static void watch(struct kept_files *k)
{
    uint64_t next = UINT64_MAX;
    for (struct list *n = k->files.next; n != &k->files; n = n->next) {
        const struct kept_file *file = CONTAINER_OF(n, struct kept_file, node);
        if (!file->removing && file->due_ns < next)
            next = file->due_ns;
    }
    if (next != UINT64_MAX)
        io_timer_start(fleet_io(k->fleet), &k->timer, next, on_time);
}

static void on_time(struct io_timer *timer)
{
    struct kept_files *k = CONTAINER_OF(timer, struct kept_files, timer);
    uint64_t now = io_now(fleet_io(k->fleet));
    for (struct list *n = k->files.next; n != &k->files; n = n->next) {
        struct kept_file *file = CONTAINER_OF(n, struct kept_file, node);
        if (!file->removing && file->due_ns <= now)
            start_removal(file); /* never delivers from within */
    }
    watch(k);
}

static struct kept_file *find(struct kept_files *k, const struct ssh_host *host,
                              const char *principal, const char *path)
{
    for (struct list *n = k->files.next; n != &k->files; n = n->next) {
        struct kept_file *file = CONTAINER_OF(n, struct kept_file, node);
        if (file->host == host && !file->removing && strcmp(file->path, path) == 0 &&
            strcmp(file->principal, principal) == 0)
            return file;
    }
    return NULL;
}

void kept_files_add(struct fleet *f, const struct ssh_host *host, const char *principal,
                    const char *path)
{
    struct kept_files *k = fleet_kept_files(f);
    struct kept_file *file = k ? find(k, host, principal, path) : NULL;
    size_t size = strlen(path) + 1;
    if (k && !file && k->count < KEPT_FILES_MAX) {
        file = calloc(1, sizeof *file + size);
        if (!file)
            return;
        file->owner = k;
        file->host = host;
        snprintf(file->principal, sizeof file->principal, "%s", principal);
        memcpy(file->path, path, size);
        list_append(&k->files, &file->node);
        k->count++;
    }
    if (!file)
        return;
    file->due_ns = io_now(fleet_io(f)) + KEPT_FILES_TIME_S * NS_PER_S;
    watch(k);
}

struct kept_files *kept_files_new(struct fleet *f)
{
    struct kept_files *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->fleet = f;
    list_init(&k->files);
    io_timer_init(&k->timer);
    return k;
}

void kept_files_free(struct kept_files *k)
{
    if (!k)
        return;
    io_timer_stop(fleet_io(k->fleet), &k->timer);
    while (!list_empty(&k->files)) {
        struct kept_file *file = CONTAINER_OF(k->files.next, struct kept_file, node);
        if (file->removing) {
            visit_cancel(&file->visit);
            visit_fini(&file->visit);
        }
        forget(file);
    }
    free(k);
}
