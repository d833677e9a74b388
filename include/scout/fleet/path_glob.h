/* Patterns of paths below a directory, as glob tools take them. Pure.
 *
 * `*` any run of characters and `?` one of them, both without `/`; `[a-z]`, `[!a-z]` and
 * `[[:digit:]]` one of a set; `**` as a component any number of directories, at the end all that is
 * below; `{a,b}` one of several, also within each other; a backslash takes away the meaning. A dot
 * in front is nothing special. A slash at the end: only directories are meant. Components are
 * matched by name_glob.c, their order by policy_glob.c.
 */
#ifndef SCOUT_FLEET_PATH_GLOB_H
#define SCOUT_FLEET_PATH_GLOB_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define PATH_GLOB_MAX       500 /* bytes of one, and of each of its alternatives */
#define PATH_GLOB_FORMS_MAX 64  /* that the braces of one make */

struct path_glob;

/* With `anywhere`, what has no `/` is a pattern of names at any depth. SCOUT_E_INVALID_ARGUMENT
 * with *why, or SCOUT_E_NOMEM. Freed by path_glob_free. */
__attribute__((warn_unused_result)) int
path_glob_parse(const char *text, bool anywhere, struct path_glob **out, struct failure *why);
void path_glob_free(struct path_glob *g);

/* Whether it ends in a slash, and so do all of its alternatives. */
bool path_glob_is_of_directories(const struct path_glob *g);

/* `path` is below the directory, without a slash in front or at the end. */
bool path_glob_matches(const struct path_glob *g, struct slice path);
/* Whether something below the directory `path` could match. */
bool path_glob_reaches(const struct path_glob *g, struct slice path);

/* How many levels down a match can be; 0: any number. */
uint32_t path_glob_depth(const struct path_glob *g);

/* The patterns of the names that all matches have, one for each form, for tools that know no more
 * than `*` (of a `?` they may think bytes); NULL when there is none for `index`, or when one of the
 * forms has no such name.
 */
const char *path_glob_name(const struct path_glob *g, size_t index);

#endif
