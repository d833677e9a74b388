/* What is taken for a secret in text from hosts, and what is not. In what is expected, `<KIND>`
 * stands for a marker. */
#include "scout/fleet/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define HEX16 "0123456789abcdef"
#define A36   "abcdefghijklmnopqrstuvwxyz0123456789"
#define KEY_LINES                                                                                  \
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"                     \
    "QyNTUxOQAAACBhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkwAAAAIGFi\n"
#define KEY                                                                                        \
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" KEY_LINES "AAAEC=\n"                                   \
    "-----END OPENSSH PRIVATE KEY-----"

static struct redactor *make(bool defaults, const char *const *patterns, size_t count)
{
    struct redactor_config config = {.defaults = defaults,
                                     .patterns = patterns,
                                     .pattern_count = count,
                                     .key = HEX16 /* without its NUL */};
    struct redactor *r;
    struct failure why;
    assert_int_equal(redactor_new(&r, &config, &why), 0);
    return r;
}

/* The redacted text, NUL-terminated, to be freed. */
static char *redacted(const struct redactor *r, const char *text, uint64_t *count)
{
    struct buf out;
    buf_init(&out, 1u << 24);
    struct redact_counts counts = {0};
    struct redact_budget budget = redact_budget_of(r, strlen(text));
    assert_int_equal(redact(r, slice_str(text), &out, &counts, &budget), 0);
    *count = counts.secrets + counts.unchecked;
    char *copy =
        buf_len(&out) ? strndup((const char *)buf_peek(&out).data, buf_len(&out)) : strdup("");
    assert_non_null(copy);
    buf_fini(&out);
    return copy;
}

/* [redacted:KIND:XXXXXXXX] becomes <KIND>, in place. */
static char *shorten(char *text)
{
    struct slice marker;
    while (redact_find_marker(slice_str(text), &marker)) {
        char *at = text + (marker.data - (const uint8_t *)text);
        size_t kind = marker.len - strlen("[redacted::01234567]");
        at[0] = '<';
        memmove(at + 1, at + strlen("[redacted:"), kind);
        at[kind + 1] = '>';
        memmove(at + kind + 2, at + marker.len, strlen(at + marker.len) + 1);
    }
    return text;
}

static void assert_redacted(const struct redactor *r, const char *text, const char *expected)
{
    uint64_t count;
    char *out = shorten(redacted(r, text, &count));
    if (strcmp(out, expected) != 0)
        fail_msg("%s\nbecame\n%s\nnot\n%s", text, out, expected);
    assert_int_equal(count > 0, strcmp(text, expected) != 0);
    if (count > 0)
        assert_true(redact_suspects(r, slice_str(text)));
    free(out);
}

