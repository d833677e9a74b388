/* See world.h. It stands in for the pool, the fleet and the commands of the pool. */
#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_PER_S  1000000000ULL
#define ANSWER_MS 20000
#define STEPS_MAX 200000

struct pool_connection {
    struct pool *pool;
    struct sftp *sftp;
    bool lost;
    unsigned users;
};

/* ---- the fleet ---- */

struct io *fleet_io(const struct fleet *f)
{
    return f->io;
}

struct pool *fleet_pool(const struct fleet *f)
{
    return f->pool;
}

/* ---- the pool ---- */

static void connect_server(struct pool *p)
{
    struct pool_connection *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->pool = p;
    if (!p->no_sftp) {
        start_server(&p->server, p->uid ? p->uid : getuid(), NULL);
        c->sftp = p->server.client;
    }
    p->current = c;
    p->connects++;
}

static void drop_if_unused(struct pool_connection *c)
{
    if (c->lost && c->users == 0)
        free(c);
}

static void lose(struct pool *p)
{
    struct pool_connection *c = p->current;
    c->lost = true;
    p->current = NULL;
    failure_set(&p->lost, SCOUT_E_CONNECTION_LOST, "The connection was lost by the test");
    c->users++; /* those who are told release it */
    if (c->sftp)
        stop_server(&p->server);
    c->sftp = NULL;
    c->users--;
    drop_if_unused(c);
}

static void hold(struct pool *p, struct pool_use *use)
{
    if (!p->current)
        connect_server(p);
    use->connection = p->current;
    use->waiting = false;
    use->connection->users++;
    p->held++;
}

int pool_acquire(struct pool *p, const struct ssh_host *host, const char *principal,
                 uint64_t deadline_ns, struct pool_use *use,
                 void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why)
{
    (void)deadline_ns;
    assert_string_equal(principal, p->principal ? p->principal : "");
    assert_string_equal(host->name, "host");
    *use = (struct pool_use){.pool = p, .on_ready = on_ready};
    list_init(&use->node);
    if (p->refuse)
        return failure_set(why, SCOUT_E_POOL_FULL, "full");
    if (p->slow_connect) {
        use->waiting = true;
        list_append(&p->waits, &use->node);
        return 0;
    }
    hold(p, use);
    return 1;
}

void pool_release(struct pool_use *use)
{
    struct pool_connection *c = use->connection;
    if (use->waiting)
        list_remove(&use->node);
    use->waiting = false;
    if (!c)
        return;
    use->connection = NULL;
    c->users--;
    c->pool->held--;
    drop_if_unused(c);
}

struct sftp *pool_sftp(const struct pool_use *use)
{
    return use->connection->sftp;
}

bool pool_has_sftp(const struct pool_use *use)
{
    return !use->pool->no_sftp;
}

void pool_flush(struct pool_use *use)
{
    assert_non_null(use->connection);
}

void pool_suspect(struct pool_use *use, uint64_t since_ns)
{
    struct pool *p = use->pool;
    (void)since_ns;
    p->suspects++;
    if (p->current)
        lose(p); /* at once, which the real one does not: harder */
}

const struct failure *pool_failure(const struct pool_use *use)
{
    return &use->pool->lost;
}

/* ---- commands ---- */

int command_start(struct pool *p, const struct command_request *request,
                  const struct command_events *events, void *context, struct command **out,
                  struct failure *why)
{
    (void)why;
    assert_string_equal(request->principal, p->principal ? p->principal : "");
    if (p->command && !p->command->events.on_end && !p->command->running)
        command_drop(p); /* it was abandoned */
    assert_null(p->command);
    struct command *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->events = *events;
    c->context = context;
    c->line = strdup(request->command);
    assert_non_null(c->line);
    c->has_input = request->has_input;
    c->input = tmpfile();
    assert_non_null(c->input);
    p->command = *out = c;
    p->commands++;
    return 0;
}

