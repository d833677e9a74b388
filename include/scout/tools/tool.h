/* Tools as a client sees them: one declarative table each, from which the schemas are printed, the
 * arguments are checked and the hints are set; and the life of one call.
 *
 * A call is started with the raw arguments and ends with exactly one on_done (maybe from within
 * tool_call_start). Wrong arguments are a result with isError, never a protocol error. */
#ifndef SCOUT_TOOLS_TOOL_H
#define SCOUT_TOOLS_TOOL_H

#include "scout/base/error.h"
#include "scout/base/json_write.h"
#include "scout/fleet/audit.h"
#include "scout/fleet/identity.h"
#include "scout/io/io.h"

enum tool_param_type { TOOL_STRING, TOOL_INTEGER, TOOL_BOOLEAN, TOOL_STRING_LIST, TOOL_OBJECT };

#define TOOL_OUTPUT_MIN 1000                  /* characters of a result that a call may ask for */
#define TOOL_OUTPUT_MAX 16777216              /* at most */
#define TOOL_ARENA_MAX  (16u * 1024u * 1024u) /* bytes that one call's arguments may take */

struct tool_param {
    const char *name, *description;
    enum tool_param_type type;
    bool required;
    const char *header; /* Mcp-Param-NAME repeats it in HTTP (x-mcp-header); NULL: none does */
    const char *default_json; /* printed into the schema; NULL: none */
    int64_t minimum, maximum; /* TOOL_INTEGER; both 0: no bounds */
    uint32_t verbs;    /* POLICY_BIT: listed where policy leaves one of these only; 0: for all */
    size_t length_max; /* of a string, in bytes of UTF-8; 0: no bound of its own */
    size_t count_max;  /* TOOL_STRING_LIST: it has at most so many strings */
};

struct tool_call;
struct cJSON;

/* What a tool's work says before its end, for a call that is answered as a job (job_table.h). */
struct tool_speech {
    /* From now on it is told by tool_call_output; what was said so far, within this. */
    void (*begin)(struct tool_call *call);
    /* Nothing more for now, or again. */
    void (*pause)(struct tool_call *call, bool paused);
    /* Members of the structured content that say what the work is. */
    void (*about)(const struct tool_call *call, struct json_writer *w);
};

/* Which tools are offered is decided by the set (the key `tool_sets` has their names). */
enum tool_set { TOOL_SET_SCOUT, TOOL_SET_FILES, TOOL_SET_ANY /* offered with every set */ };

#define TOOL_SET_BIT(set) (1u << (set))

struct tool {
    const char *name, *title, *description;
    /* Said behind the description to whom policy leaves none of its POLICY_EFFECTS, and to the
     * others. NULL: nothing. */
    const char *if_harmless, *if_effects;
    enum tool_set set;
    const struct tool_param *params;
    size_t param_count;
    /* JSON text, instead of what the table says; then arguments that the table does not have are
     * taken. NULL: the table. */
    const char *input_schema;
    const char *output_schema; /* JSON text; NULL: no structured content */
    uint32_t verbs;            /* POLICY_BIT of each that it may use; 0: contacts nothing */
    bool has_viewer;           /* its answers can be shown by the page at UI_APP_URI */
    /* Hints. A tool is read-only for those to whom policy leaves none of its POLICY_EFFECTS; the
     * first two hold for the others. */
    bool destructive, idempotent, open_world;
    /* What the table does not have means nothing: the params of a method, which revisions of the
     * protocol add to. Such a tool is in no list. */
    bool takes_params;
    bool lasts;      /* it ends when its caller wants it to, and tells things until then */
    bool is_task;    /* with clients that know tasks a call that goes on is one at once */
    bool needs_task; /* others cannot call it */
    bool is_long;    /* what it answers may be long: it takes `max_output`, too */
    /* Starts the work. `args` is an object whose members passed the table (a member that was null,
     * or an empty list, is not there); it lives as long as the call. Ends, now or later, in
     * tool_call_finish. */
    void (*start)(struct tool_call *call, const struct cJSON *args);
    const struct tool_speech *speech; /* NULL: as a job it says nothing before its end */
    /* Asks for an early end; tool_call_finish still follows (now or later). Never called before
     * `start` returned, nor twice. NULL: the call runs to its end. */
    void (*cancel)(struct tool_call *call);
};