static void secrets_of_every_kind_are_found(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {KEY, "<private-key>"},
        {"a\n" KEY "\nb", "a\n<private-key>\nb"},
        {"x: \"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n\"",
         "x: \"<private-key>\\n\""},
        {"-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----\n",
         "<private-key>\n"},
        {"  1\t-----BEGIN EC PRIVATE KEY-----\n  2\tMHcCAQEE\n  3\t-----END EC PRIVATE KEY-----",
         "  1\t<private-key>"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n" KEY_LINES "short words here",
         "<private-key>\nshort words here"},
        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" KEY_LINES "AAA=\nend",
         "<private-key>\nend"},
        {"some words\n" KEY_LINES "AAAEC=\n-----END OPENSSH PRIVATE KEY-----\nend",
         "some words\n<private-key>\nend"},
        {"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
         "<private-key>"},
        {"id AKIAIOSFODNN7EXAMPLE.", "id <aws-key>."},
        {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
         "aws_secret_access_key = <secret>\n"},
        {"AWS_SECRET_ACCESS_KEY=/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
         "AWS_SECRET_ACCESS_KEY=<secret>"},
        {"ghp_" A36, "<github>"},
        {"github_pat_" A36, "<github>"},
        {"glpat-" A36, "<gitlab>"},
        {"xoxb-123456789012-abcdef", "<slack>"},
        {"AIzaSyA" A36, "<google>"},
        {"sk_live_" A36, "<stripe>"},
        {"sk-ant-api03-" A36, "<anthropic>"},
        {"//registry.npmjs.org/:_authToken=npm_" A36, "//registry.npmjs.org/:_authToken=<token>"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def-ghi", "<jwt>"},
        {"root:$6$saltsalt$abcdefghijklmnopqrstuvwxyz./:19000:0:", "root:<hash>:19000:0:"},
        {"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "<hash>"},
        {"Authorization: Bearer abc.def", "Authorization: Bearer <authorization>"},
        {"-H 'authorization: Basic dXNlcjpwYXNz'", "-H 'authorization: Basic <authorization>'"},
        {"\"Authorization\": \"token abcdef\"", "\"Authorization\": \"token <authorization>\""},
        {"auth = 'Bearer " A36 "'", "auth = 'Bearer <authorization>'"},
        {"postgres://app:hunter2@db:5432/x", "postgres://app:<url-password>@db:5432/x"},
        {"redis://:hunter2@h", "redis://:<url-password>@h"},
        {"https://a:p@ss@h/", "https://a:<url-password>@h/"},
        {"PASSWORD=hunter2", "PASSWORD=<password>"},
        {"export DB_PASSWORD='two words'", "export DB_PASSWORD='<password>'"},
        {"POSTGRES_PASSWORD=mysecretpassword\n", "POSTGRES_PASSWORD=<password>\n"},
        {"password = mysecretpassword\n", "password = <password>\n"},
        {"  password: correct-horse # of the database\n",
         "  password: <password> # of the database\n"},
        {"{\"password\":\"hunter2\",\"x\":1}", "{\"password\":\"<password>\",\"x\":1}"},
        {"{\"a\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}",
         "{\"a\":\"{\\\"password\\\":\\\"<password>\\\"}\"}"},
        {"$config['db_password'] = 'hunter2';", "$config['db_password'] = '<password>';"},
        {"client_secret: 8f7a6b5c4d", "client_secret: <secret>"},
        {"SECRET_KEY_BASE=0a1b2c3d", "SECRET_KEY_BASE=<secret>"},
        {"api_key = \"0a1b2c3d\"", "api_key = \"<key>\""},
        {"AccountKey=abcd0123==;EndpointSuffix", "AccountKey=<key>"},
        {"tool --token hunter2 -v", "tool --token <token> -v"},
        {"tool --token=hunter2 -v", "tool --token=<token> -v"},
        {"GET /x?access_token=0a1b2c3d&y=2", "GET /x?access_token=<token>&y=2"},
        {"<password>hunter2</password>", "<password><password></password>"},
        {"x: \"PASSWORD=hunter2\\nHOST=h\"", "x: \"PASSWORD=<password>\\nHOST=h\""},
        {"token=0a1b2c3d token=4e5f6a7b", "token=<token> token=<token>"},
    };
    struct redactor *r = make(true, NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_redacted(r, cases[i].text, cases[i].expected);
    redactor_free(r);
}

static void code_and_prose_stay(void **state)
{
    static const char *const texts[] = {
        "",
        "The password must be changed every day.",
        "Password: must have at least 8 characters",
        "def login(user, password):\n    self.password = password\n",
        "const token = await getToken(user);",
        "if (token == NULL) return;",
        "token = access_token",
        "password: userPassword,",
        "login(password=user_password)",
        "    password: str",
        "    password: string;",
        "token: Option<String>,",
        "PASSWORD=$DB_PASSWORD",
        "PASSWORD=${DB_PASSWORD:-}",
        "password: {{ vault_password }}",
        "password: \"Enter your password\"",
        "password: ''",
        "password: null",
        "password=********",
        "token_url = https://example.com/x",
        "max_tokens = 4096",
        "tokenizer: bert-base",
        "password_file: /run/secrets/db",
        "secret: /run/secrets/db",
        "secretName: tls-cert",
        "key: value",
        "monkey = banana",
        "Token::new(x)",
        "http://localhost:8080/a@b",
        "git@github.com:user/repo.git",
        "mailto:user@example.com",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "AKIA",
        "MAKIAIOSFODNN7EXAMPLE1",
        "the ghp_ prefix",
        "eyJ.eyJ.x",
        "costs $5$ or so",
        "Authorization: required for all",
        "the bearer of this",
    };
    struct redactor *r = make(true, NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_redacted(r, texts[i], texts[i]);
    redactor_free(r);
}

/* The same secret has the same digits wherever it is, another one has others; another key, too. */
static void markers_are_stable(void **state)
{
    struct redactor *r = make(true, NULL, 0);
    uint64_t count;
    (void)state;
    char *a = redacted(r, "PASSWORD=hunter2", &count);
    char *b = redacted(r, "x\npg://u:hunter2@h PASSWORD=hunter3", &count);
    const char *digits = strrchr(a, ':') + 1;
    assert_non_null(strstr(b, digits));
    assert_int_equal(count, 2);
    assert_string_not_equal(strrchr(b, ':') + 1, digits);
    struct redactor_config config = {.defaults = true, .key = "another one"};
    struct redactor *other;
    struct failure why;
    assert_int_equal(redactor_new(&other, &config, &why), 0);
    char *c = redacted(other, "PASSWORD=hunter2", &count);
    assert_string_not_equal(a, c);
    free(a);
    free(b);
    free(c);
    redactor_free(other);
    redactor_free(r);
}

static void markers_are_no_secrets(void **state)
{
    static const char text[] = "password=[redacted:password:01234567] \"token\":\"[redacted:"
                               "token:01234567]\" a://b:[redacted:url-password:01234567]@c";
    struct redactor *r = make(true, NULL, 0);
    uint64_t count;
    (void)state;
    char *out = redacted(r, text, &count);
    assert_string_equal(out, text);
    free(out);
    redactor_free(r);
}

/* Wherever a secret begins, at whatever place of the steps that the search takes. */
static void secrets_are_found_at_every_place(void **state)
{
    static const char *const secrets[] = {"AKIAIOSFODNN7EXAMPLE", "ghp_" A36, "PASSWORD=hunter2",
                                          "a://b:hunter2@c", KEY};
    struct redactor *r = make(true, NULL, 0);
    char text[1024];
    uint64_t count;
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        for (int before = 0; before < 40; before++) {
            snprintf(text, sizeof text, "%*s%s%*s", before, "", secrets[i], before % 7, "");
            char *out = redacted(r, text, &count);
            assert_int_equal(count, 1);
            assert_null(strstr(out, "hunter2"));
            free(out);
        }
    }
    redactor_free(r);
}

/* What the redaction of any cut text holds of a key is nothing that is a key's. */
static void half_a_key_is_found_too(void **state)
{
    struct redactor *r = make(true, NULL, 0);
    uint64_t count;
    (void)state;
    for (size_t len = strlen("-----BEGIN OPENSSH PRIVATE KEY-----") + 20; len < strlen(KEY);
         len++) {
        char *head = strndup(KEY, len), *out = redacted(r, head, &count);
        assert_null(strstr(out, "b3BlbnNz"));
        free(head);
        free(out);
        out = redacted(r, &KEY[strlen(KEY) - len], &count);
        assert_null(strstr(out, "c3R1dnd4"));
        free(out);
    }
    redactor_free(r);
}

/* A value whose closing quote had been cut off, or was far away, was shown. */
static void values_without_an_end_are_found(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"DB_PASSWORD=\"hunter2 abc\ndef\"", "DB_PASSWORD=\"<password>\ndef\""},
        {"{\"password\": \"hunter2", "{\"password\": \"<password>"},
        {"he said password: \"what a word", "he said password: \"what a word"},
        {"a:\n  password: |\n    hunter2\n    abc\n  b: c\n",
         "a:\n  password: |\n    <password>\n  b: c\n"},
        {"token: >-\r\n  hunter2", "token: >-\r\n  <token>"},
        {"token: |\nhunter2", "token: |\nhunter2"},
        {"SMTP_PASS: hunter2", "SMTP_PASS: <password>"},
        {"db_pass=hunter2", "db_pass=<password>"},
    };
    struct redactor *r = make(true, NULL, 0);
    char text[20000], *out;
    uint64_t count;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_redacted(r, cases[i].text, cases[i].expected);
    for (int quoted = 0; quoted < 2; quoted++) {
        memset(text, 0, sizeof text);
        strcpy(text, quoted ? "\"secret\":\"" : "secret=");
        for (size_t i = strlen(text); i < 9000; i++)
            text[i] = "Zx7"[i % 3];
        out = redacted(r, text, &count);
        assert_null(strstr(out, "Zx7"));
        free(out);
    }
    redactor_free(r);
}

