/* scout doctor: looks at everything that has to be right, one line each, and says what to do.
 *
 * It changes nothing, starts no daemon and contacts no host. What only the daemon can judge (its
 * configuration, the ssh configuration) it asks of `scoutd --check-config`, so that both never
 * disagree. Exit status 1 when something is wrong; a warning is none. */
#include "doctor.h"

#include "launch.h"
#include "output.h"
#include "scout/base/json_write.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct doctor_check checks[] = {
    {"kernel", doctor_kernel},     {"io_uring", doctor_io_uring},
    {"files", doctor_files_limit}, {"memory", doctor_memory_limit},
    {"program", doctor_program},   {"config", doctor_config},
    {"hosts", doctor_hosts},       {"known_hosts", doctor_known_hosts},
    {"agent", doctor_agent},       {"state", doctor_state},
    {"socket", doctor_socket},     {"daemon", doctor_daemon},
    {"unit", doctor_unit},
};

#define CHECK_COUNT (sizeof checks / sizeof checks[0])

/* ---- findings ---- */

void doctor_ok(struct finding *f, const char *fmt, ...)
{
    va_list args;
    f->status = DOCTOR_OK;
    f->remedy[0] = '\0';
    va_start(args, fmt);
    vsnprintf(f->what, sizeof f->what, fmt, args);
    va_end(args);
}

void doctor_found(struct finding *f, enum doctor_status status, const char *remedy, const char *fmt,
                  ...)
{
    va_list args;
    f->status = status;
    snprintf(f->remedy, sizeof f->remedy, "%s", remedy);
    va_start(args, fmt);
    vsnprintf(f->what, sizeof f->what, fmt, args);
    va_end(args);
}

bool doctor_line(const struct doctor *d, const char *start, size_t number, char *out, size_t size)
{
    size_t start_len = strlen(start);
    const char *line = d->settings.data ? (const char *)buf_peek(&d->settings).data : "";
    for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, start, start_len) != 0 || number-- > 0)
            continue;
        snprintf(out, size, "%.*s", (int)(strcspn(line, "\n") - start_len), line + start_len);
        return true;
    }
    return false;
}

/* ---- scoutd --check-config ---- */

_Noreturn static void become_scoutd(const struct doctor *d, int out, int error)
{
    const struct paths *p = &d->cli->paths;
    const char *words[12] = {"scoutd",  "--check-config", "--socket",
                             p->socket, "--state",        p->state};
    size_t n = 6;
    if (p->config_named) {
        words[n++] = "--config";
        words[n++] = p->config;
    }
    if (p->ssh_config_named) {
        words[n++] = "--ssh-config";
        words[n++] = p->ssh_config;
    }
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    execvp(d->program, (char *const *)words);
    _exit(127);
}

/* Reads both ends to their end. */
static void collect(struct doctor *d, int out, int error)
{
    struct pollfd p[] = {{out, POLLIN, 0}, {error, POLLIN, 0}};
    struct buf *to[] = {&d->settings, &d->refusal};
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < 2; i++) {
            uint8_t *room = p[i].revents ? buf_reserve(to[i], 4096) : NULL;
            ssize_t got = room ? read(p[i].fd, room, 4096) : 0;
            if (got > 0)
                buf_commit(to[i], (size_t)got);
            else if (p[i].revents)
                p[i].fd = -1;
        }
    }
}

static void run_scoutd(struct doctor *d)
{
    int out[2], error[2], status;
    d->exit_code = -1;
    launch_program(d->program);
    if (pipe2(out, O_CLOEXEC) != 0)
        return;
    if (pipe2(error, O_CLOEXEC) == 0) {
        pid_t pid = fork();
        if (pid == 0)
            become_scoutd(d, out[1], error[1]);
        close(out[1]);
        close(error[1]);
        collect(d, out[0], error[0]);
        close(error[0]);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 127)
            d->exit_code = WEXITSTATUS(status);
    } else {
        close(out[1]);
    }
    close(out[0]);
    if (buf_append(&d->settings, slice_of("", 1)) != 0 ||
        buf_append(&d->refusal, slice_of("", 1)) != 0)
        d->exit_code = -1;
}

/* ---- printing ---- */

static const char *const names[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "FAIL"};

static int print_line(const char *name, const struct finding *f)
{
    char line[2 * DOCTOR_TEXT_MAX + 64];
    int len = snprintf(line, sizeof line, "%-4s %s: %s%s%s", names[f->status], name, f->what,
                       f->remedy[0] ? "; do: " : "", f->remedy);
    for (char *at = line; (at = strchr(at, '\n'));)
        *at = ' ';
    int error = output_text(STDOUT_FILENO, slice_of(line, (size_t)len));
    return error ? error : output_exact(STDOUT_FILENO, slice_str("\n"));
}

static void write_one(struct json_writer *w, const char *name, const struct finding *f)
{
    static const char *const words[] = {
        [DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail"};
    json_object_begin(w);
    json_key(w, "name");
    json_str(w, name);
    json_key(w, "status");
    json_str(w, words[f->status]);
    json_key(w, "what");
    json_text(w, slice_str(f->what));
    if (f->remedy[0]) {
        json_key(w, "do");
        json_text(w, slice_str(f->remedy));
    }
    json_object_end(w);
}

int doctor_command(const struct cli *cli)
{
    struct doctor d = {.cli = cli};
    struct finding f = {0};
    struct json_writer w;
    struct buf json;
    unsigned failed = 0;
    int error = 0;
    buf_init(&d.settings, DOCTOR_OUTPUT_MAX);
    buf_init(&d.refusal, DOCTOR_OUTPUT_MAX);
    buf_init(&json, DOCTOR_OUTPUT_MAX);
    run_scoutd(&d);
    json_writer_init(&w, &json);
    json_object_begin(&w);
    json_key(&w, "checks");
    json_array_begin(&w);
    for (size_t i = 0; i < CHECK_COUNT && !error; i++) {
        checks[i].run(&d, &f);
        failed += f.status == DOCTOR_FAIL;
        if (cli->json)
            write_one(&w, checks[i].name, &f);
        else
            error = print_line(checks[i].name, &f);
    }
    json_array_end(&w);
    json_key(&w, "failed");
    json_uint(&w, failed);
    json_object_end(&w);
    int status = failed || error ? EXIT_FAILED : EXIT_OK;
    if (cli->json && (json_writer_end(&w) != 0 || client_print_json(buf_peek(&json)) != EXIT_OK))
        status = EXIT_FAILED;
    buf_fini(&json);
    buf_fini(&d.settings);
    buf_fini(&d.refusal);
    return status;
}
