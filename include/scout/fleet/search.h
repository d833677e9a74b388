/* Searching the contents of files: the command that does it on a host, the same search over a text
 * that is here, and what either prints. Pure, but for the memory.
 *
 * A host is searched by the best program that it has: ripgrep, GNU grep, or any POSIX grep and
 * find, chosen by one script (search_script.c). What is printed is one of two forms, which
 * search_output_parse takes apart. */
#ifndef SCOUT_FLEET_SEARCH_H
#define SCOUT_FLEET_SEARCH_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define SEARCH_OUTPUT_MAX (1024u * 1024u) /* bytes that are looked at */
#define SEARCH_LINES_MAX  50000           /* lines or files of them */
#define SEARCH_LINE_MAX   65536u          /* bytes of a line that is searched here */
#define SEARCH_SHOWN_MAX  4096u           /* bytes of a line that are printed */

enum search_mode {
    SEARCH_CONTENT, /* lines that match, and those around them */
    SEARCH_FILES,   /* the files that have one */
    SEARCH_COUNT,   /* how many lines of each file match */
};

struct search_request {
    const char *directory;    /* absolute: paths are below it */
    const char *file;         /* a name in it, which alone is searched; NULL: all that is below */
    const char *posix, *rust; /* the pattern (search_pattern.h) */
    enum search_mode mode;
    unsigned before, after;     /* lines around a match */
    uint64_t per_file;          /* matches of one file, at most */
    const char *const *include; /* names of files that are searched (`*`); none: all */
    size_t include_count;
    const char *const *exclude; /* names that are left out, with all that is below (`*?[]`) */
    size_t exclude_count;
};

/* Appends the command for the login shell, with its NUL. Links are not followed, devices are not
 * opened, and directories `.git`, `.hg`, `.svn` not entered. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int search_command_write(struct buf *out,
                                                             const struct search_request *r);

/* ---- what was found ---- */

enum search_program {
    SEARCH_BY_NONE, /* it did not begin */
    SEARCH_BY_RIPGREP,
    SEARCH_BY_GREP,  /* GNU's */
    SEARCH_BY_POSIX, /* any other grep, with find */
    SEARCH_BY_SCOUT, /* search_text */
};

struct search_line {
    struct slice path; /* below the directory, without `./` */
    struct slice text;
    uint64_t number; /* of the line; SEARCH_COUNT: how many match */
    bool match;      /* else it is one around a match */
    bool cut;        /* the line is longer */
    bool whole;      /* it is shown as long as it is */
};

struct search_found {
    enum search_program by;
    struct search_line *lines; /* sorted by path, then by number; to be freed */
    size_t count;
    uint64_t binary;     /* binary files that match, of which nothing is shown */
    uint64_t unreadable; /* files and directories */
    bool ended;          /* the program came to its end; `status` is its own */
    int status;
    char complaint[256]; /* what else it said on stderr first; "": nothing */
};

/* Takes apart what the command printed. 0 or SCOUT_E_NOMEM; SCOUT_E_LIMIT: there are more lines
 * than SEARCH_LINES_MAX, of which the first are told. Slices are into `out`. */
__attribute__((warn_unused_result)) int search_output_parse(struct slice out, struct slice err,
                                                            enum search_mode mode,
                                                            struct search_found *found);

/* ---- a text that is here ---- */

/* Begins an output: as if a program had. */
__attribute__((warn_unused_result)) int search_text_begin(struct buf *out);

struct search_regex;
/* From the POSIX form. SCOUT_E_INVALID_ARGUMENT, or SCOUT_E_NOMEM. May be used by several threads.
 */
__attribute__((warn_unused_result)) int search_regex_new(struct search_regex **out,
                                                         const char *posix);
void search_regex_free(struct search_regex *r);

/* Searches a file's text, which has a NUL behind it, and appends what there is to say of it. A
 * binary one is told by a NUL. May take long: for a helper thread. 0, SCOUT_E_LIMIT or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int search_text(const struct search_regex *regex,
                                                    const struct search_request *r,
                                                    const char *path, struct slice text,
                                                    struct buf *out);

#endif
