/* The place of the audit log's tests. */
#include "audit_place.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

void place_make(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/scout-audit.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/audit.log", p->folder);
}

void place_remove(struct place *p)
{
    DIR *dir = opendir(p->folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(p->folder), 0);
}

void place_read(struct place *p, const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    p->len = fread(p->text, 1, sizeof p->text - 1, file);
    assert_true(feof(file));
    fclose(file);
    p->text[p->len] = '\0';
}

char *place_line_end(struct place *p, char *line)
{
    return memchr(line, '\n', (size_t)(p->text + p->len - line));
}

unsigned place_count(struct place *p, const char *words)
{
    unsigned count = 0;
    place_read(p, p->path);
    for (char *line = p->text, *end; (end = place_line_end(p, line)); line = end + 1)
        count += memmem(line, (size_t)(end - line), words, strlen(words)) != NULL;
    return count;
}

void place_check(struct place *p, const char *path, struct audit_check *c)
{
    place_read(p, path);
    for (char *line = p->text, *end; (end = place_line_end(p, line)); line = end + 1)
        if (!audit_check_line(c, slice_of(line, (size_t)(end - line))))
            fail_msg("%s: %.*s", c->why, (int)(end - line), line);
    assert_false(c->in_region);
}

void place_limit_files(uint64_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
