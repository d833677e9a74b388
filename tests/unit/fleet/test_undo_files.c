/* The kept states as files: over restarts, kills, full disks, and by other people's hands. */
#include "undo_entry.h"
#include "undo_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h, stdarg.h, stddef.h and stdint.h first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW UINT64_C(1700000000000)

static char place[64], folder[72];
static struct undo_files files;
static struct undo_state state, found;
static struct buf content;
static struct failure why;
static const char *now_there = "after"; /* the file's content, when a state is looked for */

static void run(const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "cd %s && %s", place, command);
    int status = system(line);
    assert_int_equal(status, 0);
}

static int set_up(void **unused)
{
    (void)unused;
    strcpy(place, "/tmp/undo-files-XXXXXX");
    assert_non_null(mkdtemp(place));
    snprintf(folder, sizeof folder, "%s/undo", place);
    undo_files_init(&files, folder);
    return 0;
}

static int tear_down(void **unused)
{
    char line[256];
    (void)unused;
    undo_files_fini(&files);
    snprintf(line, sizeof line, "chmod -R u+rwx %s && rm -r %s", place, place);
    return system(line);
}

static void restart(void)
{
    undo_files_fini(&files);
    undo_files_init(&files, folder);
}

static int keep(const char *owner, const char *path, uint64_t time_ms, struct slice text)
{
    static uint32_t number;
    uint8_t random[16] = {0};
    number++;
    memcpy(random, &number, sizeof number);
    state = (struct undo_state){.time_ms = time_ms,
                                .was_there = true,
                                .has_mode = true,
                                .mode = 0640,
                                .is_there = true,
                                .content = text};
    undo_entry_id(random, state.id);
    strcpy(state.owner, owner);
    strcpy(state.host, "web1");
    strcpy(state.path, path);
    assert_true(undo_hash(slice_str("after"), state.hash));
    return undo_files_keep(&files, &state, &why);
}

static void assert_keep(const char *owner, const char *path, uint64_t time_ms, const char *text)
{
    if (keep(owner, path, time_ms, slice_str(text)) != 0)
        fail_msg("%s", why.text);
}

static int find(const char *owner, const char *path, const char *id, uint64_t now_ms)
{
    struct undo_state wanted = {0};
    strcpy(wanted.owner, owner);
    strcpy(wanted.host, "web1");
    strcpy(wanted.path, path);
    strcpy(wanted.id, id);
    wanted.is_there = true;
    assert_true(undo_hash(slice_str(now_there), wanted.hash));
    buf_fini(&content);
    buf_init(&content, UNDO_FILE_MAX);
    int error = undo_files_find(&files, &wanted, now_ms, &found, &content, &why);
    if (!error)
        assert_true(slice_equal(found.content, buf_peek(&content)));
    return error;
}

static void assert_found(const char *owner, const char *path, const char *text)
{
    assert_int_equal(find(owner, path, "", NOW), 0);
    assert_true(slice_is(buf_peek(&content), text));
}

