/* The commands that print or count lines: cat, head, sort, tail, uniq, wc.
 *
 * The rows are those of GNU coreutils 9 (busybox knows a part of them). */
#include "query_table.h"

static const struct query_option cat[] = {
    FLAG('A', "show-all"), FLAG('b', "number-nonblank"),  FLAG('e', NULL),  FLAG('E', "show-ends"),
    FLAG('n', "number"),   FLAG('s', "squeeze-blank"),    FLAG('t', NULL),  FLAG('T', "show-tabs"),
    FLAG('u', NULL),       FLAG('v', "show-nonprinting"), HELP_AND_VERSION,
};

static const struct query_option head[] = {
    VALUE('c', "bytes", QUERY_NUMBER),
    VALUE('n', "lines", QUERY_NUMBER),
    FLAG('q', "quiet"),
    FLAG(0, "silent"),
    FLAG('v', "verbose"),
    FLAG('z', "zero-terminated"),
    REFUSED(0, "-presume-input-pipe", NOT_NEEDED),
    HELP_AND_VERSION,
};

/* With -f it runs until the deadline of its call. */
static const struct query_option tail[] = {
    VALUE('c', "bytes", QUERY_NUMBER),
    FLAG('f', NULL),
    FLAG('F', NULL),
    OPTIONAL("follow", QUERY_WORD),
    VALUE('n', "lines", QUERY_NUMBER),
    VALUE(0, "max-unchanged-stats", QUERY_NUMBER),
    VALUE(0, "pid", QUERY_NUMBER),
    FLAG('q', "quiet"),
    FLAG(0, "silent"),
    FLAG(0, "retry"),
    VALUE('s', "sleep-interval", QUERY_NUMBER),
    FLAG('v', "verbose"),
    FLAG('z', "zero-terminated"),
    FLAG(0, "debug"),
    REFUSED(0, "-disable-inotify", NOT_NEEDED),
    REFUSED(0, "-presume-input-pipe", NOT_NEEDED),
    HELP_AND_VERSION,
};

static const struct query_option sort[] = {
    FLAG('b', "ignore-leading-blanks"),
    FLAG('c', NULL),
    FLAG('C', NULL),
    OPTIONAL("check", QUERY_WORD),
    FLAG('d', "dictionary-order"),
    FLAG('f', "ignore-case"),
    FLAG('g', "general-numeric-sort"),
    FLAG('h', "human-numeric-sort"),
    FLAG('i', "ignore-nonprinting"),
    VALUE('k', "key", QUERY_WORD),
    FLAG('m', "merge"),
    FLAG('M', "month-sort"),
    FLAG('n', "numeric-sort"),
    FLAG('r', "reverse"),
    FLAG('R', "random-sort"),
    FLAG('s', "stable"),
    FLAG('u', "unique"),
    FLAG('V', "version-sort"),
    FLAG('z', "zero-terminated"),
    VALUE('S', "buffer-size", QUERY_NUMBER),
    VALUE('t', "field-separator", QUERY_WORD),
    VALUE(0, "sort", QUERY_WORD),
    VALUE(0, "batch-size", QUERY_NUMBER),
    VALUE(0, "parallel", QUERY_NUMBER),
    FLAG(0, "debug"),
    REFUSED('o', "output", WRITES),
    REFUSED('T', "temporary-directory", WRITES),
    REFUSED(0, "compress-program", RUNS),
    REFUSED(0, "files0-from", READS_A_LIST),
    REFUSED(0, "random-source", NOT_NEEDED),
    REFUSED('y', NULL, NOT_NEEDED),
    HELP_AND_VERSION,
};

static const struct query_option uniq[] = {
    FLAG('c', "count"),
    FLAG('d', "repeated"),
    FLAG('D', NULL),
    OPTIONAL("all-repeated", QUERY_WORD),
    VALUE('f', "skip-fields", QUERY_NUMBER),
    OPTIONAL("group", QUERY_WORD),
    FLAG('i', "ignore-case"),
    VALUE('s', "skip-chars", QUERY_NUMBER),
    FLAG('u', "unique"),
    VALUE('w', "check-chars", QUERY_NUMBER),
    FLAG('z', "zero-terminated"),
    HELP_AND_VERSION,
};

static const struct query_option wc[] = {
    FLAG('c', "bytes"),
    FLAG('l', "lines"),
    FLAG('L', "max-line-length"),
    FLAG('m', "chars"),
    FLAG('w', "words"),
    VALUE(0, "total", QUERY_WORD),
    FLAG(0, "debug"),
    REFUSED(0, "files0-from", READS_A_LIST),
    HELP_AND_VERSION,
};

const struct query_command query_text_commands[] = {
    {"cat", ROWS(cat), QUERY_GNU, QUERY_READS, 0, QUERY_OPERANDS_ANY, NULL},
    {"head", ROWS(head), QUERY_GNU, QUERY_READS, QUERY_COUNT_IS_N, QUERY_OPERANDS_ANY, NULL},
    {"sort", ROWS(sort), QUERY_GNU, QUERY_READS, 0, QUERY_OPERANDS_ANY, NULL},
    {"tail", ROWS(tail), QUERY_GNU, QUERY_READS, QUERY_COUNT_IS_N, QUERY_OPERANDS_ANY, NULL},
    /* The second operand is a file to write. */
    {"uniq", ROWS(uniq), QUERY_GNU, QUERY_READS, 0, 1, NULL},
    {"wc", ROWS(wc), QUERY_GNU, QUERY_READS, 0, QUERY_OPERANDS_ANY, NULL},
    {0},
};