/* How a finished call writes its result: the members "content", "structuredContent" and "isError"
 * of the result object, into the object that is open in `w`. */
typedef void tool_write_fn(struct json_writer *w, const void *context);

/* What a client can be asked for, as it says itself. */
#define TOOL_CAN_ELICIT     1u /* forms */
#define TOOL_CAN_ELICIT_URL 2u
#define TOOL_CAN_SAMPLE     4u
#define TOOL_CAN_ROOTS      8u
#define TOOL_CAN_TASKS      16u /* no question: it reads on in calls that go on, as tasks */

/* Something that a call has to know before it can go on (MCP 2026-07-28, "Multi round-trip
 * requests"): a request of the server's to the client. */
struct tool_question {
    const char *key;    /* that its answer comes under */
    const char *method; /* "elicitation/create", "sampling/createMessage", "roots/list" */
    const char *params; /* JSON text */
};

struct tool_questions {
    const struct tool_question *list;
    size_t count;       /* may be 0: the client just calls again */
    struct slice state; /* comes back with the answers, unchanged; may be empty */
};

struct tool_result;

/* The call goes on as a job, and its caller is answered now with `answer`: it is the caller's call
 * no more, which gets no on_done. `answer` is valid until this returns. */
typedef void tool_detach_fn(struct tool_call *call, const struct tool_result *answer);

/* What the rounds before brought, and what the caller can do. */
struct tool_round {
    uint32_t can;         /* TOOL_CAN_ */
    bool raw;             /* the client asks for results as they are: whole, exactly */
    struct slice answers; /* raw, an object: results by the questions' keys; empty: none came */
    struct slice state;   /* that the questions came with */
    tool_detach_fn *on_detach; /* NULL: the call is answered at its end and never before */
    struct job *job;           /* that the call is from its begin; NULL: it is none yet */
};

struct tool_result {
    bool is_error;
    int error;         /* SCOUT_OK or the failure's number, for logs */
    const char *stage; /* where it ended, static, may be NULL */
    tool_write_fn *write;
    /* Not NULL: it is no end, but what has to be known first; the rest is 0. */
    const struct tool_questions *questions;
    const void *context;  /* valid until tool_call_finish returns */
    bool is_clean;        /* it has no text from hosts but what was made fit for a model before */
    bool is_whole;        /* it keeps the budget by itself */
    const size_t *blocks; /* what its text consists of, in bytes: what is long is cut in each */
    size_t block_count;
    uint64_t redacted; /* secrets that its tool took out of it itself */
};

typedef void tool_done_fn(struct tool_call *call, const struct tool_result *result);
/* So much of `total` (0: not known) is done; `message` may be NULL. */
typedef void tool_progress_fn(struct tool_call *call, uint64_t done, uint64_t total,
                              const char *message);
/* Something to tell before the end: a notification's method, and what writes the members of its
 * params. False: there is no room for it now. */
typedef bool tool_notify_fn(struct tool_call *call, const char *method, tool_write_fn *write,
                            const void *context);
/* `error` 0: the effect may begin. */
typedef void tool_effect_fn(struct tool_call *call, int error, const struct failure *why);

struct prompt_registry;
struct resource_watches;
struct output_store;
struct job_table;
struct job;
struct redactor;
struct tool_output;
struct ui_pages;
struct tool_env; /* what the tools work on; the daemon's */

enum tool_raw { TOOL_RAW_OWNER, TOOL_RAW_EVERYONE, TOOL_RAW_NOBODY };

/* The configuration that calls go by. A new one replaces it as a whole; calls that began under the
 * old one end under it. */
struct tool_view {
    struct tool_env *env;
    const struct policy *policy; /* NULL: everything is allowed */
    uint32_t tool_sets;          /* TOOL_SET_BIT of those that are offered; 0: all */
    const struct ui_pages *ui;   /* HTML pages of looks; NULL: there are none */
    struct redactor *redactor;   /* NULL: results go out as they are */
    size_t output_budget;        /* characters of a result; 0: no bound */
    enum tool_raw raw_output;    /* who may have results as they are */
    uint64_t detach_after_ns;    /* a call that takes so long is answered as a job; 0: none is */
    uint64_t job_timeout_ns;     /* from its begin, of work that may outlive its call */
    uint32_t calls;              /* that go by it */
    void (*on_unused)(struct tool_view *view); /* after the last of them; may be NULL */
};

