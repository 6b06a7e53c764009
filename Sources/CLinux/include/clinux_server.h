// The Linux calls of a file server that Swift's Glibc module leaves out. Each wrapper has the name of the call behind
// `clinux_`.
#ifndef FTPFS_CLINUX_SERVER_H
#define FTPFS_CLINUX_SERVER_H

#include <sys/socket.h>
#include <sys/types.h>

// Constants that <fcntl.h>, <poll.h> and <sys/stat.h> hide without _GNU_SOURCE; clinux_server.c compares them.
static const int clinux_O_PATH = 010000000;
static const short clinux_POLLRDHUP = 0x2000;
static const long clinux_UTIME_OMIT = (1L << 30) - 2L;

/// accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK.
int clinux_accept_nonblocking(int listener, struct sockaddr *address, socklen_t *length);

/// openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, and O_CLOEXEC: nothing outside of `directory` is ever
/// opened, whatever `..` and symbolic links say. EXDEV: it would have been. Linux 5.6.
int clinux_open_beneath(int directory, const char *path, int flags, mode_t mode);

/// renameat2(2) with RENAME_NOREPLACE.
int clinux_rename_noreplace(int directory, const char *name, int to_directory, const char *to_name);

#endif
