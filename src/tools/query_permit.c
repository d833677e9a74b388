/* Asking about a query. The directory that it runs in has to pass as a place whose names are seen;
 * a person is asked about the paths alone, once for all of them, and about the directory when there
 * are none.
 *
 * What is opened is what was asked about: a path that leads through a link is replaced by its real
 * one. That also counts where the link's text is not where it leads (/proc/PID/root, /proc/PID/fd).
 */
#include "query_permit.h"

#include "scout/fleet/path_join.h"

#define JOINED_MAX 16384 /* bytes of a path that a directory and another path's name make */

static void *take(const struct query_ask *a, size_t size)
{
    return arena_alloc(&a->call->arena, size);
}

static int fail_memory(struct failure *why)
{
    return failure_set(why, SCOUT_E_NOMEM, "No memory for the request");
}

/* ---- the paths ---- */

static void add(struct query_ask *a, size_t index, const char *path, bool joined)
{
    a->of[a->count] = index;
    a->joined[a->count] = joined;
    a->paths[a->count++] = path;
}

static int find_paths(struct query_ask *a)
{
    size_t max = 2 * a->query->path_count + 1;
    a->paths = take(a, max * sizeof *a->paths);
    a->of = take(a, max * sizeof *a->of);
    a->joined = take(a, max * sizeof *a->joined);
    if (!a->paths || !a->of || !a->joined)
        return SCOUT_E_NOMEM;
    for (size_t i = 0; i < a->query->path_count; i++) {
        add(a, i, query_path_text(a->query, i), false);
        if (!a->query->paths[i].joins)
            continue;
        char *joined = take(a, JOINED_MAX);
        int error = joined ? query_joined(a->query, i, joined, JOINED_MAX) : SCOUT_E_NOMEM;
        if (error)
            return error;
        add(a, i, joined, true);
    }
    return 0;
}

int query_ask_init(struct query_ask *a, struct tool_call *call, const struct target *target,
                   const char *text, struct failure *why)
{
    *a = (struct query_ask){.call = call, .target = target};
    a->query = take(a, sizeof *a->query);
    if (!a->query)
        return fail_memory(why);
    int error = query_parse(slice_str(text), a->query, why);
    if (error)
        return error;
    error = find_paths(a);
    return error ? failure_set(why, error, "Command failed: no room for its paths") : 0;
}

const char *const *query_ask_words(const struct query_ask *a)
{
    const char **words = take(a, (a->query->word_count + 1) * sizeof *words);
    for (size_t i = 0; words && i < a->query->word_count; i++)
        words[i] = query_word(a->query, i);
    return words;
}

/* ---- the questions ---- */

static int begin(const struct query_ask *a, struct policy_request *out, struct failure *why)
{
    *out = (struct policy_request){
        .identity = a->call->identity,
        .verb = POLICY_QUERY,
        .host = a->target->host,
        .asked = slice_str(a->target->path),
        .argv = query_ask_words(a),
        .argc = a->query->word_count,
    };
    return out->argv ? 0 : fail_memory(why);
}

int query_permit_early(const struct query_ask *a, struct failure *why)
{
    struct policy_request request;
    int error = begin(a, &request, why);
    request.early = true;
    return error ? error : tool_call_permit(a->call, &request, why);
}

static int permit_directory(const struct query_ask *a, struct policy_request request,
                            struct failure *why)
{
    request.path = request.directory;
    request.path_settled = request.names_only = true;
    request.early = a->count > 0;
    return tool_call_permit(a->call, &request, why);
}

static bool is_listed(const struct query_ask *a, size_t i)
{
    return a->query->paths[a->of[i]].use == QUERY_LISTS;
}

/* Whether the path is looked at: `diff directory file` reads directory/file, but diff of two files
 * or two directories reads no such thing. */
static bool is_used(const struct query_ask *a, size_t i, const struct real_paths_result *r)
{
    size_t other = a->query->paths[a->of[i]].joined_path, k = 0;
    if (!a->joined[i])
        return true;
    while (a->joined[k] || a->of[k] != other)
        k++;
    return r->kinds[i - 1] == REAL_DIRECTORY && r->kinds[k] != REAL_DIRECTORY;
}

/* What a person has to say yes to. */
struct wanted {
    const char *rule; /* NULL: nothing */
    struct buf paths; /* real, a line each */
};

static int add_wanted(struct wanted *w, const char *rule, const char *path)
{
    int error = w->rule ? buf_append_str(&w->paths, "\n") : 0;
    w->rule = w->rule ? w->rule : rule;
    return error ? error : buf_append_str(&w->paths, path);
}

/* The path below the directory, by its spelling. */
static const char *written(const struct query_ask *a, size_t i, const char *directory)
{
    return path_join(&a->call->arena, directory, a->paths[i]);
}

/* As it is written below the directory as that is written, and as it is. */
static int permit_path(const struct query_ask *a, size_t i, struct policy_request request,
                       const struct real_paths_result *real, struct wanted *w, struct failure *why)
{
    const char *target = a->target->path, *rule = NULL;
    const char *path = written(a, i, target[0] == '/' ? target : real->directory);
    if (!path)
        return fail_memory(why);
    request.names_only = is_listed(a, i);
    request.path = slice_str(path);
    request.early = true;
    int error = tool_call_permit(a->call, &request, why);
    if (error)
        return error;
    request.path = slice_str(real->paths[i]);
    request.path_settled = true;
    request.early = false;
    request.wants = &rule;
    error = tool_call_permit(a->call, &request, why);
    if (error || !rule)
        return error;
    error = add_wanted(w, rule, real->paths[i]);
    return error ? failure_set(why, error, "Command failed: no room for its paths") : 0;
}

