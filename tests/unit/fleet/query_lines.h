/* For the tests of queries: the lines of a corpus, and a query as one line of text. */
#ifndef SCOUT_TEST_QUERY_LINES_H
#define SCOUT_TEST_QUERY_LINES_H

#include "scout/fleet/query.h"
#include <stdio.h>

#define QUERY_LINE_MAX 4096

/* Opens the corpus `name`, in the directory QUERY_CORPUS. Fails the test when it is not there. */
FILE *query_lines_open(const char *name);

/* The next line that is neither empty nor a comment (`#` first), without its newline; false at the
 * end. */
bool query_lines_next(FILE *f, char line[QUERY_LINE_MAX]);

/* Each word in brackets, and behind one that has a path: R or L for what becomes of it, + if what
 * is below is included, @N if it begins at byte N. */
void query_lines_show(const struct query *q, char out[QUERY_LINE_MAX]);

#endif
