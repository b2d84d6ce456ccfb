// reach WHO NAME KIND [TARGET PORT] ...
// Tries one thing after another and prints "NAME reached" or "NAME refused" for each. KIND:
//   tcp, udp   a line "WHO/NAME" is sent to TARGET, an IPv4 address, and comes back
//   http       an HTTP server answers a GET of TARGET, an IPv4 address
//   port       a virtio-serial port can be opened, by a node in /dev or by one that is made here
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PATIENCE = 4000 };

static int comes_back(int fd, const char *sent, const char *expected) {
    char answer[256] = {0};
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return send(fd, sent, strlen(sent), MSG_NOSIGNAL) == (ssize_t)strlen(sent) && poll(&wait, 1, PATIENCE) == 1
        && recv(fd, answer, sizeof answer - 1, 0) > 0 && strncmp(answer, expected, strlen(expected)) == 0;
}

static int connects(int fd, const char *target, const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, target, &address.sin_addr) != 1)
        exit(2);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return 1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    return errno == EINPROGRESS && poll(&wait, 1, PATIENCE) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

static int asks(int type, const char *target, const char *port, const char *sent, const char *expected) {
    int fd = socket(AF_INET, type, 0);
    int reached = fd >= 0 && connects(fd, target, port) && comes_back(fd, sent, expected);
    close(fd);
    return reached;
}

static int opens(const char *path) {
    int fd = open(path, O_RDWR | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int opens_port(void) {
    // What it is called is known from /sys, which every container sees.
    DIR *ports = opendir("/sys/class/virtio-ports");
    int reached = 0;
    for (struct dirent *entry; ports && (entry = readdir(ports));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[512];
        unsigned int major, minor;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        reached |= opens(path);
        snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/dev", entry->d_name);
        FILE *numbers = fopen(path, "r");
        if (!numbers || fscanf(numbers, "%u:%u", &major, &minor) != 2)
            exit(2);
        fclose(numbers);
        snprintf(path, sizeof path, "/tmp/node-%s", entry->d_name);
        unlink(path);
        if (mknod(path, S_IFCHR | 0600, makedev(major, minor)) == 0)
            reached |= opens(path);
        unlink(path);
    }
    if (!ports)
        exit(2);
    closedir(ports);
    return reached;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    for (int i = 2; i < argc;) {
        const char *name = argv[i], *kind = argv[i + 1];
        char line[256];
        int reached;
        snprintf(line, sizeof line, "%s/%s\n", argv[1], name);
        if (strcmp(kind, "tcp") == 0)
            reached = asks(SOCK_STREAM, argv[i + 2], argv[i + 3], line, line);
        else if (strcmp(kind, "udp") == 0)
            reached = asks(SOCK_DGRAM, argv[i + 2], argv[i + 3], line, line);
        else if (strcmp(kind, "http") == 0)
            reached = asks(SOCK_STREAM, argv[i + 2], argv[i + 3], "GET /services/forwarder/all HTTP/1.0\r\n\r\n", "HTTP/1.");
        else if (strcmp(kind, "port") == 0)
            reached = opens_port();
        else
            return 2;
        printf("%s %s\n", name, reached ? "reached" : "refused");
        fflush(stdout);
        i += strcmp(kind, "port") == 0 ? 2 : 4;
    }
    return 0;
}
