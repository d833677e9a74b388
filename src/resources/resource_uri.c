/* From a URI to what it names, in one walk over its bytes.
 *
 *     SCHEME "://" REST;  of scout: REST = HOST ["/" PATH], of others: REST = PATH
 *
 * What stands behind the scheme is split at its slashes as it is written, before anything is
 * decoded: an encoded slash is part of a name, so `H://zfs%2Ftank` is a file. A path that begins
 * with a slash (`H:///zfs`, as file:/// has it) is always a file. `?` and `#` begin parts of a URI
 * that no resource has, and braces are what is left of a template; in a path they have to be
 * encoded. */
#include "scout/resources/resource_uri.h"

#include "scout/base/utf8.h"
#include "scout/ui/page.h"
#include <stdio.h>

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(uint8_t c)
{
    return is_alpha(c) || (c >= '0' && c <= '9');
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_same_word(struct slice s, const char *lower)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] | 0x20) != lower[i])
            return false;
    return lower[s.len] == '\0';
}

static bool has_scheme_form(struct slice s)
{
    if (s.len == 0 || !is_alpha(s.data[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_word(s.data[i]) && s.data[i] != '-' && s.data[i] != '.' && s.data[i] != '+')
            return false;
    return true;
}

bool resource_uri_is_scheme(struct slice host)
{
    static const char *const taken[] = {"scout", "hosts", "ui"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (host.len == strlen(taken[i]) && is_same_word(host, taken[i]))
            return false;
    return has_scheme_form(host);
}

/* ---- percent-encoding ---- */

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int refuse_part(struct failure *why, struct slice part)
{
    return target_refuse(
        why,
        "Invalid URI: '%' needs two hexadecimal digits; '?', '#', '{', '}', blanks "
        "and control characters have to be percent-encoded",
        part);
}

/* What a part of a URI may not have as it is. */
static bool is_refused(uint8_t c)
{
    return c <= ' ' || c == 0x7f || c == '?' || c == '#' || c == '{' || c == '}';
}

/* Decodes `part` into `out`; *len becomes its length, without a NUL at the end. */
static int decode(struct slice part, char *out, size_t size, size_t *len, struct failure *why)
{
    size_t n = 0;
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.data[i];
        if (is_refused(c))
            return refuse_part(why, part);
        if (c == '%') {
            int high = i + 2 < part.len ? digit_of(part.data[i + 1]) : -1;
            int low = i + 2 < part.len ? digit_of(part.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return refuse_part(why, part);
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (n == size)
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "Invalid URI: a part of it has more than %zu bytes", size);
        out[n++] = (char)c;
    }
    *len = n;
    if (utf8_valid_len(slice_of(out, n)) < n)
        return target_refuse(why, "Invalid URI: not UTF-8 when it is decoded", part);
    return 0;
}

bool resource_uri_encode(struct slice text, bool slashes, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool plain = is_word(c) || is_one_of(c, "-._~") || (slashes && c == '/');
        if (n + 4 > size)
            return false;
        if (!plain) {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
    return true;
}

/* ---- names ---- */

struct name_rule {
    const char *what;  /* "Container", as messages have it */
    const char *extra; /* characters beside letters and digits */
    bool letter_first; /* else a letter, a digit or `_`: never what an option begins with */
};

static const struct name_rule container = {"Container", "_.-", false};
static const struct name_rule project = {"Project", "_-", false};
static const struct name_rule pool = {"Pool", "_.:-", true};

static bool name_passes(const struct name_rule *rule, const char *name, size_t len)
{
    uint8_t first = (uint8_t)name[0];
    if (rule->letter_first ? !is_alpha(first) : !is_word(first) && first != '_')
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_word((uint8_t)name[i]) && !is_one_of((uint8_t)name[i], rule->extra))
            return false;
    return true;
}

static int take_name(struct slice part, const struct name_rule *rule, struct resource_uri *out,
                     struct failure *why)
{
    char what[64];
    size_t len;
    int error = decode(part, out->name, RESOURCE_NAME_MAX, &len, why);
    if (error)
        return error;
    out->name[len] = '\0';
    if (len == 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s name cannot be empty", rule->what);
    if (name_passes(rule, out->name, len))
        return 0;
    snprintf(what, sizeof what, "Invalid %c%s name", rule->what[0] | 0x20, rule->what + 1);
    return target_refuse(why, what, slice_of(out->name, len));
}

/* ---- what is at a host ---- */

/* The first that fits counts, so what is said in full stands before a name. */
static const struct {
    const char *first, *last;     /* the part before the name, and the one behind it; NULL: none */
    const struct name_rule *name; /* of the part between; NULL: there is none */
    enum resource_kind kind;
} forms[] = {
    {"docker", NULL, NULL, RESOURCE_DOCKER},
    {"docker", "logs", &container, RESOURCE_DOCKER_LOGS},
    {"compose", NULL, NULL, RESOURCE_COMPOSE},
    {"compose", "logs", &project, RESOURCE_COMPOSE_LOGS},
    {"compose", NULL, &project, RESOURCE_COMPOSE_FILE},
    {"zfs", NULL, NULL, RESOURCE_ZFS},
    {"zfs", "snapshots", NULL, RESOURCE_ZFS_SNAPSHOTS},
    {"zfs", "datasets", &pool, RESOURCE_ZFS_DATASETS},
    {"zfs", NULL, &pool, RESOURCE_ZFS_POOL},
    {"syslog", NULL, NULL, RESOURCE_SYSLOG},
};

#define PARTS_MAX 3

/* The parts between slashes; PARTS_MAX + 1 when there are more. */
static size_t split(struct slice rest, struct slice parts[PARTS_MAX])
{
    for (size_t count = 0; count < PARTS_MAX; count++) {
        const uint8_t *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
        parts[count] = slice_of(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
        if (!slash)
            return count + 1;
        rest = slice_skip(rest, parts[count].len + 1);
    }
    return PARTS_MAX + 1;
}

/* The index of the form that `rest` has, or -1; *name becomes its name's part. */
static int find_form(struct slice rest, struct slice *name)
{
    struct slice parts[PARTS_MAX];
    size_t count = split(rest, parts);
    if (count > PARTS_MAX)
        return -1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t wanted = 1u + (forms[i].name != NULL) + (forms[i].last != NULL);
        if (count != wanted || !slice_is(parts[0], forms[i].first) ||
            (forms[i].last && !slice_is(parts[count - 1], forms[i].last)))
            continue;
        *name = forms[i].name ? parts[1] : slice_of("", 0);
        return (int)i;
    }
    return -1;
}

static int take_path(struct slice host, struct slice rest, struct resource_uri *out,
                     struct failure *why)
{
    char path[1 + TARGET_PATH_MAX];
    size_t len;
    path[0] = '/';
    out->kind = RESOURCE_PATH;
    int error = decode(rest, path + 1, TARGET_PATH_MAX, &len, why);
    if (error)
        return error;
    size_t start = len > 0 && path[1] == '/';
    return target_make(host, slice_of(path + start, 1 + len - start), &out->target, why);
}

static int take_host_form(struct slice host, struct slice rest, struct resource_uri *out,
                          struct failure *why)
{
    struct slice name;
    int form = find_form(rest, &name);
    if (form < 0)
        return take_path(host, rest, out, why);
    out->kind = forms[form].kind;
    int error = target_make(host, slice_str("/"), &out->target, why);
    return error || !forms[form].name ? error : take_name(name, forms[form].name, out, why);
}

/* scout://HOST/PATH, where HOST may be any name, encoded. */
static int take_scout_form(struct slice rest, struct resource_uri *out, struct failure *why)
{
    char host[TARGET_HOST_MAX + 1];
    size_t len;
    const uint8_t *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    struct slice raw = slice_of(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
    int error = decode(raw, host, sizeof host, &len, why);
    if (error)
        return error;
    return take_path(slice_of(host, len), slice_skip(rest, raw.len + (slash ? 1 : 0)), out, why);
}

int resource_uri_parse(struct slice uri, struct resource_uri *out, struct failure *why)
{
    out->name[0] = '\0';
    const uint8_t *colon = uri.len ? memchr(uri.data, ':', uri.len) : NULL;
    struct slice scheme = slice_of(uri.data, colon ? (size_t)(colon - uri.data) : 0);
    struct slice rest = slice_skip(uri, scheme.len);
    if (uri.len > RESOURCE_URI_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Invalid URI: it has more than %d bytes",
                           RESOURCE_URI_MAX);
    if (!has_scheme_form(scheme) || rest.len < 3 || memcmp(rest.data, "://", 3) != 0)
        return target_refuse(why, "Invalid URI, expected 'scout://host/path' or 'host://path'",
                             uri);
    rest = slice_skip(rest, 3);
    if (resource_uri_is_scheme(scheme))
        return take_host_form(scheme, rest, out, why);
    if (is_same_word(scheme, "scout"))
        return take_scout_form(rest, out, why);
    out->kind = RESOURCE_VIEWER;
    if (slice_is(uri, UI_APP_URI))
        return 0;
    out->kind = RESOURCE_HOSTS;
    if (is_same_word(scheme, "hosts") && slice_is(rest, "list"))
        return 0;
    target_refuse(why, "Unknown resource", uri);
    return why->error = SCOUT_E_NOT_FOUND;
}
