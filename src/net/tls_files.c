/* Reading the files of TLS: the library's own reading takes a directory for a file of endless size,
 * and looks at no rights. */
#include "tls_files.h"

#include "scout/net/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *judge(int fd, enum tls_file_kind kind)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)TLS_FILE_MAX)
        return "it is no regular file of at most 1 MiB";
    if (kind == TLS_FILE_SECRET && st.st_mode & 007)
        return "everybody may use it: chmod o= it";
    if (kind != TLS_FILE_TRUSTED)
        return NULL;
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return "it belongs to another user";
    return st.st_mode & 022 ? "others may write to it: chmod go-w it" : NULL;
}

int tls_file_read(struct tls_file *out, const char *what, const char *path, enum tls_file_kind kind,
                  struct failure *why)
{
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = judge(fd, kind);
    out->len = 0;
    while (!wrong && out->len < TLS_FILE_MAX &&
           (n = read(fd, out->text + out->len, TLS_FILE_MAX - out->len)) > 0)
        out->len += (size_t)n;
    if (!wrong && n < 0)
        wrong = strerror(errno);
    if (fd >= 0)
        close(fd);
    out->text[out->len++] = '\0';
    return wrong ? failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot use the %s %s: %s", what,
                               path, wrong)
                 : 0;
}

int tls_file_refuse(struct failure *why, const char *what, const char *path, int error)
{
    char text[128];
    if (error > 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Cannot use the %s %s: %d of its parts are none", what, path, error);
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot use the %s %s: %s", what, path,
                       tls_error_text(error, text, sizeof text));
}
