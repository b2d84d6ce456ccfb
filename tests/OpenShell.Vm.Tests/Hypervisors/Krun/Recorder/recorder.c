/*
 * A libkrun that writes down what it is told, as C sees it, and starts no machine. By the environment:
 *   RECORDER_LOG    where to: a line for each call
 *   RECORDER_FAIL   FUNCTION:RESULT makes that function return that
 *   RECORDER_EXIT   what krun_start_enter ends the process with (0)
 *   RECORDER_GUEST  instead, it lives until it is killed, and its vsock port leads to this Unix socket, as a machine's would to a program in the guest:
 *                   callers are hung up on while nobody listens there; its end by SIGTERM is written down too
 */
#define _GNU_SOURCE
#include "krun.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRMWARE (LEVEL >= 17 ? "libkrunfw.so.5" : "libkrunfw.so.4")

static char console_path[4096];
static char port_path[4096];

static void record(const char *format, ...)
{
    const char *path = getenv("RECORDER_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    va_list arguments;

    if (!log)
        return;
    va_start(arguments, format);
    vfprintf(log, format, arguments);
    va_end(arguments);
    fputc('\n', log);
    fclose(log);
}

static int32_t result_of(const char *function)
{
    const char *fail = getenv("RECORDER_FAIL");
    size_t length = strlen(function);

    return fail && strncmp(fail, function, length) == 0 && fail[length] == ':' ? atoi(fail + length + 1) : 0;
}

/* A bool is a byte that is 0 or 1; the compiler would take that for granted. */
__attribute__((unused)) static const char *truth(const bool *value)
{
    unsigned char byte;

    memcpy(&byte, value, 1);
    return byte == 0 ? "false" : byte == 1 ? "true" : "NEITHER TRUE NOR FALSE";
}

static const char *quoted(const char *text)
{
    static char buffers[4][4096];
    static int next;
    char *buffer = buffers[next++ % 4];

    if (!text)
        return "NULL";
    snprintf(buffer, sizeof buffers[0], "\"%s\"", text);
    return buffer;
}

static const char *list(const char *const items[])
{
    static char buffers[2][8192];
    static int next;
    char *buffer = buffers[next++ % 2];

    if (!items)
        return "NULL";
    strcpy(buffer, "[");
    for (; *items; items++) {
        strcat(buffer, quoted(*items));
        strcat(buffer, ", ");
    }
    return strcat(buffer, "NULL]");
}

static const char *address(const uint8_t *mac)
{
    static char buffer[32];

    snprintf(buffer, sizeof buffer, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return buffer;
}

int32_t krun_set_log_level(uint32_t level)
{
    record("krun_set_log_level(%u)", level);
    return result_of(__func__);
}

int32_t krun_create_ctx(void)
{
    record("krun_create_ctx()  # %s is %s", FIRMWARE, dlopen(FIRMWARE, RTLD_LAZY | RTLD_NOLOAD) ? "loaded" : "not loaded");
    return result_of(__func__);
}

int32_t krun_free_ctx(uint32_t ctx)
{
    record("krun_free_ctx(%u)", ctx);
    return result_of(__func__);
}

int32_t krun_set_vm_config(uint32_t ctx, uint8_t vcpus, uint32_t mib)
{
    record("krun_set_vm_config(%u, %u, %u)", ctx, vcpus, mib);
    return result_of(__func__);
}

int32_t krun_set_root(uint32_t ctx, const char *path)
{
    record("krun_set_root(%u, %s)", ctx, quoted(path));
    return result_of(__func__);
}

int32_t krun_set_exec(uint32_t ctx, const char *path, const char *const argv[], const char *const envp[])
{
    record("krun_set_exec(%u, %s, %s, %s)", ctx, quoted(path), list(argv), list(envp));
    return result_of(__func__);
}

int32_t krun_set_passt_fd(uint32_t ctx, int fd)
{
    struct sockaddr_un peer = {0};
    socklen_t size = sizeof peer;
    int type = 0;
    socklen_t type_size = sizeof type;

    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size);
    record("krun_set_passt_fd(%u, a %s connected to %s)", ctx, type == SOCK_STREAM ? "stream" : "descriptor",
           getpeername(fd, (struct sockaddr *)&peer, &size) == 0 ? quoted(peer.sun_path) : "nobody");
    return result_of(__func__);
}

int32_t krun_set_gvproxy_path(uint32_t ctx, char *path)
{
    record("krun_set_gvproxy_path(%u, %s)", ctx, quoted(path));
    return result_of(__func__);
}

int32_t krun_set_net_mac(uint32_t ctx, uint8_t *const mac)
{
    record("krun_set_net_mac(%u, %s)", ctx, address(mac));
    return result_of(__func__);
}

int32_t krun_set_port_map(uint32_t ctx, const char *const map[])
{
    record("krun_set_port_map(%u, %s)", ctx, list(map));
    return result_of(__func__);
}

int32_t krun_set_console_output(uint32_t ctx, const char *path)
{
    record("krun_set_console_output(%u, %s)", ctx, quoted(path));
    snprintf(console_path, sizeof console_path, "%s", path);
    return result_of(__func__);
}

#if LEVEL >= 10
int32_t krun_add_disk2(uint32_t ctx, const char *id, const char *path, uint32_t format, bool read_only)
{
    record("krun_add_disk2(%u, %s, %s, %u, %s)", ctx, quoted(id), quoted(path), format, truth(&read_only));
    return result_of(__func__);
}

int32_t krun_add_vsock_port2(uint32_t ctx, uint32_t port, const char *path, bool listen)
{
    record("krun_add_vsock_port2(%u, %u, %s, %s)", ctx, port, quoted(path), truth(&listen));
    snprintf(port_path, sizeof port_path, "%s", path);
    return result_of(__func__);
}
#endif

#if LEVEL >= 11
int32_t krun_set_kernel(uint32_t ctx, const char *path, uint32_t format, const char *initramfs, const char *cmdline)
{
    record("krun_set_kernel(%u, %s, %u, %s, %s)", ctx, quoted(path), format, quoted(initramfs), quoted(cmdline));
    return result_of(__func__);
}
#endif

#if LEVEL >= 13
int32_t krun_init_log(int fd, uint32_t level, uint32_t style, uint32_t options)
{
    record("krun_init_log(%d, %u, %u, %u)", fd, level, style, options);
    return result_of(__func__);
}
#endif

#if LEVEL >= 15
int32_t krun_add_net_unixstream(uint32_t ctx, const char *path, int fd, uint8_t *const mac, uint32_t features, uint32_t flags)
{
    record("krun_add_net_unixstream(%u, %s, %d, %s, 0x%x, 0x%x)", ctx, quoted(path), fd, address(mac), features, flags);
    return result_of(__func__);
}

int32_t krun_add_net_unixgram(uint32_t ctx, const char *path, int fd, uint8_t *const mac, uint32_t features, uint32_t flags)
{
    record("krun_add_net_unixgram(%u, %s, %d, %s, 0x%x, 0x%x)", ctx, quoted(path), fd, address(mac), features, flags);
    return result_of(__func__);
}
#endif

#if LEVEL >= 17
int32_t krun_add_disk3(uint32_t ctx, const char *id, const char *path, uint32_t format, bool read_only, bool direct_io, uint32_t sync)
{
    record("krun_add_disk3(%u, %s, %s, %u, %s, %s, %u)", ctx, quoted(id), quoted(path), format, truth(&read_only), truth(&direct_io), sync);
    return result_of(__func__);
}

int32_t krun_disable_implicit_vsock(uint32_t ctx)
{
    record("krun_disable_implicit_vsock(%u)", ctx);
    return result_of(__func__);
}

int32_t krun_add_vsock(uint32_t ctx, uint32_t tsi)
{
    record("krun_add_vsock(%u, %u)", ctx, tsi);
    return result_of(__func__);
}

int32_t krun_get_max_vcpus(void)
{
    record("krun_get_max_vcpus()");
    return result_of(__func__);
}
#endif

#if LEVEL >= 19
int32_t krun_add_virtiofs3(uint32_t ctx, const char *tag, const char *path, uint64_t window, bool read_only)
{
    record("krun_add_virtiofs3(%u, %s, %s, %llu, %s)", ctx, quoted(tag), quoted(path), (unsigned long long)window, truth(&read_only));
    return result_of(__func__);
}

int32_t krun_disable_implicit_init(uint32_t ctx)
{
    record("krun_disable_implicit_init(%u)", ctx);
    return result_of(__func__);
}
#endif

static int unix_socket(const char *path, bool listening)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    if (listening ? bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 5) == 0 : connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

struct direction {
    int from, to;
};

static void *pass_on(void *argument)
{
    struct direction *direction = argument;
    char buffer[65536];
    ssize_t count;

    while ((count = read(direction->from, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, part; done < count && (part = write(direction->to, buffer + done, count - done)) > 0;)
            done += part;
    shutdown(direction->to, SHUT_RDWR);
    shutdown(direction->from, SHUT_RDWR);
    return NULL;
}

static void relay(int caller, int guest)
{
    static struct direction directions[64];
    static int used;
    pthread_t thread;

    for (int i = 0; i < 2 && used < 64; i++) {
        directions[used].from = i ? guest : caller;
        directions[used].to = i ? caller : guest;
        pthread_create(&thread, NULL, pass_on, &directions[used++]);
    }
}

static void serve(const char *guest_path)
{
    int listener = unix_socket(port_path, true);

    for (;;) {
        int caller = accept(listener, NULL, NULL);
        int guest = unix_socket(guest_path, false);

        if (guest < 0)
            close(caller);
        else
            relay(caller, guest);
    }
}

/* The default action, written down first: with what a handler may call. */
static void end_by_term(int number)
{
    static const char line[] = "ended by SIGTERM\n";
    const char *path = getenv("RECORDER_LOG");
    int log = path ? open(path, O_WRONLY | O_APPEND) : -1;

    if (log >= 0 && write(log, line, sizeof line - 1) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

/* As libkrun's threads do with the real-time signal that wakes a virtual CPU. */
static void kick(int signal)
{
    (void)signal;
}

int32_t krun_start_enter(uint32_t ctx)
{
    struct rlimit files;
    struct sigaction term;
    int32_t result = result_of(__func__);
    FILE *console;

    getrlimit(RLIMIT_NOFILE, &files);
    sigaction(SIGTERM, NULL, &term);
    record("krun_start_enter(%u)  # files: %s, SIGTERM: %s", ctx, files.rlim_cur == files.rlim_max ? "as many as allowed" : "limited",
           term.sa_handler == SIG_DFL ? "ends the process" : "is handled");
    if (result < 0)
        return result;

    signal(SIGRTMIN, kick);
    console = fopen(console_path, "w");
    if (console) {
        fputs("a console\n", console);
        fclose(console);
    }
    if (getenv("RECORDER_GUEST")) {
        signal(SIGTERM, end_by_term);
        serve(getenv("RECORDER_GUEST"));
    }
    _exit(getenv("RECORDER_EXIT") ? atoi(getenv("RECORDER_EXIT")) : 0);
}