static void command_free(struct command *c)
{
    free(c->line);
    fclose(c->input);
    free(c);
}

void command_drop(struct pool *p)
{
    command_free(p->command);
    p->command = NULL;
}

void command_abandon(struct command *c)
{
    c->events = (struct command_events){0};
}

int command_write(struct command *c, struct slice data)
{
    assert_true(c->has_input && !c->input_ended && data.len <= EXEC_INPUT_MAX);
    assert_int_equal(fwrite(data.data, 1, data.len, c->input), data.len);
    c->drain = true;
    return 0;
}

/* What comes is little: all of it is told at once. */
void command_pause(struct command *c, bool paused)
{
    assert_true(c->running && c->paused != paused);
    c->paused = paused;
}

void command_end_input(struct command *c)
{
    assert_false(c->input_ended);
    c->input_ended = true;
}

/* Lets it read what it was given; true when it waits for more. */
static bool feed_command(struct command *c)
{
    if (!c->has_input || c->input_ended || !c->events.on_end)
        return false;
    if (c->drain) {
        c->drain = false;
        c->events.on_drain(c->context);
    }
    return true;
}

/* Runs the command as a login shell would, and tells its events. */
static void run_command(struct pool *p)
{
    struct command *c = p->command;
    struct command_result result = {.end = COMMAND_EXITED, .has_status = true};
    uint8_t bytes[65536];
    size_t n, piece = p->piece ? p->piece : sizeof bytes;
    c->running = true;
    fflush(c->input);
    rewind(c->input);
    assert_true(dup2(fileno(c->input), STDIN_FILENO) >= 0);
    FILE *f = popen(c->line, "r");
    assert_non_null(f);
    if (c->events.on_started)
        c->events.on_started(c->context);
    while (!p->kills && (n = fread(bytes, 1, piece, f)) > 0) {
        if (c->events.on_output)
            c->events.on_output(c->context, false, slice_of(bytes, n));
        while (io_run_once(p->io, 0)) /* it may be abandoned between two pieces */
            ;
    }
    int status = pclose(f);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    result.has_status = !p->kills;
    snprintf(result.signal, sizeof result.signal, "%s", p->kills ? "KILL" : "");
    p->command = NULL; /* its end may start the next one */
    if (c->events.on_end)
        c->events.on_end(c->context, &result);
    command_free(c);
}

/* ---- round trips ---- */

/* Counts the requests in the output, by type. */
static unsigned count_requests(struct pool *p, struct slice out)
{
    unsigned count = 0;
    while (out.len > 4) {
        uint32_t len = (uint32_t)out.data[0] << 24 | (uint32_t)out.data[1] << 16 |
                       (uint32_t)out.data[2] << 8 | out.data[3];
        p->asked[out.data[4]]++;
        out = slice_skip(out, 4 + (size_t)len);
        count++;
    }
    assert_int_equal(out.len, 0);
    return count;
}

/* Reads until `count` packets are whole. */
static void read_replies(struct pool *p, struct buf *in, unsigned count)
{
    size_t whole = 0;
    while (count > 0) {
        struct slice have = slice_skip(buf_peek(in), whole);
        size_t need = 4;
        if (have.len >= 4)
            need += (size_t)have.data[0] << 24 | (size_t)have.data[1] << 16 |
                    (size_t)have.data[2] << 8 | have.data[3];
        if (have.len >= 4 && have.len >= need) {
            whole += need;
            count--;
            continue;
        }
        struct pollfd fd = {p->server.from, POLLIN, 0};
        assert_int_equal(poll(&fd, 1, ANSWER_MS), 1);
        uint8_t *at = buf_reserve(in, 65536);
        assert_non_null(at);
        ssize_t n = read(p->server.from, at, 65536);
        assert_true(n > 0);
        buf_commit(in, (size_t)n);
    }
}

