/* The scripts that write files, in every login shell that is installed. */
#include "put_script.h"

#include "../pool/shells.h"
#include "exec_reply.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT_MAX 65536

static const char *const names[] = {"plain", "a b",     "it's",  "back\\slash", "new\nline",
                                    "end\n", "!bang!!", "$HOME", "*",           "%s"};

struct place {
    const struct shell_kind *shell;
    char base[32], path[128], temp[128];
    struct shell_run run;
};

static void run(struct place *p, struct buf *line, int error, const char *input)
{
    assert_int_equal(error, 0);
    assert_int_equal(buf_append(line, slice_of("", 1)), 0);
    shell_run(p->shell, (const char *)buf_peek(line).data, input, &p->run);
    buf_clear(line);
}

static struct slice said(const struct place *p)
{
    struct slice words = {0};
    if (!put_script_reply(slice_of(p->run.out, p->run.out_len), &words))
        fail_msg("%s: %s%s", p->shell->argv[0], p->run.out, p->run.err);
    return words;
}

static void expect_words(const struct place *p, const char *expected)
{
    struct slice words = said(p);
    while (words.len > 0 && words.data[0] == ' ')
        words = slice_skip(words, 1);
    assert_int_equal(words.len, strlen(expected));
    assert_memory_equal(words.data, expected, words.len);
}

static void expect_look(const struct place *p, bool exists)
{
    struct exec_reply r;
    exec_reply_init(&r, 8);
    (void)!exec_reply_feed(&r, slice_of(p->run.out, p->run.out_len));
    if (exec_reply_end(&r) != 0 || r.kind != EXEC_REPLY_FILE)
        fail_msg("%s: %s%s", p->shell->argv[0], p->run.out, p->run.err);
    assert_true(slice_is(buf_peek(&r.text), exists ? "old" : "new"));
    assert_true(slice_is(buf_peek(&r.real_path), p->path));
    assert_int_equal(r.attrs.flags & SFTP_ATTR_SIZE, SFTP_ATTR_SIZE);
    exec_reply_fini(&r);
}

static void expect_text(const char *path, const char *text)
{
    char have[64] = "";
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_int_equal(fread(have, 1, sizeof have - 1, f), strlen(text));
    fclose(f);
    assert_string_equal(have, text);
}

/* Looks, writes, and puts in place, first where nothing is, then over it. */
static void write_twice(struct place *p)
{
    struct buf line;
    struct stat st;
    buf_init(&line, SCRIPT_MAX);
    for (unsigned round = 0; round < 2; round++) {
        const char *text = round ? "second\n" : "first\n";
        const struct put_script_place place = {
            .temp = p->temp,
            .path = p->path,
            .mode = 0640,
            .mode_unkept = 0600,
            .condition = round ? FILE_PUT_ANY : FILE_PUT_ABSENT,
        };
        run(p, &line, put_script_look(&line, p->path), "");
        expect_look(p, round > 0);
        run(p, &line, put_script_write(&line, p->temp), text);
        expect_words(p, round ? "7" : "6");
        assert_int_equal(stat(p->temp, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        run(p, &line, put_script_place(&line, &place), "");
        assert_int_equal(said(p).data[0], '1');
        expect_text(p->path, text);
        assert_int_equal(stat(p->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(access(p->temp, F_OK), -1);
    }
    buf_fini(&line);
}

/* What may not be there, and what is not as it was, stays. */
static void refuse(struct place *p)
{
    struct buf line;
    struct put_script_place place = {.temp = p->temp, .path = p->path, .mode = 0640};
    const enum file_put_condition conditions[] = {FILE_PUT_ABSENT, FILE_PUT_ETAG};
    const int statuses[] = {PUT_SCRIPT_EXISTS, PUT_SCRIPT_CHANGED};
    buf_init(&line, SCRIPT_MAX);
    run(p, &line, put_script_write(&line, p->temp), "third");
    for (unsigned i = 0; i < 2; i++) {
        place.condition = conditions[i];
        place.etag = "\"1-7\"";
        run(p, &line, put_script_place(&line, &place), "");
        assert_int_equal(WEXITSTATUS(p->run.status), statuses[i]);
        expect_text(p->path, "second\n");
    }
    run(p, &line, put_script_write(&line, p->temp), "never through what is there");
    assert_int_not_equal(WEXITSTATUS(p->run.status), 0);
    expect_text(p->temp, "third");
    run(p, &line, put_script_remove(&line, p->temp), "");
    expect_words(p, "removed");
    run(p, &line, put_script_remove(&line, p->temp), "");
    expect_words(p, "missing");
    buf_fini(&line);
}

static void every_shell_writes_files_of_every_name(void **state)
{
    (void)state;
    for (size_t s = 0; s < shell_count; s++) {
        struct place p = {.shell = &shells[s], .base = "/tmp/scout-put-XXXXXX"};
        char command[64];
        if (!shell_installed(&shells[s]))
            continue;
        assert_non_null(mkdtemp(p.base));
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            snprintf(p.path, sizeof p.path, "%s/%s", p.base, names[i]);
            snprintf(p.temp, sizeof p.temp, "%s/.scout-%zu.tmp", p.base, i);
            write_twice(&p);
            if (i < 2)
                refuse(&p);
        }
        snprintf(command, sizeof command, "rm -rf %s", p.base);
        assert_int_equal(system(command), 0);
    }
}

static void a_reply_is_its_last_line(void **state)
{
    struct slice words = {0};
    (void)state;
    assert_true(put_script_reply(slice_str("hello\n@scout-put 1\n\n@scout-put 2 x\n"), &words));
    assert_true(slice_is(words, "2 x"));
    assert_false(put_script_reply(slice_str("@scout-put 1\n"), &words)); /* not at a line's begin */
    assert_false(put_script_reply(slice_str("\n@scout-put 1"), &words)); /* cut off */
    assert_false(put_script_reply(slice_str(""), &words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shell_writes_files_of_every_name),
        cmocka_unit_test(a_reply_is_its_last_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
