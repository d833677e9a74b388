/* The inside of a parsed ssh_config: a flat list of directives in the order in which OpenSSH would
 * read them, included files in their places. Shared by the ssh_config_*.c files.
 *
 *   load      ssh_config.c          files, includes, the list of hosts
 *   lexer     ssh_config_lex.c      a line to its keyword and words
 *   keywords  ssh_config_keyword.c  words to a directive, or a syntax error
 *   Match     ssh_config_match.c    criteria: parsed once, judged for each host
 *   resolve   ssh_config_resolve.c  the walk over the directives for one host
 *   expand    ssh_config_expand.c   ~, %x and ${...} */
#ifndef SCOUT_SSH_SSH_CONFIG_PRIVATE_H
#define SCOUT_SSH_SSH_CONFIG_PRIVATE_H

#include "scout/ssh/ssh_config.h"

#define CONFIG_FILES_READ_MAX 4096        /* in one load, all includes together */
#define CONFIG_TEXT_MAX       (16u << 20) /* bytes of one file */
#define CONFIG_DIRECTIVES_MAX (1u << 20)  /* of one load */
#define CONFIG_NONE           UINT32_MAX

enum config_op {
    CONFIG_IGNORED, /* never stored */
    CONFIG_HOST,
    CONFIG_MATCH,
    CONFIG_INCLUDE, /* what follows, up to the matching END, is an included file */
    CONFIG_INCLUDE_END,
    CONFIG_HOSTNAME,
    CONFIG_USER,
    CONFIG_PORT,
    CONFIG_IDENTITY_FILE,
    CONFIG_KNOWN_HOSTS,
    CONFIG_CONNECT_TIMEOUT,
    CONFIG_REFUSED, /* a keyword that must not be ignored */
};

/* Refused keywords of which the first value wins. */
enum config_slot {
    CONFIG_SLOT_PROXY_JUMP,
    CONFIG_SLOT_PROXY_COMMAND,
    CONFIG_SLOT_HOST_KEY_ALIAS,
    CONFIG_SLOT_KNOWN_HOSTS_COMMAND,
    CONFIG_SLOT_REVOKED_HOST_KEYS,
    CONFIG_SLOT_CANONICALIZE,
    CONFIG_SLOT_ADDRESS_FAMILY,
    CONFIG_SLOT_BIND_ADDRESS,
    CONFIG_SLOT_BIND_INTERFACE,
    CONFIG_SLOT_INCLUDE, /* an Include that cannot be followed: every one counts */
};

struct config_directive {
    enum config_op op;
    uint32_t file, line;
    const char *keyword; /* as documented; static */
    const char *words;   /* word_count strings, each with its NUL, one behind the other */
    uint32_t word_count;
    uint32_t number; /* port, seconds */
    enum config_slot slot;
    bool harmless; /* REFUSED: this value asks for nothing (`none`, `no`, `any`) */
    uint32_t next; /* HOST, MATCH: the directive that ends the block */
};

struct config_file {
    char *path;
    char *words;
};

struct ssh_config {
    char *home, *user, *dir;
    struct config_file *files;
    uint32_t file_count, file_size;
    struct config_directive *directives;
    uint32_t count, size;
    bool wants_final; /* a Match names `final`: OpenSSH reads everything twice */
    const char **hosts;
    uint32_t host_count, host_size;
    uint32_t shares; /* owners besides the first */
};

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

/* ---- keywords */

/* Fills the op, keyword, words and values of *d from a line. `words` has room for
 * 2 * rest.len + 2 bytes; *words_len is how many are used. Returns NULL, or what is wrong (written
 * to `scratch` when it names a value). */
const char *config_directive_parse(const struct config_line *line, struct config_directive *d,
                                   char *words, size_t *words_len, char scratch[128]);

/* ---- Match */

enum config_truth { CONFIG_NO, CONFIG_MAYBE, CONFIG_YES };

/* What criteria are compared with. */
struct config_match_facts {
    const char *host;          /* as it would be connected to so far */
    const char *original_host; /* as asked for */
    const char *user, *local_user;
    bool final;
};

/* Parses criteria into pairs of words: name, argument ("" where it takes none). */
const char *config_match_parse(struct slice rest, struct config_directive *d, char *words,
                               size_t *words_len, char scratch[128]);
/* True when a criterion is `final`. */
bool config_match_is_final(const struct config_directive *d);
enum config_truth config_match_judge(const struct config_directive *d,
                                     const struct config_match_facts *facts);

/* ---- expansion */

struct config_tokens {
    const char *home, *local_user;
    const char *hostname, *name, *user;
    uint32_t port;
};

/* Expands ~, %x and ${HOME} of a file name. Returns NULL, or what cannot be expanded. */
const char *config_expand_file(const char *text, const struct config_tokens *tokens, char *out,
                               size_t size);
/* Expands %h (to `name`) and %% of a HostName. */
const char *config_expand_hostname(const char *text, const char *name, char *out, size_t size);

/* ---- words */

static inline const char *config_next_word(const char *word)
{
    return word + strlen(word) + 1;
}

#endif
