/* What a certificate says of its owner. Whoever signed it vouches for all of it, so each of its
 * names counts, and each common name of its subject. Lengths count and not NULs: a name that goes
 * on behind one is another name. */
#include "tls_state.h"

#include <ctype.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* General names (RFC 5280, 4.2.1.6), as the library keeps them: with their tags. */
#define TAG_EMAIL (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 1)
#define TAG_DNS   (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)
#define TAG_URI   (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 6)

static void add(struct tls_peer *p, enum tls_name_kind kind, const mbedtls_x509_buf *text)
{
    if (p->name_count == TLS_PEER_NAMES_MAX || text->len > TLS_PEER_TEXT_MAX - p->text_len ||
        text->len == 0)
        return;
    uint8_t *to = p->text + p->text_len;
    for (size_t i = 0; i < text->len; i++)
        to[i] = kind == TLS_NAME_DNS ? (uint8_t)tolower(text->p[i]) : text->p[i];
    p->text_len += text->len;
    p->names[p->name_count++] = (struct tls_name){kind, slice_of(to, text->len)};
}

/* Alternative names first: they are what is asked for most. */
static void add_names(struct tls_peer *p, const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_sequence *n = &certificate->subject_alt_names; n; n = n->next) {
        if (!n->buf.p)
            continue; /* there are none at all */
        if (n->buf.tag == TAG_URI)
            add(p, TLS_NAME_URI, &n->buf);
        else if (n->buf.tag == TAG_DNS)
            add(p, TLS_NAME_DNS, &n->buf);
        else if (n->buf.tag == TAG_EMAIL)
            add(p, TLS_NAME_EMAIL, &n->buf);
    }
    for (const mbedtls_x509_name *n = &certificate->subject; n; n = n->next) {
        int tag = n->val.tag;
        if (n->oid.p && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0 &&
            (tag == MBEDTLS_ASN1_UTF8_STRING || tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
             tag == MBEDTLS_ASN1_IA5_STRING))
            add(p, TLS_NAME_COMMON, &n->val);
    }
}

static uint64_t seconds_of(const mbedtls_x509_time *t)
{
    struct tm tm = {.tm_year = t->year - 1900,
                    .tm_mon = t->mon - 1,
                    .tm_mday = t->day,
                    .tm_hour = t->hour,
                    .tm_min = t->min,
                    .tm_sec = t->sec};
    time_t s = timegm(&tm);
    return s > 0 ? (uint64_t)s : 0;
}

struct tls_peer *tls_peer_new(const mbedtls_x509_crt *certificate)
{
    struct tls_peer *p = calloc(1, sizeof *p);
    if (!p || mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), certificate->raw.p,
                         certificate->raw.len, p->fingerprint) != 0) {
        free(p);
        return NULL;
    }
    p->expires_s = seconds_of(&certificate->valid_to);
    add_names(p, certificate);
    return p;
}
