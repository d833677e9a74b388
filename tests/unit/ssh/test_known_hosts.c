/* known_hosts: who matches which line, and the verdict; partly beside the real ssh-keygen. */
#include "scout/ssh/known_hosts.h"

#include "material.h"
#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ED25519 "ssh-ed25519"
#define ECDSA   "ecdsa-sha2-nistp256"
#define RSA     "ssh-rsa"

/* The text of a file that is being written. */
struct file {
    char text[65536];
    size_t len;
};

/* Appends "<hosts> <type> <base64>"; the key's content is `fill` repeated. */
static void add(struct file *f, const char *hosts, const char *type, uint8_t fill)
{
    char base64[256];
    struct material key = material_blob(type, fill);
    material_base64(material_slice(&key), base64);
    f->len += (size_t)snprintf(f->text + f->len, sizeof f->text - f->len, "%s %s %s comment\n",
                               hosts, type, base64);
    assert_true(f->len < sizeof f->text);
}

static struct known_hosts *load(const struct file *f)
{
    struct known_hosts *k;
    assert_int_equal(known_hosts_new(&k), 0);
    assert_int_equal(known_hosts_add_text(k, "kh", slice_of(f->text, f->len)), 0);
    return k;
}

static enum known_hosts_verdict judge(const struct known_hosts *k, const char *host, uint16_t port,
                                      const char *type, uint8_t fill, const char *line)
{
    char found[64];
    struct material key = material_blob(type, fill);
    enum known_hosts_verdict verdict =
        known_hosts_check(k, host, port, material_slice(&key), found, sizeof found);
    assert_string_equal(found, line);
    return verdict;
}

