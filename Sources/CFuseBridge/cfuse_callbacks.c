// The callbacks of libfuse, each with plain arguments handed on to the session's table.
#define _GNU_SOURCE
#include "cfuse_internal.h"

#include <errno.h>
#include <sys/stat.h>

// How many requests of read-ahead the kernel has under way in all. Its default, 12, would let a dozen pages of stuck
// files hold up the read-ahead of all others.
enum { BACKGROUND_REQUESTS = 128 };

#define TABLE(request) cfuse_session_of(request)->operations
#define CONTEXT(request) cfuse_session_of(request)->context

static struct cfuse_caller caller_of(fuse_req_t request) {
    const struct fuse_ctx *context = fuse_req_ctx(request);
    return (struct cfuse_caller){.user = context->uid, .group = context->gid, .process = context->pid};
}

// Hands a callback on: the table's member, then the arguments behind the caller.
#define FORWARD(member, request, ...)                                                                              \
    do {                                                                                                           \
        struct cfuse_caller caller = caller_of(request);                                                           \
        TABLE(request).member(CONTEXT(request), cfuse_wrap(request), &caller, __VA_ARGS__);                        \
    } while (0)

// What is negotiated:
// - ASYNC_READ: several reads of one file at a time.
// - ATOMIC_O_TRUNC: open gets O_TRUNC, one request instead of two, and no size change that a failing open leaves behind.
// - AUTO_INVAL_DATA: pages go when size or time change on the server.
// - READDIRPLUS, always and _AUTO: `ls -l` is one listing; the kernel asks for attributes only where they are used.
// - PARALLEL_DIROPS: lookups in one directory do not wait for each other.
// Left out:
// - WRITEBACK_CACHE: close() must report what the server said, and the server may change files.
// - HANDLE_KILLPRIV: the kernel clears set-user-ID bits itself, through setattr.
// - EXPORT_SUPPORT: inode numbers do not outlive the mount.
// - SPLICE_*: bytes come from and go to TLS and sockets through memory anyway.
// - CACHE_SYMLINKS: a cached target has no time to live.
static void on_init(void *userdata, struct fuse_conn_info *connection) {
    struct cfuse_session *session = userdata;
    unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS
        | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO;
    unsigned unwanted = FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_EXPORT_SUPPORT
        | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_CACHE_SYMLINKS
        | FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_POSIX_LOCKS | FUSE_CAP_POSIX_ACL;
    connection->want = (connection->want | (wanted & connection->capable)) & ~unwanted;
    connection->max_write = REQUEST_BYTES;
    connection->max_readahead = REQUEST_BYTES;
    connection->max_background = BACKGROUND_REQUESTS;
    connection->congestion_threshold = BACKGROUND_REQUESTS / 4 * 3;
    session->operations.ready(session->context);
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    FORWARD(lookup, request, parent, name);
}

static void on_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
    TABLE(request).forget(CONTEXT(request), inode, count);
    fuse_reply_none(request);
}

static void on_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets) {
    for (size_t index = 0; index < count; index++)
        TABLE(request).forget(CONTEXT(request), forgets[index].ino, forgets[index].nlookup);
    fuse_reply_none(request);
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    FORWARD(getattr, request, inode, info ? &info->fh : NULL);
}

static void on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *attributes, int set,
                       struct fuse_file_info *info) {
    static const struct {
        int theirs;
        uint32_t ours;
    } members[] = {
        {FUSE_SET_ATTR_MODE, CFUSE_SET_MODE},         {FUSE_SET_ATTR_UID, CFUSE_SET_USER},
        {FUSE_SET_ATTR_GID, CFUSE_SET_GROUP},         {FUSE_SET_ATTR_SIZE, CFUSE_SET_SIZE},
        {FUSE_SET_ATTR_MTIME, CFUSE_SET_MODIFIED},    {FUSE_SET_ATTR_MTIME_NOW, CFUSE_SET_MODIFIED_NOW},
    };
    struct cfuse_change change = {
        .mode = attributes->st_mode & 07777,
        .user = attributes->st_uid,
        .group = attributes->st_gid,
        .size = attributes->st_size,
        .modified_seconds = attributes->st_mtim.tv_sec,
        .modified_nanoseconds = (uint32_t)attributes->st_mtim.tv_nsec,
    };
    for (size_t index = 0; index < sizeof members / sizeof *members; index++)
        if (set & members[index].theirs) change.set |= members[index].ours;
    FORWARD(setattr, request, inode, &change, info ? &info->fh : NULL);
}

static void on_readlink(fuse_req_t request, fuse_ino_t inode) { FORWARD(readlink, request, inode); }

