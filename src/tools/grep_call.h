/* One call of the tool `grep`: its parts. Private to the layer.
 *
 *   grep_tool.c: arguments --> path_stat --> policy --> grep_host.c: a program of the host
 *                                       \                 | no program may be run, or none can
 *                                        \                v   leave out what policy forbids
 *                                         \--------> grep_own.c: files are read and searched here
 *                                                         |
 *   grep_pick.c: what is shown of it <-- either ----------/   --> grep_result.c writes it
 *
 * Each part ends the call, or hands it on to the next; whatever is under way then is its own. */
#ifndef SCOUT_TOOLS_GREP_CALL_H
#define SCOUT_TOOLS_GREP_CALL_H

#include "path_call.h"
#include "scout/fleet/host_command.h"
#include "scout/fleet/path_stat.h"
#include "scout/fleet/path_walk.h"
#include "scout/fleet/search.h"
#include "scout/fleet/search_pattern.h"

#define GREP_RESULTS       100 /* matches that are shown, unless told */
#define GREP_RESULTS_MAX   2000
#define GREP_PER_FILE_PART 4    /* of these one file of a directory may have a part... */
#define GREP_PER_FILE_MIN  10   /* ...or so many */
#define GREP_AROUND_MAX    20   /* lines before and after a match */
#define GREP_TEXT_MAX      500u /* bytes of a line that are shown */

/* What is searched here: */
#define GREP_OWN_FILES_MAX 20000
#define GREP_OWN_READS     16                     /* files at a time */
#define GREP_OWN_FILE_MAX  (2u * 1024u * 1024u)   /* bytes of one */
#define GREP_OWN_BYTES_MAX (256u * 1024u * 1024u) /* of all */

enum grep_cut { GREP_WHOLE, GREP_CUT_MATCHES, GREP_CUT_SIZE, GREP_CUT_TIME };

struct grep_own;

struct grep_call {
    struct path_call path;
    const char *pattern; /* in the arguments */
    struct buf posix, rust;
    struct path_glob *glob; /* of the files that are searched; NULL: all */
    struct search_request request;
    uint64_t results_max;
    char *real;        /* the target's real path; "": the host does not tell */
    bool is_file;      /* the target is one */
    const char *given; /* the rule for which a person allowed to read the target; NULL: none did */
    /* What is under way, one of these. */
    struct path_stat *stat;
    struct host_command *command;
    struct grep_own *own;
    uint64_t progress_ns; /* when the command's was told last */
};

/* Starts the search on the host, or hands the call on. */
void grep_host_start(struct grep_call *g);
/* Starts the search here. */
void grep_own_start(struct grep_call *g);
void grep_own_cancel(struct grep_own *o);

/* What of the target's files is told: everything that was found, by whatever it was. */
struct grep_answer {
    const struct grep_call *call;
    const struct search_found *found;
    const struct search_line *lines; /* that are shown */
    size_t count;
    uint64_t match_count, file_count; /* of these */
    uint64_t files_cut;               /* files that have more matches than one may */
    enum grep_cut cut;
    bool full; /* there are more than were asked for */
};

/* How many matches of one file are shown, where there are more in all than are. */
static inline uint64_t grep_per_file(const struct grep_call *g)
{
    uint64_t part = g->results_max / GREP_PER_FILE_PART;
    return g->is_file ? g->results_max : part > GREP_PER_FILE_MIN ? part : GREP_PER_FILE_MIN;
}

/* Chooses them; `found` is changed. */
void grep_pick(struct grep_answer *a, struct search_found *found);

/* Takes secrets out of lines that are shown (grep_redact.c). False without memory. */
bool grep_redact(struct grep_call *g, struct search_line *lines, size_t line_count);
/* What of a line is shown: whole characters. */
struct slice grep_shown(const struct search_line *line);

/* Ends the call with that, as far as policy lets it be read. `found` is the caller's. */
void grep_finish(struct grep_call *g, struct search_found *found, enum grep_cut cut);
void grep_fail(struct grep_call *g, const struct failure *why);
void grep_fail_memory(struct grep_call *g);

void grep_answer_write(struct json_writer *w, const void *context); /* struct grep_answer */

#endif
