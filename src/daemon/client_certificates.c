/* Patterns are kept sorted by kind and text, each once, so that to look for a certificate's names
 * takes as long with many of them as with few.
 *
 * Nothing here is secret: whoever shows a certificate has proved to have its key, and the rest of
 * it is for everybody to see. So no comparison has to take the same time. */
#include "client_certificates.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const kinds[] = {[TLS_NAME_COMMON] = "cn:",
                                    [TLS_NAME_DNS] = "dns:",
                                    [TLS_NAME_EMAIL] = "email:",
                                    [TLS_NAME_URI] = "uri:",
                                    [CLIENT_CERTIFICATE_HASH] = "sha256:"};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* ---- the sorted patterns ---- */

static int compare(const struct client_certificates *c, const struct client_certificate_pattern *p,
                   uint8_t kind, struct slice text)
{
    if (p->kind != kind)
        return p->kind < kind ? -1 : 1;
    size_t len = p->len < text.len ? p->len : text.len;
    int order = memcmp(c->text + p->at, text.data, len);
    return order ? order : p->len == text.len ? 0 : p->len < text.len ? -1 : 1;
}

/* The first that is not before that one. */
static size_t place_of(const struct client_certificates *c, uint8_t kind, struct slice text)
{
    size_t low = 0, high = c->pattern_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(c, &c->patterns[middle], kind, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct client_certificate_pattern *find(const struct client_certificates *c,
                                                     uint8_t kind, struct slice text)
{
    size_t at = place_of(c, kind, text);
    return at < c->pattern_count && compare(c, &c->patterns[at], kind, text) == 0 ? &c->patterns[at]
                                                                                  : NULL;
}

/* ---- reading ---- */

/* The bytes of a hash. Returns how many; 0: it is none. */
static size_t take_hash(const char *text, uint8_t out[CLIENT_CERTIFICATE_PATTERN_LEN])
{
    size_t count = 0;
    while (*text && count < TLS_FINGERPRINT_SIZE) {
        unsigned value;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            sscanf(text, "%2x", &value) != 1)
            return 0;
        out[count++] = (uint8_t)value;
        text += 2;
        text += *text == ':' && text[1] != '\0';
    }
    return *text == '\0' && count == TLS_FINGERPRINT_SIZE ? count : 0;
}

/* Returns how many bytes; 0: they are no name. */
static size_t take_name(const char *text, bool any_case,
                        uint8_t out[CLIENT_CERTIFICATE_PATTERN_LEN])
{
    size_t len = 0;
    for (; text[len]; len++) {
        if ((unsigned char)text[len] < ' ' || text[len] == 0x7f)
            return 0;
        out[len] = (uint8_t)(any_case ? tolower((unsigned char)text[len]) : text[len]);
    }
    return len;
}

static uint8_t kind_of(const char *pattern)
{
    uint8_t kind = 0;
    while (kind < KIND_COUNT && strncasecmp(pattern, kinds[kind], strlen(kinds[kind])) != 0)
        kind++;
    return kind;
}

static int insert(struct client_certificates *c, uint8_t kind, struct slice text)
{
    size_t at = place_of(c, kind, text);
    if (c->pattern_count == CLIENT_CERTIFICATE_PATTERNS_MAX ||
        text.len > CLIENT_CERTIFICATE_TEXT_MAX - c->text_len)
        return SCOUT_E_LIMIT;
    memmove(&c->patterns[at + 1], &c->patterns[at],
            (c->pattern_count - at) * sizeof c->patterns[0]);
    c->patterns[at] = (struct client_certificate_pattern){(uint16_t)c->text_len, (uint16_t)text.len,
                                                          kind, (uint8_t)(c->count - 1)};
    memcpy(c->text + c->text_len, text.data, text.len);
    c->text_len += text.len;
    c->pattern_count++;
    return 0;
}

int client_certificates_match(struct client_certificates *c, const char *pattern,
                              struct failure *why)
{
    uint8_t bytes[CLIENT_CERTIFICATE_PATTERN_LEN], kind = kind_of(pattern);
    const struct client_certificate_pattern *other;
    if (kind == KIND_COUNT || strlen(pattern) >= sizeof bytes)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "%.64s begins with none of sha256:, uri:, dns:, email: and cn:, or is "
                           "too long",
                           pattern);
    const char *text = pattern + strlen(kinds[kind]);
    size_t len = kind == CLIENT_CERTIFICATE_HASH ? take_hash(text, bytes)
                                                 : take_name(text, kind == TLS_NAME_DNS, bytes);
    if (len == 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%.64s is no %s", pattern,
                           kind == CLIENT_CERTIFICATE_HASH ? "SHA-256 of 64 hexadecimal digits"
                                                           : "name");
    if ((other = find(c, kind, slice_of(bytes, len))))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%.64s is that of \"%s\" already",
                           pattern, c->list[other->entry].name + strlen(CLIENT_CERTIFICATE_PREFIX));
    return insert(c, kind, slice_of(bytes, len)) == 0
               ? 0
               : failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                             "there are more than %d names of certificates, or more than %d bytes",
                             CLIENT_CERTIFICATE_PATTERNS_MAX, CLIENT_CERTIFICATE_TEXT_MAX);
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return false;
    return len > 0 && len <= CLIENT_CERTIFICATE_NAME_MAX;
}