// mknod(2): EPERM is "the file system does not support the type of node requested".
static void on_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    (void)device;
    if (S_ISREG(mode))
        FORWARD(mknod, request, parent, name, mode & 07777);
    else
        fuse_reply_err(request, EPERM);
}

static void on_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    FORWARD(mkdir, request, parent, name, mode & 07777);
}

static void on_unlink(fuse_req_t request, fuse_ino_t parent, const char *name) {
    FORWARD(unlink, request, parent, name);
}

static void on_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name) { FORWARD(rmdir, request, parent, name); }

static void on_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name) {
    FORWARD(symlink, request, target, parent, name);
}

static void on_rename(fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                      const char *new_name, unsigned flags) {
    FORWARD(rename, request, parent, name, new_parent, new_name, flags);
}

// link(2): EPERM is "the file system does not support the creation of hard links", which programs expect.
static void on_link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t new_parent, const char *new_name) {
    (void)inode, (void)new_parent, (void)new_name;
    fuse_reply_err(request, EPERM);
}

static void on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    FORWARD(open, request, inode, info->flags);
}

static void on_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info) {
    FORWARD(create, request, parent, name, mode & 07777, info->flags);
}

static void on_read(fuse_req_t request, fuse_ino_t inode, size_t length, off_t offset, struct fuse_file_info *info) {
    (void)inode;
    FORWARD(read, request, info->fh, offset, length);
}

static void on_write(fuse_req_t request, fuse_ino_t inode, const char *bytes, size_t length, off_t offset,
                     struct fuse_file_info *info) {
    (void)inode;
    FORWARD(write, request, info->fh, offset, bytes, length, info->writepage);
}

static void on_flush(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    (void)inode;
    FORWARD(flush, request, info->fh);
}

static void on_fsync(fuse_req_t request, fuse_ino_t inode, int only_data, struct fuse_file_info *info) {
    (void)inode, (void)only_data;
    FORWARD(fsync, request, info->fh);
}

static void on_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    (void)inode;
    TABLE(request).release(CONTEXT(request), info->fh);
    fuse_reply_err(request, 0);
}

static void on_opendir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    (void)info;
    FORWARD(opendir, request, inode);
}

static void on_readdir(fuse_req_t request, fuse_ino_t inode, size_t capacity, off_t offset,
                       struct fuse_file_info *info) {
    (void)inode;
    FORWARD(readdir, request, info->fh, (uint64_t)offset, capacity, false);
}

static void on_readdirplus(fuse_req_t request, fuse_ino_t inode, size_t capacity, off_t offset,
                           struct fuse_file_info *info) {
    (void)inode;
    FORWARD(readdir, request, info->fh, (uint64_t)offset, capacity, true);
}

static void on_releasedir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
    (void)inode;
    TABLE(request).releasedir(CONTEXT(request), info->fh);
    fuse_reply_err(request, 0);
}

// Every change of a directory is acknowledged by the server before its own reply: there is nothing left to send.
static void on_fsyncdir(fuse_req_t request, fuse_ino_t inode, int only_data, struct fuse_file_info *info) {
    (void)inode, (void)only_data, (void)info;
    fuse_reply_err(request, 0);
}

static void on_statfs(fuse_req_t request, fuse_ino_t inode) {
    (void)inode;
    struct cfuse_space space = {0};
    TABLE(request).statfs(CONTEXT(request), &space);
    struct statvfs answer = {
        .f_bsize = space.block_size,
        .f_frsize = space.block_size,
        .f_blocks = space.blocks,
        .f_bfree = space.free_blocks,
        .f_bavail = space.free_blocks,
        .f_namemax = 255,
    };
    fuse_reply_statfs(request, &answer);
}

static void on_access(fuse_req_t request, fuse_ino_t inode, int mask) {
    FORWARD(access, request, inode, (uint32_t)mask);
}

const struct fuse_lowlevel_ops cfuse_callbacks = {
    .init = on_init,
    .lookup = on_lookup,
    .forget = on_forget,
    .forget_multi = on_forget_multi,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .readlink = on_readlink,
    .mknod = on_mknod,
    .mkdir = on_mkdir,
    .unlink = on_unlink,
    .rmdir = on_rmdir,
    .symlink = on_symlink,
    .rename = on_rename,
    .link = on_link,
    .open = on_open,
    .create = on_create,
    .read = on_read,
    .write = on_write,
    .flush = on_flush,
    .fsync = on_fsync,
    .release = on_release,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .readdirplus = on_readdirplus,
    .releasedir = on_releasedir,
    .fsyncdir = on_fsyncdir,
    .statfs = on_statfs,
    .access = on_access,
    .getxattr = cfuse_on_getxattr,
};
