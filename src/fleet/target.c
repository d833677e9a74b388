/* The target grammar: `hosts` and patterns, or `host:path`, split at the first colon.
 *
 * Pure text work. Checks come in the reference's order, and the first that fails speaks. Paths are
 * normalised as POSIX paths (`.` and empty parts go, exactly two slashes in front stay); `..` is
 * refused before that, by its spelling. `~` and `~/...` keep their `~` for the host to expand; a
 * relative path whose first part only happens to begin with `~` gets `./` in front, so that it
 * stays a name. What is quoted in a message is escaped: it may come from anywhere. */
#include "scout/fleet/target.h"

#include "scout/base/utf8.h"
#include "scout/fleet/host_groups.h"
#include "scout/ssh/pattern.h"
#include <stdio.h>
#include <strings.h>

#define SHOWN_MAX  200              /* bytes of an input in a message */
#define SHOWN_SIZE (SHOWN_MAX + 16) /* with one more character, `...` and the quotes */

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && is_space(s.data[0]))
        s = slice_skip(s, 1);
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Blanks only: a line end next to a host name is no decoration, it is refused. */
static struct slice trim_host(struct slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_skip(s, 1);
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* One byte or character of an input as a message shows it; returns how many bytes of `s` that is.
 */
static size_t show_one(struct slice s, char *out, size_t size)
{
    uint8_t c = s.data[0];
    size_t len = utf8_char_len(s);
    bool control = c < 0x20 || c == 0x7f || (len == 2 && c == 0xC2 && s.data[1] < 0xA0);
    if (c == '\n' || c == '\r')
        snprintf(out, size, "\\%c", c == '\n' ? 'n' : 'r');
    else if (c == '\\' || c == '\'')
        snprintf(out, size, "\\%c", c);
    else if (control || len == 0)
        snprintf(out, size, "\\x%02x", c);
    else
        snprintf(out, size, "%.*s", (int)len, (const char *)s.data);
    return control || len == 0 ? 1 : len;
}

/* How many bytes in front show as they are. */
static size_t plain_len(struct slice s)
{
    size_t len = 0;
    while (len < s.len && s.data[len] >= 0x20 && s.data[len] < 0x7f && s.data[len] != '\\' &&
           s.data[len] != '\'')
        len++;
    return len;
}

/* `s` escaped, between two `quote`s, and cut when long. Returns `out`. */
static const char *show(struct slice s, const char *quote, char out[SHOWN_SIZE])
{
    char *at = stpcpy(out, quote);
    const char *end = out + SHOWN_MAX;
    while (s.len > 0 && at < end) {
        size_t plain = plain_len(s), room = (size_t)(end - at);
        plain = plain < room ? plain : room;
        memcpy(at, s.data, plain);
        at += plain;
        s = slice_skip(s, plain);
        if (plain == 0) {
            char one[8];
            s = slice_skip(s, show_one(s, one, sizeof one));
            at = stpcpy(at, one);
        }
    }
    if (s.len > 0)
        at = stpcpy(at, "...");
    strcpy(at, quote);
    return out;
}

static int refuse(struct failure *why, const char *what, struct slice input, const char *quote)
{
    char shown[SHOWN_SIZE];
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s: %s", what, show(input, quote, shown));
}

static size_t char_count(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += (s.data[i] & 0xC0) != 0x80;
    return count;
}

static bool is_shells(uint8_t c)
{
    return c == '/' || c == '\\' || c == ';' || c == '&' || c == '|' || c == '$' || c == '`';
}

static bool has_bad_host_char(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.data[i];
        bool c1 = c == 0xC2 && i + 1 < host.len && host.data[i + 1] < 0xA0;
        if (c < 0x20 || c == 0x7f || c1 || is_shells(c))
            return true;
    }
    return false;
}

static int take_host(struct slice host, struct target *out, struct failure *why)
{
    if (host.len == 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Host cannot be empty");
    if (host.len > TARGET_HOST_MAX) {
        size_t chars = char_count(host);
        bool by_chars = chars > TARGET_HOST_MAX;
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Host name too long: %zu %s",
                           by_chars ? chars : host.len, by_chars ? "chars" : "bytes");
    }
    if (has_bad_host_char(host))
        return refuse(why, "Host contains invalid characters", host, "'");
    memcpy(out->host, host.data, host.len);
    out->host[host.len] = '\0';
    return 0;
}

/* `..` with a slash before or behind it, or alone. */
static bool has_traversal(struct slice path)
{
    for (size_t i = 0; i + 1 < path.len; i++) {
        const uint8_t *dot = memchr(path.data + i, '.', path.len - 1 - i);
        if (!dot)
            return false;
        i = (size_t)(dot - path.data);
        if (dot[1] == '.' &&
            (path.len == 2 || (i > 0 && dot[-1] == '/') || (i + 2 < path.len && dot[2] == '/')))
            return true;
    }
    return false;
}

/* Appends the parts of `path` that say something, with one slash between them. */
static size_t put_parts(struct slice path, char *out, size_t len, bool slash_first)
{
    while (path.len > 0) {
        const uint8_t *slash = memchr(path.data, '/', path.len);
        struct slice part = slice_of(path.data, slash ? (size_t)(slash - path.data) : path.len);
        path = slice_skip(path, part.len + (slash ? 1 : 0));
        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (slash_first)
            out[len++] = '/';
        slash_first = true;
        memcpy(out + len, part.data, part.len);
        len += part.len;
    }
    return len;
}

