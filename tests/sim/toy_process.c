/* Commands of the toy server: the words of scripted.h, and our own two wrappers.
 *
 * A command runs for its time (or until its stdin ends), then prints, then exits. A killer ends the
 * commands whose groups it names, on whatever connection: at once, or those that ignore SIGTERM at
 * its own end, and says what became of them, as the real script does. */
#include "toy_server.h"

#include "scout/base/time.h"
#include <stdio.h>
#include <stdlib.h>

#define PIECE      4096u
#define SLOW_PIECE 64u

#define TOY_SHARED_GROUP 900u /* the server's own */
#define SLOW_MS          20

static void on_time(struct io_timer *timer);

static void wait_ns(struct toy_channel *ch, uint64_t ns)
{
    struct io *io = ch->session->server->io;
    io_timer_start(io, &ch->timer, io_now(io) + ns, on_time);
}

static void print(struct toy_channel *ch, bool is_stderr, const void *bytes, size_t len)
{
    if (!ch->close_came)
        toy_say(ch->session, is_stderr ? TOY_STDERR : TOY_DATA, ch->id, slice_of(bytes, len));
}

static void ended(struct toy_channel *ch)
{
    ch->running = false;
    io_timer_stop(ch->session->server->io, &ch->timer);
    toy_channel_ended(ch);
}

/* ---- the killer ---- */

static struct toy_channel *find_in_session(struct toy_session *t, uint32_t pid)
{
    for (struct list *n = t->channels.next; n != &t->channels; n = n->next) {
        struct toy_channel *ch = CONTAINER_OF(n, struct toy_channel, node);
        if (ch->running && ch->pid == pid)
            return ch;
    }
    return NULL;
}

static struct toy_channel *find_group(struct toy_server *v, uint32_t pid)
{
    struct toy_channel *ch = NULL;
    for (struct list *n = v->sessions.next; n != &v->sessions && !ch; n = n->next)
        ch = find_in_session(CONTAINER_OF(n, struct toy_session, node), pid);
    return ch;
}

static void end_by_signal(struct toy_channel *ch, const char *signal)
{
    ch->signal = signal;
    ch->out_left = ch->err_left = 0;
    ended(ch);
}

static void kill_one(struct toy_channel *killer, const char *mark, uint32_t pid, uint64_t *ms)
{
    struct toy_channel *victim = find_group(killer->session->server, pid);
    const char *verdict = !victim ? "none" : victim->immortal ? "left" : "gone";
    uint64_t need = !victim                ? 0
                    : victim->immortal     ? TOY_LEFT_MS
                    : victim->ignores_term ? TOY_KILL_MS
                                           : 0;
    if (buf_printf(&killer->verdicts, "%s%u %s\n", mark, pid, verdict) != 0)
        abort();
    if (need > *ms)
        *ms = need;
    if (!victim)
        return;
    victim->condemned = true;
    if (victim->ignores_term && !victim->immortal && killer->victim_count < 32)
        killer->victims[killer->victim_count++] = pid;
    else if (!victim->immortal)
        end_by_signal(victim, "TERM");
}

static void kill_late(struct toy_channel *killer)
{
    for (uint32_t i = 0; i < killer->victim_count; i++) {
        struct toy_channel *victim = find_group(killer->session->server, killer->victims[i]);
        if (victim)
            end_by_signal(victim, "KILL");
    }
    killer->victim_count = 0;
}

static void start_killer(struct toy_channel *ch, const char *text)
{
    char mark[TOY_SHELL_MAX] = "";
    const char *groups = strstr(text, "G=\" ");
    uint64_t ms = 0;
    ch->session->server->stats.kills++;
    if (!groups || sscanf(text, "exec sh -c 'M=%63[^;];", mark) != 1)
        abort(); /* not the script that is known here */
    char *end = (char *)(uintptr_t)groups + 4;
    while (*end != '"') {
        uint32_t pid = (uint32_t)strtoul(end, &end, 10);
        kill_one(ch, mark, pid, &ms);
        end += *end == ' ';
    }
    wait_ns(ch, ms * NS_PER_MS + NS_PER_MS);
}

/* ---- others ---- */

static void report(struct toy_channel *ch, const char *text, bool universal)
{
    const struct toy_config *config = &ch->session->server->config;
    char mark[TOY_SHELL_MAX] = "", line[160];
    const char *at = strstr(text, "scout-group-");
    if (!at || sscanf(at, "%63[^$]", mark) != 1)
        abort();
    uint32_t group = config->shared_groups ? TOY_SHARED_GROUP : ch->pid;
    int len = universal ? snprintf(line, sizeof line, "%s%u %u (%s)\n", mark, ch->pid, group,
                                   config->csh ? "tcsh" : "bash")
                        : snprintf(line, sizeof line, "%s%u\n", mark, ch->pid);
    ch->session->server->stats.reports++;
    if (ch->err_left > 0 && toy_draw(ch->session->server, 4) == 0) {
        memcpy(ch->report, line, (size_t)len + 1);
        return;
    }
    /* In two pieces, so that the filter has something to do. */
    size_t cut = (size_t)toy_draw(ch->session->server, (uint64_t)len);
    if (cut > 0)
        print(ch, true, line, cut);
    print(ch, true, line + cut, (size_t)len - cut);
}

