/* The scout tool's `query`: the text that a client sends, checked against a table and made into an
 * argv that can only read (reference A.2.7). Pure: no I/O.
 *
 * What a caller does, in this order:
 *   1. query_parse.
 *   2. For each of q->paths: resolve query_path_text relative to the directory in which the command
 *      runs, to its real path on the host; ask policy; query_set_path to what was asked about. What
 *      is only listed may be meant as the link that it is (ls -l, stat): there policy is asked
 *      about the real path too, but the path need not become it. Then, for each path with `joins`,
 *      also ask about query_joined. What `opens` must be no FIFO, socket or character device.
 *   3. When q->recursive_content: query_exclude with the base names that nobody may read. It may
 *      be left out only when every recursive path that is read is known to be no directory.
 *   4. query_command_line, run, with nothing on stdin.
 *
 * The argv is a canonical form of what was sent, so that every host's tools read it the same way:
 * the command, its options in their order (abbreviated names in full, `-5` of head and tail as
 * `-n5`), `--`, the operands. Where a command works on `.` when it is given no path, `.` is there.
 * find: its options, the paths, the expression, no `--`. */
#ifndef SCOUT_FLEET_QUERY_H
#define SCOUT_FLEET_QUERY_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/base/slice.h"

#define QUERY_TEXT_MAX  8192  /* bytes of the text */
#define QUERY_INPUT_MAX 256   /* words of the text */
#define QUERY_WORDS_MAX 640   /* words of the argv, with what this module adds */
#define QUERY_PATHS_MAX 256   /* as many as words: each word has one path at most */
#define QUERY_BYTES_MAX 49152 /* bytes of all words, with those that were replaced */
#define QUERY_SHOWN_MAX 64    /* bytes of a word in a message */

/* What becomes of a path. */
enum query_use {
    QUERY_READS, /* content of the file is read, and may be in the output */
    QUERY_LISTS, /* names and attributes only */
};

struct query_path {
    size_t word;  /* the word of the argv that it is in... */
    size_t start; /* ...from this byte on, to the word's end */
    enum query_use use;
    bool recursive;     /* of a directory, what is in it too */
    bool opens;         /* it is opened, which has an effect on some devices and FIFOs */
    bool joins;         /* diff: a directory is read at the base name of the other operand... */
    size_t joined_path; /* ...which is this one of the paths */
};

struct query_command;

/* Embedded or on the heap, about 64 KiB, nothing to free; may be copied. */
struct query {
    const struct query_command *command;
    size_t word_count;
    size_t path_count;
    size_t options_end;     /* options can be added before this word */
    bool recursive_content; /* contents are read of files that no word names */
    struct query_path paths[QUERY_PATHS_MAX];
    uint32_t words[QUERY_WORDS_MAX]; /* where in `bytes` each begins; see query_word */
    size_t byte_count;
    char bytes[QUERY_BYTES_MAX]; /* each word ends with NUL */
};

/* Splits `text` as a POSIX shell splits words (XCU 2.2 and 2.3: blanks, quotes, backslashes;
 * nothing is expanded, no operator and no comment is known: `|`, `>` and `*` are arguments), and
 * checks the command and all of its arguments. Returns 0, or with *why filled and *out unspecified:
 * SCOUT_E_INVALID_ARGUMENT, with one of the reference's texts or what is refused and what passes,
 * or SCOUT_E_LIMIT. Every text begins with "Command failed: ". */
__attribute__((warn_unused_result)) int query_parse(struct slice text, struct query *out,
                                                    struct failure *why);

/* A word of the argv, NUL-terminated; borrowed until q changes. `index` < q->word_count. */
const char *query_word(const struct query *q, size_t index);

/* The path `index` (< q->path_count) as the command gets it; borrowed until q changes. */
const char *query_path_text(const struct query *q, size_t index);

/* Replaces the path by `path`, which must begin with `/` or `.`, so that no command takes it for an
 * option. Returns 0; SCOUT_E_INVALID_ARGUMENT (another beginning); SCOUT_E_LIMIT (too long). */
__attribute__((warn_unused_result)) int query_set_path(struct query *q, size_t index,
                                                       const char *path);

/* `diff directory file` reads directory/file, which no word names: that path for the path `index`,
 * whose `joins` is true, NUL-terminated into `out`. Only of interest where the path is a directory
 * and the other is none. Returns 0 or SCOUT_E_LIMIT (more than `size`). */
__attribute__((warn_unused_result)) int query_joined(const struct query *q, size_t index, char *out,
                                                     size_t size);

/* Keeps a recursive reader from every file and directory whose base name matches one of `globs`
 * (`*`, `?`, `[...]`; no slash, blank, brace or backslash), whatever options the client gave, and
 * from what is behind symbolic links. Paths that are operands are not affected everywhere: they are
 * to be checked by themselves. Does nothing to a query that has no recursive_content. Returns 0;
 * SCOUT_E_INVALID_ARGUMENT (a glob of another form); SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int query_exclude(struct query *q, const char *const *globs,
                                                      size_t count);

/* Appends the line for the login shell, whichever that is: it changes to `directory` (`~` first and
 * relative paths begin where the login does; never taken for an option) and becomes the command,
 * with nothing on stdin. A directory that cannot be entered ends it with a message on stderr and a
 * status other than 0, and nothing is run. Returns 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int query_command_line(const struct query *q,
                                                           const char *directory, struct buf *out);

#endif
