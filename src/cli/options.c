/* Two tables declare the options: those that are there or not, and those with a value. Which of
 * them a subcommand takes is in main.c. */
#include "options.h"

#include "cli.h"
#include "output.h"
#include <stdio.h>
#include <string.h>

int options_error(const char *what, const char *which)
{
    char message[512];
    snprintf(message, sizeof message, "%s%s; see scout help", what, which);
    output_error(message, NULL);
    return EXIT_USAGE;
}

static const struct {
    const char *name;
    unsigned bit;
} switches[] = {
    {"--json", OPTION_JSON},
    {"--list", OPTION_LIST},
    {"--print", OPTION_PRINT},
    {"--review", OPTION_REVIEW},
    {"--no-probe", OPTION_NO_PROBE},
    {"--overwrite", OPTION_OVERWRITE},
    {"--all", OPTION_ALL},
    {"--dry-run", OPTION_DRY_RUN},
    {"--verify", OPTION_VERIFY},
    {"--resume", OPTION_RESUME},
    {"--ignore-case", OPTION_IGNORE_CASE},
    {"-i", OPTION_IGNORE_CASE},
};

/* Those with a value, which is the next word or stands behind a `=`. */
static const struct value_option {
    const char *name, *needs;
    unsigned bit; /* 0: every command takes it */
    size_t place; /* in struct line */
    bool may_be_empty;
} value_options[] = {
    {"--socket", "a path", 0, offsetof(struct line, socket), false},
    {"--token-file", "a path", 0, offsetof(struct line, token_file), false},
    {"--password-fd", "a number", OPTION_PASSWORD_FD, offsetof(struct line, password_fd), false},
    {"--lines", "lines like 10:20", OPTION_LINES, offsetof(struct line, lines), true},
    {"--tail", "a number", OPTION_TAIL, offsetof(struct line, tail), true},
    {"--glob", "a pattern", OPTION_GLOB, offsetof(struct line, glob), true},
    {"--context", "a number", OPTION_CONTEXT, offsetof(struct line, context), true},
    {"--etag", "an etag", OPTION_ETAG, offsetof(struct line, etag), false},
    {"--mode", "a mode like 0644", OPTION_MODE, offsetof(struct line, mode), false},
    {"--old", "a text", OPTION_STRINGS, offsetof(struct line, old_string), true},
    {"--new", "a text", OPTION_STRINGS, offsetof(struct line, new_string), true},
};

/* What argv[*i] is, and where its value begins (NULL: in the next word); NULL: no such option. */
static const struct value_option *find_value_option(const char *word, const char **value)
{
    for (size_t i = 0; i < sizeof value_options / sizeof value_options[0]; i++) {
        size_t len = strlen(value_options[i].name);
        if (strncmp(word, value_options[i].name, len) != 0 || (word[len] && word[len] != '='))
            continue;
        *value = word[len] ? word + len + 1 : NULL;
        return &value_options[i];
    }
    return NULL;
}

static int take_value(struct line *l, const struct value_option *o, const char *value)
{
    char message[64];
    if (!value || (!value[0] && !o->may_be_empty)) {
        snprintf(message, sizeof message, "%s needs %s", o->name, o->needs);
        return options_error(message, "");
    }
    *(const char **)((char *)l + o->place) = value;
    l->options |= o->bit;
    return EXIT_OK;
}

/* Takes argv[*i], and the word behind it where it belongs to it. */
static int take_option(struct line *l, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value;
    for (size_t k = 0; k < sizeof switches / sizeof switches[0]; k++) {
        if (strcmp(word, switches[k].name) == 0) {
            l->options |= switches[k].bit;
            return EXIT_OK;
        }
    }
    const struct value_option *o = find_value_option(word, &value);
    if (o && !value && *i + 1 < argc)
        value = argv[++*i];
    if (o)
        return take_value(l, o, value);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        l->wants_help = true;
    else if (strcmp(word, "--version") == 0 && l->word_count == 0)
        l->words[l->word_count++] = "version";
    else
        return options_error("unknown option ", word);
    return EXIT_OK;
}

int options_take(struct line *l, int argc, char **argv)
{
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (!options_ended && argv[i][0] == '-' && argv[i][1]) {
            int status = take_option(l, argc, argv, &i);
            if (status != EXIT_OK)
                return status;
        } else {
            if (l->word_count == WORDS_MAX)
                return options_error("too many words, from ", argv[i]);
            l->words[l->word_count++] = argv[i];
        }
    }
    return EXIT_OK;
}
