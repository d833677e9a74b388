/* The rows behind the keys, and one parser of values for the file and the variables. Private to the
 * settings. */
#ifndef SCOUT_DAEMON_SETTINGS_TABLE_H
#define SCOUT_DAEMON_SETTINGS_TABLE_H

#include "settings.h"

enum setting_kind {
    SETTING_COUNT,    /* uint64_t */
    SETTING_SECONDS,  /* uint64_t, in ns; fractions allowed */
    SETTING_WORD,     /* an enum, the index among `words` */
    SETTING_WORDS,    /* uint32_t, a bit for each of `words` that is named, with commas between */
    SETTING_SWITCH,   /* bool */
    SETTING_PATH,     /* char[SETTINGS_PATH_MAX]: absolute, after `~/` is one; or among `words` */
    SETTING_ADDRESS,  /* char[SETTINGS_ADDRESS_MAX]: an IP address, or localhost */
    SETTING_NETWORKS, /* char[SETTINGS_HOSTS_MAX]: addresses and networks, likewise */
    SETTING_HOSTS,    /* char[SETTINGS_HOSTS_MAX]: patterns with commas between them */
};

struct setting {
    const char *key, *variable, *legacy; /* the variables may be NULL */
    const char *preset;
    const char *words; /* with ", " between them; may be NULL */
    double least, greatest;
    size_t member; /* its offset in struct settings */
    enum setting_kind kind;
    bool milliseconds;   /* the variable counts them */
    bool below_is_least; /* a variable with less counts as the least */
    bool fixed;          /* a reload cannot change it */
};

extern const struct setting settings_table[SETTINGS_KEY_COUNT];

#define SETTING_REASON_MAX 200

/* Takes `text` for the row. Where it is wrong, nothing is taken and `reason` says what the value
 * must be, without its name ("must be from 1 to 10, not 'x'"). */
__attribute__((warn_unused_result)) bool setting_parse(struct settings *s,
                                                       const struct setting *row, const char *text,
                                                       bool is_variable, const char *home,
                                                       char reason[SETTING_REASON_MAX]);

#endif
