/* Changing a client's file as a whole, with a copy of the old one beside it. */
#ifndef SCOUT_CLI_SETUP_FILE_H
#define SCOUT_CLI_SETUP_FILE_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/base/paths.h"
#include <sys/stat.h>

#define SETUP_BACKUP ".before-scout" /* behind the file's name: what was there */

struct setup_file {
    char path[PATHS_SIZE]; /* links resolved */
    bool exists;
    struct stat was;
};

/* Reads the file at `path` into `text` (emptied first); one that is not there is empty. 0, or
 * SCOUT_E_PERMISSION, SCOUT_E_LIMIT, SCOUT_E_NOMEM with *why. */
__attribute__((warn_unused_result)) int setup_file_read(struct setup_file *f, const char *path,
                                                        struct buf *text, struct failure *why);

/* Replaces it by `text`, all at once, with the mode it had; the old content goes to a copy with
 * SETUP_BACKUP. Refuses when the file has changed since it was read. Folders that are missing are
 * made. 0, or SCOUT_E_PERMISSION with *why. */
__attribute__((warn_unused_result)) int setup_file_write(const struct setup_file *f,
                                                         struct slice text, struct failure *why);

#endif
