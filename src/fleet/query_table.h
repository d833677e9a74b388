/* What each command of a query takes: one row an option. The tables are the whole of what is
 * permitted; an option that has no row, or one with a reason against it, is refused. Rows with a
 * reason are there because abbreviated names are resolved among all that a command knows, and for
 * the message. */
#ifndef SCOUT_FLEET_QUERY_TABLE_H
#define SCOUT_FLEET_QUERY_TABLE_H

#include "scout/fleet/query.h"

enum query_arity {
    QUERY_FLAG,
    QUERY_VALUE,    /* attached or the next word */
    QUERY_OPTIONAL, /* `--name` or `--name=value`; long names only */
};

/* What a value is. Only a TEXT may begin with `-` in a word of its own: then the option takes a
 * value in every implementation that knows it. */
enum query_kind {
    QUERY_WORD,   /* harmless */
    QUERY_TEXT,   /* a pattern or format */
    QUERY_NUMBER, /* with a sign or unit */
    QUERY_ENTRY,  /* `read` or `skip` */
    QUERY_UNREAD, /* `skip` */
    QUERY_FILE,   /* a file whose content is read */
    QUERY_NAME,   /* a path whose attributes are looked at */
};

enum query_effect {
    QUERY_RECURSES = 1,
    QUERY_FOLLOWS = 2,   /* symbolic links; refused in what is recursive */
    QUERY_PATTERNS = 4,  /* the first operand is no pattern */
    QUERY_INFORMS = 8,   /* it only tells about itself */
    QUERY_CONFINES = 16, /* what would be added for safety: once is enough */
};

struct query_option {
    const char *name;    /* without the dashes; NULL: only a letter */
    const char *refused; /* why; NULL: permitted */
    char letter;         /* 0: only a name */
    uint8_t arity;       /* enum query_arity */
    uint8_t kind;        /* enum query_kind */
    uint8_t effects;     /* enum query_effect */
};

enum query_grammar {
    QUERY_GNU,  /* getopt_long: abbreviations, clusters */
    QUERY_RG,   /* names in full; values as `--name=value` */
    QUERY_TREE, /* names in full; a letter's value is the next word */
    QUERY_FIND, /* an expression */
};

enum query_trait {
    QUERY_PATTERN_FIRST = 1,  /* the first operand is a pattern */
    QUERY_ALWAYS_BELOW = 2,   /* recursive without an option */
    QUERY_IN_DIRECTORY = 4,   /* of a directory, the files in it are read, without an option */
    QUERY_DEFAULT_DOT = 8,    /* without a path: `.` */
    QUERY_DEFAULT_BELOW = 16, /* the same, if recursive */
    QUERY_COUNT_IS_N = 32,    /* -5 is -n5 */
    QUERY_DIGITS = 64,        /* digits are letters */
    QUERY_OPENS = 128,        /* opens what it lists */
};

struct query_command {
    const char *name;
    const struct query_option *options;
    size_t option_count;
    enum query_grammar grammar;
    enum query_use use; /* of operands */
    unsigned traits;    /* enum query_trait */
    size_t operands_max;
    const char *first; /* an option of ours, or NULL */
};

#define QUERY_OPERANDS_ANY QUERY_INPUT_MAX

/* NULL: there is none of this name. */
const struct query_command *query_command_find(const char *name);

/* All names, sorted, with ", " between them. */
#define QUERY_COMMAND_NAMES                                                                        \
    "cat, df, diff, du, file, find, grep, head, ls, rg, sort, stat, tail, tree, uniq, wc"

extern const struct query_command query_text_commands[];
extern const struct query_command query_file_commands[];
extern const struct query_command query_search_commands[];
extern const struct query_command query_ripgrep_commands[]; /* each ends with a NULL name */

/* ---- to write rows with ---- */

#define FLAG(letter, name) FLAG_THAT(letter, name, 0)
#define FLAG_THAT(letter, name, effect)                                                            \
    {                                                                                              \
        name, NULL, letter, QUERY_FLAG, QUERY_WORD, effect                                         \
    }
#define VALUE(letter, name, kind) VALUE_THAT(letter, name, kind, 0)
#define VALUE_THAT(letter, name, kind, effect)                                                     \
    {                                                                                              \
        name, NULL, letter, QUERY_VALUE, kind, effect                                              \
    }
#define OPTIONAL(name, kind)                                                                       \
    {                                                                                              \
        name, NULL, 0, QUERY_OPTIONAL, kind, 0                                                     \
    }
#define REFUSED(letter, name, why)                                                                 \
    {                                                                                              \
        name, why, letter, QUERY_FLAG, QUERY_WORD, 0                                               \
    }
#define HELP_AND_VERSION FLAG_THAT(0, "help", QUERY_INFORMS), FLAG_THAT(0, "version", QUERY_INFORMS)
#define ROWS(table)      table, sizeof(table) / sizeof *(table)

#define WRITES       "it writes"
#define RUNS         "it runs a program"
#define LEAVES       "it follows symbolic links to anywhere"
#define READS_A_LIST "it takes names of files from a file"
#define NOT_NEEDED   "it is of no use here"

#endif
