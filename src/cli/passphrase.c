/* A passphrase from /dev/tty: neither standard input nor the environment nor the command line,
 * where others could see it or a script would keep it. Or from a descriptor that was named, which
 * nobody else reads.
 *
 * Echo is off while it is typed. A signal that would end or stop the process must not leave the
 * terminal like that: those signals are blocked meanwhile and watched through a descriptor; when
 * one waits, the terminal is restored first and the signal let through after it. When the process
 * goes on (it was stopped and continued), the question is asked again. No handler, no global state.
 */
#include "passphrase.h"

#include "output.h"
#include "scout/base/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
    int fd, signals;
    bool echo;
    sigset_t mask; /* as it was */
    struct termios state;
};

enum outcome { TYPED, INTERRUPTED, FAILED };

static int refuse_terminal(struct failure *why)
{
    return failure_set(why, SCOUT_E_UNSUPPORTED,
                       "a passphrase is asked for on a terminal only, and there is none: run scout "
                       "unlock in a terminal");
}

/* Echo off and signals held. 0 or SCOUT_E_UNSUPPORTED. */
static int begin(struct terminal *t, struct failure *why)
{
    static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        sigaddset(&set, held[i]);
    if (tcgetattr(t->fd, &t->state) != 0)
        return refuse_terminal(why);
    sigprocmask(SIG_BLOCK, &set, &t->mask);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC);
    struct termios silent = t->state;
    if (!t->echo)
        silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON | ISIG;
    if (t->signals >= 0 && tcsetattr(t->fd, TCSAFLUSH, &silent) == 0)
        return 0;
    if (t->signals >= 0)
        close(t->signals);
    sigprocmask(SIG_SETMASK, &t->mask, NULL);
    return refuse_terminal(why);
}

/* The terminal first, then the signals: one that waits ends or stops the process here. */
static void end(const struct terminal *t)
{
    tcsetattr(t->fd, TCSAFLUSH, &t->state);
    close(t->signals);
    sigprocmask(SIG_SETMASK, &t->mask, NULL);
}

/* One line, as the terminal gives it, into `line` (`size` bytes); *len without its newline. */
static enum outcome read_line(const struct terminal *t, char *line, size_t size, size_t *len)
{
    for (*len = 0; *len < size;) {
        struct pollfd p[] = {{t->fd, POLLIN, 0}, {t->signals, POLLIN, 0}};
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return FAILED;
        if (p[1].revents)
            return INTERRUPTED;
        if (!p[0].revents)
            continue;
        ssize_t n = read(t->fd, line + *len, size - *len);
        if (n <= 0 && errno != EINTR)
            return FAILED;
        *len += n > 0 ? (size_t)n : 0;
        if (n > 0 && line[*len - 1] == '\n') {
            --*len;
            return TYPED;
        }
    }
    return TYPED; /* full: too long */
}

static enum outcome ask_once(struct terminal *t, const char *prompt, char *line, size_t size,
                             size_t *len, struct failure *why)
{
    if (begin(t, why) != 0)
        return FAILED;
    enum outcome outcome =
        output_text(t->fd, slice_str(prompt)) == 0 ? read_line(t, line, size, len) : FAILED;
    if (outcome == FAILED)
        failure_set(why, SCOUT_E_CANCELLED, "nothing was typed at the terminal");
    end(t);
    return outcome;
}

/* The line into `out`. Its length, or a negative error. */
static int keep(const char *line, size_t len, char *out, struct failure *why)
{
    if (len > PASSPHRASE_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "the passphrase is longer than %d bytes",
                           PASSPHRASE_MAX);
    if (utf8_valid_len(slice_of(line, len)) != len || memchr(line, '\0', len))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the passphrase is not UTF-8 text");
    memcpy(out, line, len);
    out[len] = '\0';
    return (int)len;
}

int passphrase_ask(const char *prompt, bool echo, char *out, struct failure *why)
{
    char line[PASSPHRASE_MAX + 2]; /* a newline, and one byte that shows it is too long */
    size_t len = 0;
    struct terminal t = {.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), .echo = echo};
    if (t.fd < 0)
        return refuse_terminal(why);
    enum outcome outcome;
    do
        outcome = ask_once(&t, prompt, line, sizeof line, &len, why);
    while (outcome == INTERRUPTED);
    close(t.fd);
    int result = outcome == TYPED ? keep(line, len, out, why) : why->error;
    explicit_bzero(line, sizeof line);
    return result;
}

/* Byte by byte: what is behind the line is another's. 0 or -errno. */
static int read_descriptor(int fd, char *line, size_t size, size_t *len)
{
    for (*len = 0; *len < size;) {
        struct pollfd p = {fd, POLLIN, 0};
        ssize_t n = read(fd, line + *len, 1);
        if (n == 0 || (n > 0 && line[*len] == '\n'))
            return 0;
        if (n < 0 && errno == EAGAIN)
            poll(&p, 1, -1);
        else if (n < 0 && errno != EINTR)
            return -errno;
        *len += n > 0;
    }
    return 0;
}

int passphrase_read(int fd, char *out, struct failure *why)
{
    char line[PASSPHRASE_MAX + 1]; /* one byte more shows that it is too long */
    size_t len = 0;
    int result, error;
    if (isatty(fd))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "descriptor %d is a terminal, which would show what is typed", fd);
    error =
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : read_descriptor(fd, line, sizeof line, &len);
    close(fd);
    if (error)
        result = failure_set(why, SCOUT_E_INVALID_ARGUMENT, "descriptor %d cannot be read: %s", fd,
                             strerror(-error));
    else if (len == 0)
        result =
            failure_set(why, SCOUT_E_INVALID_ARGUMENT, "there is no line in descriptor %d", fd);
    else
        result = keep(line, len, out, why);
    explicit_bzero(line, sizeof line);
    return result;
}