static void round_trip(struct pool *p)
{
    struct buf *out = sftp_output(p->current->sftp), in;
    struct slice bytes = buf_peek(out);
    unsigned count = count_requests(p, bytes);
    p->rounds++;
    if (p->lose_count > 0 && p->rounds == p->lose_at) {
        p->lose_count--;
        p->rounds = 0;
        lose(p);
        return;
    }
    for (size_t sent = 0; sent < bytes.len;) { /* a pipe takes only so much at a time */
        struct pollfd fd = {p->server.to, POLLOUT, 0};
        assert_int_equal(poll(&fd, 1, ANSWER_MS), 1);
        ssize_t n = write(p->server.to, bytes.data + sent, bytes.len - sent);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    buf_consume(out, bytes.len);
    buf_init(&in, 64u << 20);
    read_replies(p, &in, count);
    assert_int_equal(sftp_feed(p->current->sftp, buf_peek(&in)), 0);
    buf_fini(&in);
}

/* The deadline of a command that was never started. */
static void expire_command(struct pool *p)
{
    struct command *c = p->command;
    struct command_result result = {.end = COMMAND_FAILED};
    failure_set(&result.failure, SCOUT_E_DEADLINE, "no channel until the deadline");
    result.failure.stage = "channel";
    if (c->events.on_end)
        c->events.on_end(c->context, &result);
    command_drop(p);
}

static void serve_waits(struct pool *p)
{
    while (!list_empty(&p->waits)) {
        struct pool_use *use = CONTAINER_OF(list_shift(&p->waits), struct pool_use, node);
        hold(p, use);
        use->on_ready(use, NULL);
    }
}

void world_step(struct world *w)
{
    struct pool *p = &w->pool;
    while (io_run_once(w->fleet.io, 0))
        ;
    if (w->done)
        return;
    if (p->silent && p->command)
        expire_command(p);
    else if (p->silent)
        io_run_once(w->fleet.io, (WORLD_TIMEOUT_S + 1) * NS_PER_S);
    else if (!list_empty(&p->waits))
        serve_waits(p);
    else if (p->command && !feed_command(p->command))
        run_command(p);
    else if (p->command)
        return;
    else if (p->current && p->current->sftp && buf_len(sftp_output(p->current->sftp)) > 0)
        round_trip(p);
    while (io_run_once(w->fleet.io, 0))
        ;
}

void world_lose(struct world *w)
{
    lose(&w->pool);
}

/* ---- the world ---- */

void world_start(struct world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(io_sim_open(&w->fleet.io, 7, NULL), 0);
    w->fleet.pool = &w->pool;
    w->pool.io = w->fleet.io;
    list_init(&w->pool.waits);
    snprintf(w->place.dir, sizeof w->place.dir, "/tmp/scout-fleet-XXXXXX");
    assert_non_null(mkdtemp(w->place.dir));
    snprintf(w->host.name, sizeof w->host.name, "host");
    connect_server(&w->pool);
}

void world_stop(struct world *w)
{
    struct pool *p = &w->pool;
    world_forget(w);
    assert_int_equal(p->held, 0);
    if (p->command)
        command_drop(p);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->place.dir);
    if (p->current)
        lose(p);
    io_free(w->fleet.io);
    assert_int_equal(system(command), 0);
}

static void copy_slice(char *out, size_t size, struct slice s)
{
    snprintf(out, size, "%.*s", (int)s.len, s.len ? (const char *)s.data : "");
}

