/* What policy says about a query, in two steps. Private to the layer. */
#ifndef SCOUT_TOOLS_QUERY_PERMIT_H
#define SCOUT_TOOLS_QUERY_PERMIT_H

#include "scout/fleet/query.h"
#include "scout/fleet/real_paths.h"
#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

/* A query of a call, and the paths that its command may look at: those of its words, and those that
 * a directory and another path's name make. All in the call's arena. */
struct query_ask {
    struct tool_call *call;
    const struct target *target;
    struct query *query;
    const char **paths;
    size_t *of;   /* which of the query's paths each is of */
    bool *joined; /* whether it is one that a directory and another path's name make */
    size_t count;
};

/* Parses `text` into a query, and finds its paths. 0, or an error with *why. */
__attribute__((warn_unused_result)) int query_ask_init(struct query_ask *a, struct tool_call *call,
                                                       const struct target *target,
                                                       const char *text, struct failure *why);

/* The words of the command, as they are now, to the call's end or the next change of the query.
 * NULL without memory. */
const char *const *query_ask_words(const struct query_ask *a);

/* Before the host is contacted: whether it could pass, as far as is known. */
__attribute__((warn_unused_result)) int query_permit_early(const struct query_ask *a,
                                                           struct failure *why);

/* When it is known where the paths lead: each has to pass, as it is written and as it is. What may
 * not be read below a directory is left out of the query; what is opened must be a file or a
 * directory, and is named in the query by its real path where a link leads to it. Whatever a person
 * has to say is asked at once. */
__attribute__((warn_unused_result)) int
query_permit(struct query_ask *a, const struct real_paths_result *real, struct failure *why);

#endif
