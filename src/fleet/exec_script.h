/* The command that reads a path through a host's shell. Private to the layer; pure. */
#ifndef SCOUT_FLEET_EXEC_SCRIPT_H
#define SCOUT_FLEET_EXEC_SCRIPT_H

#include "scout/base/buf.h"
#include "scout/fleet/path_get.h"

/* Appends the command line for `path` (as the host gets it, not empty, no NUL): of a file's `range`
 * at most `size_max` bytes and (but for its last lines) one more are asked for, of a directory
 * `entries_max` entries and one more. With `around` so many bytes before and behind a part are
 * asked for besides (of lines, within PATH_AROUND_LINES lines); exec_read.c takes them apart. 0,
 * SCOUT_E_LIMIT or SCOUT_E_NOMEM. What it prints is described in exec_reply.h. */
__attribute__((warn_unused_result)) int exec_script_write(struct buf *out, const char *path,
                                                          uint64_t size_max, uint64_t entries_max,
                                                          const struct path_range *range,
                                                          uint32_t around);

/* The same for a walk below `path`, `depth` levels down: names that fit `pattern`, or, when it is
 * empty, all that are not hidden; `types`: "f" all but directories, "d" directories alone, "" all.
 */
__attribute__((warn_unused_result)) int exec_script_write_walk(struct buf *out, const char *path,
                                                               uint64_t bytes_max, uint32_t depth,
                                                               const char *pattern,
                                                               const char *types);

/* The same for what is known of `path` (path_stat.c). */
__attribute__((warn_unused_result)) int exec_script_write_stat(struct buf *out, const char *path);

/* What the content of a file comes behind, on a line of its own; and how the command ends when
 * there is no regular file any more. */
#define EXEC_CONTENT_MARK    "@scout-content"
#define EXEC_CONTENT_NO_FILE 87

/* The same for what is known of a file that is to be copied: of a regular one that may be read
 * nothing follows "ok". */
__attribute__((warn_unused_result)) int exec_script_write_source(struct buf *out, const char *path);
/* The bytes of the file at that real path, from `offset` on, behind the mark. */
__attribute__((warn_unused_result)) int exec_script_write_content(struct buf *out, const char *path,
                                                                  uint64_t offset);

#endif