static unsigned names(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* ---- tests ---- */

static void what_was_kept_is_found_over_restarts(void **unused)
{
    (void)unused;
    char first[UNDO_ID_LEN + 1];
    assert_keep("uid:1", "/a", NOW, "one");
    strcpy(first, state.id);
    assert_keep("uid:1", "/a", NOW + 1, "two");
    assert_keep("uid:1", "/b", NOW + 2, "");
    for (int round = 0; round < 2; round++, restart()) {
        assert_found("uid:1", "/a", "two");
        assert_found("uid:1", "/b", "");
        assert_int_equal(find("uid:1", "", first, NOW), 0);
        assert_true(slice_is(found.content, "one"));
        assert_string_equal(found.id, first);
        assert_string_equal(found.host, "web1");
        assert_string_equal(found.path, "/a");
        assert_true(found.was_there && found.has_mode && found.is_there && !found.of_undo);
        assert_int_equal(found.mode, 0640);
        assert_memory_equal(found.hash, state.hash, UNDO_HASH_LEN);
        assert_int_equal(find("uid:1", "/c", "", NOW), SCOUT_E_NO_UNDO);
        assert_non_null(strstr(why.text, "web1:/c"));
    }
    undo_files_drop(&files, first);
    assert_int_equal(find("uid:1", "", first, NOW), 0); /* not open since the restart */
    undo_files_drop(&files, first);
    assert_int_equal(find("uid:1", "", first, NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(names(), 2);
}

/* A kill after a state was kept, before its change came, leaves one that fits nothing. */
static void a_change_that_never_came_is_passed_over(void **unused)
{
    (void)unused;
    assert_keep("uid:1", "/a", NOW, "before");
    now_there = "something else";
    assert_int_equal(find("uid:1", "/a", "", NOW), SCOUT_E_CHANGED);
    assert_non_null(strstr(why.text, "web1:/a is not what a change of yours left"));
    assert_int_equal(find("uid:2", "/a", "", NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:1", "", state.id, NOW), 0);
    now_there = "after";
    state.time_ms = NOW + 1;
    undo_entry_id((const uint8_t *)"0123456789abcdef", state.id);
    assert_true(undo_hash(slice_str("never there"), state.hash));
    state.content = slice_str("after");
    assert_int_equal(undo_files_keep(&files, &state, &why), 0);
    for (int round = 0; round < 2; round++, restart())
        assert_found("uid:1", "/a", "before");
    assert_true(undo_hash(slice_str("after"), state.hash));
}

static void a_state_is_its_owners_alone(void **unused)
{
    (void)unused;
    assert_keep("uid:1", "/a", NOW, "one");
    assert_int_equal(find("uid:2", "/a", "", NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:2", "", state.id, NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:1", "", state.id, NOW), 0);
}

static void only_the_owner_of_the_process_may_look(void **unused)
{
    struct stat st;
    char path[256];
    (void)unused;
    mode_t mask = umask(0);
    assert_keep("uid:1", "/a", NOW, "one");
    umask(mask);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "%s/%s", folder, state.id);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    run("chmod 755 undo");
    restart();
    assert_found("uid:1", "/a", "one");
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void what_is_too_old_goes(void **unused)
{
    (void)unused;
    assert_keep("uid:1", "/a", NOW, "one");
    assert_keep("uid:1", "/b", NOW + 1000, "two");
    assert_int_equal(find("uid:1", "/a", "", NOW + UNDO_LIFE_MS), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:1", "/b", "", NOW + UNDO_LIFE_MS), 0);
    assert_int_equal(names(), 1);
    restart(); /* also what a daemon before this one left */
    undo_files_prune(&files, NOW + 1000 + UNDO_LIFE_MS);
    assert_int_equal(names(), 0);
    assert_keep("uid:1", "/c", NOW + 3 * (uint64_t)UNDO_LIFE_MS, "of a clock that was set back");
    undo_files_prune(&files, NOW);
    assert_int_equal(names(), 0);
}

static void nothing_is_made_to_find_nothing(void **unused)
{
    (void)unused;
    undo_files_prune(&files, NOW);
    assert_int_not_equal(access(folder, F_OK), 0);
}

static void the_oldest_go_when_there_are_too_many(void **unused)
{
    (void)unused;
    char owner[16], path[16];
    for (unsigned i = 0; i <= UNDO_EACH_MAX; i++) {
        snprintf(path, sizeof path, "/%u", i);
        assert_keep("uid:0", path, NOW + i, "x");
    }
    assert_int_equal(names(), UNDO_EACH_MAX);
    assert_int_equal(find("uid:0", "/0", "", NOW), SCOUT_E_NO_UNDO);
    assert_found("uid:0", "/1", "x");
    for (unsigned i = 0; i < UNDO_COUNT_MAX; i++) {
        snprintf(owner, sizeof owner, "uid:%u", 1 + i / UNDO_EACH_MAX);
        assert_keep(owner, "/x", NOW + 1000 + i, "x");
    }
    assert_int_equal(names(), UNDO_COUNT_MAX);
    assert_int_equal(find("uid:0", "/256", "", NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(files.count, UNDO_COUNT_MAX);
}

static void the_oldest_of_an_owner_go_when_they_are_too_large(void **unused)
{
    (void)unused;
    char path[16];
    char *large = calloc(1, UNDO_FILE_MAX);
    assert_non_null(large);
    assert_keep("uid:2", "/other", NOW - 1, "other");
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "/%u", i);
        assert_int_equal(keep("uid:1", path, NOW + i, slice_of(large, UNDO_FILE_MAX)), 0);
    }
    free(large);
    assert_int_equal(find("uid:1", "/1", "", NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:1", "/2", "", NOW), 0);
    assert_int_equal(buf_len(&content), UNDO_FILE_MAX);
    assert_found("uid:2", "/other", "other");
    assert_int_equal(names(), 4);
}

static void what_is_no_state_goes(void **unused)
{
    char line[512];
    (void)unused;
    assert_keep("uid:1", "/cut", NOW, "a content of some length");
    snprintf(line, sizeof line, "truncate -s -1 undo/%s", state.id);
    run(line);
    assert_keep("uid:1", "/longer", NOW, "text");
    snprintf(line, sizeof line, "echo more >> undo/%s", state.id);
    run(line);
    assert_keep("uid:1", "/gone", NOW, "text");
    snprintf(line, sizeof line, "rm undo/%s", state.id);
    run(line);
    assert_int_equal(find("uid:1", "/gone", "", NOW), SCOUT_E_NO_UNDO);
    assert_int_equal(find("uid:1", "/cut", "", NOW), SCOUT_E_NO_UNDO);
    assert_keep("uid:1", "/good", NOW, "good");
    run("touch undo/.new undo/undo_AAAAAAAAAAAAAAAAAAAAAA undo/x; ln -s /etc/passwd "
        "undo/undo_BAAAAAAAAAAAAAAAAAAAAA; mkfifo undo/undo_CAAAAAAAAAAAAAAAAAAAAA");
    restart();
    assert_found("uid:1", "/good", "good");
    assert_int_equal(names(), 1);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void a_folder_that_was_taken_away_is_made_anew(void **unused)
{
    (void)unused;
    assert_keep("uid:1", "/a", NOW, "one");
    run("rm -r undo");
    assert_keep("uid:1", "/b", NOW, "two");
    assert_found("uid:1", "/b", "two");
    assert_int_equal(find("uid:1", "/a", "", NOW), SCOUT_E_NO_UNDO);
}

static void a_folder_behind_a_link_is_not_used(void **unused)
{
    (void)unused;
    run("mkdir other && ln -s other undo");
    assert_int_equal(keep("uid:1", "/a", NOW, slice_str("x")), SCOUT_E_UNDO_UNAVAILABLE);
    run("rmdir other"); /* nothing is in it */
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_keeps_nothing_and_says_so(void **unused)
{
    (void)unused;
    char text[4096];
    memset(text, 'x', sizeof text);
    assert_keep("uid:1", "/a", NOW, "one");
    for (rlim_t room = 1; room < 4096; room += 500) {
        limit_files(room);
        int error = keep("uid:1", "/a", NOW, slice_of(text, sizeof text));
        limit_files(0);
        assert_int_equal(error, SCOUT_E_UNDO_UNAVAILABLE);
        assert_non_null(strstr(why.text, "File too large"));
        assert_int_equal(names(), 1);
    }
    assert_found("uid:1", "/a", "one");
    assert_int_equal(keep("uid:1", "/a", NOW + 1, slice_of(text, sizeof text)), 0);
}

/* Keeps one state after the other until it is killed. */
static _Noreturn void keep_on(struct slice text)
{
    for (unsigned i = 0;; i++)
        if (keep("uid:1", "/a", NOW + 1 + i, slice_of(text.data, 1 + (i * 7919) % text.len)) != 0)
            _exit(1);
}

/* Whenever the process is killed, what is found afterwards is whole. */
static void a_kill_leaves_whole_states(void **unused)
{
    (void)unused;
    static char text[200000];
    memset(text, 'y', sizeof text);
    assert_keep("uid:1", "/before", NOW, "before");
    for (unsigned round = 0; round < 40; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            keep_on(slice_of(text, sizeof text));
        usleep(500 * (round % 13));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        restart();
        assert_found("uid:1", "/before", "before");
        if (find("uid:1", "/a", "", NOW) == 0)
            assert_int_equal(buf_len(&content),
                             1 + ((found.time_ms - NOW - 1) * 7919) % sizeof text);
        assert_int_equal(names(), files.count);
        while (files.count > 1) {
            assert_int_equal(find("uid:1", "/a", "", NOW), 0);
            undo_files_drop(&files, found.id);
        }
    }
}

static void a_head_is_read_as_it_was_written(void **unused)
{
    struct buf head;
    (void)unused;
    state = (struct undo_state){.of_undo = true,
                                .is_there = true,
                                .was_there = true,
                                .time_ms = UINT64_C(0x123456789abcdef),
                                .content = slice_of(NULL, 77)};
    strcpy(state.owner, "o");
    strcpy(state.host, "h");
    strcpy(state.path, "/p\xff\n");
    memset(state.hash, 0xa5, sizeof state.hash);
    buf_init(&head, UNDO_HEAD_MAX);
    assert_int_equal(undo_entry_write(&state, &head), 0);
    struct slice bytes = buf_peek(&head);
    assert_int_equal(undo_entry_read(bytes, &found), (int)bytes.len);
    assert_string_equal(found.path, state.path);
    assert_int_equal(found.time_ms, state.time_ms);
    assert_int_equal(found.content.len, 77);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(undo_entry_read(slice_of(bytes.data, len), &found), SCOUT_E_PARSE);
    buf_fini(&head);
}

static void an_id_is_unlike_other_names(void **unused)
{
    char id[UNDO_ID_LEN + 1];
    uint8_t random[16];
    (void)unused;
    memset(random, 0xff, sizeof random);
    undo_entry_id(random, id);
    assert_string_equal(id, "undo______________________w");
    assert_true(undo_is_id(id));
    assert_false(undo_is_id("undo_AAAAAAAAAAAAAAAAAAAAA"));
    assert_false(undo_is_id("undo_AAAAAAAAAAAAAAAAAAAAAAA"));
    assert_false(undo_is_id("undo_AAAAAAAAAA/AAAAAAAAAAA"));
    assert_false(undo_is_id(".new"));
    assert_false(undo_is_id(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_found_over_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_never_came_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_state_is_its_owners_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_owner_of_the_process_may_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_old_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_made_to_find_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_go_when_there_are_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_of_an_owner_go_when_they_are_too_large, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_state_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_was_taken_away_is_made_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_behind_a_link_is_not_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_nothing_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_leaves_whole_states, set_up, tear_down),
        cmocka_unit_test(a_head_is_read_as_it_was_written),
        cmocka_unit_test(an_id_is_unlike_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
