/* Tools as a client sees them: one declarative table each, from which the schemas are printed, the
 * arguments are checked and the hints are set; and the life of one call.
 *
 * A call is started with the raw arguments and ends with exactly one on_done (maybe from within
 * tool_call_start). Wrong arguments are a result with isError, never a protocol error. */
#ifndef SCOUT_TOOLS_TOOL_H
#define SCOUT_TOOLS_TOOL_H

#include "scout/base/error.h"
#include "scout/base/json_write.h"
#include "scout/io/io.h"

enum tool_param_type { TOOL_STRING, TOOL_INTEGER, TOOL_BOOLEAN };

#define TOOL_ARENA_MAX (16u * 1024u * 1024u) /* bytes that one call's arguments may take */

struct tool_param {
    const char *name, *description;
    enum tool_param_type type;
    bool required;
    const char *default_json; /* printed into the schema; NULL: none */
    int64_t minimum, maximum; /* TOOL_INTEGER; both 0: no bounds */
    size_t length_max;        /* TOOL_STRING, in bytes of UTF-8; 0: no bound of its own */
};

struct tool_call;
struct cJSON;

struct tool {
    const char *name, *title, *description;
    const struct tool_param *params;
    size_t param_count;
    const char *output_schema; /* JSON text; NULL: no structured content */
    bool read_only, destructive, idempotent, open_world;
    /* Starts the work. `args` is an object whose members passed the table (a member that was null
     * is not there); it lives as long as the call. Ends, now or later, in tool_call_finish. */
    void (*start)(struct tool_call *call, const struct cJSON *args);
    /* Asks for an early end; tool_call_finish still follows (now or later). Never called before
     * `start` returned, nor twice. NULL: the call runs to its end. */
    void (*cancel)(struct tool_call *call);
};

/* How a finished call writes its result: the members "content", "structuredContent" and "isError"
 * of the result object, into the object that is open in `w`. */
typedef void tool_write_fn(struct json_writer *w, const void *context);

struct tool_result {
    bool is_error;
    int error;         /* SCOUT_OK or the failure's number, for logs */
    const char *stage; /* where it ended, static, may be NULL */
    tool_write_fn *write;
    const void *context; /* valid until on_done returns */
};

typedef void tool_done_fn(struct tool_call *call, const struct tool_result *result);

struct tool_env; /* what the tools work on; the daemon's */

struct tool_registry {
    const struct tool *const *tools; /* in the order of tools/list */
    size_t count;
    struct io *io;
    struct tool_env *env;
};

struct tool_call {
    const struct tool *tool;
    const struct tool_registry *registry;
    uint64_t deadline_ns; /* absolute */
    tool_done_fn *on_done;
    void *owner; /* the caller's */
    void *state; /* the tool's */
    struct arena arena;
    bool cancelled;
    bool starting, finished; /* the machinery's own */
};

/* NULL when there is no tool of that name (compared case-sensitively). */
const struct tool *tool_find(const struct tool_registry *r, const char *name);

/* Writes the tool's entry of tools/list as one JSON object. */
void tool_describe(struct json_writer *w, const struct tool *t);

/* Starts a call. `arguments` is the raw JSON (checked by json_check) or empty. The call's memory is
 * the registry's until on_done returned. When that was before this function returned, the pointer
 * stands for an ended call, which tool_call_cancel ignores. NULL when there is no memory for it
 * (on_done is not called). */
struct tool_call *tool_call_start(const struct tool_registry *r, const struct tool *t,
                                  struct slice arguments, uint64_t deadline_ns,
                                  tool_done_fn *on_done, void *owner);
/* Asks the tool to end early; on_done follows, maybe from within. A second call, and one from
 * within on_done, does nothing. */
void tool_call_cancel(struct tool_call *call);

/* For tools: ends the call. */
void tool_call_finish(struct tool_call *call, const struct tool_result *result);
/* For tools: ends the call with a failure: text "Error: <text>", structured content
 * {"error":{"code","message","stage"?}}, isError true. */
void tool_call_fail(struct tool_call *call, const struct failure *why);

#endif