static void take_word(struct toy_channel *ch, const char *word, uint64_t *run_ms)
{
    unsigned n = (unsigned)strtoul(word + 1, NULL, 10);
    if (strcmp(word, "ign") == 0)
        ch->ignores_term = true;
    else if (strcmp(word, "imm") == 0)
        ch->immortal = ch->ignores_term = true;
    else if (word[0] == 't')
        *run_ms = n;
    else if (word[0] == 'o')
        ch->out_left = n;
    else if (word[0] == 'e')
        ch->err_left = n;
    else if (word[0] == 's')
        ch->status = (int)n;
    else if (word[0] == 'k')
        ch->signal = n == 9 ? "KILL" : "TERM";
    else if (word[0] == 'i')
        ch->reads_input = true;
    else if (word[0] == 'l')
        ch->no_status = true;
    else
        ch->status = 127;
}

static void start_command(struct toy_channel *ch, char *text)
{
    uint64_t run_ms = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        take_word(ch, word, &run_ms);
    if (!ch->reads_input || ch->eof_came)
        wait_ns(ch, run_ms * NS_PER_MS);
}

void toy_process_start(struct toy_channel *ch, struct slice command)
{
    struct toy_server *v = ch->session->server;
    char *text = malloc(command.len + 1);
    if (!text)
        abort();
    memcpy(text, command.data, command.len);
    text[command.len] = '\0';
    ch->pid = v->next_pid++;
    ch->running = true;
    ch->signal = "";
    ch->no_status = toy_happens(v, v->config.faults.no_status);
    ch->slow = toy_happens(v, v->config.faults.slow_output);
    bool silent = toy_happens(v, v->config.faults.no_report);
    char *at;
    if (strncmp(text, "exec sh -c 'M=", 14) == 0) {
        start_killer(ch, text);
    } else if (strncmp(text, "sh -c '", 7) == 0 && (at = strstr(text, "'; : ; "))) {
        start_command(ch, at + 7);
        if (!silent)
            report(ch, text, true);
    } else if (strncmp(text, "echo scout-group-", 17) == 0 && (at = strstr(text, " >&2; "))) {
        start_command(ch, at + 6);
        if (!silent)
            report(ch, text, false);
    } else {
        start_command(ch, text); /* as it is */
    }
    free(text);
}

/* ---- its time, its input ---- */

/* True when something was printed. */
static bool print_piece(struct toy_channel *ch, bool is_stderr, uint32_t *left)
{
    char bytes[sizeof ch->report + PIECE] = {0};
    size_t before = is_stderr ? strlen(ch->report) : 0;
    uint32_t len = ch->slow ? SLOW_PIECE : PIECE;
    if (*left == 0)
        return false;
    if (len > *left)
        len = *left;
    memcpy(bytes, ch->report, before);
    ch->report[0] = is_stderr ? '\0' : ch->report[0];
    print(ch, is_stderr, bytes, before + len);
    *left -= len;
    return true;
}

static void on_time(struct io_timer *timer)
{
    struct toy_channel *ch = CONTAINER_OF(timer, struct toy_channel, timer);
    kill_late(ch);
    if (buf_len(&ch->verdicts) > 0) {
        struct slice text = buf_peek(&ch->verdicts);
        print(ch, false, text.data, text.len);
    }
    while (print_piece(ch, false, &ch->out_left) || print_piece(ch, true, &ch->err_left)) {
        if (!ch->slow)
            continue;
        wait_ns(ch, SLOW_MS * NS_PER_MS);
        return;
    }
    ended(ch);
}

void toy_process_input(struct toy_channel *ch, size_t len)
{
    ch->input_len += (uint32_t)len;
}

void toy_process_eof(struct toy_channel *ch)
{
    ch->eof_came = true;
    if (!ch->running || !ch->reads_input)
        return;
    char text[32];
    snprintf(text, sizeof text, "%u\n", ch->input_len);
    print(ch, false, text, strlen(text));
    wait_ns(ch, 0);
}

void toy_process_stop(struct toy_channel *ch)
{
    ch->running = false;
    io_timer_stop(ch->session->server->io, &ch->timer);
    buf_fini(&ch->verdicts);
}
