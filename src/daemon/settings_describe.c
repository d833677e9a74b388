/* Settings as text, and what sets two readings of them apart. */
#include "settings_table.h"

#include <stdio.h>
#include <string.h>

static size_t member_size(const struct setting *row)
{
    switch (row->kind) {
    case SETTING_COUNT:
    case SETTING_SECONDS:
        return sizeof(uint64_t);
    case SETTING_WORD:
        return sizeof(int);
    case SETTING_WORDS:
        return sizeof(uint32_t);
    case SETTING_SWITCH:
        return sizeof(bool);
    case SETTING_PATH:
    case SETTING_ADDRESS:
    case SETTING_NETWORKS:
    case SETTING_HOSTS:
        break;
    }
    return 0; /* texts: up to their NUL */
}

static void print_word(const char *words, int index, char *out, size_t size)
{
    for (; index > 0; index--)
        words = strchr(words, ',') + 2;
    snprintf(out, size, "%.*s", (int)strcspn(words, ","), words);
}

static void print_words(const char *words, uint32_t bits, char *out, size_t size)
{
    char word[32];
    size_t len = (size_t)snprintf(out, size, "\"");
    for (int i = 0; bits >> i; i++) {
        if (!(bits >> i & 1))
            continue;
        print_word(words, i, word, sizeof word);
        len += (size_t)snprintf(out + len, size - len, "%s%s", len > 1 ? "," : "", word);
    }
    snprintf(out + len, size - len, "\"");
}

static void print_value(const struct settings *s, const struct setting *row, char *out, size_t size)
{
    const void *value = (const char *)s + row->member;
    switch (row->kind) {
    case SETTING_COUNT:
        snprintf(out, size, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case SETTING_SECONDS:
        snprintf(out, size, "%.10g", (double)*(const uint64_t *)value / 1e9);
        break;
    case SETTING_WORD:
        print_word(row->words, *(const int *)value, out, size);
        break;
    case SETTING_WORDS:
        print_words(row->words, *(const uint32_t *)value, out, size);
        break;
    case SETTING_SWITCH:
        snprintf(out, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    case SETTING_PATH:
    case SETTING_ADDRESS:
    case SETTING_NETWORKS:
    case SETTING_HOSTS:
        snprintf(out, size, "\"%s\"", (const char *)value);
        break;
    }
}

void settings_describe(const struct settings *s, size_t key, const char *path, char *line,
                       size_t size)
{
    const struct settings_from *from = &s->from[key];
    char value[SETTINGS_HOSTS_MAX + 2], whence[PATHS_SIZE + 16];
    print_value(s, &settings_table[key], value, sizeof value);
    if (from->variable)
        snprintf(whence, sizeof whence, "%s", from->variable);
    else if (from->line)
        snprintf(whence, sizeof whence, "%s:%d", path, from->line);
    else
        snprintf(whence, sizeof whence, "default");
    snprintf(line, size, "%s = %s # %s", settings_table[key].key, value, whence);
}

bool settings_known_hosts(const struct settings *s, const char *home, char out[SETTINGS_PATH_MAX])
{
    if (s->known_hosts[0])
        snprintf(out, SETTINGS_PATH_MAX, "%s", s->known_hosts);
    else
        snprintf(out, SETTINGS_PATH_MAX, "%.1000s/.ssh/known_hosts", home);
    return strcmp(s->known_hosts, SETTINGS_NONE) != 0;
}

static bool is_same(const struct settings *a, const struct settings *b, const struct setting *row)
{
    const char *x = (const char *)a + row->member, *y = (const char *)b + row->member;
    size_t size = member_size(row);
    return size ? memcmp(x, y, size) == 0 : strcmp(x, y) == 0;
}

const char *settings_fixed_difference(const struct settings *a, const struct settings *b)
{
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++)
        if (settings_table[i].fixed && !is_same(a, b, &settings_table[i]))
            return settings_table[i].key;
    return NULL;
}
