/* Who is who by a certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/client_certificates.h"

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct failure why;

static struct tls_peer peer_of(enum tls_name_kind kind, const char *text)
{
    struct tls_peer peer = {.name_count = 1};
    peer.names[0] = (struct tls_name){kind, slice_str(text)};
    memset(peer.fingerprint, 0xff, sizeof peer.fingerprint);
    return peer;
}

static const char *name_of(const struct client_certificates *c, enum tls_name_kind kind,
                           const char *text)
{
    struct tls_peer peer = peer_of(kind, text);
    const struct client_certificate *found = client_certificates_find(c, &peer);
    return found ? found->name : "";
}

static void add(struct client_certificates *c, const char *name, enum identity_role role,
                const char *first, const char *second)
{
    assert_int_equal(client_certificates_add(c, name, role, &why), 0);
    assert_int_equal(client_certificates_match(c, first, &why), 0);
    if (second)
        assert_int_equal(client_certificates_match(c, second, &why), 0);
}

static void names_are_exact_and_of_a_kind(void **state)
{
    static struct client_certificates c;
    (void)state;
    memset(&c, 0, sizeof c);
    add(&c, "ci", ROLE_OPERATOR, "uri:spiffe://example.org/ci", "DNS:Ci.Example.org");
    add(&c, "ann", ROLE_READER, "email:ann@example.org", "cn:Ann Example");
    assert_string_equal(name_of(&c, TLS_NAME_URI, "spiffe://example.org/ci"), "cert:ci");
    assert_string_equal(name_of(&c, TLS_NAME_DNS, "ci.example.org"), "cert:ci");
    assert_string_equal(name_of(&c, TLS_NAME_EMAIL, "ann@example.org"), "cert:ann");
    assert_string_equal(name_of(&c, TLS_NAME_COMMON, "Ann Example"), "cert:ann");
    assert_string_equal(name_of(&c, TLS_NAME_URI, "spiffe://example.org/ci2"), "");
    assert_string_equal(name_of(&c, TLS_NAME_URI, "spiffe://example.org/c"), "");
    assert_string_equal(name_of(&c, TLS_NAME_URI, "SPIFFE://example.org/ci"), "");
    assert_string_equal(name_of(&c, TLS_NAME_URI, ""), "");
    assert_string_equal(name_of(&c, TLS_NAME_COMMON, "ci.example.org"), "");
    assert_string_equal(name_of(&c, TLS_NAME_DNS, "ann@example.org"), "");
    struct tls_peer cut = peer_of(TLS_NAME_DNS, "");
    cut.names[0].text = slice_of("ci.example.org\0.evil.org", 24);
    assert_null(client_certificates_find(&c, &cut));
    assert_int_equal(client_certificates_named(&c, "cert:ci")->role, ROLE_OPERATOR);
    assert_null(client_certificates_named(&c, "ci"));
}

static void hashes_are_read_with_colons_and_without(void **state)
{
    static struct client_certificates c;
    struct tls_peer peer = {.name_count = 0};
    char text[128] = "SHA256:";
    (void)state;
    for (int i = 0; i < TLS_FINGERPRINT_SIZE; i++) {
        peer.fingerprint[i] = (uint8_t)i;
        snprintf(text + 7 + 3 * i, 4, i == TLS_FINGERPRINT_SIZE - 1 ? "%02X" : "%02X:", i);
    }
    memset(&c, 0, sizeof c);
    add(&c, "one", ROLE_READER, text, NULL);
    assert_string_equal(client_certificates_find(&c, &peer)->name, "cert:one");
    peer.fingerprint[31] ^= 1;
    assert_null(client_certificates_find(&c, &peer));
    assert_int_not_equal(client_certificates_match(&c, "sha256:" HASH, &why), 0);
    assert_non_null(strstr(why.text, "that of \"one\" already"));
    static const char *const wrong[] = {"sha256:",          "sha256:" HASH "0", "sha256:" HASH "00",
                                        "sha256:" HASH ":", "sha256:0g",        "sha256: 0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_not_equal(client_certificates_match(&c, wrong[i], &why), 0);
}

static void the_first_entry_counts(void **state)
{
    static struct client_certificates c;
    struct tls_peer peer = {
        .name_count = 2,
        .names = {{TLS_NAME_COMMON, slice_str("b")}, {TLS_NAME_DNS, slice_str("a.example")}}};
    (void)state;
    memset(&c, 0, sizeof c);
    add(&c, "first", ROLE_READER, "dns:a.example", NULL);
    add(&c, "second", ROLE_OPERATOR, "cn:b", NULL);
    assert_string_equal(client_certificates_find(&c, &peer)->name, "cert:first");
}

static void what_is_refused(void **state)
{
    static struct client_certificates c;
    char name[IDENTITY_NAME_MAX + 1], pattern[CLIENT_CERTIFICATE_PATTERN_LEN + 1];
    (void)state;
    memset(&c, 0, sizeof c);
    memset(name, 'n', sizeof name);
    name[CLIENT_CERTIFICATE_NAME_MAX + 1] = '\0';
    assert_int_not_equal(client_certificates_add(&c, name, ROLE_READER, &why), 0);
    name[CLIENT_CERTIFICATE_NAME_MAX] = '\0';
    assert_int_equal(client_certificates_add(&c, name, ROLE_READER, &why), 0);
    assert_int_not_equal(client_certificates_add(&c, "", ROLE_READER, &why), 0);
    assert_int_not_equal(client_certificates_add(&c, "a b", ROLE_READER, &why), 0);
    memset(pattern, 'x', sizeof pattern);
    memcpy(pattern, "cn:", 3);
    pattern[CLIENT_CERTIFICATE_PATTERN_LEN] = '\0';
    assert_int_not_equal(client_certificates_match(&c, pattern, &why), 0);
    pattern[CLIENT_CERTIFICATE_PATTERN_LEN - 1] = '\0';
    assert_int_equal(client_certificates_match(&c, pattern, &why), 0);
    assert_int_not_equal(client_certificates_match(&c, "cn:", &why), 0);
    assert_int_not_equal(client_certificates_match(&c, "cn:a\nb", &why), 0);
    assert_int_not_equal(client_certificates_match(&c, "*", &why), 0);
}

/* Nothing is written over when there is no room. */
static void limits(void **state)
{
    static struct client_certificates c;
    char text[600];
    int error = 0;
    size_t count = 0;
    (void)state;
    memset(&c, 0, sizeof c);
    for (size_t i = 0; i < CLIENT_CERTIFICATES_MAX; i++) {
        snprintf(text, sizeof text, "n%zu", i);
        assert_int_equal(client_certificates_add(&c, text, ROLE_READER, &why), 0);
    }
    assert_int_not_equal(client_certificates_add(&c, "more", ROLE_READER, &why), 0);
    for (; !error && count < 1000; count++) {
        snprintf(text, sizeof text, "cn:%zu", count);
        error = client_certificates_match(&c, text, &why);
    }
    assert_int_equal(c.pattern_count, CLIENT_CERTIFICATE_PATTERNS_MAX);
    for (size_t i = 0; i < CLIENT_CERTIFICATE_PATTERNS_MAX; i++) {
        snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(name_of(&c, TLS_NAME_COMMON, text), "cert:n63");
    }
    memset(&c, 0, sizeof c);
    assert_int_equal(client_certificates_add(&c, "n", ROLE_READER, &why), 0);
    for (error = 0, count = 0; !error && count < 1000; count++) {
        snprintf(text, sizeof text, "cn:%0500zu", count);
        error = client_certificates_match(&c, text, &why);
    }
    assert_true(c.text_len <= CLIENT_CERTIFICATE_TEXT_MAX && c.text_len > 7000);
}

static void it_is_told_as_a_file_has_it(void **state)
{
    static struct client_certificates c;
    struct buf out;
    (void)state;
    memset(&c, 0, sizeof c);
    buf_init(&out, 4096);
    add(&c, "a", ROLE_OPERATOR, "dns:X.example", "cn:say \"a\\b\"");
    add(&c, "b", ROLE_READER, "sha256:" HASH, NULL);
    assert_int_equal(client_certificates_describe(&c, &out), 0);
    static const char expected[] =
        "client_certificate \"a\" { role = operator match = {\"cn:say \\\"a\\\\b\\\"\", "
        "\"dns:x.example\"} }\n"
        "client_certificate \"b\" { role = reader match = {\"sha256:" HASH "\"} }\n";
    assert_int_equal(buf_len(&out), sizeof expected - 1);
    assert_memory_equal(buf_peek(&out).data, expected, sizeof expected - 1);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_exact_and_of_a_kind),
        cmocka_unit_test(hashes_are_read_with_colons_and_without),
        cmocka_unit_test(the_first_entry_counts),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(limits),
        cmocka_unit_test(it_is_told_as_a_file_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
