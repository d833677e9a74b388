/* ssh -G asked, and its answer brought into the form of ours: numbers as numbers, yes as yes. */
#include "ssh_config_oracle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- values, as lines "keyword value" that can be compared */

static void add_line(struct oracle_lines *l, const char *keyword, const char *value)
{
    assert(l->count < ORACLE_LINES_MAX);
    snprintf(l->list[l->count++], ORACLE_LINE_SIZE, "%s %s", keyword, value);
}

static bool has_line(const struct oracle_lines *l, const char *keyword, const char *value)
{
    char line[ORACLE_LINE_SIZE];
    snprintf(line, sizeof line, "%s %s", keyword, value);
    for (unsigned i = 0; i < l->count; i++)
        if (strcmp(l->list[i], line) == 0)
            return true;
    return false;
}

enum form {
    FORM_TEXT,
    FORM_CASELESS, /* compared in lower case, true and false as yes and no */
    FORM_TIME,
    FORM_NUMBER,
    FORM_WORDS, /* each word is a line of its own, once */
    FORM_RAW,   /* ssh does not expand it: we do it here for both */
};

static const struct {
    const char *keyword;
    enum form form;
} compared[] = {
    {"addressfamily", FORM_CASELESS},
    {"batchmode", FORM_CASELESS},
    {"bindaddress", FORM_TEXT},
    {"bindinterface", FORM_TEXT},
    {"canonicalizehostname", FORM_CASELESS},
    {"certificatefile", FORM_RAW},
    {"checkhostip", FORM_CASELESS},
    {"ciphers", FORM_TEXT},
    {"compression", FORM_CASELESS},
    {"connectionattempts", FORM_NUMBER},
    {"connecttimeout", FORM_TIME},
    {"forwardagent", FORM_CASELESS},
    {"globalknownhostsfile", FORM_TEXT},
    {"hashknownhosts", FORM_CASELESS},
    {"hostkeyalgorithms", FORM_TEXT},
    {"hostkeyalias", FORM_CASELESS},
    {"hostname", FORM_TEXT},
    {"identitiesonly", FORM_CASELESS},
    {"identityagent", FORM_TEXT},
    {"identityfile", FORM_RAW},
    {"kexalgorithms", FORM_TEXT},
    {"loglevel", FORM_CASELESS},
    {"macs", FORM_TEXT},
    {"port", FORM_NUMBER},
    {"proxycommand", FORM_TEXT},
    {"proxyjump", FORM_TEXT},
    {"pubkeyacceptedalgorithms", FORM_TEXT},
    {"pubkeyauthentication", FORM_CASELESS},
    {"requiredrsasize", FORM_NUMBER},
    {"sendenv", FORM_WORDS},
    {"serveralivecountmax", FORM_NUMBER},
    {"serveraliveinterval", FORM_TIME},
    {"stricthostkeychecking", FORM_CASELESS},
    {"user", FORM_TEXT},
    {"userknownhostsfile", FORM_TEXT},
};

const char *oracle_keyword(size_t index)
{
    return index < sizeof compared / sizeof compared[0] ? compared[index].keyword : NULL;
}

int oracle_index(const char *keyword)
{
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++)
        if (strcasecmp(compared[i].keyword, keyword) == 0)
            return (int)i;
    return -1;
}

static unsigned long seconds_of(const char *text)
{
    unsigned long total = 0;
    char *end;
    while (*text) {
        unsigned long n = strtoul(text, &end, 10);
        total += n * (*end == 'm'   ? 60
                      : *end == 'h' ? 3600
                      : *end == 'd' ? 86400
                      : *end == 'w' ? 604800
                                    : 1);
        text = *end ? end + 1 : end;
    }
    return total;
}

