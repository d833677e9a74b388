/* The two files that names depend on, looked at on a helper thread. Private to the resolver. */
#ifndef SCOUT_NET_RESOLVER_FILES_H
#define SCOUT_NET_RESOLVER_FILES_H

#include "hosts_file.h"
#include "resolver_dns.h"
#include <sys/stat.h>

/* By what it is seen that a file has changed. All zero: it is not there. */
struct file_mark {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec modified, changed;
};

struct resolver_files;
typedef void resolver_files_fn(struct resolver_files *f);

struct resolver_files {
    struct io_job job;
    resolver_files_fn *done;
    const char *hosts_path;
    struct resolver_dns_config dns_config;
    struct file_mark hosts_mark, conf_mark; /* of what was read last */
    bool look_at_conf;                      /* set before each look */
    /* What a look found; the owner takes it. */
    bool hosts_new, conf_new;
    struct hosts_file *hosts; /* with hosts_new; NULL: no such file, or no memory for it */
    struct resolver_dns *dns; /* with conf_new; NULL: it cannot be read */
};

/* The configuration as it is now: dns, conf_new and conf_mark are set. Blocks. 0, or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int resolver_files_read_conf(struct resolver_files *f);

/* Looks at the files and reads those that have changed, on a helper thread; `done` is called on the
 * loop. Nothing of *f may be touched meanwhile. */
void resolver_files_look(struct resolver_files *f, struct io *io, resolver_files_fn *done);

#endif
