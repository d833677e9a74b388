/* scout audit verify: reads the audit log itself and checks its chain; no daemon takes part.
 *
 * Without a file it is all there is in the state folder: the files that were set aside, in order,
 * and the current one; the chain goes through them. What it prints last, the hash of the last
 * record, is worth keeping elsewhere: no chain can show that its end was cut off. */
#include "audit_check.h"
#include "cli.h"
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what)
{
    char message[PATHS_SIZE + 256];
    snprintf(message, sizeof message, "%s: %s", path, what);
    output_error(message, NULL);
    return EXIT_FAILED;
}

static int broken(const struct audit_check *c, const char *path, uint64_t line)
{
    char message[320];
    snprintf(message, sizeof message, "the chain is broken at line %llu: %s",
             (unsigned long long)line, c->why);
    return fail(path, message);
}

static int verify_stream(struct audit_check *c, FILE *file, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    uint64_t number = 0;
    int status = EXIT_OK;
    for (ssize_t len; status == EXIT_OK && (len = getline(&line, &size, file)) >= 0;) {
        bool whole = len > 0 && line[len - 1] == '\n';
        number++;
        if (!whole) /* it is being written, or will be closed at the next start */
            c->unended = (uint64_t)len;
        else if (!audit_check_line(c, slice_of(line, (size_t)len - 1)))
            status = broken(c, path, number);
    }
    if (status == EXIT_OK && ferror(file))
        status = fail(path, strerror(errno));
    free(line);
    if (status == EXIT_OK && c->records == 0 && c->unended)
        status = fail(path, "it holds no whole record");
    if (status == EXIT_OK && c->in_region) {
        snprintf(c->why, sizeof c->why, "it is no record, and no record tells of it");
        status = broken(c, path, number);
    }
    return status;
}

/* NULL with errno, without waiting for anybody, also where it is a FIFO. */
static FILE *open_regular(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fdopen(fd, "r");
    close(fd);
    errno = EINVAL;
    return NULL;
}

static int verify_file(struct audit_check *c, const char *path)
{
    FILE *file = open_regular(path);
    if (!file)
        return fail(path, errno == EINVAL ? "it is no regular file" : strerror(errno));
    int status = verify_stream(c, file, path);
    fclose(file);
    return status;
}

static void report(const struct audit_check *c, const char *path)
{
    char text[PATHS_SIZE + 512];
    int len = snprintf(text, sizeof text, "%s: %llu records", path, (unsigned long long)c->records);
    if (c->records)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        ", %llu to %llu, from %s to %s\nlast hash %s",
                        (unsigned long long)c->first_seq, (unsigned long long)c->last_seq,
                        c->first_time, c->last_time, c->last);
    len += snprintf(text + len, sizeof text - (size_t)len,
                    "\n%llu effects without an end, %llu torn records, %llu records lost\n",
                    (unsigned long long)c->unfinished, (unsigned long long)c->torn,
                    (unsigned long long)c->lost);
    if (c->unended)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        "the last %llu bytes are no whole line: being written, or cut short\n",
                        (unsigned long long)c->unended);
    (void)!output_text(STDOUT_FILENO, slice_of(text, (size_t)len));
}

/* All files of the state folder: the names of those that were set aside sort by age. */
static int verify_all(struct audit_check *c, const char *path)
{
    char pattern[PATHS_SIZE + 96];
    glob_t found = {.gl_pathc = 0};
    int status = EXIT_OK;
    snprintf(pattern, sizeof pattern,
             "%s.[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]", path);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && status == EXIT_OK; i++)
            status = verify_file(c, found.gl_pathv[i]);
    globfree(&found);
    return status == EXIT_OK ? verify_file(c, path) : status;
}

int audit_command(const struct cli *cli)
{
    struct audit_check check;
    if (cli->operand_count < 1 || cli->operand_count > 2 ||
        strcmp(cli->operands[0], "verify") != 0) {
        output_error("audit verify [FILE] is what there is; see scout help audit", NULL);
        return EXIT_USAGE;
    }
    bool named = cli->operand_count == 2;
    const char *path = named ? cli->operands[1] : cli->paths.audit;
    audit_check_init(&check);
    int status = named ? verify_file(&check, path) : verify_all(&check, path);
    audit_check_end(&check);
    if (status == EXIT_OK)
        report(&check, path);
    audit_check_fini(&check);
    return status;
}
