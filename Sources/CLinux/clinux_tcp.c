#include "clinux_tcp.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

int64_t clinux_tcp_minimum_round_trip(int socket) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    // An older kernel fills less. All bits set is its word for "none yet".
    if (length < offsetof(struct tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt) return -1;
    return info.tcpi_min_rtt == UINT32_MAX ? -1 : info.tcpi_min_rtt;
}
