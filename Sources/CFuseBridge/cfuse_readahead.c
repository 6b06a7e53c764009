// How far the kernel reads ahead.
//
// What a file system says when it is asked (FUSE_INIT, max_readahead) can only lower the kernel's own limit, which is 128
// KiB for every mount. A sequential read then comes in requests of 128 KiB, each with its share of system calls and changes
// of threads: on one machine a GiB took 1.2 s of processor time, and 0.75 s in requests of 1 MiB. The limit itself is in
// /sys/class/bdi, and root's to change. Small reads are not affected: the kernel begins with little and doubles.
#define _GNU_SOURCE
#include "cfuse_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void cfuse_widen_readahead(const char *mount_point) {
    // Nobody serves the mount yet: AT_STATX_DONT_SYNC makes the kernel answer by itself.
    struct statx status;
    if (statx(AT_FDCWD, mount_point, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &status) != 0) return;
    char path[64], size[16];
    snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", status.stx_dev_major, status.stx_dev_minor);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    // Not root, or no /sys: it works all the same, in smaller requests.
    if (file < 0) return;
    int length = snprintf(size, sizeof size, "%d", REQUEST_BYTES / 1024);
    if (write(file, size, (size_t)length) < 0) { /* As above. */ }
    close(file);
}