struct tool_registry {
    const struct tool *const *tools; /* in the order of tools/list */
    size_t count;
    const struct tool *const *methods; /* which work as calls do, but are in no list */
    size_t method_count;
    bool tools_change, prompts_change;     /* their lists may, and whoever wants to know is told */
    bool logs;                             /* tools tell log messages */
    const struct prompt_registry *prompts; /* for the methods about them; NULL: there are none */
    struct io *io;
    struct tool_view *view;              /* of the calls that begin now */
    struct confirmations *confirmations; /* what waits for a person's word; NULL: nothing can */
    struct audit *audit;                 /* where calls are recorded; NULL: nowhere */
    struct undo *undo;                   /* where what is changed is kept; for tools that change */
    struct path_locks *locks;            /* likewise: turns at a file */
    struct resource_watches *watches;    /* where resources are watched; NULL: nowhere */
    struct output_store *outputs;        /* what was left out of results; NULL: that is gone */
    struct job_table *jobs;              /* where calls go on that were answered; NULL: nowhere */
    uint64_t part_of; /* the number of the call that these calls are parts of; 0: of none */
};

struct tool_call {
    const struct tool *tool;
    const struct tool_registry *registry;
    struct tool_view *view;
    const struct identity *identity; /* who calls */
    uint64_t started_ns;
    uint64_t deadline_ns;  /* absolute */
    uint64_t begin_by_ns;  /* absolute: by then its work is under way */
    uint64_t connected_ns; /* when it had its connection; 0: it needed none. For logs */
    tool_done_fn *on_done;
    tool_progress_fn *on_progress; /* NULL: nobody wants to know */
    struct tool_progress {
        uint64_t done, total;
        const char *of;             /* NULL: none was told */
    } progress;                     /* as it was told last */
    tool_notify_fn *on_notify;      /* likewise; set after `start` */
    tool_detach_fn *on_detach;      /* NULL: it cannot go on as a job */
    const struct tool_round *round; /* NULL: nothing can be asked. Until `start` returns */
    bool shows_apps; /* the client reads pages itself (MCP Apps); the caller's, after the start */
    void *owner;     /* the caller's */
    void *state;     /* the tool's */
    struct arena arena;
    bool has_exit; /* the tool's: its command ended with that. For records */
    int exit_status;
    bool cancelled;
    bool raw;              /* the client gets results as they are */
    size_t output_max;     /* characters that it asked for; 0: it did not */
    const char *subject;   /* what the caller named, a URI. For errors; NULL: nothing */
    uint64_t confirmed;    /* its number among `confirmations`; 0: it asked for none */
    struct audit_act act;  /* what it is about, as far as policy was asked. For logs */
    uint64_t answer_bytes; /* the caller's, within on_done: for the record */
    /* The machinery's own. */
    bool starting, finished, effect_begun;
    struct identity own_identity; /* the caller's may go before a job does */
    struct job *job;              /* NULL: it has none */
    uint32_t can;                 /* TOOL_CAN_ of its caller */
    struct slice arguments;       /* raw; of a caller who can be asked as a task, else empty */
    struct io_timer detach_timer;
    struct tool_output *output; /* the result is being made; NULL: it is not */
    uint64_t number;            /* of its records */
    struct audit_act *refused;  /* what policy refused last; NULL: nothing */
    const struct failure *why;  /* while it ends with that */
    struct audit_wait audit_wait;
    struct io_task effect_task;
    tool_effect_fn *effect_fn;
};

/* NULL when there is no tool of that name (compared case-sensitively) in the sets that are offered.
 */
const struct tool *tool_find(const struct tool_registry *r, const char *name);

/* The same among the methods. */
const struct tool *tool_find_method(const struct tool_registry *r, const char *name);

/* Whether it is in the identity's tools/list: it is of a set that is offered, and policy leaves it
 * at least one of its verbs. */
bool tool_is_listed(const struct tool_registry *r, const struct tool *t,
                    const struct identity *identity);

/* Writes the tool's entry of the identity's tools/list as one JSON object. `shows_apps`: for a
 * client that shows MCP Apps. */
void tool_describe(struct json_writer *w, const struct tool_registry *r, const struct tool *t,
                   const struct identity *identity, bool shows_apps);

