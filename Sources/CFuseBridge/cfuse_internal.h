// What the files of this target share.
#ifndef FTPFS_CFUSE_INTERNAL_H
#define FTPFS_CFUSE_INTERNAL_H

#include "cfuse_bridge.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 312
#endif
#include <fuse_lowlevel.h>

struct cfuse_session {
    struct fuse_session *fuse;
    struct cfuse_operations operations;
    void *context;
    uint32_t maximum_threads;
    bool extended_attributes;
    // Written by cfuse_session_exit, which may run in a signal handler: nothing but these two.
    atomic_bool exiting;
    sem_t wake;
};

// The kernel's reads and writes are as large as this. It is also the most that kernel and libfuse allow
// (FUSE_MAX_MAX_PAGES, 256 pages of 4 KiB): fewer, larger requests cost less.
enum { REQUEST_BYTES = 1 << 20 };

// Lets the kernel read ahead as much as one request holds, where this process may say so: see cfuse_readahead.c.
void cfuse_widen_readahead(const char *mount_point);

// What libfuse calls.
extern const struct fuse_lowlevel_ops cfuse_callbacks;

// getxattr: see cfuse_xattr.c.
void cfuse_on_getxattr(fuse_req_t request, fuse_ino_t inode, const char *name, size_t capacity);

static inline struct cfuse_session *cfuse_session_of(fuse_req_t request) { return fuse_req_userdata(request); }

static inline struct cfuse_request *cfuse_wrap(fuse_req_t request) { return (struct cfuse_request *)request; }

static inline fuse_req_t cfuse_unwrap(struct cfuse_request *request) { return (fuse_req_t)request; }

// Where libfuse's lines go: to the session's `log`, or, while a capture is under way, to its file.
void cfuse_log_route(struct cfuse_session *session);
// Stops routing to this session.
void cfuse_log_unroute(struct cfuse_session *session);

struct cfuse_capture {
    int file;
    int saved_standard_error;
};

// Collects libfuse's lines and whatever is written to standard error, by this process and its children.
void cfuse_capture_begin(struct cfuse_capture *capture);
// Puts standard error back, copies the lines of libfuse and fusermount3 into `complaint`, and writes the others to
// standard error, where they were meant to go.
void cfuse_capture_end(struct cfuse_capture *capture, char *complaint, size_t capacity);

#endif
