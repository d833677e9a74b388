/* User certificates taken apart: each type, cut at every byte, and when they may be shown. */
#include "material.h"
#include "scout/ssh/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct recipe {
    const char *type;
    int fields; /* strings of the key */
    uint32_t kind;
    uint64_t after, until;
    const char *names[3];
};

static const struct recipe plain = {
    "ssh-ed25519-cert-v01@openssh.com", 1, 1, 1000, 2000, {"alice", "bob"}};

static void put_u64(struct material *m, uint64_t value)
{
    material_u32(m, (uint32_t)(value >> 32));
    material_u32(m, (uint32_t)value);
}

static struct material make(const struct recipe *r)
{
    struct material m = {0}, names = {0};
    material_text(&m, r->type);
    material_text(&m, "nonce");
    for (int i = 0; i < r->fields; i++)
        material_text(&m, i == 0 ? "first" : "second");
    put_u64(&m, 7);
    material_u32(&m, r->kind);
    material_text(&m, "id");
    for (int i = 0; i < 3 && r->names[i]; i++)
        material_text(&names, r->names[i]);
    material_string(&m, names.bytes, names.len);
    put_u64(&m, r->after);
    put_u64(&m, r->until);
    for (int i = 0; i < 5; i++)
        material_text(&m, "rest");
    return m;
}

static void test_each_type(void **state)
{
    static const struct {
        const char *type;
        int fields;
    } types[] = {{"ssh-ed25519", 1},
                 {"ecdsa-sha2-nistp256", 2},
                 {"ecdsa-sha2-nistp384", 2},
                 {"ecdsa-sha2-nistp521", 2},
                 {"ssh-rsa", 2}};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char type[64];
        struct recipe r = plain;
        struct ssh_certificate c;
        struct material key = {0}, other = {0};
        snprintf(type, sizeof type, "%s-cert-v01@openssh.com", types[i].type);
        r.type = type;
        r.fields = types[i].fields;
        struct material m = make(&r);
        assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), 0);
        assert_true(slice_is(c.type, types[i].type));
        material_text(&key, types[i].type);
        material_text(&key, "first");
        if (r.fields == 2)
            material_text(&key, "second");
        assert_true(ssh_certificate_is_of(&c, material_slice(&key)));
        material_text(&key, "more");
        assert_false(ssh_certificate_is_of(&c, material_slice(&key)));
        material_text(&other, "ssh-dss");
        material_text(&other, "first");
        assert_false(ssh_certificate_is_of(&c, material_slice(&other)));
        assert_false(ssh_certificate_is_of(&c, slice_of(NULL, 0)));
    }
}

static void test_cut_anywhere(void **state)
{
    struct material m = make(&plain);
    struct ssh_certificate c;
    (void)state;
    for (size_t len = 0; len < m.len; len++)
        assert_int_equal(ssh_certificate_parse(slice_of(m.bytes, len), &c), SCOUT_E_KEY);
    material_bytes(&m, "", 1);
    assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), SCOUT_E_KEY);
}

static void test_kinds_that_are_none(void **state)
{
    static const char *const types[] = {"ssh-ed25519", "sk-ssh-ed25519-cert-v01@openssh.com",
                                        "ssh-dss-cert-v01@openssh.com", "-cert-v01@openssh.com",
                                        ""};
    struct ssh_certificate c;
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct recipe r = plain;
        r.type = types[i];
        struct material m = make(&r);
        assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), SCOUT_E_KEY);
    }
    struct recipe r = plain;
    r.kind = 3;
    struct material m = make(&r);
    assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), SCOUT_E_KEY);
}

static const char *said(const struct recipe *r, uint64_t now_s)
{
    static struct failure why;
    struct material m = make(r);
    struct ssh_certificate c;
    assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), 0);
    int error = ssh_certificate_check(&c, now_s, "/k-cert.pub", &why);
    assert_true(error == 0 || error == SCOUT_E_KEY);
    return error ? why.text : "good";
}

static void test_when(void **state)
{
    struct recipe r = plain;
    (void)state;
    assert_string_equal(said(&r, 999), "the certificate /k-cert.pub was not used: it is not valid "
                                       "before 1970-01-01 00:16:40 UTC");
    assert_string_equal(said(&r, 1000), "good");
    assert_string_equal(said(&r, 1999), "good");
    assert_string_equal(said(&r, 2000), "the certificate /k-cert.pub was not used: it expired at "
                                        "1970-01-01 00:33:20 UTC, renew it");
    r.after = 0;
    r.until = UINT64_MAX; /* "forever" */
    assert_string_equal(said(&r, UINT64_MAX), "good");
    r.until = UINT64_MAX - 1;
    assert_non_null(strstr(said(&r, UINT64_MAX), "it expired at second 18446744073709551614"));
    r.kind = 2;
    assert_non_null(strstr(said(&r, 1), "it is a host's"));
}

static const char *names(const struct recipe *r, size_t size)
{
    static char out[64];
    struct material m = make(r);
    struct ssh_certificate c;
    assert_int_equal(ssh_certificate_parse(material_slice(&m), &c), 0);
    return ssh_certificate_names(&c, out, size);
}

static void test_for_whom(void **state)
{
    struct recipe r = plain;
    (void)state;
    assert_string_equal(names(&r, 64), "alice,bob");
    assert_string_equal(names(&r, 8), "alice,b");
    r.names[1] = "b\033b";
    assert_string_equal(names(&r, 64), "alice,b?b");
    r.names[0] = NULL;
    assert_string_equal(names(&r, 64), "everybody");
}

static void test_text(void **state)
{
    struct material m = make(&plain);
    struct ssh_certificate c;
    char base64[MATERIAL_MAX], text[MATERIAL_MAX + 256];
    uint8_t bytes[CERTIFICATE_MAX];
    (void)state;
    material_base64(material_slice(&m), base64);
    snprintf(text, sizeof text, " %s\t%s a comment\n", plain.type, base64);
    assert_int_equal(ssh_certificate_parse_text(slice_str(text), bytes, &c), 0);
    assert_true(slice_equal(c.blob, material_slice(&m)));
    snprintf(text, sizeof text, "ssh-rsa-cert-v01@openssh.com %s", base64);
    assert_int_equal(ssh_certificate_parse_text(slice_str(text), bytes, &c), SCOUT_E_KEY);
    assert_int_equal(ssh_certificate_parse_text(slice_str(""), bytes, &c), SCOUT_E_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_kinds_that_are_none),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_for_whom),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