/* Starts a call for `identity` (borrowed until on_done). A tool that is not listed for it ends with
 * SCOUT_E_POLICY. `arguments` is the raw JSON (checked by json_check) or empty. The call's memory
 * is the registry's until on_done returned. When that was before this function returned, the
 * pointer stands for an ended call, which tool_call_cancel ignores. NULL when there is no memory
 * for it (on_done is not called). */
struct tool_call *tool_call_start(const struct tool_registry *r, const struct tool *t,
                                  struct slice arguments, const struct identity *identity,
                                  uint64_t deadline_ns, tool_done_fn *on_done, void *owner);
/* The same for another round, or for a client that can be asked: `round` is borrowed until the
 * tool's start returns. */
struct tool_call *tool_call_start_round(const struct tool_registry *r, const struct tool *t,
                                        struct slice arguments, const struct identity *identity,
                                        uint64_t deadline_ns, const struct tool_round *round,
                                        tool_done_fn *on_done, void *owner);
/* Asks the tool to end early; on_done follows, maybe from within. A second call, and one from
 * within on_done, does nothing. */
void tool_call_cancel(struct tool_call *call);

/* For tools: whether policy allows that; 0, or SCOUT_E_POLICY with *why. The identity is the
 * call's. */
__attribute__((warn_unused_result)) int
tool_call_permit(struct tool_call *call, const struct policy_request *request, struct failure *why);
/* For tools: asks for a person's word about the whole of what several questions with `wants` were
 * about. Fails as policy_confirm. */
__attribute__((warn_unused_result)) int tool_call_confirm(struct tool_call *call,
                                                          const struct policy_request *request,
                                                          const char *rule, struct failure *why);
/* For tools: the same about what is only shown, such as a host in a list: what the call is about,
 * and its record, do not change. */
bool tool_call_may(struct tool_call *call, const struct policy_request *request);
/* For tools: what the call is about as a whole, for its record, where policy was asked about its
 * parts: asking goes on to change it no more. */
void tool_call_about(struct tool_call *call, const struct policy_request *request);
/* For tools: before anything that has an effect on a host (POLICY_EFFECTS), after policy allowed
 * it. `fn` comes once, never from within this call, with 0 when the effect is on record and may
 * begin, or with why it must not. Once a call. When the call ends before, `fn` does not come. */
void tool_call_effect(struct tool_call *call, const struct policy_request *request,
                      tool_effect_fn *fn);
/* For tools, within start: the raw answer to the question `key`; empty: there is none yet. */
struct slice tool_call_answer(const struct tool_call *call, const char *key);
/* For tools: ends the call with questions. It is started anew, with the same arguments, when they
 * are answered. Nothing may have been changed by then. */
void tool_call_ask(struct tool_call *call, const struct tool_questions *questions);
/* For tools: tells whoever wants to know, at once or later. `message` outlives the call. */
void tool_call_progress(struct tool_call *call, uint64_t done, uint64_t total, const char *message);

/* For tools that last, after `start` returned: false when there is no room for it now. */
bool tool_call_notify(struct tool_call *call, const char *method, tool_write_fn *write,
                      const void *context);
/* For tools that last: the configuration that the call began under may go. It looks at no host and
 * asks policy nothing any more. */
void tool_call_leave_view(struct tool_call *call);

/* For tools, within start: its work may outlive the call, so that its deadline is job_timeout
 * later than its begin. False: it has to end by the deadline that it has, since nobody could be
 * answered before, or there is no room for another job. */
bool tool_call_outlive(struct tool_call *call);
/* For tools, from their `speech.begin` on: what the work says, which is raw text of a host. */
void tool_call_output(struct tool_call *call, bool is_stderr, struct slice data);

/* What a call that ended with `error` was about: for logs and records. */
const struct audit_act *tool_call_act(const struct tool_call *call, int error);

/* For tools: ends the call. What the result says is made fit for the caller before on_done, which
 * may take a helper thread, and so come later. */
void tool_call_finish(struct tool_call *call, const struct tool_result *result);
/* For tools: ends the call with a failure: text "Error: <text>", structured content
 * {"error":{"code","message","stage"?}}, isError true. */
void tool_call_fail(struct tool_call *call, const struct failure *why);

#endif