static void patterns_are_added(void **state)
{
    static const char *const patterns[] = {"ACME-[0-9]{4}", "^pin (\\d+)$", "x*"};
    struct redactor *r = make(false, patterns, 3);
    (void)state;
    assert_redacted(r, "a ACME-1234 b", "a <pattern> b");
    assert_redacted(r, "a\npin 4711\nb", "a\npin <pattern>\nb");
    assert_redacted(r, "PASSWORD=hunter2", "PASSWORD=hunter2"); /* without the defaults */
    assert_redacted(r, "axxb\xC3\xA4", "a<pattern>b\xC3\xA4");
    redactor_free(r);
    r = make(true, patterns, 1);
    assert_redacted(r, "PASSWORD=ACME-1234-5", "PASSWORD=<password>");
    redactor_free(r);
}

static void wrong_patterns_are_refused(void **state)
{
    static const char *const wrong[] = {"(", "[a", "", "\\C", "a{2,1}"};
    struct failure why;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(redactor_check_pattern(wrong[i], &why), SCOUT_E_INVALID_ARGUMENT);
        assert_true(strlen(why.text) > 10);
    }
    assert_int_equal(redactor_check_pattern("a+", &why), 0);
}

/* A text on which a pattern takes forever is withheld, and soon. */
static void what_cannot_be_checked_is_withheld(void **state)
{
    static const char *const patterns[] = {"^(a|aa)+$"};
    struct redactor *r = make(true, patterns, 1);
    char text[4096];
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 2, "!", 2);
    assert_redacted(r, text, "<unchecked>");
    redactor_free(r);
}

