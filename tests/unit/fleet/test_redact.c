/* What is taken for a secret in text from hosts, and what is not. */
#include "redact_rig.h"

#include <stdio.h>
#include <stdlib.h>

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

/* ---- parts and lines ---- */

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
        cmocka_unit_test(hostile_text_is_searched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
