/* See keys.h. */
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs a program; its exit code, or 127. */
static int run(const char *const *argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(126);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

bool keys_open(struct keys *k)
{
    const char *const probe[] = {"ssh-keygen", "-l", "-f", "/nonexistent", NULL};
    if (run(probe) == 127)
        return false;
    snprintf(k->dir, sizeof k->dir, "/tmp/scout-keys-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    return true;
}

void keys_close(struct keys *k)
{
    const char *const remove_all[] = {"rm", "-rf", "--", k->dir, NULL};
    assert_int_equal(run(remove_all), 0);
}

const char *keys_path(const struct keys *k, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", k->dir, name);
    return path;
}

void keys_make(const struct keys *k, const char *name, const char *type, const char *passphrase)
{
    const char *const argv[] = {"ssh-keygen", "-q", "-t", type, "-N",
                                passphrase,   "-C", name, "-f", keys_path(k, name),
                                NULL};
    assert_int_equal(run(argv), 0);
}

void keys_write(const struct keys *k, const char *name, const char *text)
{
    FILE *file = fopen(keys_path(k, name), "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

struct ssh_key *keys_load(const struct keys *k, const char *name, const char *passphrase)
{
    char text[8192];
    struct failure why;
    struct ssh_key *key = NULL;
    FILE *file = fopen(keys_path(k, name), "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    int error = ssh_key_parse(&key, slice_of(text, len), slice_str(passphrase), name, &why);
    if (error)
        print_error("%s\n", why.text);
    assert_int_equal(error, 0);
    return key;
}
