/* /etc/hosts and resolv.conf: has one changed, and what is in it now.
 *
 * What it is not: it decides nothing about when to look, and keeps neither table nor channel; it
 * makes them and hands them over.
 *
 * A file is marked before it is read. If it changes between the two, the next look sees a mark that
 * differs and reads it once more. The change time is part of the mark, since a file can be replaced
 * with its times and size kept, or become readable. */
#include "resolver_files.h"

#include "scout/base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct file_mark mark_of(const char *path)
{
    struct stat st;
    struct file_mark mark;
    memset(&mark, 0, sizeof mark); /* marks are compared as bytes */
    if (stat(path, &st) != 0)
        return mark;
    mark.dev = st.st_dev;
    mark.ino = st.st_ino;
    mark.size = st.st_size;
    mark.modified = st.st_mtim;
    mark.changed = st.st_ctim;
    return mark;
}

static bool same_mark(const struct file_mark *a, const struct file_mark *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- hosts ---- */

/* Up to `max` bytes of a regular file; NULL when it cannot be read. */
static uint8_t *read_all(const char *path, size_t max, size_t *len)
{
    struct stat st;
    uint8_t *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    if (fd < 0)
        return NULL;
    *len = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t size = st.st_size > (off_t)max ? max : (size_t)st.st_size;
        text = malloc(size + 1);
        while (text && *len < size) {
            ssize_t n = read(fd, text + *len, size - *len);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                break;
            *len += (size_t)n;
        }
    }
    close(fd);
    return text;
}

static void read_hosts(struct resolver_files *f)
{
    size_t len;
    uint8_t *text = read_all(f->hosts_path, HOSTS_FILE_SIZE_MAX + 1, &len);
    f->hosts = NULL;
    if (text && hosts_file_parse(slice_of(text, len), &f->hosts) != 0)
        f->hosts = NULL;
    free(text);
}

/* ---- the job ---- */

int resolver_files_read_conf(struct resolver_files *f)
{
    f->conf_mark = mark_of(f->dns_config.resolv_conf);
    f->conf_new = true;
    int error = resolver_dns_new(&f->dns, &f->dns_config);
    if (error)
        f->dns = NULL;
    return error == SCOUT_E_NOMEM ? error : 0;
}

static void look(struct io_job *job)
{
    struct resolver_files *f = CONTAINER_OF(job, struct resolver_files, job);
    struct file_mark mark = mark_of(f->hosts_path);
    f->hosts_new = !same_mark(&mark, &f->hosts_mark);
    if (f->hosts_new) {
        f->hosts_mark = mark;
        read_hosts(f);
    }
    f->conf_new = false;
    if (!f->look_at_conf)
        return;
    mark = mark_of(f->dns_config.resolv_conf);
    if (!same_mark(&mark, &f->conf_mark) && resolver_files_read_conf(f) != 0)
        memset(&f->conf_mark, 0, sizeof f->conf_mark); /* no memory: the next look tries again */
}

static void looked(struct io_job *job)
{
    struct resolver_files *f = CONTAINER_OF(job, struct resolver_files, job);
    f->done(f);
}

void resolver_files_look(struct resolver_files *f, struct io *io, resolver_files_fn *done)
{
    f->done = done;
    io_job_start(io, &f->job, look, looked);
}
