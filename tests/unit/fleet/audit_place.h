/* A folder of one's own for an audit log, and what the companion would say of the file. */
#ifndef TESTS_FLEET_AUDIT_PLACE_H
#define TESTS_FLEET_AUDIT_PLACE_H

#include "audit_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

struct place {
    char folder[64], path[96];
    char text[1 << 26]; /* what place_read read */
    size_t len;
};

void place_make(struct place *p);
/* Removes the folder and the files in it. */
void place_remove(struct place *p);

/* The file's content into p->text, NUL-terminated. */
void place_read(struct place *p, const char *path);
/* The line break behind `line`, a place in p->text; NULL: there is none. */
char *place_line_end(struct place *p, char *line);
/* Reads the file at p->path and counts the lines with `words`. */
unsigned place_count(struct place *p, const char *words);

/* Reads the file at `path` and feeds its lines; fails the test when they are no chain. `c` may have
 * seen other files before; audit_check_fini is the caller's. */
void place_check(struct place *p, const char *path, struct audit_check *c);

/* From now on no file grows over `bytes` (RLIMIT_FSIZE); 0: no limit. */
void place_limit_files(uint64_t bytes);

#endif
