/* What the script of exec_script.c prints, parsed as it comes. Private to the layer; pure.
 *
 *   anything                       what the login shell says of itself, to be passed over
 *   "@scout-path 1 " kind "\n"     at the begin of a line: d, f, o(ther), n(one), p(ermission)
 *   attributes "\n"                "MODE SIZE UID GID MTIME"; nothing follows n and p
 *   real path NUL                  empty when it is not known; nothing follows o
 *   "ok\n" or "denied\n"
 *   f: the bytes of the file
 *   d: ("/" attributes " " LINKS ":" OWNER ":" GROUP ": ./" name "\n")* "/end\n"
 *      NUL (name NUL target NUL)*     without "/end\n", something is missing
 *
 * Of a walk nothing follows f; d is followed by bytes that walk_exec.c takes apart.
 *
 * OWNER and GROUP are names; empty, or as stat writes it, UNKNOWN: not known. MODE is the number in
 * hex, or as ls writes it; what is not a number counts as not known. */
#ifndef SCOUT_FLEET_EXEC_REPLY_H
#define SCOUT_FLEET_EXEC_REPLY_H

#include "entry_list.h"

#define EXEC_REPLY_NOISE_MAX  65536u /* bytes before the first line that is meant */
#define EXEC_REPLY_LINE_MAX   512u   /* of the head */
#define EXEC_REPLY_RECORD_MAX 8192u  /* of one entry */

enum exec_reply_kind {
    EXEC_REPLY_NOTHING, /* the head has not come */
    EXEC_REPLY_FILE,
    EXEC_REPLY_DIRECTORY,
    EXEC_REPLY_OTHER, /* to be refused: attrs may say what it is */
    EXEC_REPLY_MISSING,
    EXEC_REPLY_DENIED,
};

enum exec_reply_state {
    EXEC_REPLY_IN_NOISE,
    EXEC_REPLY_IN_ATTRS,
    EXEC_REPLY_IN_REAL,
    EXEC_REPLY_IN_VERDICT,
    EXEC_REPLY_IN_TEXT,
    EXEC_REPLY_IN_ENTRIES,
    EXEC_REPLY_IN_LINKS,
    EXEC_REPLY_ENOUGH, /* nothing more is looked at */
};

struct exec_reply {
    enum exec_reply_state state;
    enum exec_reply_kind kind;
    struct sftp_attrs attrs;
    struct buf real_path;
    struct buf text;
    struct entry_list list;
    bool truncated; /* of text or list */
    bool is_walk;   /* to be set after the init: a directory's bytes go to the text */
    /* Inside. */
    struct buf line;  /* the line, real path or entry that has not come whole */
    struct buf links; /* names and targets, each with its NUL */
    size_t noise;
    uint64_t size_max;
    bool in_entry, complete;
};

void exec_reply_init(struct exec_reply *r, uint64_t size_max);
void exec_reply_fini(struct exec_reply *r);

/* Takes bytes in any pieces. 0: goes on; 1: no more is needed; SCOUT_E_PARSE: this is not what the
 * script prints; SCOUT_E_NOMEM. Nothing may be fed after another result than 0. */
__attribute__((warn_unused_result)) int exec_reply_feed(struct exec_reply *r, struct slice data);

/* One line of attributes; what is no number is left out. */
void exec_reply_attrs(struct slice line, struct sftp_attrs *out);

/* No more comes. 0, or SCOUT_E_PARSE when not even the head was whole. Sorts the list. */
__attribute__((warn_unused_result)) int exec_reply_end(struct exec_reply *r);

#endif
