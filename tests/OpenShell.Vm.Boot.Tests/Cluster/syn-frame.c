// syn-frame INTERFACE GATEWAY_MAC SOURCE DESTINATION PORT BYPASS
// Writes one TCP SYN as a whole Ethernet frame (packet(7), needs CAP_NET_RAW), past the packet filter's IP hooks, and with BYPASS=1 past the
// queueing discipline too. Ends with 0 when a SYN-ACK of that address and port comes back within three seconds, with 1 when none does, and with
// 2 when it could not try.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

struct frame {
    struct ether_header ethernet;
    struct iphdr ip;
    struct tcphdr tcp;
} __attribute__((packed));

static int fail(const char *what) {
    perror(what);
    return 2;
}

static unsigned sum(const void *data, size_t length, unsigned total) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i += 2)
        total += bytes[i] << 8 | bytes[i + 1];
    return total;
}

static unsigned short checksum(unsigned total) {
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return htons(~total & 0xffff);
}

int main(int argc, char **argv) {
    if (argc != 7)
        return 2;
    int packets = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    if (packets < 0)
        return fail("socket");
    struct sockaddr_ll interface = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = if_nametoindex(argv[1])};
    struct ifreq mac = {0};
    strncpy(mac.ifr_name, argv[1], sizeof mac.ifr_name - 1);
    if (ioctl(packets, SIOCGIFHWADDR, &mac) != 0 || bind(packets, (struct sockaddr *)&interface, sizeof interface) != 0)
        return fail(argv[1]);
    int bypass = atoi(argv[6]);
    if (setsockopt(packets, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass) != 0)
        return fail("PACKET_QDISC_BYPASS");

    struct frame syn = {0};
    unsigned char *to = syn.ethernet.ether_dhost;
    if (sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6)
        return 2;
    memcpy(syn.ethernet.ether_shost, mac.ifr_hwaddr.sa_data, ETH_ALEN);
    syn.ethernet.ether_type = htons(ETH_P_IP);
    syn.ip = (struct iphdr){.version = 4, .ihl = 5, .tot_len = htons(40), .ttl = 64, .protocol = IPPROTO_TCP, .saddr = inet_addr(argv[3]), .daddr = inet_addr(argv[4])};
    syn.ip.check = checksum(sum(&syn.ip, sizeof syn.ip, 0));
    unsigned short source = 20000 + time(NULL) % 10000;
    syn.tcp.th_sport = htons(source);
    syn.tcp.th_dport = htons(atoi(argv[5]));
    syn.tcp.th_seq = htonl(1);
    syn.tcp.th_off = 5;
    syn.tcp.th_flags = TH_SYN;
    syn.tcp.th_win = htons(8192);
    syn.tcp.th_sum = checksum(sum(&syn.tcp, sizeof syn.tcp, sum(&syn.ip.saddr, 8, IPPROTO_TCP + sizeof syn.tcp)));

    // A frame that the egress hook drops is reported as ENOBUFS, or not at all.
    if (send(packets, &syn, sizeof syn, 0) < 0 && errno != ENOBUFS && errno != EPERM)
        return fail("send");
    for (time_t end = time(NULL) + 3; time(NULL) <= end;) {
        struct pollfd readable = {.fd = packets, .events = POLLIN};
        struct frame got;
        if (poll(&readable, 1, 200) <= 0 || recv(packets, &got, sizeof got, 0) < (ssize_t)sizeof got)
            continue;
        if (got.ip.saddr == syn.ip.daddr && got.tcp.th_sport == syn.tcp.th_dport && got.tcp.th_dport == syn.tcp.th_sport && (got.tcp.th_flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
            return 0;
    }
    return 1;
}
