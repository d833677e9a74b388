/* A directory as `ls -la` shows it. */
#ifndef SCOUT_TOOLS_LS_TEXT_H
#define SCOUT_TOOLS_LS_TEXT_H

#include "scout/base/json_write.h"
#include "scout/fleet/path_get.h"

/* Writes "total N" and one line an entry; `now_s` is the time of day, for the form of dates. */
void ls_text_write(struct json_writer *w, struct json_text_parts *parts,
                   const struct path_entry *entries, size_t count, uint64_t now_s);

/* One part with its control characters shown as `?`. */
void ls_text_visible(struct json_writer *w, struct json_text_parts *parts, struct slice text);

#define LS_MODE_SIZE 11
/* "drwxr-xr-t", or "??????????" where it is not known. Returns `out`. */
const char *ls_mode(const struct sftp_attrs *a, char out[LS_MODE_SIZE]);

/* "file", "directory", "symlink", "fifo", "socket", "block", "char", "unknown". */
const char *ls_type_name(const struct sftp_attrs *a);

#endif
