/* The inside of a parsed ssh_config: a flat list of directives in the order in which OpenSSH would
 * read them, included files in their places. Shared by the ssh_config_*.c files.
 *
 *   table    ssh_config_table.h    every keyword: how it is read, what becomes of it
 *   load     ssh_config.c          files, includes, the list of hosts
 *   index    ssh_config_index.c    its hosts by name, its blocks in a row
 *   lexer    ssh_config_lex.c      a line to its keyword and words
 *   keyword  ssh_config_keyword.c  words to a directive, or a syntax error
 *   value    ssh_config_value.c    the checks of single values
 *   Match    ssh_config_match.c    criteria: parsed once, judged for each host
 *   exec     ssh_config_exec.c     what the commands of Match exec said
 *   walk     ssh_config_walk.c     which directives count for one host
 *   resolve  ssh_config_resolve.c  their values, expanded, into a struct ssh_host
 *   explain  ssh_config_explain.c  the same, row by row, with file and line
 *   environment  ssh_config_environment.c  what SendEnv and SetEnv give to commands
 *   jump     ssh_config_jump.c     the hosts that ProxyJump leads through
 *   expand   ssh_config_expand.c   ~, %x, $x and ${...} */
#ifndef SCOUT_SSH_SSH_CONFIG_PRIVATE_H
#define SCOUT_SSH_SSH_CONFIG_PRIVATE_H

#include "scout/ssh/ssh_config.h"
#include "ssh_config_table.h"

#define CONFIG_FILES_READ_MAX 4096        /* in one load, all includes together */
#define CONFIG_TEXT_MAX       (16u << 20) /* bytes of one file */
#define CONFIG_DIRECTIVES_MAX (1u << 20)  /* of one load */
#define CONFIG_NONE           UINT32_MAX
#define CONFIG_ALL            UINT64_MAX
#define CONFIG_SCRATCH        128 /* bytes of a message about a value */

/* Index into the table; then what is no keyword of it. */
enum config_slot {
#define X(slot, name, kind, take, care, value, tokens, preset) CONFIG_##slot,
    CONFIG_KEYWORDS(X)
#undef X
        CONFIG_SLOT_COUNT,
    CONFIG_OBSOLETE = CONFIG_SLOT_COUNT, /* never stored */
    CONFIG_UNKNOWN,                      /* refuses, unless IgnoreUnknown names it */
    CONFIG_REFUSED_INCLUDE,              /* an Include that cannot be followed */
    CONFIG_FILE,                         /* the system's file begins: no block is open */
    CONFIG_INCLUDE_BEGIN,                /* what follows, up to its END, is an included file */
    CONFIG_INCLUDE_END,
};

enum config_kind {
    CONFIG_KIND_ANY,        /* at least one word, not looked at */
    CONFIG_KIND_STRING,     /* one word */
    CONFIG_KIND_FLAG,       /* yes, no, true, false */
    CONFIG_KIND_CHOICE,     /* one of the words of the row's value; true and false are yes and no */
    CONFIG_KIND_INT,        /* 0 to INT_MAX */
    CONFIG_KIND_COUNT,      /* 1 to INT_MAX */
    CONFIG_KIND_PORT,       /* 1 to 65535 */
    CONFIG_KIND_TIME,       /* seconds; `none` sets nothing */
    CONFIG_KIND_NAMES,      /* of variables, with patterns: words without `=` */
    CONFIG_KIND_FILES,      /* words; `none` only alone */
    CONFIG_KIND_AGENT,      /* a path, $NAME, SSH_AUTH_SOCK or none */
    CONFIG_KIND_ALGORITHMS, /* one word: names with commas, after an optional + - or ^ */
    CONFIG_KIND_COMMAND,    /* the rest of the line as it is */
    CONFIG_KIND_JUMP,       /* likewise, checked as hosts */
    CONFIG_KIND_BLOCK,      /* Host, Match, Include */
};

enum config_take { CONFIG_TAKE_FIRST, CONFIG_TAKE_LINE, CONFIG_TAKE_WORDS };
enum config_care { CONFIG_CARE_HONOURED, CONFIG_CARE_IGNORED, CONFIG_CARE_GUARDED };

struct config_keyword {
    const char *name;
    size_t name_len;
    enum config_kind kind;
    enum config_take take;
    enum config_care care;
    const char *value, *tokens, *preset; /* see ssh_config_table.h */
};

extern const struct config_keyword config_keywords[CONFIG_SLOT_COUNT];

struct config_directive {
    enum config_slot slot;
    uint32_t file, line;
    const char *words; /* word_count strings, each with its NUL, one behind the other */
    uint32_t word_count;
    uint32_t number; /* port, seconds, count, flag, index of a choice */
    bool harmless;   /* GUARDED, COMMAND, JUMP: this value asks for nothing */
    bool unsure;     /* Match: versions of OpenSSH read the line differently */
    uint32_t next;   /* HOST, MATCH: the directive that ends the block */
    uint64_t filter; /* HOST: no name whose config_name_bit is not in it can match */
    uint32_t block;  /* HOST: its index among the blocks */
};

