// What the kernel knows of a TCP connection and glibc's older `struct tcp_info` does not show.
#ifndef FTPFS_CLINUX_TCP_H
#define FTPFS_CLINUX_TCP_H

#include <stdint.h>

/// The shortest time in µs that a packet and its acknowledgement have taken lately (tcp(7), TCP_INFO: tcpi_min_rtt; Linux
/// 4.6); negative: not known. Unlike the smoothed time it leaves out how long the other side thought before it answered.
int64_t clinux_tcp_minimum_round_trip(int socket);

#endif
