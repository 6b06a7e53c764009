#define _GNU_SOURCE
#include "clinux_server.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(O_PATH == 010000000, "clinux_O_PATH");
_Static_assert(POLLRDHUP == 0x2000, "clinux_POLLRDHUP");
_Static_assert(UTIME_OMIT == (1L << 30) - 2L, "clinux_UTIME_OMIT");

int clinux_accept_nonblocking(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_open_beneath(int directory, const char *path, int flags, mode_t mode) {
    struct open_how how = {
        .flags = (unsigned int)(flags | O_CLOEXEC),
        // The kernel refuses a mode without O_CREAT.
        .mode = (flags & O_CREAT) ? mode & 07777 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clinux_rename_noreplace(int directory, const char *name, int to_directory, const char *to_name) {
    return renameat2(directory, name, to_directory, to_name, RENAME_NOREPLACE);
}