/* `path` normalised into out->path, which is large enough: only `./` and `.` ever add to it, and
 * only where a part went. */
static void normalise(struct slice path, char *out)
{
    size_t len = 0;
    bool home = path.data[0] == '~';
    if (home) {
        out[len++] = '~';
        path = slice_skip(path, 1);
    } else if (path.data[0] == '/') {
        bool two = path.len > 1 && path.data[1] == '/' && (path.len == 2 || path.data[2] != '/');
        out[len++] = '/';
        if (two)
            out[len++] = '/';
    }
    len = put_parts(path, out, len, home);
    if (!home && out[0] == '~') { /* it was ./~... */
        memmove(out + 2, out, len);
        memcpy(out, "./", 2);
        len += 2;
    }
    if (len == 0)
        out[len++] = '.';
    out[len] = '\0';
}

/* Whether nothing of what take_path looks for is in it, and normalise would leave it as it is. No
 * branch depends on a byte, so that many are looked at in one instruction. */
static bool is_plain(struct slice path)
{
    const uint8_t *c = path.data, *next = path.data + 1;
    uint8_t odd = 0;
    for (size_t i = 0; i + 1 < path.len; i++)
        odd |= (c[i] == 0) | ((c[i] == '/') & ((next[i] == '/') | (next[i] == '.'))) |
               ((c[i] == '.') & (next[i] == '.'));
    uint8_t first = path.data[0], last = path.data[path.len - 1];
    return !odd && first != '~' && first != '.' && last != '/' && last != 0;
}

static int take_path(struct slice path, struct target *out, struct failure *why)
{
    if (path.len == 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Path cannot be empty");
    if (path.len <= TARGET_PATH_MAX && is_plain(path)) {
        memcpy(out->path, path.data, path.len);
        out->path[path.len] = '\0';
        return 0;
    }
    if (memchr(path.data, '\0', path.len))
        return refuse(why, "Path contains null byte", path, "'");
    if (path.len > TARGET_PATH_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Path too long: %zu bytes", path.len);
    if (has_traversal(path))
        return refuse(why, "Path traversal not allowed", path, "");
    if (path.data[0] == '~' && path.len > 1 && path.data[1] != '/')
        return refuse(why, "~user paths are not supported", path, "");
    normalise(path, out->path);
    if (strncmp(out->path, "..", 2) == 0)
        return refuse(why, "Path escapes root after normalization", path, "");
    return 0;
}

/* The rest of `text` behind the first word, which is `hosts`. False: it is not. */
static bool take_hosts_word(struct slice text, struct slice *rest)
{
    if (text.len < 5 || strncasecmp((const char *)text.data, "hosts", 5) != 0)
        return false;
    bool is_word = text.len == 5 || is_space(text.data[5]);
    *rest = trim(slice_skip(text, 5));
    return is_word && !(rest->len && memchr(rest->data, ':', rest->len));
}

static int take_patterns(struct slice list, struct target *out, struct failure *why)
{
    size_t len = 0;
    if (list.len > TARGET_PATH_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Patterns too long: %zu bytes", list.len);
    if (list.len && memchr(list.data, '\0', list.len))
        return refuse(why, "Pattern contains null byte", list, "'");
    for (; list.len > 0; list = trim(list)) {
        size_t word = 0;
        while (word < list.len && !is_space(list.data[word]))
            word++;
        if (len > 0)
            out->path[len++] = ' ';
        memcpy(out->path + len, list.data, word);
        len += word;
        list = slice_skip(list, word);
    }
    out->path[len] = '\0';
    return 0;
}

bool target_next_pattern(const struct target *t, size_t *at, struct slice *pattern)
{
    const char *begin = t->path + *at;
    *pattern = slice_of(begin, strcspn(begin, " "));
    *at += pattern->len + (begin[pattern->len] == ' ');
    return pattern->len > 0;
}

bool target_pattern_has(struct slice pattern, const char *name)
{
    return pattern_match(pattern, slice_str(name), PATTERN_FOLD) || host_group_has(pattern, name);
}

bool target_has_host(const struct target *t, const char *name)
{
    struct slice pattern;
    for (size_t at = 0; target_next_pattern(t, &at, &pattern);)
        if (target_pattern_has(pattern, name))
            return true;
    return t->path[0] == '\0';
}

int target_parse(struct slice text, struct target *out, struct failure *why)
{
    char shown[SHOWN_SIZE];
    struct slice t = trim(text), patterns;
    out->kind = TARGET_PATH;
    out->host[0] = out->path[0] = '\0';
    if (take_hosts_word(t, &patterns)) {
        out->kind = TARGET_HOSTS;
        return take_patterns(patterns, out, why);
    }
    const uint8_t *colon = t.len ? memchr(t.data, ':', t.len) : NULL;
    if (!colon)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Invalid target %s. Expected 'host:/path' or 'hosts'",
                           show(t, "'", shown));
    size_t host_len = (size_t)(colon - t.data);
    int error = take_host(trim_host(slice_of(t.data, host_len)), out, why);
    return error ? error : take_path(trim(slice_skip(t, host_len + 1)), out, why);
}

int target_make(struct slice host, struct slice path, struct target *out, struct failure *why)
{
    out->kind = TARGET_PATH;
    out->host[0] = out->path[0] = '\0';
    int error = take_host(host, out, why);
    return error ? error : take_path(path, out, why);
}

int target_refuse(struct failure *why, const char *what, struct slice input)
{
    return refuse(why, what, input, "'");
}
