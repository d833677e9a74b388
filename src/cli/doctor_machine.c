/* The machine: its kernel, whether io_uring may be used, and the limits of this user. */
#include "doctor.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KERNEL_MAJOR   6 /* what the README asks for */
#define KERNEL_MINOR   1
#define FILES_LEAST    1024u
#define MEMORY_LEAST   (2u * 1024u * 1024u) /* the heap that the daemon locks for secrets */
#define SYSCTL_PATH    "/proc/sys/kernel/io_uring_disabled"
#define IO_URING_FILES 4096 /* descriptors of a hundred hosts and many clients, generously */

void doctor_kernel(const struct doctor *d, struct finding *f)
{
    struct utsname name;
    int major = 0, minor = 0;
    (void)d;
    if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
        doctor_found(f, DOCTOR_WARN, "see that it is Linux 6.1 or newer", "cannot be told");
    else if (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR))
        doctor_found(f, DOCTOR_FAIL, "run Linux 6.1 or newer", "Linux %s is too old", name.release);
    else
        doctor_ok(f, "Linux %s", name.release);
}

static int read_sysctl(void)
{
    int value = 0;
    FILE *file = fopen(SYSCTL_PATH, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%d", &value) != 1)
        value = 0;
    fclose(file);
    return value;
}

void doctor_io_uring(const struct doctor *d, struct finding *f)
{
    struct io_uring_params params = {0};
    (void)d;
    int ring = (int)syscall(SYS_io_uring_setup, 8, &params);
    int error = errno, disabled = read_sysctl();
    if (ring >= 0) {
        close(ring);
        doctor_ok(f, "may be used");
    } else if (error == EPERM && disabled > 0) {
        doctor_found(f, DOCTOR_FAIL, "sysctl kernel.io_uring_disabled=0",
                     "switched off: kernel.io_uring_disabled is %d", disabled);
    } else if (error == EPERM || error == ENOSYS) {
        doctor_found(
            f, DOCTOR_FAIL,
            "allow io_uring_setup, io_uring_enter and io_uring_register in the container's "
            "seccomp profile",
            "forbidden (%s): a seccomp profile, as Docker's default one, is in the way",
            strerror(error));
    } else if (error == ENOMEM) {
        doctor_found(f, DOCTOR_FAIL, "raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)",
                     "there is no memory for a ring");
    } else {
        doctor_found(f, DOCTOR_FAIL, "see what the kernel's log says of it", "refused: %s",
                     strerror(error));
    }
}

/* The daemon raises the soft limit to the hard one by itself. */
void doctor_files_limit(const struct doctor *d, struct finding *f)
{
    struct rlimit limit;
    (void)d;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        doctor_found(f, DOCTOR_WARN, "see ulimit -Hn", "the limit of open files cannot be told");
    else if (limit.rlim_max < FILES_LEAST)
        doctor_found(f, DOCTOR_FAIL, "raise it to 4096 or more (ulimit -Hn, LimitNOFILE=)",
                     "only %llu files may be open", (unsigned long long)limit.rlim_max);
    else if (limit.rlim_max < IO_URING_FILES)
        doctor_found(f, DOCTOR_WARN, "raise it to 4096 or more (ulimit -Hn, LimitNOFILE=)",
                     "%llu files may be open: enough for few hosts and clients",
                     (unsigned long long)limit.rlim_max);
    else
        doctor_ok(f, "%llu may be open", (unsigned long long)limit.rlim_max);
}

void doctor_memory_limit(const struct doctor *d, struct finding *f)
{
    struct rlimit limit;
    (void)d;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        doctor_found(f, DOCTOR_WARN, "see ulimit -l", "the limit of locked memory cannot be told");
    else if (limit.rlim_cur < MEMORY_LEAST && geteuid() != 0)
        doctor_found(f, DOCTOR_WARN, "raise it to 8 MiB (ulimit -l, LimitMEMLOCK=)",
                     "only %llu KiB may be locked: unlocked keys may be swapped out",
                     (unsigned long long)limit.rlim_cur / 1024);
    else
        doctor_ok(f, "secrets can be locked into memory");
}
