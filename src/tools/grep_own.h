/* A search of grep_own.c: what it and one file of it (grep_own_file.c) share. Private to the two.
 */
#ifndef SCOUT_TOOLS_GREP_OWN_H
#define SCOUT_TOOLS_GREP_OWN_H

#include "grep_call.h"

/* What the searches under way share. */
struct grep_shared {
    struct search_regex *regex;
    struct search_request request; /* the pattern is in the regex */
    unsigned users;
};

struct grep_job;

struct own_slot {
    struct grep_own *own;
    struct path_get *get; /* one of the two is under way, or none */
    struct grep_job *job;
    size_t file;
    char *path; /* as it is asked for; in use while it is read */
};

struct grep_own {
    struct grep_call *g;
    struct grep_shared *shared;
    struct path_walk *walk;
    struct buf paths; /* of the files, below the directory, each with its NUL */
    uint32_t *starts; /* where each begins */
    size_t count, next, busy, done;
    uint64_t bytes; /* of the files that were begun, as far as is known */
    uint64_t unreadable;
    uint64_t results; /* that were found, about */
    struct buf out;
    enum grep_cut cut;       /* nothing more is begun */
    enum grep_cut cut_later; /* there are more files than those */
    uint64_t deadline_ns; /* of reading: earlier than the call's, so that there is time to tell */
    struct own_slot slots[GREP_OWN_READS];
};

/* The path of a file below the directory. */
static inline const char *grep_own_path(const struct grep_own *o, size_t file)
{
    return (const char *)buf_peek(&o->paths).data + o->starts[file];
}

/* Begins with the next file. False without memory. */
bool grep_own_read(struct grep_own *o, struct own_slot *s);
/* Takes back what a slot does. */
void grep_own_drop(struct own_slot *s);
/* Sets free slots to work; ends the search when there is no more to do. */
void grep_own_pump(struct grep_own *o);

/* One user fewer. */
void grep_shared_leave(struct grep_shared *s);

/* Each ends the search and the call. */
void grep_own_fail(struct grep_own *o, const struct failure *why);
void grep_own_fail_memory(struct grep_own *o);

#endif
