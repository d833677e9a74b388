/* The transfer directory, for helper threads: everything here may block. Private to the layer. */
#ifndef SCOUT_FLEET_LOCAL_DIR_H
#define SCOUT_FLEET_LOCAL_DIR_H

#include "scout/base/error.h"
#include "scout/ssh/sftp.h"
#include <sys/stat.h>

/* The directory, made when it is not there: a descriptor, or -errno. */
int local_dir_open(const char *root);
/* Opens what is at `path` below it, links that stay inside included: a descriptor, or -errno. */
int local_dir_open_file(int root, const char *path, int flags);
/* The folder that `path` is in: a descriptor, or -errno; *name becomes the last component, in
 * `path`. -EINVAL when it has none. */
int local_dir_open_folder(int root, const char *path, const char **name);

/* Why a step failed with -errno, for people; the file is `shown`. Returns the error's number. */
int local_dir_failure(struct failure *why, const char *what, const char *shown, int error);

void local_dir_attrs(const struct stat *st, struct sftp_attrs *out);

#endif
