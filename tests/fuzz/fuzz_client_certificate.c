/* Clients' certificates, and who is who by them. Input: one byte, of which the lowest bit says what
 * follows.
 *
 * 1: a certificate (DER). If the library takes it, the names that are taken lie within it.
 * 0: lines up to a NUL, `+NAME` for a further entry, else a pattern of the last one; then names of
 * a certificate, each a byte of its kind, one of its length, and its text. Whoever is found is the
 * first who would be found by looking at each pattern; what is told of the entries reads as the
 * same patterns. */
#include "../../src/daemon/client_certificates.h"
#include "../../src/net/tls_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_certificate(struct slice der)
{
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    if (mbedtls_x509_crt_parse_der(&certificate, der.data, der.len) == 0) {
        struct tls_peer *p = tls_peer_new(&certificate);
        assert(p && p->name_count <= TLS_PEER_NAMES_MAX && p->text_len <= TLS_PEER_TEXT_MAX);
        for (size_t i = 0; i < p->name_count; i++) {
            struct slice name = p->names[i].text;
            assert(name.len > 0 && name.data >= p->text);
            assert(name.data + name.len <= p->text + p->text_len);
            if (p->names[i].kind != TLS_NAME_DNS)
                assert(memmem(der.data, der.len, name.data, name.len));
        }
        free(p);
    }
    mbedtls_x509_crt_free(&certificate);
}

static void take_lines(struct client_certificates *c, struct slice text)
{
    struct failure why;
    while (text.len > 0) {
        char line[1024];
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        snprintf(line, sizeof line, "%.*s", (int)(len < 1023 ? len : 1023),
                 (const char *)text.data);
        if (line[0] == '+')
            (void)!client_certificates_add(c, line + 1, ROLE_READER, &why);
        else if (c->count > 0)
            (void)!client_certificates_match(c, line, &why);
        text = slice_skip(text, len + (end != NULL));
    }
}

static void take_names(struct tls_peer *p, struct slice text)
{
    while (text.len >= 2 && p->name_count < TLS_PEER_NAMES_MAX) {
        size_t len = text.data[1] < text.len - 2 ? text.data[1] : text.len - 2;
        p->names[p->name_count++] =
            (struct tls_name){(enum tls_name_kind)(text.data[0] & 3), slice_of(text.data + 2, len)};
        text = slice_skip(text, 2 + len);
    }
}

static const struct client_certificate *look_at_each(const struct client_certificates *c,
                                                     const struct tls_peer *p)
{
    size_t first = c->count;
    for (size_t i = 0; i < c->pattern_count; i++) {
        const struct client_certificate_pattern *pattern = &c->patterns[i];
        struct slice text = slice_of(c->text + pattern->at, pattern->len);
        bool is_it = pattern->kind == CLIENT_CERTIFICATE_HASH &&
                     slice_equal(text, slice_of(p->fingerprint, sizeof p->fingerprint));
        for (size_t k = 0; k < p->name_count; k++)
            is_it |= p->names[k].kind == pattern->kind && slice_equal(p->names[k].text, text);
        if (is_it && pattern->entry < first)
            first = pattern->entry;
    }
    return first < c->count ? &c->list[first] : NULL;
}

static void try_entries(struct slice input)
{
    static struct client_certificates c;
    struct tls_peer p = {.name_count = 0};
    struct buf out;
    const uint8_t *end = input.len ? memchr(input.data, '\0', input.len) : NULL;
    size_t len = end ? (size_t)(end - input.data) : input.len;
    memset(&c, 0, sizeof c);
    take_lines(&c, slice_of(input.data, len));
    take_names(&p, slice_skip(input, len + (end != NULL)));
    assert(c.pattern_count <= CLIENT_CERTIFICATE_PATTERNS_MAX);
    assert(client_certificates_find(&c, &p) == look_at_each(&c, &p));
    for (size_t i = 0; i < c.count; i++)
        assert(client_certificates_named(&c, c.list[i].name));
    buf_init(&out, 1u << 20);
    assert(client_certificates_describe(&c, &out) == 0);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct slice rest = slice_of(data + 1, len - 1);
    if (data[0] & 1)
        try_certificate(rest);
    else
        try_entries(rest);
    return 0;
}
