/* The scripts that write a file where there is no SFTP, in the shell that every Unix has, and what
 * they print. Pure. Private to the layer.
 *
 * As those of exec_script.c they stand between single quotes, so they have neither of these, nor a
 * newline, `!` or a backslash before a quote; paths come as escapes. Of all functions: 0,
 * SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
#ifndef SCOUT_FLEET_PUT_SCRIPT_H
#define SCOUT_FLEET_PUT_SCRIPT_H

#include "file_put.h"

/* What is at the path: as the script of exec_script.c prints it of a file, whose bytes are "old" or
 * "new": nothing is there, but its folder. */
__attribute__((warn_unused_result)) int put_script_look(struct buf *out, const char *path);

/* Standard input becomes a new file, of mode 0600; its size is printed. */
__attribute__((warn_unused_result)) int put_script_write(struct buf *out, const char *temp);

/* Owner, mode, disk, the condition, and the rename. */
struct put_script_place {
    const char *temp, *path;
    uint32_t mode, mode_unkept; /* the latter when owner and group cannot be kept */
    bool has_owner;
    uint32_t uid, gid;
    enum file_put_condition condition;
    const char *etag; /* of FILE_PUT_ETAG */
};
__attribute__((warn_unused_result)) int put_script_place(struct buf *out,
                                                         const struct put_script_place *place);
/* What its status means besides that it failed. */
enum { PUT_SCRIPT_EXISTS = 84, PUT_SCRIPT_NOT_A_FILE = 85, PUT_SCRIPT_CHANGED = 87 };

__attribute__((warn_unused_result)) int put_script_remove(struct buf *out, const char *temp);

/* The words behind the last line that begins with "@scout-put ": false when there is none. */
bool put_script_reply(struct slice printed, struct slice *words);

#endif