void oracle_put(struct oracle_lines *l, size_t index, const char *value)
{
    char text[ORACLE_LINE_SIZE];
    const char *keyword = compared[index].keyword;
    snprintf(text, sizeof text, "%s", value);
    switch (compared[index].form) {
    case FORM_CASELESS:
        for (char *c = text; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "off") == 0)
            snprintf(text, sizeof text, "%s", text[0] == 't' ? "yes" : "no");
        break;
    case FORM_TIME:
    case FORM_NUMBER:
        if (strcmp(text, "none") != 0)
            snprintf(text, sizeof text, "%lu", seconds_of(value));
        break;
    case FORM_WORDS:
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
            if (!has_line(l, keyword, word))
                add_line(l, keyword, word);
        return;
    default:
        if (strcmp(text, "none") == 0 && strcmp(keyword, "proxycommand") == 0)
            return; /* ssh prints nothing then */
        if (strcmp(text, "none") == 0 && strcmp(keyword, "proxyjump") == 0)
            return;
    }
    add_line(l, keyword, text);
}

/* ---- what ssh says */

bool oracle_ask(const char *file, const char *name, struct oracle_lines *l)
{
    char command[256], line[8192];
    l->count = 0;
    snprintf(command, sizeof command, "ssh -G -F %s %s 2>/dev/null </dev/null", file, name);
    FILE *f = popen(command, "r");
    assert(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = '\0';
        int index = oracle_index(line);
        if (index >= 0)
            oracle_put(l, (size_t)index, value);
    }
    return pclose(f) == 0;
}

/* ---- what ssh leaves as it is */

static const char *value_of(const struct oracle_lines *l, const char *keyword)
{
    size_t len = strlen(keyword);
    for (unsigned i = 0; i < l->count; i++)
        if (strncmp(l->list[i], keyword, len) == 0 && l->list[i][len] == ' ')
            return l->list[i] + len + 1;
    return NULL;
}

static const char *token(const struct oracle_place *b, const struct oracle_lines *l,
                         const char *name, char c)
{
    static char text[256];
    switch (c) {
    case 'h':
        return value_of(l, "hostname");
    case 'n':
        return name;
    case 'p':
        return value_of(l, "port");
    case 'r':
        return value_of(l, "user");
    case 'k':
        return value_of(l, "hostkeyalias") ? value_of(l, "hostkeyalias") : name;
    case 'u':
        return b->user;
    case 'd':
        return b->home;
    case 'l':
        return b->machine;
    case 'L':
        snprintf(text, sizeof text, "%.*s", (int)strcspn(b->machine, "."), b->machine);
        return text;
    case 'i':
        snprintf(text, sizeof text, "%u", (unsigned)getuid());
        return text;
    default:
        return "%";
    }
}

static void expand_line(const struct oracle_place *b, const struct oracle_lines *l,
                        const char *name, char *line)
{
    char out[2 * ORACLE_LINE_SIZE] = "", *raw = strchr(line, ' ') + 1;
    size_t len = (size_t)snprintf(out, sizeof out, "%.*s", (int)(raw - line), line);
    if (*raw == '~') {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s", b->home);
        raw++;
    }
    while (*raw) {
        if (strncmp(raw, "${HOME}", 7) == 0) {
            len += (size_t)snprintf(out + len, sizeof out - len, "%s", getenv("HOME"));
            raw += 7;
        } else if (*raw == '%') {
            len += (size_t)snprintf(out + len, sizeof out - len, "%s", token(b, l, name, raw[1]));
            raw += 2;
        } else {
            out[len++] = *raw++;
            out[len] = '\0';
        }
    }
    snprintf(line, ORACLE_LINE_SIZE, "%.*s", ORACLE_LINE_SIZE - 1, out);
}

void oracle_expand(const struct oracle_place *b, const char *name, struct oracle_lines *l)
{
    for (unsigned i = 0; i < l->count; i++)
        for (size_t k = 0; k < sizeof compared / sizeof compared[0]; k++) {
            size_t len = strlen(compared[k].keyword);
            if (compared[k].form == FORM_RAW && l->list[i][len] == ' ' &&
                strncmp(l->list[i], compared[k].keyword, len) == 0)
                expand_line(b, l, name, l->list[i]);
        }
}

void oracle_join(const struct oracle_lines *l, const char *keyword, char *out, size_t size)
{
    size_t len = strlen(keyword), at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < l->count && at < size; i++)
        if (strncmp(l->list[i], keyword, len) == 0 && l->list[i][len] == ' ')
            at += (size_t)snprintf(out + at, size - at, "[%s]", l->list[i] + len + 1);
}