/* Each match had steps of its own, so that many of them took minutes. */
static void steps_are_of_the_whole_text(void **state)
{
    static const char *const patterns[] = {"x(a|aa)+$|b"};
    static const char piece[] = "xaaaaaaaaaaaaaaaaaaaaab";
    struct redactor *r = make(false, patterns, 1);
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    (void)state;
    for (size_t at = 0; at < size; at++)
        text[at] = piece[at % strlen(piece)];
    text[size] = '\0';
    assert_redacted(r, text, "<unchecked>");
    free(text);
    redactor_free(r);
}

/* PCRE2's own limit counts for each place anew where a match may begin: of these, each place of the
 * text took few steps, and the whole seconds to hours. */
static void steps_count_over_all_begins_of_a_match(void **state)
{
    static const char *const patterns[] = {"(a|b)+c", "[a-z]+@@", "a++b", "(?>[a-z]*)!!"};
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    (void)state;
    memset(text, 'a', size);
    strcpy(text + size - 16, " c @@ b !! c @");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct redactor *r = make(false, &patterns[i], 1);
        assert_redacted(r, text, "<unchecked>");
        redactor_free(r);
    }
    free(text);
}

/* A result of many texts has one budget; when it is spent, only what is checked soon is told. */
static void texts_share_their_budget(void **state)
{
    static const char *const patterns[] = {"^(a|aa)+$"};
    struct redactor *r = make(true, patterns, 1);
    struct redact_budget budget = redact_budget_of(r, 1000);
    struct redact_counts counts = {0};
    struct buf out;
    (void)state;
    buf_init(&out, 1u << 16);
    assert_int_equal(redact(r, slice_str("aaaaaaaaaaa!"), &out, &counts, &budget), 0);
    assert_int_equal(counts.unchecked, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(
            redact(r, slice_str("aaaaaaaaaaaaaaaaaaaaaaaaaaa!"), &out, &counts, &budget), 0);
    assert_true(budget.is_short);
    assert_in_range(counts.unchecked, 99, 100);
    assert_int_equal(counts.secrets, 0);
    buf_clear(&out);
    assert_int_equal(redact(r, slice_str("directory"), &out, &counts, &budget), 0);
    assert_true(slice_is(buf_peek(&out), "directory"));
    buf_fini(&out);
    redactor_free(r);
}

/* What patterns usually are like takes a small part of the steps that there are. */
static void steps_suffice_for_usual_patterns(void **state)
{
    static const char *const patterns[] = {"corp-[0-9]{6}", "(?i)acme[-_]key=(\\S+)",
                                           "\\b[a-f0-9]{32}\\b", "[A-Za-z0-9+/]{40}",
                                           "^.*internal use.*$"};
    const size_t count = sizeof patterns / sizeof patterns[0];
    static const char line[] = "12:03:44 host-7 daemon[431]: an acme thing at 10.0.0.1 took 5 ms\n";
    struct redactor *r = make(true, patterns, count);
    struct redact_counts counts = {0};
    struct buf text, out;
    (void)state;
    buf_init(&text, 1u << 24);
    buf_init(&out, 1u << 24);
    while (buf_len(&text) < 1000000)
        assert_int_equal(buf_append_str(&text, line), 0);
    struct redact_budget budget = redact_budget_of(r, buf_len(&text)), all = budget;
    assert_int_equal(redact(r, buf_peek(&text), &out, &counts, &budget), 0);
    assert_int_equal(counts.unchecked + counts.secrets, 0);
    assert_true(budget.steps > all.steps / 2);
    buf_fini(&text);
    buf_fini(&out);
    redactor_free(r);
}

/* ---- parts and lines ---- */

/* What is told of `text` from `from` to `to`, to be freed. */
static char *range_of(const struct redactor *r, const char *text, size_t from, size_t to)
{
    struct redact_counts counts = {0};
    struct redact_budget budget = redact_budget_of(r, strlen(text));
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(redact_range(r, slice_str(text), from, to, &out, &counts, &budget), 0);
    char *copy = strndup(buf_len(&out) ? (const char *)buf_peek(&out).data : "", buf_len(&out));
    assert_non_null(copy);
    buf_fini(&out);
    return copy;
}

/* Each kind of secret is cut in two at each of its bytes, and nothing of either half is told. */
static void halves_are_redacted_with_what_is_around_them(void **state)
{
    static const char *const patterns[] = {"ACME-[0-9]{12}"};
    static const struct {
        const char *before, *secret, *behind;
    } cases[] = {
        {"x\n", KEY, "\ny"},
        {"x\nDB_PASSWORD=", "hunter2pass", "\ny"},
        {"t: ", "ghp_" A36, " y"},
        {"t: ", "AKIAABCDEFGHIJKLMNOP", "\n"},
        {"t: ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop", "\n"},
        {"postgres://app:", "s3cr3tword", "@db/x"},
        {"Authorization: Basic ", "dXNlcjpwYXNzd29yZA==", "\n"},
        {"root:", "$6$abcdefgh$" A36 A36, ":1"},
        {"", "ACME-123456789012", "\n"},
        {"{\"apiKey\": \"", "0a1b2c3d4e5f", "\"}"},
    };
    struct redactor *r = make(true, patterns, 1);
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t from = strlen(cases[i].before), len = strlen(cases[i].secret);
        snprintf(text, sizeof text, "%s%s%s", cases[i].before, cases[i].secret, cases[i].behind);
        for (size_t cut = 0; cut <= len; cut++) {
            char *first = range_of(r, text, 0, from + cut);
            char *last = range_of(r, text, from + cut, strlen(text));
            assert_memory_equal(first, cases[i].before, from);
            assert_true(cut == 0 || strncmp(first + from, "[redacted:", 10) == 0);
            assert_true(cut == len || strncmp(last, "[redacted:", 10) == 0 || last[0] == '\n');
            assert_null(cut >= 3 ? strstr(first + from, "ABCD") : NULL);
            size_t tail = strlen(cases[i].behind);
            assert_string_equal(last + strlen(last) - tail, cases[i].behind);
            /* Nothing but markers and line breaks stands between. */
            shorten(first);
            shorten(last);
            for (char *at = first + from; *at; at++)
                assert_true(*at == '\n' || *at == '<' || strchr(at, '>'));
            free(first);
            free(last);
        }
    }
    redactor_free(r);
}

