/* Time, and CPU time of process trees from /proc. No control groups: they need rights that a
 * benchmark should not ask for.
 *
 * A tree's CPU is the sum, over its living processes, of their own time and that of the children
 * they have waited for (proc(5), stat: utime, stime, cutime, cstime). A process that ends moves its
 * time to its parent when it is reaped, so that the sum never goes back between two readings. One
 * reading is a walk over /proc: a millisecond or so, outside the measured processes. */
#include "bench.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 8192

struct process {
    int pid, parent;
    double cpu_s;
    bool counted;
};

double bench_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double usage_s(int who)
{
    struct rusage u;
    if (getrusage(who, &u) != 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

double bench_cpu_self_s(void)
{
    return usage_s(RUSAGE_SELF) + usage_s(RUSAGE_CHILDREN);
}

/* False when the process has gone meanwhile. */
static bool read_process(int pid, double tick_s, struct process *out)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[len] = '\0';
    /* The name stands in parentheses and may hold anything, parentheses too: start behind the last.
     */
    const char *fields = strrchr(text, ')');
    unsigned long user, system;
    long children_user, children_system;
    if (!fields || sscanf(fields + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                          &out->parent, &user, &system, &children_user, &children_system) != 5)
        return false;
    out->pid = pid;
    out->cpu_s = (double)(user + system) * tick_s;
    out->cpu_s += (double)(children_user + children_system) * tick_s;
    out->counted = false;
    return true;
}

static size_t read_all(struct process *all, double tick_s)
{
    size_t count = 0;
    DIR *dir = opendir("/proc");
    if (!dir)
        return 0;
    const struct dirent *entry;
    while (count < PROCESSES_MAX && (entry = readdir(dir))) {
        int pid = atoi(entry->d_name);
        if (pid > 0 && read_process(pid, tick_s, &all[count]))
            count++;
    }
    closedir(dir);
    return count;
}

static bool is_counted(const struct process *all, size_t count, int pid)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].pid == pid)
            return all[i].counted;
    return false;
}

double bench_cpu_tree_s(int pid)
{
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK), sum = -1;
    struct process *all = malloc(PROCESSES_MAX * sizeof *all);
    if (!all)
        return -1;
    size_t count = read_all(all, tick_s);
    /* Generation by generation, until one adds nobody: /proc is in no order of kinship. */
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i < count; i++) {
            struct process *p = &all[i];
            if (p->counted || (p->pid != pid && !is_counted(all, count, p->parent)))
                continue;
            p->counted = grew = true;
            sum = (sum < 0 ? 0 : sum) + p->cpu_s;
        }
    }
    free(all);
    return sum;
}