static void names_ports_lists_and_case(void **state)
{
    (void)state;
    struct file f = {0};
    add(&f, "web1,10.0.0.1", ED25519, 1);
    add(&f, "[web1]:2222", ED25519, 2);
    add(&f, "::1", ED25519, 3);
    add(&f, "[::1]:2222", ED25519, 4);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "web1", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "WEB1", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "10.0.0.1", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web1", 2222, ED25519, 2, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web1", 22, ED25519, 2, "kh:1"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "web1", 2222, ED25519, 1, "kh:2"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "::1", 22, ED25519, 3, "kh:3"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "::1", 2222, ED25519, 4, "kh:4"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web11", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(judge(k, "web", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    /* Another port that nothing is said about: the host's name alone may vouch for it. */
    assert_int_equal(judge(k, "web1", 77, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web1", 77, ED25519, 9, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
    /* Where a key is known of the port, of whatever type, the name alone does not count. */
    add(&f, "web1", ECDSA, 5);
    k = load(&f);
    assert_int_equal(judge(k, "web1", 77, ECDSA, 5, "kh:5"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web1", 2222, ECDSA, 5, "kh:2"), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void wildcards_and_negation(void **state)
{
    (void)state;
    struct file f = {0};
    add(&f, "*.example.org,!secret.example.org", ED25519, 1);
    add(&f, "db?", ED25519, 2);
    add(&f, "!odd", ED25519, 3);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "a.example.org", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "a.b.example.org", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "example.org", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(judge(k, "secret.example.org", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(judge(k, "db1", 22, ED25519, 2, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "db12", 22, ED25519, 2, ""), KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(judge(k, "even", 22, ED25519, 3, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void a_changed_key_is_told_from_a_key_of_another_type(void **state)
{
    (void)state;
    struct file f = {0};
    add(&f, "a", ED25519, 1);
    add(&f, "a", ECDSA, 2);
    add(&f, "a", ED25519, 3);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "a", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "a", 22, ECDSA, 2, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "a", 22, ED25519, 3, "kh:3"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "a", 22, ECDSA, 9, "kh:2"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "a", 22, RSA, 1, "kh:1"), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void a_revoked_key_is_refused_wherever_else_it_is_known(void **state)
{
    (void)state;
    struct file f = {0};
    add(&f, "a,b", ED25519, 1);
    add(&f, "[c]:2222", ED25519, 5);
    add(&f, "@revoked a", ED25519, 1);
    add(&f, "@revoked *", ED25519, 7);
    add(&f, "@revoked c", ED25519, 5);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "a", 22, ED25519, 1, "kh:3"), KNOWN_HOSTS_REVOKED);
    assert_int_equal(judge(k, "b", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "new", 22, ED25519, 7, "kh:4"), KNOWN_HOSTS_REVOKED);
    assert_int_equal(judge(k, "new", 2222, ED25519, 7, "kh:4"), KNOWN_HOSTS_REVOKED);
    /* Revoked by its name alone: on every port. */
    assert_int_equal(judge(k, "c", 2222, ED25519, 5, "kh:5"), KNOWN_HOSTS_REVOKED);
    assert_int_equal(judge(k, "a", 22, ED25519, 2, "kh:1"), KNOWN_HOSTS_CHANGED);
    known_hosts_free(k);
}

static void an_authority_alone_is_told(void **state)
{
    (void)state;
    struct file f = {0};
    add(&f, "@cert-authority *.ca.example", ED25519, 1);
    add(&f, "both.ca.example", ECDSA, 2);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "h.ca.example", 22, ED25519, 9, "kh:1"), KNOWN_HOSTS_CA_ONLY);
    /* The authority's own key is not a host's key. */
    assert_int_equal(judge(k, "h.ca.example", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_CA_ONLY);
    assert_int_equal(judge(k, "both.ca.example", 22, ECDSA, 2, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "both.ca.example", 22, ECDSA, 3, "kh:2"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "other", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void hashed_names_match_a_known_vector(void **state)
{
    (void)state;
    struct file f = {0};
    /* HMAC-SHA1 of "web1.example.org" and of "[jump]:2222". */
    add(&f, "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|IWZlL6GpyW6u8iQ+kuY6z8WWWag=", ED25519, 1);
    add(&f, "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|FAjO4UV2/tZkvZrBZwK3yt215iw=", ED25519, 2);
    add(&f, "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|short", ED25519, 3);
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "Web1.example.org", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "web1.example.org", 22, ED25519, 5, "kh:1"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "jump", 2222, ED25519, 2, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "jump", 22, ED25519, 2, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void lines_that_are_no_entries_are_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    f.len = (size_t)snprintf(f.text, sizeof f.text, "%s",
                             "# comment\n\n   \t \nweb1\nweb1 ssh-ed25519\nweb1 ssh-ed25519 !!!!\n"
                             "@unknown web1 ssh-ed25519 AAAA\nweb1 1024 35 1234567890\n"
                             "web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n"); /* cut inside its type */
    size_t before = f.len;
    add(&f, "web1", ED25519, 1);
    memmove(f.text + before + 3, f.text + before, f.len - before);
    memcpy(f.text + before, " \t ", 3); /* blanks in front are allowed */
    f.len += 3;
    f.text[f.len - 1] = '\r'; /* as an editor elsewhere ends lines; no line end at the end */
    struct known_hosts *k = load(&f);
    assert_int_equal(judge(k, "web1", 22, ED25519, 1, "kh:10"), KNOWN_HOSTS_MATCH);
    known_hosts_free(k);
    /* A line whose key is of another type than it says. */
    f.len = 0;
    add(&f, "web1", ED25519, 1);
    memcpy(strstr(f.text, "ssh-ed25519"), "ssh-xx25519", 11);
    k = load(&f);
    assert_int_equal(judge(k, "web1", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void several_files_are_one_and_the_line_names_its_file(void **state)
{
    (void)state;
    struct file one = {0}, two = {0};
    add(&one, "a", ED25519, 1);
    add(&two, "b", ED25519, 2);
    struct known_hosts *k = load(&one);
    assert_int_equal(known_hosts_add_text(k, "second", slice_of(two.text, two.len)), 0);
    assert_int_equal(judge(k, "a", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "b", 22, ED25519, 2, "second:1"), KNOWN_HOSTS_MATCH);
    known_hosts_free(k);
}

static void a_malformed_key_or_name_is_unknown(void **state)
{
    (void)state;
    struct file f = {0};
    char line[16], long_name[3000];
    add(&f, "*", ED25519, 1);
    struct known_hosts *k = load(&f);
    struct material key = material_blob(ED25519, 1);
    for (size_t len = 0; len < 4 + strlen(ED25519); len++)
        assert_int_equal(known_hosts_check(k, "a", 22, slice_of(key.bytes, len), line, sizeof line),
                         KNOWN_HOSTS_UNKNOWN);
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(judge(k, long_name, 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(judge(k, "", 22, ED25519, 1, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
}

static void a_line_too_long_to_judge_is_not_passed_over(void **state)
{
    (void)state;
    struct known_hosts *k;
    size_t len = KNOWN_HOSTS_LINE_MAX + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    assert_int_equal(known_hosts_new(&k), 0);
    assert_int_equal(known_hosts_add_text(k, "kh", slice_of(text, len)), SCOUT_E_LIMIT);
    text[0] = '#';
    assert_int_equal(known_hosts_add_text(k, "kh", slice_of(text, len)), 0);
    known_hosts_free(k);
    free(text);
}

static void known_types_are_asked_for_first(void **state)
{
    (void)state;
    static const char offered[] =
        "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-rsa";
    char out[128];
    struct file f = {0};
    add(&f, "ec", ECDSA, 1);
    add(&f, "rsa", RSA, 1);
    add(&f, "two", RSA, 1);
    add(&f, "two", ECDSA, 1);
    add(&f, "@revoked gone", RSA, 1);
    add(&f, "[port]:2222", ECDSA, 1);
    struct known_hosts *k = load(&f);
    assert_int_equal(known_hosts_order(k, "new", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, offered);
    assert_int_equal(known_hosts_order(k, "gone", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, offered);
    assert_int_equal(known_hosts_order(k, "ec", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, "ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ssh-rsa");
    assert_int_equal(known_hosts_order(k, "ec", 2222, offered, out, sizeof out), 0);
    assert_string_equal(out, "ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ssh-rsa");
    assert_int_equal(known_hosts_order(k, "port", 2222, offered, out, sizeof out), 0);
    assert_string_equal(out, "ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ssh-rsa");
    assert_int_equal(known_hosts_order(k, "port", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, offered);
    assert_int_equal(known_hosts_order(k, "rsa", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,ecdsa-sha2-nistp256");
    assert_int_equal(known_hosts_order(k, "two", 22, offered, out, sizeof out), 0);
    assert_string_equal(out, "ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519");
    assert_int_equal(known_hosts_order(k, "two", 22, offered, out, strlen(offered)), SCOUT_E_LIMIT);
    assert_int_equal(known_hosts_order(k, "two", 22, offered, out, strlen(offered) + 1), 0);
    known_hosts_free(k);
}

/* ---- narrowing ---- */

/* All that can be asked about a host, as one text. */
static void say(const struct known_hosts *k, const char *host, uint16_t port, char *out,
                size_t size)
{
    static const char *const types[] = {ED25519, ECDSA, RSA};
    static const char offered[] = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,ssh-rsa";
    char line[64], order[128];
    size_t len = 0;
    for (size_t t = 0; t < 3; t++) {
        for (uint8_t fill = 1; fill <= 4; fill++) {
            struct material key = material_blob(types[t], fill);
            enum known_hosts_verdict verdict =
                known_hosts_check(k, host, port, material_slice(&key), line, sizeof line);
            len += (size_t)snprintf(out + len, size - len, "%s %u: %d at %s\n", types[t],
                                    (unsigned)fill, (int)verdict, line);
        }
    }
    assert_int_equal(known_hosts_order(k, host, port, offered, order, sizeof order), 0);
    len += (size_t)snprintf(out + len, size - len, "%s\n", order);
    assert_true(len < size);
}

/* xorshift: the same files each time. */
static uint32_t draw(uint64_t *seed, uint32_t bound)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16) % bound;
}

/* A hashed name, as ssh-keygen -H writes it. */
static void hash_name(const char *name, uint64_t *seed, char *out, size_t size)
{
    uint8_t salt[20], hash[20];
    char salt_text[32], hash_text[32];
    unsigned len = 0;
    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)draw(seed, 256);
    assert_non_null(
        HMAC(EVP_sha1(), salt, sizeof salt, (const uint8_t *)name, strlen(name), hash, &len));
    assert_int_equal(len, sizeof hash);
    material_base64(slice_of(salt, sizeof salt), salt_text);
    material_base64(slice_of(hash, sizeof hash), hash_text);
    snprintf(out, size, "|1|%s|%s", salt_text, hash_text);
}

static const char *const names[] = {"web1",        "web2",          "[web1]:2222",
                                    "[web2]:2222", "a.example.org", "[a.example.org]:2222",
                                    "10.0.0.1"};
#define NAME_COUNT (sizeof names / sizeof names[0])

static void add_random_line(struct file *f, uint64_t *seed)
{
    static const char *const patterns[] = {
        "*",          "web?",      "[web?]:2222",        "*.example.org,!a.example.org",
        "!web1,web*", "[*]:2222",  "[web*]:*,web2",      "*,![web1]:2222",
        "Web1,db",    "web1,web2", "10.0.0.*,!10.0.0.1", "!*"};
    static const char *const types[] = {ED25519, ECDSA, RSA};
    static const char *const markers[] = {"", "", "", "", "@revoked ", "@cert-authority "};
    char hosts[200], line[256];
    uint32_t kind = draw(seed, 3);
    if (kind == 0)
        hash_name(names[draw(seed, NAME_COUNT)], seed, hosts, sizeof hosts);
    else if (kind == 1)
        snprintf(hosts, sizeof hosts, "%s,%s", names[draw(seed, NAME_COUNT)],
                 names[draw(seed, NAME_COUNT)]);
    else
        snprintf(hosts, sizeof hosts, "%s",
                 patterns[draw(seed, sizeof patterns / sizeof patterns[0])]);
    snprintf(line, sizeof line, "%s%s", markers[draw(seed, 6)], hosts);
    add(f, line, types[draw(seed, 3)], (uint8_t)(1 + draw(seed, 4)));
}

static void a_narrowed_file_says_the_same(void **state)
{
    (void)state;
    static const char *const hosts[] = {"web1", "WEB2", "a.example.org", "10.0.0.1", "other", ""};
    struct file *f = calloc(1, sizeof *f);
    char before[2048], after[2048];
    unsigned said = 0;
    assert_non_null(f);
    for (uint64_t round = 1; round <= 300; round++) {
        uint64_t seed = round * 0x9e3779b97f4a7c15u;
        f->len = 0;
        for (uint32_t lines = draw(&seed, 12); lines > 0; lines--)
            add_random_line(f, &seed);
        for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
            for (uint16_t port = 22; port < 4000; port = (uint16_t)(port + 2200)) {
                struct known_hosts *k = load(f);
                say(k, hosts[h], port, before, sizeof before);
                known_hosts_narrow(k, hosts[h], port);
                say(k, hosts[h], port, after, sizeof after);
                known_hosts_narrow(k, hosts[h], port);
                if (strcmp(before, after) != 0)
                    fail_msg("%s port %u\n%.*s\nbefore\n%s\nafter\n%s", hosts[h], port, (int)f->len,
                             f->text, before, after);
                said += strstr(after, "kh:") != NULL;
                known_hosts_free(k);
            }
        }
    }
    assert_true(said > 1000); /* the files do say something of the hosts */
    free(f);
}

static double microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void a_narrowed_file_of_hashes_costs_nothing_per_line(void **state)
{
    (void)state;
    enum { lines = 10000 };
    uint64_t seed = 1;
    struct material key = material_blob(ED25519, 1);
    char base64[256], hashed[128], name[32], order[64];
    char *text = malloc(lines * 256), *end = text;
    struct known_hosts *k;
    assert_non_null(text);
    material_base64(material_slice(&key), base64);
    for (unsigned i = 0; i < lines; i++) {
        snprintf(name, sizeof name, "host%u", i);
        hash_name(name, &seed, hashed, sizeof hashed);
        end += sprintf(end, "%s %s %s\n", hashed, ED25519, base64);
    }
    assert_int_equal(known_hosts_new(&k), 0);
    assert_int_equal(known_hosts_add_text(k, "kh", slice_of(text, (size_t)(end - text))), 0);
    free(text);
    double took[2];
    for (int narrowed = 0; narrowed < 2; narrowed++) {
        took[narrowed] = 1e9;
        for (int again = 0; again < 5; again++) {
            double start = microseconds();
            assert_int_equal(judge(k, "host9000", 22, ED25519, 1, "kh:9001"), KNOWN_HOSTS_MATCH);
            assert_int_equal(known_hosts_order(k, "host9000", 22, ED25519, order, sizeof order), 0);
            double one = microseconds() - start;
            took[narrowed] = one < took[narrowed] ? one : took[narrowed];
        }
        known_hosts_narrow(k, "host9000", 22);
    }
    print_message("check and order over %d hashed lines: %.0f us, narrowed %.1f us\n", lines,
                  took[0], took[1]);
    assert_true(took[1] * 20 < took[0]);
    known_hosts_free(k);
}

static bool have_keygen(void)
{
    if (access("/usr/bin/ssh-keygen", X_OK) == 0)
        return true;
    print_message("skipped: ssh-keygen is not installed\n");
    return false;
}

static void write_file(const char *path, const struct file *f)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(f->text, 1, f->len, out), f->len);
    assert_int_equal(fclose(out), 0);
}

static void read_file(const char *path, struct file *f)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    f->len = fread(f->text, 1, sizeof f->text, in);
    assert_int_equal(fclose(in), 0);
}

static int run(const char *format, const char *dir, const char *argument)
{
    char command[512];
    snprintf(command, sizeof command, format, dir, argument);
    int status = system(command);
    return status;
}

static void what_ssh_keygen_hashes_is_found(void **state)
{
    (void)state;
    char dir[] = "/tmp/scout-known-hosts-XXXXXX", path[64];
    struct file f = {0}, hashed;
    if (!have_keygen())
        skip();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/kh", dir);
    add(&f, "web1.example.org,10.0.0.1", ED25519, 1);
    add(&f, "[jump]:2222", ED25519, 2);
    write_file(path, &f);
    assert_int_equal(run("ssh-keygen -q -H -f %s/kh >%s/out 2>&1", dir, dir), 0);
    read_file(path, &hashed);
    assert_int_equal(hashed.len > 3 && memcmp(hashed.text, "|1|", 3) == 0, 1);
    struct known_hosts *k = load(&hashed);
    assert_int_equal(judge(k, "web1.example.org", 22, ED25519, 1, "kh:1"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "10.0.0.1", 22, ED25519, 1, "kh:2"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "jump", 2222, ED25519, 2, "kh:3"), KNOWN_HOSTS_MATCH);
    assert_int_equal(judge(k, "jump", 2222, ED25519, 1, "kh:3"), KNOWN_HOSTS_CHANGED);
    assert_int_equal(judge(k, "jump", 22, ED25519, 2, ""), KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(k);
    assert_int_equal(run("rm -rf %s%s", dir, ""), 0);
}

static void ssh_keygen_finds_the_same_hosts(void **state)
{
    (void)state;
    static const char *const hosts[] = {"web1",      "WEB1",   "web2",         "a.example.org",
                                        "no.ex.org", "ex.org", "x.secret.net", "db1",
                                        "db12",      "*",      "10.1.2.3",     "10.2.2.3"};
    char dir[] = "/tmp/scout-known-hosts-XXXXXX", path[64];
    struct file f = {0};
    if (!have_keygen())
        skip();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/kh", dir);
    add(&f, "Web1,db?", ED25519, 1);
    add(&f, "*.example.org,*.ex.org,!no.ex.org", ED25519, 1);
    add(&f, "*.net,!*.secret.net,10.1.*", ED25519, 1);
    write_file(path, &f);
    struct known_hosts *k = load(&f);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char line[64];
        struct material key = material_blob(ED25519, 1);
        bool theirs = run("ssh-keygen -f %s/kh -F '%s' >/dev/null 2>&1", dir, hosts[i]) == 0;
        bool ours = known_hosts_check(k, hosts[i], 22, material_slice(&key), line, sizeof line) ==
                    KNOWN_HOSTS_MATCH;
        if (ours != theirs)
            fail_msg("%s: ssh-keygen says %d, we say %d", hosts[i], theirs, ours);
    }
    known_hosts_free(k);
    assert_int_equal(run("rm -rf %s%s", dir, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_ports_lists_and_case),
        cmocka_unit_test(wildcards_and_negation),
        cmocka_unit_test(a_changed_key_is_told_from_a_key_of_another_type),
        cmocka_unit_test(a_revoked_key_is_refused_wherever_else_it_is_known),
        cmocka_unit_test(an_authority_alone_is_told),
        cmocka_unit_test(hashed_names_match_a_known_vector),
        cmocka_unit_test(lines_that_are_no_entries_are_passed_over),
        cmocka_unit_test(several_files_are_one_and_the_line_names_its_file),
        cmocka_unit_test(a_malformed_key_or_name_is_unknown),
        cmocka_unit_test(a_line_too_long_to_judge_is_not_passed_over),
        cmocka_unit_test(known_types_are_asked_for_first),
        cmocka_unit_test(a_narrowed_file_says_the_same),
        cmocka_unit_test(a_narrowed_file_of_hashes_costs_nothing_per_line),
        cmocka_unit_test(what_ssh_keygen_hashes_is_found),
        cmocka_unit_test(ssh_keygen_finds_the_same_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