/* A part keeps its lines, whatever is taken out of it. */
static void parts_keep_their_lines(void **state)
{
    struct redactor *r = make(true, NULL, 0);
    const char *text = "a\n" KEY "\nz\n";
    (void)state;
    for (size_t from = 0; from < strlen(text); from++) {
        char *part = range_of(r, text, from, strlen(text));
        size_t lines = 0, expected = 0;
        for (const char *at = part; *at; at++)
            lines += *at == '\n';
        for (const char *at = text + from; *at; at++)
            expected += *at == '\n';
        assert_int_equal(lines, expected);
        free(part);
    }
    redactor_free(r);
}

#define CERT_LINE "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ"
#define KEY_LINE  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDYa3mQb7wqO9vZ"

static void lines_of_a_key_are_told_by_what_is_around_them(void **state)
{
    /* `lines` with their numbers; what is hidden: p private-key, b base64, . nothing. */
    static const struct {
        struct {
            uint64_t number;
            const char *text;
        } lines[8];
        const char *hidden;
    } cases[] = {
        {{{1, "-----BEGIN PRIVATE KEY-----"}, {2, KEY_LINE}, {3, "QUJD"}, {4, "plain text"}},
         ".pp."},
        {{{1, "-----BEGIN RSA PRIVATE KEY-----"},
          {2, "Proc-Type: 4,ENCRYPTED"},
          {3, ""},
          {4, KEY_LINE},
          {9, KEY_LINE},
          {12, "abc"}},
         "...pp."},
        {{{7, KEY_LINE}, {8, "QUJDRA=="}, {9, "-----END PRIVATE KEY-----"}, {10, "x = 1"}}, "pp.."},
        {{{3, KEY_LINE}, {9, "-----END PRIVATE KEY-----"}}, "p."},
        {{{5, KEY_LINE}}, "b"},
        {{{5, "  " KEY_LINE}, {9, "\tx = 1"}}, "b."},
        {{{1, "-----BEGIN CERTIFICATE-----"}, {2, CERT_LINE}, {3, CERT_LINE}}, "..."},
        {{{1, "-----BEGIN CERTIFICATE-----"}, {2, CERT_LINE}, {40, KEY_LINE}}, "..b"},
        {{{1, "-----BEGIN PUBLIC KEY-----"},
          {2, CERT_LINE},
          {3, "-----END PUBLIC KEY-----"},
          {4, KEY_LINE}},
         "...b"},
        /* Innocent: hashes, code, prose, a key in one line of JSON. */
        {{{1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}, "."},
        {{{1, "if (strstr(text, \"-----BEGIN PRIVATE KEY-----\"))"},
          {2, "    return pem_decode(text, &key);"},
          {3, "return somethingThatIsAVeryLongIdentifierInAProgramOfSomebody0;"}},
         "..."},
        {{{1, "{\"k\": \"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\"}"},
          {2, "\"clientAuthenticationMethods\": []"}},
         ".."},
        {{{1, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3 me"}}, "."},
    };
    struct redactor *r = make(true, NULL, 0), *without = make(false, NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct redact_line lines[8];
        size_t count = strlen(cases[i].hidden);
        for (size_t k = 0; k < count; k++)
            lines[k] = (struct redact_line){slice_str(cases[i].lines[k].text),
                                            cases[i].lines[k].number, "x"};
        redact_lines(r, lines, count);
        for (size_t k = 0; k < count; k++) {
            char kind = lines[k].kind ? lines[k].kind[0] : '.';
            if (kind != cases[i].hidden[k])
                fail_msg("case %zu line %zu: %c", i, k, kind);
        }
        redact_lines(without, lines, count);
        for (size_t k = 0; k < count; k++)
            assert_null(lines[k].kind);
    }
    redactor_free(r);
    redactor_free(without);
}

/* The words of an error may end within a character, or be a host's own bytes: PCRE2 was told that
 * they were UTF-8. */
static void patterns_bear_text_that_is_no_utf8(void **state)
{
    static const char *const patterns[] = {"ACME-\\w{4}"};
    static const char *const texts[] = {"\xC3 ACME-1234 \xE2\x82", "\xFF", "ACME-12\xF0\x9F\x98"};
    struct redactor *r = make(false, patterns, 1);
    uint64_t count;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *out = redacted(r, texts[i], &count);
        assert_int_equal(count, i == 0);
        assert_null(strstr(out, "1234"));
        free(out);
    }
    redactor_free(r);
}

/* Texts made to be searched in again and again cost a bounded time for each byte. */
static void hostile_text_is_searched_once(void **state)
{
    static const char *const pieces[] = {"-----BEGIN PRIVATE KEY-----",
                                         "-----END PRIVATE KEY-----\n",
                                         "token=",
                                         "://",
                                         "eyJ",
                                         "\"password\":\"",
                                         "$6$",
                                         "Authorization: x ",
                                         "key",
                                         "api_key = a(",
                                         "://a:"};
    struct redactor *r = make(true, NULL, 0);
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    uint64_t count;
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t at = 0; at < size; at++)
            text[at] = pieces[i][at % strlen(pieces[i])];
        text[size] = '\0';
        free(redacted(r, text, &count));
    }
    free(text);
    redactor_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_of_every_kind_are_found),
        cmocka_unit_test(code_and_prose_stay),
        cmocka_unit_test(markers_are_stable),
        cmocka_unit_test(markers_are_no_secrets),
        cmocka_unit_test(secrets_are_found_at_every_place),
        cmocka_unit_test(half_a_key_is_found_too),
        cmocka_unit_test(values_without_an_end_are_found),
        cmocka_unit_test(patterns_are_added),
        cmocka_unit_test(wrong_patterns_are_refused),
        cmocka_unit_test(what_cannot_be_checked_is_withheld),
        cmocka_unit_test(steps_are_of_the_whole_text),
        cmocka_unit_test(steps_count_over_all_begins_of_a_match),
        cmocka_unit_test(texts_share_their_budget),
        cmocka_unit_test(steps_suffice_for_usual_patterns),
        cmocka_unit_test(halves_are_redacted_with_what_is_around_them),
        cmocka_unit_test(parts_keep_their_lines),
        cmocka_unit_test(lines_of_a_key_are_told_by_what_is_around_them),
        cmocka_unit_test(patterns_bear_text_that_is_no_utf8),
        cmocka_unit_test(hostile_text_is_searched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