static int ask_person(const struct query_ask *a, struct policy_request request,
                      const struct wanted *w, struct failure *why)
{
    request.path = buf_peek(&w->paths);
    request.path_settled = true;
    return tool_call_confirm(a->call, &request, w->rule, why);
}

/* ---- what is opened ---- */

static int check_kind(const struct query_ask *a, size_t i, const struct real_paths_result *real,
                      struct failure *why)
{
    enum real_kind kind = real->kinds[i];
    bool may = kind != REAL_UNTOLD && kind != REAL_OTHER && (kind != REAL_BLOCK || is_listed(a, i));
    if (may || (kind == REAL_OTHER && strcmp(real->paths[i], "/dev/null") == 0))
        return 0;
    if (kind == REAL_UNTOLD)
        return failure_set(why, SCOUT_E_NOT_A_FILE,
                           "Command failed: the host does not tell what %.400s is, so that it is "
                           "not opened",
                           a->paths[i]);
    return failure_set(why, SCOUT_E_NOT_A_FILE,
                       "Command failed: %.400s is a device, a FIFO or a socket: only regular files "
                       "and directories are opened",
                       a->paths[i]);
}

/* Whether the host finds at the path what its spelling says. */
static bool is_plain(const struct query_ask *a, size_t i, const struct real_paths_result *real)
{
    const char *path = written(a, i, real->directory);
    return path && strcmp(path, real->paths[i]) == 0 && !strstr(a->paths[i], "..");
}

static int replace(const struct query_ask *a, size_t i, const struct real_paths_result *real,
                   struct failure *why)
{
    int error = query_set_path(a->query, a->of[i], real->paths[i]);
    return error ? failure_set(why, error, "Command failed: no room for its real paths") : 0;
}

/* The paths come as the query has them, one that is joined behind its directory. */
static int open_real(const struct query_ask *a, const struct real_paths_result *real,
                     struct failure *why)
{
    bool all_plain = true;
    int error = 0;
    for (size_t i = 0; i < a->count; i++)
        all_plain = all_plain && is_plain(a, i, real);
    for (size_t i = 0; i < a->count && !error; i++) {
        if (!a->query->paths[a->of[i]].opens || !is_used(a, i, real))
            continue;
        error = check_kind(a, i, real, why);
        /* A name that diff takes from the one for the other must stay what it was. */
        bool plain = a->query->paths[a->of[i]].joins ? all_plain : is_plain(a, i, real);
        if (!error && !plain)
            error = replace(a, i, real, why);
    }
    return error;
}

/* ---- what is below ---- */

struct names {
    const char *all[POLICY_BELOW_MAX], *more[POLICY_BELOW_MAX];
    size_t count;
};

static bool add_name(struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->all[i], name) == 0)
            return true;
    if (n->count == POLICY_BELOW_MAX)
        return false;
    n->all[n->count++] = name;
    return true;
}

static int add_names_below(const struct query_ask *a, struct policy_request request,
                           struct names *n, struct failure *why)
{
    size_t count = 0;
    int error = policy_below(a->call->view->policy, &request, n->more, &count, why);
    for (size_t i = 0; i < count && !error; i++)
        if (!add_name(n, n->more[i]))
            error = failure_set(why, SCOUT_E_POLICY,
                                "Policy: more than %u names may not be read below the directories",
                                POLICY_BELOW_MAX);
    return error;
}

static int leave_out(const struct query_ask *a, struct policy_request request,
                     const struct real_paths_result *real, struct failure *why)
{
    struct names *n = take(a, sizeof *n);
    int error = n ? 0 : fail_memory(why);
    if (n)
        n->count = 0;
    for (size_t i = 0; i < a->count && !error; i++) {
        bool no_directory = real->kinds[i] == REAL_FILE || real->kinds[i] == REAL_OTHER;
        if (!a->query->paths[a->of[i]].recursive || no_directory || !is_used(a, i, real))
            continue;
        request.path = slice_str(real->paths[i]);
        request.path_settled = true;
        request.names_only = is_listed(a, i);
        error = add_names_below(a, request, n, why);
    }
    if (error)
        return error;
    error = query_exclude(a->query, n->all, n->count);
    if (error)
        return failure_set(why, SCOUT_E_POLICY,
                           "Policy: the command cannot leave out all that may not be read below "
                           "its directories (%s). Name the files",
                           error_text(error));
    return 0;
}

static int permit_all(struct query_ask *a, const struct real_paths_result *real, struct wanted *w,
                      struct failure *why)
{
    struct policy_request request;
    int error = begin(a, &request, why);
    request.directory = slice_str(real->directory);
    if (!error)
        error = permit_directory(a, request, why);
    for (size_t i = 0; i < a->count && !error; i++)
        if (is_used(a, i, real))
            error = permit_path(a, i, request, real, w, why);
    if (!error)
        error = open_real(a, real, why);
    if (!error && a->call->view->policy)
        error = leave_out(a, request, real, why);
    return error || !w->rule ? error : ask_person(a, request, w, why);
}

int query_permit(struct query_ask *a, const struct real_paths_result *real, struct failure *why)
{
    struct wanted w = {.rule = NULL};
    buf_init(&w.paths, CONFIRMATION_ACT_MAX);
    int error = permit_all(a, real, &w, why);
    buf_fini(&w.paths);
    return error;
}
