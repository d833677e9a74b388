/* The store of unlocked keys: what was put is found by its path until it is forgotten, and whoever
 * holds a key keeps it. */
#include "scout/pool/key_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

/* A new key each time. */
static struct ssh_key *make_key(void)
{
    struct ssh_key *key = NULL;
    struct failure why;
    char *text;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
    long len = BIO_get_mem_data(bio, &text);
    assert_int_equal(ssh_key_parse(&key, slice_of(text, (size_t)len), KEY_NO_PASSPHRASE, "k", &why),
                     0);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return key;
}

static struct key_store *make_store(void)
{
    struct key_store *s;
    assert_int_equal(key_store_new(&s), 0);
    return s;
}

/* The store takes a reference of its own; this one gives ours away. */
static int put(struct key_store *s, const char *path, struct ssh_key *key)
{
    int error = key_store_put(s, &path, 1, key);
    ssh_key_free(key);
    return error;
}

static void a_key_is_found_by_its_path_until_forgotten(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    struct ssh_key *a = make_key(), *b = make_key();
    assert_null(key_store_get(s, "/a"));
    assert_int_equal(put(s, "/a", a), 0);
    assert_int_equal(put(s, "/b", b), 0);
    assert_ptr_equal(key_store_get(s, "/a"), a);
    assert_ptr_equal(key_store_get(s, "/b"), b);
    assert_null(key_store_get(s, "/"));
    assert_int_equal(key_store_forget(s, "/c"), 0);
    assert_int_equal(key_store_forget(s, "/a"), 1);
    assert_null(key_store_get(s, "/a"));
    assert_ptr_equal(key_store_get(s, "/b"), b);
    assert_int_equal(key_store_forget(s, NULL), 1);
    assert_null(key_store_get(s, "/b"));
    assert_int_equal(key_store_forget(s, NULL), 0);
    key_store_free(s);
    key_store_free(NULL);
}

static void a_second_key_of_a_path_replaces_the_first(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    struct ssh_key *a = make_key(), *b = make_key();
    assert_int_equal(put(s, "/a", a), 0);
    assert_int_equal(put(s, "/a", b), 0);
    assert_ptr_equal(key_store_get(s, "/a"), b);
    assert_int_equal(key_store_count(s), 1);
    key_store_free(s);
}

static void who_holds_a_key_keeps_it(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    struct buf signature;
    buf_init(&signature, KEY_SIGNATURE_MAX);
    assert_int_equal(put(s, "/a", make_key()), 0);
    struct ssh_key *held = ssh_key_ref(key_store_get(s, "/a"));
    assert_int_equal(key_store_forget(s, NULL), 1);
    key_store_free(s);
    assert_int_equal(ssh_key_sign(held, slice_str("ssh-ed25519"), slice_str("data"), &signature),
                     0);
    ssh_key_free(held);
    buf_fini(&signature);
}

static void it_is_walked_in_the_order_of_arrival(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    const char *path = NULL;
    for (int i = 0; i < 4; i++) {
        char name[] = {'/', (char)('a' + i), '\0'};
        assert_int_equal(put(s, name, make_key()), 0);
    }
    assert_int_equal(key_store_forget(s, "/b"), 1);
    assert_int_equal(key_store_count(s), 3);
    static const char *const left[] = {"/a", "/c", "/d"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_ptr_equal(key_store_at(s, i, &path), key_store_get(s, left[i]));
        assert_string_equal(path, left[i]);
    }
    assert_null(key_store_at(s, 3, &path));
    key_store_free(s);
}

static void a_full_store_refuses_and_still_replaces(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    struct ssh_key *key = make_key();
    char path[16];
    for (int i = 0; i < KEY_STORE_MAX; i++) {
        snprintf(path, sizeof path, "/%d", i);
        assert_int_equal(put(s, path, ssh_key_ref(key)), 0);
    }
    assert_int_equal(put(s, "/one more", ssh_key_ref(key)), SCOUT_E_LIMIT);
    assert_null(key_store_get(s, "/one more"));
    assert_int_equal(put(s, path, ssh_key_ref(key)), 0);
    assert_int_equal(key_store_count(s), KEY_STORE_MAX);
    key_store_free(s);
    ssh_key_free(key);
}

static void under_all_its_names_or_as_it_was(void **state)
{
    (void)state;
    struct key_store *s = make_store();
    struct ssh_key *old = make_key(), *new = make_key();
    const char *const two[] = {"/0", "/alias"}, *const three[] = {"/0", "/alias", "/0"};
    char path[16];
    for (int i = 0; i < KEY_STORE_MAX; i++) {
        snprintf(path, sizeof path, "/%d", i);
        assert_int_equal(put(s, path, ssh_key_ref(old)), 0);
    }
    assert_int_equal(key_store_put(s, two, 2, new), SCOUT_E_LIMIT);
    assert_ptr_equal(key_store_get(s, "/0"), old); /* not forgotten, not replaced */
    assert_null(key_store_get(s, "/alias"));
    assert_int_equal(key_store_forget(s, "/9"), 1);
    assert_int_equal(key_store_put(s, three, 3, new), 0);
    assert_ptr_equal(key_store_get(s, "/0"), new);
    assert_ptr_equal(key_store_get(s, "/alias"), new);
    assert_int_equal(key_store_count(s), KEY_STORE_MAX);
    key_store_free(s);
    ssh_key_free(old);
    ssh_key_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_by_its_path_until_forgotten),
        cmocka_unit_test(a_second_key_of_a_path_replaces_the_first),
        cmocka_unit_test(who_holds_a_key_keeps_it),
        cmocka_unit_test(it_is_walked_in_the_order_of_arrival),
        cmocka_unit_test(a_full_store_refuses_and_still_replaces),
        cmocka_unit_test(under_all_its_names_or_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
