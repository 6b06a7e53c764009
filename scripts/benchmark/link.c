// A link with a round-trip time and a rate, in user space.
//
//     cc -O2 -o link link.c
//     ./link RTT_MILLISECONDS BITS_PER_SECOND        (0 bits per second: as fast as it goes)
//
// It stands in for `tc netem`, which many kernels are built without. It joins the network namespace that it is started
// in with a new one: a TUN device in each, and every packet that leaves one of them is written to the other after half
// the round-trip time, behind the packets before it. Real TCP runs over it, so that slow start, windows and round trips
// are those of a real link.
//
//     this side  10.77.0.1  `link0`          far side  10.77.0.2  `link1`, in the namespace /proc/PID/ns/net
//
// It says "ready" on standard output and runs until its standard input ends or a signal ends it. The far namespace and
// both devices are gone with it (and with what was started there): there is nothing to clean up.
//
// How packets are treated:
// - Each direction is a line of its own (full duplex). A packet starts when the one before it has left, takes its bytes
//   divided by the rate, and arrives half a round-trip time later. Only what does not fit into the queue is lost.
// - Packets come with their offload header (virtio_net_hdr) and up to 64 KiB long, as a network card gets them, so that
//   1 Gbit/s costs some 2,000 system calls a second instead of 80,000 and the machine's cores stay free for what is
//   measured. Their time on the line is that of the segments they stand for, each with headers of its own.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const NEAR_ADDRESS = "10.77.0.1", *const FAR_ADDRESS = "10.77.0.2";

// The longest IP packet, and the header in front of it.
enum { LONGEST = 65535 + sizeof(struct virtio_net_hdr) };

// What waits for the line, as on a usual router: 100 ms of its rate. More is lost, as there.
static const double QUEUE_SECONDS = 0.1;

// Without a rate nothing waits for the line, only for the round-trip time; this bounds the memory.
static const double QUEUE_WITHOUT_RATE = 64e6;

static const int64_t SECOND = 1000000000;

struct packet {
    struct packet *next;
    int64_t due;
    size_t length;
    unsigned char bytes[];
};

struct direction {
    int from, to;
    struct packet *first, **end;
    int64_t line_is_free;  // when the last packet has left
    double queued;         // bytes in the list
};

static void fail(const char *what) {
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static struct ifreq request_for(const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return request;
}

static void set_address(int control, const char *name, unsigned long request_number, const char *address) {
    struct ifreq request = request_for(name);
    struct sockaddr_in *slot = (struct sockaddr_in *)&request.ifr_addr;
    slot->sin_family = AF_INET;
    slot->sin_addr.s_addr = inet_addr(address);
    if (ioctl(control, request_number, &request) < 0) fail(name);
}

static void bring_up(int control, const char *name) {
    struct ifreq request = request_for(name);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(control, SIOCSIFFLAGS, &request) < 0) fail(name);
}

// One end, in the namespace that this process is in: a TUN device with its address and that of the other end.
static int make_end(const char *name, const char *own, const char *other) {
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) fail("/dev/net/tun");
    struct ifreq request = request_for(name);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(device, TUNSETIFF, &request) < 0) fail(name);
    if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN) < 0) fail("TUNSETOFFLOAD");
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) fail("socket");
    set_address(control, name, SIOCSIFADDR, own);
    set_address(control, name, SIOCSIFDSTADDR, other);
    bring_up(control, name);
    bring_up(control, "lo");
    close(control);
    return device;
}

// Bytes on the line: a long packet stands for several, which share all but their headers.
static double bytes_on_the_line(const struct packet *packet) {
    const struct virtio_net_hdr *header = (const struct virtio_net_hdr *)packet->bytes;
    size_t length = packet->length - sizeof *header;
    if (header->gso_size == 0 || header->hdr_len >= length) return (double)length;
    size_t data = length - header->hdr_len, segments = (data + header->gso_size - 1) / header->gso_size;
    return (double)(data + segments * header->hdr_len);
}

// Takes what has been sent into one end and gives each packet the time at which it arrives at the other.
static void take(struct direction *way, double rate, int64_t delay) {
    static unsigned char bytes[LONGEST];
    // Those that have left and not arrived yet are in the list too.
    const double most = rate > 0 ? rate / 8 * (QUEUE_SECONDS + (double)delay / SECOND) : QUEUE_WITHOUT_RATE;
    ssize_t length;
    while ((length = read(way->from, bytes, sizeof bytes)) > 0) {
        if (way->queued > most) continue;
        struct packet *packet = malloc(sizeof *packet + (size_t)length);
        if (!packet) continue;
        packet->next = NULL;
        packet->length = (size_t)length;
        memcpy(packet->bytes, bytes, (size_t)length);
        int64_t time = now(), start = way->line_is_free > time ? way->line_is_free : time;
        way->line_is_free = rate > 0 ? start + (int64_t)(bytes_on_the_line(packet) * 8 / rate * SECOND) : time;
        packet->due = way->line_is_free + delay;
        way->queued += (double)length;
        *way->end = packet;
        way->end = &packet->next;
    }
}

// Hands over what has arrived; returns when the next packet does.
static int64_t deliver(struct direction *way) {
    struct packet *packet;
    while ((packet = way->first) && packet->due <= now()) {
        // A device whose queue is full loses the packet, as a card does.
        if (write(way->to, packet->bytes, packet->length) < 0 && errno == EINTR) continue;
        way->queued -= (double)packet->length;
        way->first = packet->next;
        if (!way->first) way->end = &way->first;
        free(packet);
    }
    return packet ? packet->due : INT64_MAX;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: link RTT_MILLISECONDS BITS_PER_SECOND\n");
        return 2;
    }
    const int64_t delay = (int64_t)(atof(arguments[1]) / 2 * 1e6);
    const double rate = atof(arguments[2]);

    int near_end = make_end("link0", NEAR_ADDRESS, FAR_ADDRESS);
    if (unshare(CLONE_NEWNET) < 0) fail("a new network namespace");
    int far_end = make_end("link1", FAR_ADDRESS, NEAR_ADDRESS);

    // The delay has to be right when all cores are busy; this process needs little of them. Where that is not allowed
    // the link works, less exactly.
    const struct sched_param priority = {.sched_priority = 1};
    sched_setscheduler(0, SCHED_FIFO, &priority);
    prctl(PR_SET_TIMERSLACK, 1);
    printf("ready\n");
    fflush(stdout);

    struct direction ways[2] = {{.from = near_end, .to = far_end}, {.from = far_end, .to = near_end}};
    for (int index = 0; index < 2; index++) ways[index].end = &ways[index].first;
    struct pollfd watched[3] = {{near_end, POLLIN, 0}, {far_end, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (!watched[2].revents) {
        int64_t next = INT64_MAX;
        for (int index = 0; index < 2; index++) {
            take(&ways[index], rate, delay);
            int64_t due = deliver(&ways[index]);
            if (due < next) next = due;
        }
        int64_t wait = next - now();
        if (wait < 0) wait = 0;
        const struct timespec time = {wait / SECOND, wait % SECOND};
        if (ppoll(watched, 3, next == INT64_MAX ? NULL : &time, NULL) < 0 && errno != EINTR) fail("poll");
    }
    return 0;
}