int client_certificates_add(struct client_certificates *c, const char *name,
                            enum identity_role role, struct failure *why)
{
    if (!is_name(name))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the name must be of letters, digits, '.', '_' and '-', %zu at most",
                           CLIENT_CERTIFICATE_NAME_MAX);
    if (c->count == CLIENT_CERTIFICATES_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "there are more than %d of them",
                           CLIENT_CERTIFICATES_MAX);
    struct client_certificate *entry = &c->list[c->count++];
    entry->role = role;
    snprintf(entry->name, sizeof entry->name, CLIENT_CERTIFICATE_PREFIX "%s", name);
    return 0;
}

/* ---- whose a certificate is ---- */

const struct client_certificate *client_certificates_find(const struct client_certificates *c,
                                                          const struct tls_peer *peer)
{
    size_t first = c->count;
    const struct client_certificate_pattern *p =
        find(c, CLIENT_CERTIFICATE_HASH, slice_of(peer->fingerprint, sizeof peer->fingerprint));
    if (p)
        first = p->entry;
    for (size_t i = 0; i < peer->name_count; i++) {
        p = find(c, (uint8_t)peer->names[i].kind, peer->names[i].text);
        if (p && p->entry < first)
            first = p->entry;
    }
    return first < c->count ? &c->list[first] : NULL;
}

const struct client_certificate *client_certificates_named(const struct client_certificates *c,
                                                           const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].name, name) == 0)
            return &c->list[i];
    return NULL;
}

/* ---- telling ---- */

static int put_pattern(const struct client_certificates *c,
                       const struct client_certificate_pattern *p, bool first, struct buf *out)
{
    int error = buf_append_str(out, first ? "\"" : ", \"");
    if (!error)
        error = buf_append_str(out, kinds[p->kind]);
    for (size_t i = 0; i < p->len && !error; i++) {
        char text[4] = {(char)c->text[p->at + i]};
        if (p->kind == CLIENT_CERTIFICATE_HASH)
            snprintf(text, sizeof text, "%02x", c->text[p->at + i]);
        else if (text[0] == '"' || text[0] == '\\')
            snprintf(text, sizeof text, "\\%c", (char)c->text[p->at + i]);
        error = buf_append_str(out, text);
    }
    return error ? error : buf_append_str(out, "\"");
}

int client_certificates_describe(const struct client_certificates *c, struct buf *out)
{
    int error = 0;
    for (size_t i = 0; i < c->count && !error; i++) {
        char head[IDENTITY_NAME_MAX + 64];
        bool first = true;
        snprintf(head, sizeof head, "client_certificate \"%s\" { role = %s match = {",
                 c->list[i].name + strlen(CLIENT_CERTIFICATE_PREFIX),
                 identity_role_name(c->list[i].role));
        error = buf_append_str(out, head);
        for (size_t k = 0; k < c->pattern_count && !error; k++) {
            if (c->patterns[k].entry != i)
                continue;
            error = put_pattern(c, &c->patterns[k], first, out);
            first = false;
        }
        if (!error)
            error = buf_append_str(out, "} }\n");
    }
    return error;
}
