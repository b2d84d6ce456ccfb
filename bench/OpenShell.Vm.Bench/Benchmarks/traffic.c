/* Answers what the benchmark of forwarded ports asks for: 9 bytes a request (what, and a count, little-endian), one process a connection.
   Or HTTP/1.1 without bodies: every request gets the same answer.
   's' count: sends that many bytes.  'r' count: takes that many, then sends one.  'e' count: sends back that many, each as it comes. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static int take(int fd, char *to, size_t count) {
    while (count > 0) {
        ssize_t n = read(fd, to, count);
        if (n <= 0) return 0;
        to += n;
        count -= n;
    }
    return 1;
}

static int give(int fd, const char *from, size_t count) {
    while (count > 0) {
        ssize_t n = write(fd, from, count);
        if (n <= 0) return 0;
        from += n;
        count -= n;
    }
    return 1;
}

/* The rest of a request whose first bytes are read, and all that follow on the connection. */
static void serve_http(int fd) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", end[] = "\r\n\r\n";
    size_t matched = 0;
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0) return;
        for (ssize_t i = 0; i < n; i++) {
            matched = buffer[i] == end[matched] ? matched + 1 : buffer[i] == '\r';
            if (matched < 4) continue;
            matched = 0;
            if (!give(fd, answer, sizeof answer - 1)) return;
        }
    }
}

static void serve(int fd) {
    char request[9];
    while (take(fd, request, sizeof request)) {
        uint64_t count;
        if (request[0] == 'G') {
            serve_http(fd);
            return;
        }
        memcpy(&count, request + 1, sizeof count);
        if (request[0] == 'e') {
            for (; count > 0; count--)
                if (!take(fd, buffer, 1) || !give(fd, buffer, 1)) return;
            continue;
        }
        while (count > 0) {
            size_t part = count < sizeof buffer ? count : sizeof buffer;
            if (!(request[0] == 's' ? give(fd, buffer, part) : take(fd, buffer, part))) return;
            count -= part;
        }
        if (request[0] == 'r' && !give(fd, "k", 1)) return;
    }
}

int main(int argc, char **argv) {
    int on = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0), .sin_addr.s_addr = INADDR_ANY};
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 64)) {
        perror("listen");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept(server, 0, 0);
        if (fd < 0) continue;
        if (fork() == 0) {
            close(server);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            serve(fd);
            _exit(0);
        }
        close(fd);
    }
}