/* A Host block, for passing over many of them quickly: each takes 24 bytes of one array. */
struct config_block {
    uint64_t filter;   /* as the directive's */
    uint32_t at, next; /* the directive, and the one that ends the block */
    uint32_t chain;    /* the block that `next` is; CONFIG_NONE: it is no Host */
};

struct config_file {
    char *path;
    char *words;
};

struct config_execs;
struct config_hop;

struct ssh_config {
    char *home, *user, *dir, *machine;
    uint32_t uid;
    const char *(*variable)(const char *name);
    const char *const *environment;
    struct config_file *files;
    uint32_t file_count, file_size;
    struct config_directive *directives;
    uint32_t count, size;
    struct config_block *blocks; /* of the Host directives, in their order */
    bool wants_final;            /* a Match names `final`: OpenSSH reads everything twice */
    bool has_exec;
    struct config_execs *execs;
    const char **hosts;
    uint32_t host_count, host_size;
    uint32_t shares; /* owners besides the first */
};

static inline const char *config_next_word(const char *word)
{
    return word + strlen(word) + 1;
}

/* One of 64 bits by which most names differ. */
static inline uint64_t config_name_bit(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a, RFC 9923 */
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return 1ULL << (hash >> 26);
}

/* Sorts the hosts, and makes the list of blocks. 0 or SCOUT_E_NOMEM. */
int config_index(struct ssh_config *c);

/* ---- lexer */

/* One line, taken apart. */
struct config_line {
    struct slice keyword; /* empty: the line says nothing */
    struct slice rest;    /* what follows it, and an optional `=` */
};

/* Returns NULL, or what is wrong. */
const char *config_line_split(struct slice line, struct config_line *out);

/* Takes `rest` apart into words, quotes and escapes resolved, up to a comment. Writes them to
 * `out`, each with a NUL (rest.len + 1 bytes suffice); *len is what was written. Returns NULL, or
 * what is wrong. */
const char *config_words_split(struct slice rest, char *out, size_t *len, uint32_t *count);

/* The next word of a Match line (its words also end at `=`, and only `"` quotes). False at the
 * end or when a quote is not closed. Appends to `out` as above. */
bool config_match_word(struct slice *rest, char *out, size_t *len);

/* ---- keywords and values */

/* Fills the slot, words and value of *d from a line. `words` has room for 2 * rest.len +
 * keyword.len + 3 bytes; *words_len is how many are used. Returns NULL, or what is wrong (written
 * to `scratch` when it names a value). *d may come to be of the slot OBSOLETE: it says nothing. */
const char *config_directive_parse(const struct config_line *line, struct config_directive *d,
                                   char *words, size_t *words_len, char scratch[CONFIG_SCRATCH]);

/* `text 'value'` in scratch, printable. */
const char *config_bad_value(const char *text, const char *value, char scratch[CONFIG_SCRATCH]);

/* Checks the words of *d (there is at least one; `words` is where they can be written) for the
 * keyword, and fills d->number. NULL, or what is wrong. *sets is false for a value that is as if
 * the line were not there. */
const char *config_value_parse(const struct config_keyword *k, struct config_directive *d,
                               char *words, bool *sets, char scratch[CONFIG_SCRATCH]);

/* ---- Match */

enum config_truth { CONFIG_NO, CONFIG_MAYBE, CONFIG_YES };

struct config_tokens;

/* What criteria are compared with. */
struct config_match_facts {
    const char *host;          /* as it would be connected to so far */
    const char *original_host; /* as asked for */
    const char *user, *local_user, *tag;
    bool final;
    const struct config_tokens *tokens; /* for exec */
    struct config_execs *execs;
};

/* Parses criteria into pairs of words: name, argument ("" where it takes none). */
const char *config_match_parse(struct slice rest, struct config_directive *d, char *words,
                               size_t *words_len, char scratch[CONFIG_SCRATCH]);
/* True when a criterion is of this name. */
bool config_match_names(const struct config_directive *d, const char *name);
/* Of a MAYBE, *unjudged is the criterion that could not be judged (static). */
enum config_truth config_match_judge(const struct config_directive *d,
                                     const struct config_match_facts *facts, const char **unjudged);

/* ---- exec */

/* NULL without memory. While `run` is set (load only), what is asked for and not known is run. */
struct config_execs *config_execs_new(int (*run)(void *context, const char *command),
                                      void *context);
void config_execs_end(struct config_execs *x); /* nothing is run any more */
void config_execs_free(struct config_execs *x);
/* MAYBE: it was not run, or could not be. */
enum config_truth config_execs_ask(struct config_execs *x, const char *command);