static void on_got(void *context, const struct path_result *r)
{
    struct world *w = context;
    assert_false(w->done);
    w->done = true;
    w->get = NULL;
    w->failure = r->failure;
    w->kind = r->kind;
    w->attrs = r->attrs;
    w->truncated = r->truncated;
    w->rounds = w->pool.rounds;
    w->more = *r;
    copy_slice(w->before, sizeof w->before, r->before);
    copy_slice(w->after, sizeof w->after, r->after);
    w->entry_count = r->entry_count;
    w->text_len = r->text.len;
    w->text = malloc(r->text.len + 1);
    assert_non_null(w->text);
    if (r->text.len)
        memcpy(w->text, r->text.data, r->text.len);
    copy_slice(w->real_path, sizeof w->real_path, r->real_path);
    if (r->entry_count) {
        copy_slice(w->first, sizeof w->first, r->entries[0].name);
        copy_slice(w->last, sizeof w->last, r->entries[r->entry_count - 1].name);
    }
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct world *w = context;
    w->permits++;
    w->permit_kind = kind;
    if (w->on_permit)
        w->on_permit(w);
    copy_slice(w->permit_path, sizeof w->permit_path, real_path);
    return w->forbid ? failure_set(why, SCOUT_E_POLICY, "forbidden by the test") : 0;
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct world *w = context;
    assert_true(done > w->told_done && done <= total);
    w->told++;
    w->told_done = done;
    w->told_total = total;
}

void world_begin(struct world *w, const char *path)
{
    world_forget(w);
    w->told = 0;
    w->told_done = w->told_total = 0;
    w->pool.rounds = 0;
    memset(w->pool.asked, 0, sizeof w->pool.asked);
    struct path_request request = {
        .host = &w->host,
        .path = path,
        .principal = w->pool.principal ? w->pool.principal : "",
        .size_max = w->size_max ? w->size_max : WORLD_SIZE_MAX,
        .client = 1,
        .holdings = w->holdings,
        .range = w->range,
        .around = w->around,
        .etag = w->etag,
        .watch = w->watch,
        .deadline_ns = io_now(w->fleet.io) + WORLD_TIMEOUT_S * NS_PER_S,
        .permit = permit,
        .progress = on_progress,
    };
    w->get = path_get_start(&w->fleet, &request, on_got, w);
    assert_non_null(w->get);
    assert_false(w->done); /* never from within the call */
}

void world_look(struct world *w, const char *path)
{
    world_begin(w, path);
    for (unsigned i = 0; i < STEPS_MAX && !w->done; i++)
        world_step(w);
    assert_true(w->done);
    world_settle(w);
}

/* What it left behind goes out, too: nothing may stay open or in flight. */
void world_settle(struct world *w)
{
    struct pool *p = &w->pool;
    while (p->current && p->current->sftp && buf_len(sftp_output(p->current->sftp)) > 0)
        round_trip(p);
    if (p->current && p->current->sftp)
        assert_int_equal(sftp_in_flight(p->current->sftp), 0);
    assert_int_equal(p->held, 0);
}

void world_forget(struct world *w)
{
    free(w->text);
    w->text = NULL;
    w->done = false;
}

const char *world_path(const struct world *w, const char *name)
{
    return in_dir(&w->place, name);
}

void world_put(const struct world *w, const char *name, const void *bytes, size_t len)
{
    make_file(&w->place, name, bytes, len);
}

void world_fill(char *path, size_t size, unsigned count)
{
    snprintf(path, size, "/dev/shm/scout-entries-XXXXXX");
    if (!mkdtemp(path)) {
        snprintf(path, size, "/tmp/scout-entries-XXXXXX");
        assert_non_null(mkdtemp(path));
    }
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%06u", i);
        int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    close(dir);
}

void world_empty(const char *path)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %.64s", path);
    assert_int_equal(system(command), 0);
}

void world_expect_error(const struct world *w, int error, const char *fragment)
{
    assert_int_equal(w->failure.error, error);
    if (!strstr(w->failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, w->failure.text);
    assert_non_null(w->failure.stage);
}

void world_expect_text(const struct world *w, const void *bytes, size_t len)
{
    assert_int_equal(w->failure.error, 0);
    assert_int_equal(w->kind, PATH_FILE);
    assert_int_equal(w->text_len, len);
    if (len)
        assert_memory_equal(w->text, bytes, len);
}
