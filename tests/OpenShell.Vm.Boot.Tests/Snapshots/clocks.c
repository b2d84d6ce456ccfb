// Loaded before the libraries of a process (LD_PRELOAD), it moves that process's clocks as a host that sleeps moves them. By how much is in a file of two 64-bit numbers, in seconds, that the test writes while the process
// runs: CLOCKS names it; the first is for the time of day, the second for the time since the boot. .NET finds clock_gettime by dlsym too, so that is answered here as well.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *moved;

__attribute__((constructor)) static void load(void)
{
    const char *path = getenv("CLOCKS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, 2 * sizeof *moved, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED)
        moved = at;
    if (file >= 0)
        close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && moved && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += moved[0];
    if (result == 0 && moved && clock == CLOCK_BOOTTIME)
        time->tv_sec += moved[1];
    return result;
}

void *dlsym(void *restrict library, const char *restrict name)
{
    static void *(*real)(void *, const char *);
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (unsigned i = 0; !real && i < sizeof versions / sizeof *versions; i++)
        real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    return strcmp(name, "clock_gettime") == 0 ? (void *)clock_gettime : real ? real(library, name) : 0;
}