/* ---- expansion */

struct config_tokens {
    const struct ssh_config *config;
    const char *hostname, *name, *user, *alias, *jump; /* alias, jump: may be NULL */
    uint32_t port;
};

/* Expands %x of the letters in `allowed`; with `files` also a ~ at the begin and ${NAME}. Returns
 * NULL, or what cannot be expanded. */
const char *config_expand(const char *text, const char *allowed, bool files,
                          const struct config_tokens *tokens, char *out, size_t size);
/* Expands %h (to `name`) and %% of a HostName. */
const char *config_expand_hostname(const char *text, const char *name, char *out, size_t size);

/* ---- walk */

#define CONFIG_VALUES_MAX                                                                          \
    256 /* of the keywords that add up, all together; more refuse the host                         \
         */

/* Why a keyword refuses the host. */
struct config_refusal {
    const struct config_directive *at; /* what is named with file and line; NULL: nothing refuses */
    char text[256];
};

/* What the command line would say: it comes first, and so it wins. */
struct config_preset {
    struct config_directive user, port, jump; /* words NULL: not said; their file is CONFIG_NONE */
};

struct config_walk {
    const struct ssh_config *config;
    const char *name;
    const char *match_host; /* what Host patterns are compared with */
    bool final;
    const struct config_preset *preset; /* what counts before both files; may be NULL */
    const struct config_directive *first[CONFIG_SLOT_COUNT];
    const struct config_directive *values[CONFIG_VALUES_MAX]; /* of those that add up */
    uint32_t value_count;
    struct config_refusal *refusals; /* NULL or CONFIG_INCLUDE_BEGIN, by slot: filled for explain */
    bool refused;
    const struct config_directive *maybe; /* the last Match that could not be judged, and why */
    const char *maybe_why;
    char expanded[SSH_CONFIG_NAME_MAX + 1];
    char first_pass[SSH_CONFIG_NAME_MAX + 1];
    struct failure *why; /* of the first refusal */
};

/* Walks over the directives for one name, and fills `hostname`. w->refusals and w->preset are set
 * before (or NULL); the rest is filled here. 0, or SCOUT_E_HOST_REFUSED with *why for the first
 * reason: the walk goes on behind it, and `hostname` is as far as it is known. */
int config_walk(struct config_walk *w, const struct ssh_config *c, const char *name,
                char hostname[SSH_CONFIG_NAME_MAX + 1], struct failure *why);
/* Records that the keyword `slot` refuses the host at *d (NULL: at no line). */
__attribute__((format(printf, 4, 5))) void config_refuse(struct config_walk *w,
                                                         enum config_slot slot,
                                                         const struct config_directive *d,
                                                         const char *fmt, ...);
/* The user that counts, and the tokens of this host. */
const char *config_walk_user(const struct config_walk *w);
struct config_tokens config_walk_tokens(const struct config_walk *w, const char *hostname);

/* As ssh_config_resolve; with w->refusals, *out is filled as far as it is known also for a host
 * that is refused. */
int config_resolve(struct config_walk *w, const struct ssh_config *c, const char *name,
                   const struct config_hop *towards, struct ssh_host *out, struct failure *why);

/* ---- environment */

#define CONFIG_ENVIRONMENT_MAX (16u * 1024u) /* bytes of all variables of a host */
#define CONFIG_SENT_MAX        256           /* patterns of SendEnv that count for a host */

/* The patterns of SendEnv that are left for a host, in their order, each with its line. */
struct config_sent {
    struct config_sent_pattern {
        const struct config_directive *at;
        const char *pattern;
    } list[CONFIG_SENT_MAX];
    uint32_t count;
};

/* False when there are more; the list is what there was room for. */
bool config_sent_gather(struct config_sent *s, const struct config_walk *w);
/* The line that sends a variable (NAME=VALUE); NULL: none does. */
const struct config_directive *config_sent_by(const struct config_sent *s, const char *variable);

/* All that the host's commands get, NAME=VALUE with newlines between, into `out`. What cannot be
 * sent refuses the host. Returns a line that it comes from; NULL: there is nothing. */
const struct config_directive *config_environment(struct config_walk *w, char *out, size_t size);

/* ---- jump */

/* A host that is being resolved, and the one that is reached through it; NULL: the target. */
struct config_hop {
    const char *name, *user; /* user, port: as ProxyJump says; NULL and 0: it does not */
    uint32_t port;
    const char *before; /* what is said of the way to it; NULL: its own ProxyJump counts */
    const struct config_hop *towards;
};

/* Resolves the hosts that ProxyJump (`spec`, tokens of `tokens` expanded) leads through, into
 * h->via. 0, or a negative error with *why. */
int config_jump(const struct ssh_config *c, const char *spec, const struct config_tokens *tokens,
                const struct config_hop *hop, struct ssh_host *h, struct failure *why);

#endif
