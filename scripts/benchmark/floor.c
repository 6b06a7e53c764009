// floor FOLDER MOUNTPOINT: mounts a local folder by FUSE, in the foreground, with as little in between as can be.
//
// What this takes for a work is what FUSE itself takes for it, with one copy of each byte in the daemon where a client
// of a network has one too: no server, no protocol, no cache. A mount of a server cannot be faster on the same machine,
// unless it spares that copy. Requests and read-ahead are as large as the kernel's limits allow, 1 MiB.
//
// Paths are relative to the folder, which is the working directory. Messages go to standard error.
#define _GNU_SOURCE
#define FUSE_USE_VERSION 312
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { REQUEST_BYTES = 1 << 20 };

// Seconds for which the kernel relies on what it was told, as with ftpfs.
enum { TIME_TO_LIVE = 10 };

// "/a/b" in the mount is "a/b" here.
static const char *local(const char *path) { return path[1] ? path + 1 : "."; }

static int result(int returned) { return returned < 0 ? -errno : 0; }

static void *start(struct fuse_conn_info *connection, struct fuse_config *config) {
    connection->max_write = connection->max_readahead = REQUEST_BYTES;
    config->entry_timeout = config->attr_timeout = TIME_TO_LIVE;
    config->use_ino = 1;
    return NULL;
}

static int attributes(const char *path, struct stat *status, struct fuse_file_info *info) {
    return result(info ? fstat((int)info->fh, status) : lstat(local(path), status));
}

static int list(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                enum fuse_readdir_flags flags) {
    (void)offset, (void)info;
    DIR *directory = opendir(local(path));
    if (!directory) return -errno;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        struct stat status = {.st_ino = entry->d_ino, .st_mode = (mode_t)entry->d_type << 12};
        bool knows_all = flags & FUSE_READDIR_PLUS &&
            fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (fill(buffer, entry->d_name, &status, 0, knows_all ? FUSE_FILL_DIR_PLUS : 0)) break;
    }
    closedir(directory);
    return 0;
}

static int open_file(const char *path, struct fuse_file_info *info) {
    int file = open(local(path), info->flags);
    info->fh = (uint64_t)file;
    return result(file);
}

static int create_file(const char *path, mode_t mode, struct fuse_file_info *info) {
    int file = open(local(path), info->flags | O_CREAT, mode);
    info->fh = (uint64_t)file;
    return result(file);
}

static int read_file(const char *path, char *bytes, size_t count, off_t offset, struct fuse_file_info *info) {
    (void)path;
    ssize_t done = pread((int)info->fh, bytes, count, offset);
    return done < 0 ? -errno : (int)done;
}

static int write_file(const char *path, const char *bytes, size_t count, off_t offset, struct fuse_file_info *info) {
    (void)path;
    ssize_t done = pwrite((int)info->fh, bytes, count, offset);
    return done < 0 ? -errno : (int)done;
}

static int close_file(const char *path, struct fuse_file_info *info) {
    (void)path;
    return result(close((int)info->fh));
}

static int cut(const char *path, off_t size, struct fuse_file_info *info) {
    return result(info ? ftruncate((int)info->fh, size) : truncate(local(path), size));
}

static int set_mode(const char *path, mode_t mode, struct fuse_file_info *info) {
    return result(info ? fchmod((int)info->fh, mode) : chmod(local(path), mode));
}

static int set_times(const char *path, const struct timespec times[2], struct fuse_file_info *info) {
    return result(info ? futimens((int)info->fh, times) : utimensat(AT_FDCWD, local(path), times, 0));
}

static int make_folder(const char *path, mode_t mode) { return result(mkdir(local(path), mode)); }

static int remove_file(const char *path) { return result(unlink(local(path))); }

static int remove_folder(const char *path) { return result(rmdir(local(path))); }

static int move(const char *from, const char *to, unsigned flags) {
    return flags ? -EINVAL : result(rename(local(from), local(to)));
}

static const struct fuse_operations operations = {
    .init = start,          .getattr = attributes,  .readdir = list,      .open = open_file,    .create = create_file,
    .read = read_file,      .write = write_file,    .release = close_file, .truncate = cut,     .chmod = set_mode,
    .utimens = set_times,   .mkdir = make_folder,   .unlink = remove_file, .rmdir = remove_folder, .rename = move,
};

// The kernel's own limit, 128 KiB, is changed there, by root.
static void widen_readahead(const char *mount_point) {
    struct statx status;
    if (statx(AT_FDCWD, mount_point, AT_STATX_DONT_SYNC, 0, &status) != 0) return;
    char path[64];
    snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", status.stx_dev_major, status.stx_dev_minor);
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%d", REQUEST_BYTES / 1024);
    fclose(file);
}

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: floor FOLDER MOUNTPOINT\n");
        return 2;
    }
    // libfuse allocates a buffer for each read; this keeps it from being fresh memory each time.
    mallopt(M_MMAP_THRESHOLD, 64 * REQUEST_BYTES);
    mallopt(M_TRIM_THRESHOLD, 64 * REQUEST_BYTES);
    umask(0);
    struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
    struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
    if (!fuse || fuse_mount(fuse, words[2]) != 0) return 1;
    widen_readahead(words[2]);
    if (chdir(words[1]) != 0) {
        perror(words[1]);
        fuse_unmount(fuse);
        return 1;
    }
    struct fuse_loop_config *loop = fuse_loop_cfg_create();
    int failed = fuse_loop_mt(fuse, loop);
    fuse_loop_cfg_destroy(loop);
    fuse_unmount(fuse);
    fuse_destroy(fuse);
    return failed ? 1 : 0;
}
